"""Scores as JSON: of an account by every scorecard and over time, and of its contacts and products."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Pass, Reading
from api.described import SESSION
from api.routes.accounts import Part
from engine.evaluation.wording import points
from engine.store.subject_scores import StoredScore, account_scores, subject_scores
from engine.terms import MICRO

router = APIRouter(prefix="/v1/accounts/{key}/scores", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]


class StoredAnswer(BaseModel):
    """One kept score with its parts. ``score`` is null for insufficient data, ``shown`` the same with one decimal,
    rounded half to even; ``subject`` the contact's key or the product's name; ``leads``: the score of the account."""

    scorecard: str
    subject: str
    day: int
    score: float | None
    shown: str
    tier: str | None
    last_tier: str | None
    coverage: float
    leads: bool
    parts: list[Part]


@router.get("")
def of_account(key: str, session: Reading, allowed: Readable) -> list[StoredAnswer]:
    """The account's last scores by every scorecard that applies to it, the one that leads first."""
    return _answers(account_scores(session, key, allowed.owner))


@router.get("/{scorecard}")
def history(key: str, scorecard: str, session: Reading, allowed: Readable) -> list[StoredAnswer]:
    """Everything one scorecard has said of the account, newest first."""
    return _answers(account_scores(session, key, allowed.owner, scorecard))


@router.get("/{scorecard}/subjects")
def of_subjects(
    key: str,
    scorecard: str,
    session: Reading,
    allowed: Readable,
    subject: Annotated[
        str, Query(max_length=200, description="A contact's key or a product's name: its history.")
    ] = "",
) -> list[StoredAnswer]:
    """The last scores of the account's contacts or products, lowest first; or the history of one of them."""
    return _answers(subject_scores(session, key, allowed.owner, scorecard, subject))


def _answers(found: Sequence[StoredScore]) -> list[StoredAnswer]:
    return [
        StoredAnswer(
            scorecard=score.scorecard,
            subject=score.subject,
            day=score.day,
            score=None if score.effective is None else score.effective / MICRO,
            shown="" if score.effective is None else points(score.effective),
            tier=score.tier,
            last_tier=score.last_tier,
            coverage=score.coverage,
            leads=score.leads,
            parts=[
                Part(
                    metric=metric,
                    value=value,
                    normalised=normalised,
                    share=share,
                    points=micro / MICRO,
                    micro_points=micro,
                )
                for metric, value, normalised, share, micro in score.lines
            ],
        )
        for score in found
    ]
