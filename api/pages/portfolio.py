"""The portfolio: all accounts a member may see, those that need attention first."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from api.dependencies import Allowed, Pass, Reading
from api.pages.naming import names
from api.pages.rendering import page
from engine.store.portfolio import Wanted, portfolio
from engine.terms import Tier

router = APIRouter(include_in_schema=False)


@router.get("/accounts")
def show(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("account", "read"))],
    session: Reading,
    tier: str = "",
    owner: str = "",
    search: Annotated[str, Query(max_length=200)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=1_000_000)] = 1,
) -> Response:
    """One page of accounts; unknown words in the filter count as no filter."""
    chosen = Tier(tier) if tier in set(Tier) else None
    wanted = Wanted(owner or None, chosen, search.strip(), number)
    found = portfolio(session, wanted, allowed.owner)
    return page(request, "portfolio.html", portfolio=found, wanted=wanted, names=names(session), tiers=tuple(Tier))
