"""The morning's digest, effort beside need, and whose it is to act, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading
from api.described import SESSION
from api.routes.segments import bundle_of
from engine.store.before import DAY_ZERO
from engine.store.digests import digest
from engine.store.effort import looked_after
from engine.store.learned import focus

router = APIRouter(prefix="/v1", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]


class EntryAnswer(BaseModel):
    """One account of the digest: what changed, why, the next step, and its place in the order of attention."""

    key: str
    name: str
    place: int
    changed: list[str]
    why: list[str]
    next: str


class LookedAnswer(BaseModel):
    """How one account is looked after. ``care``: over_served, neglected_saveable, neglected_growable or null;
    ``touches`` of the last 90 days, ``untouched``: days since the last, null none; ``open``: tasks and runs."""

    key: str
    name: str
    owner: str
    care: str | None
    touches: int
    untouched: int | None
    open: int
    risk: float
    gain: float


class FocusAnswer(BaseModel):
    """A metric behind scores that fell in the last 30 days. ``side``: product or cs."""

    side: str
    metric: str
    title: str
    accounts: int
    arr: float


@router.get("/digest")
def of_digest(
    session: Reading, at: Now, allowed: Readable, days: Annotated[int, Query(ge=1, le=90)] = 1
) -> list[EntryAnswer]:
    """What changed in the last days for the accounts one may see, why, and what to do next."""
    found = digest(session, bundle_of(session), (at - DAY_ZERO).days, allowed.owner, days)
    return [EntryAnswer.model_validate(entry, from_attributes=True) for entry in found]


@router.get("/effort")
def of_effort(
    session: Reading, at: Now, allowed: Readable, untouched: Annotated[int, Query(ge=1, le=90)] = 30
) -> list[LookedAnswer]:
    """The accounts one may see, in the order of attention, and how they are looked after."""
    return [
        LookedAnswer(
            key=one.turn.key,
            name=one.turn.name,
            owner=one.turn.owner,
            care=one.care,
            touches=one.touches,
            untouched=one.untouched,
            open=one.open,
            risk=one.turn.risk,
            gain=one.turn.gain,
        )
        for one in looked_after(session, (at - DAY_ZERO).days, untouched, allowed.owner)
    ]


@router.get("/focus")
def of_focus(session: Reading, allowed: Readable) -> list[FocusAnswer]:
    """The metrics behind falling scores, those with the most revenue first, for product and for CS."""
    found = focus(session, bundle_of(session), allowed.owner)
    return [FocusAnswer.model_validate(one, from_attributes=True) for one in found]
