"""The order of attention as JSON: every customer with all parts of its priority."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading
from api.described import SESSION
from engine.store.attention import queue
from engine.store.before import DAY_ZERO

router = APIRouter(prefix="/v1/priorities", tags=["accounts"], dependencies=[SESSION])


class TurnAnswer(BaseModel):
    """One account's place and the parts of its priority, in the currency of the ARR and as shares.

    ``assumed`` names the parts that are not known, for which what is written down for that case stands in; ``renewal``:
    in so many days, null unknown; ``waiting``: days since its oldest open challenge began.
    """

    place: int
    key: str
    name: str
    owner: str
    priority: float
    risk: float
    gain: float
    ageing: float
    arr: float
    loss: float
    save: float
    grow: float
    urgency: float
    renewal: int | None
    waiting: int
    assumed: list[str]
    sentence: str


@router.get("")
def priorities(
    session: Reading,
    at: Now,
    allowed: Annotated[Pass, Depends(Allowed("account", "read"))],
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> list[TurnAnswer]:
    """The customers one may see, those that deserve attention first; places count over everybody's."""
    found = queue(session, (at - DAY_ZERO).days, allowed.owner)
    return [TurnAnswer.model_validate(turn, from_attributes=True) for turn in found[:limit]]
