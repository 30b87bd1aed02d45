"""Accounts beside those like them as JSON."""

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading
from api.described import SESSION
from api.routes.segments import bundle_of
from engine.store.before import DAY_ZERO
from engine.store.cohort_page import cohorts

router = APIRouter(prefix="/v1/cohorts", tags=["accounts"], dependencies=[SESSION])


class CohortAnswer(BaseModel):
    """One cohort: how many accounts, of how many the value is known, their cuts (null: none known), how many light."""

    name: str
    accounts: int
    known: int
    lowest_tenth: float | None
    lower: float | None
    median: float | None
    upper: float | None
    light: int
    is_light: bool


class ComparedAnswer(BaseModel):
    """One account: ``use`` is fine, outlier (light while its cohort is not), norm (as its cohort) or unknown."""

    key: str
    cohort: str
    value: float | None
    use: str


class CohortsAnswer(BaseModel):
    """All cohorts of a metric, over everybody's accounts, and the accounts one may see beside them."""

    metric: str
    by: str
    light_below: float
    cohorts: list[CohortAnswer]
    accounts: list[ComparedAnswer]


@router.get("/{metric}")
def of_metric(
    metric: str,
    session: Reading,
    at: Now,
    allowed: Annotated[Pass, Depends(Allowed("account", "read"))],
    below: Annotated[float, Query(allow_inf_nan=False, description="Use is light below this value.")],
    by: Annotated[str, Query(max_length=200)] = "segment",
) -> CohortsAnswer:
    """Whether light use is an outlier or the norm, by segment, quarter of sign-up (sign_up), or another category."""
    found = cohorts(session, bundle_of(session), (at - DAY_ZERO).days, metric, below, by, allowed.owner)
    groups = []
    for one in found.cohorts:
        cuts = (None if math.isnan(cut) else cut for cut in (one.lowest_tenth, one.lower, one.median, one.upper))
        lowest, lower, median, upper = cuts
        groups.append(
            CohortAnswer(
                name=one.name,
                accounts=one.accounts,
                known=one.known,
                lowest_tenth=lowest,
                lower=lower,
                median=median,
                upper=upper,
                light=one.light,
                is_light=one.is_light,
            )
        )
    accounts = [ComparedAnswer(key=one.key, cohort=one.cohort, value=one.value, use=one.use) for one in found.accounts]
    return CohortsAnswer(metric=metric, by=by, light_below=below, cohorts=groups, accounts=accounts)
