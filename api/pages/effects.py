"""Effects: what each playbook changed, against accounts deliberately left untreated."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.dependencies import Allowed, Pass, Reading
from api.pages.naming import names
from api.pages.rendering import page
from engine.store.effects_page import effects_page

router = APIRouter(include_in_schema=False)


@router.get("/effects")
def show(request: Request, _allowed: Annotated[Pass, Depends(Allowed("effect", "read"))], session: Reading) -> Response:
    """Every experiment with its arms, its uplift and how sure that is."""
    found = effects_page(session)
    reach = max((max(abs(one.low or 0), abs(one.high or 0)) for one in found), default=0.0)
    return page(request, "effects.html", effects=found, reach=reach, names=names(session))
