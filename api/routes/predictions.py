"""Predictions as JSON: chances with what they are worth, apart from every score."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.dependencies import Allowed, Pass, Reading
from api.described import SESSION
from engine.store.predictions import newest, owned

router = APIRouter(prefix="/v1/predictions", tags=["accounts"], dependencies=[SESSION])


class BandAnswer(BaseModel):
    """Accounts that were told a like chance: its mean, to how many of them it ``happened``, and the 95 % interval."""

    accounts: int
    told: float
    happened: float
    low: float
    high: float


class JudgedAnswer(BaseModel):
    """How one chance did on days later than those it was fitted on."""

    future: str
    base_rate: float
    brier: float
    brier_of_base_rate: float
    bands: list[BandAnswer]


class ChancesAnswer(BaseModel):
    """One account's chances; they sum to 1."""

    account: str
    churn: float
    flat: float
    grow: float


class PredictionsAnswer(BaseModel):
    """What was told last. ``refused`` says why nothing is; ``day`` counts from 1970-01-01, null before the first."""

    day: int | None
    within_days: int
    predictor: str
    refused: str
    judged: list[JudgedAnswer]
    chances: list[ChancesAnswer]


@router.get("")
def predictions(session: Reading, allowed: Annotated[Pass, Depends(Allowed("account", "read"))]) -> PredictionsAnswer:
    """The newest chances of the accounts one may see, and how such chances came true before."""
    keys = owned(session, allowed.owner)
    found = newest(session)
    if found is None:
        why = "nothing has been predicted yet: `backcast predict` does it"
        return PredictionsAnswer(day=None, within_days=0, predictor="", refused=why, judged=[], chances=[])
    return PredictionsAnswer(
        day=found.day,
        within_days=found.within,
        predictor=found.fingerprint,
        refused=found.sentence,
        judged=[
            JudgedAnswer(
                future=one.future.name.lower(),
                base_rate=one.base_rate,
                brier=one.brier,
                brier_of_base_rate=one.brier_of_base_rate,
                bands=[BandAnswer.model_validate(band, from_attributes=True) for band in one.bands],
            )
            for one in found.judged
        ],
        chances=[
            ChancesAnswer(account=keys[one.account_id], churn=one.churn, flat=one.flat, grow=one.grow)
            for one in found.chances
            if one.account_id in keys
        ],
    )
