"""The portfolio from above as JSON: groups of accounts whose numbers are the sums of what is below them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading
from api.described import SESSION
from engine.definitions.bundle import Bundle
from engine.errors import Unavailable
from engine.evaluation.rollups import HUNDREDTHS
from engine.store.before import DAY_ZERO
from engine.store.bundles import in_force
from engine.store.from_above import Branch, families, segments

router = APIRouter(prefix="/v1", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]


class BranchAnswer(BaseModel):
    """A group of accounts, or an account where there are no children. Money in the currency of the ARR, scores in
    points, null where nothing is known; every sum is the sum of the children's."""

    name: str
    line: str
    accounts: int
    arr: float
    arr_known: int
    scored: int
    mean_score: float | None
    arr_weighted_score: float | None
    tiers: dict[str, int]
    arr_by_tier: dict[str, float]
    children: list["BranchAnswer"]


@router.get("/segments")
def of_segments(
    session: Reading,
    at: Now,
    allowed: Readable,
    by: Annotated[
        list[str] | None, Query(max_length=4, description="segment (default), stage, owner, sign_up or a pushed text.")
    ] = None,
) -> BranchAnswer:
    """The customers one may see: all, below each category, and each account, in one line and in sums."""
    return _answer(segments(session, bundle_of(session), (at - DAY_ZERO).days, by or ["segment"], allowed.owner))


@router.get("/families")
def of_families(session: Reading, allowed: Readable) -> list[BranchAnswer]:
    """Accounts with the accounts that belong to them, the largest first."""
    return [_answer(branch) for branch in families(session, bundle_of(session), allowed.owner)]


def bundle_of(session: Reading) -> Bundle:
    """The definitions in force. Raises Unavailable before the first."""
    found = in_force(session)
    if found is None:
        raise Unavailable("no definitions are in force yet: `backcast apply` puts them in force")
    return found


def _answer(branch: Branch) -> BranchAnswer:
    total = branch.total
    return BranchAnswer(
        name=branch.name,
        line=branch.line,
        accounts=total.accounts,
        arr=total.arr / HUNDREDTHS,
        arr_known=total.arr_known,
        scored=total.scored,
        mean_score=total.mean_score,
        arr_weighted_score=total.weighted_score,
        tiers={tier.value: count for tier, count in total.tiers.items()},
        arr_by_tier={tier.value: arr / HUNDREDTHS for tier, arr in total.arr_by_tier.items()},
        children=[_answer(child) for child in branch.children],
    )
