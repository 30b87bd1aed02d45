"""Accounts as JSON: their score with its parts, and what was decided about them and why."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading
from api.described import SESSION
from engine.errors import NotFound
from engine.store.account_page import AccountPage, account_page
from engine.store.glances import id_of
from engine.terms import MICRO

router = APIRouter(prefix="/v1/accounts/{key}", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]


class Part(BaseModel):
    """One metric of a score. Points sum to the computed score exactly; unknown values are null."""

    metric: str
    value: float | None
    normalised: float | None
    share: float
    points: float
    micro_points: int


class ScoreAnswer(BaseModel):
    """A score and its explanation. ``score`` is null for insufficient data."""

    account: str
    scorecard: str
    day: int
    score: float | None
    computed: float | None
    tier: str | None
    coverage: float
    bundle: str
    parts: list[Part]


class DecisionAnswer(BaseModel):
    """One thing that happened around an account: a decision with its reason and evidence, a delivery, an approval."""

    at: datetime
    kind: str
    state: str
    subject: str
    sentence: str
    reason: str
    run_id: int | None
    evidence: list[dict[str, Any]]


@router.get("/score")
def score(key: str, session: Reading, at: Now, allowed: Readable) -> ScoreAnswer:
    """The account's newest score with every part of it."""
    found = _find(session, key, at, allowed)
    if found.score is None:
        raise NotFound(f'The account "{key}" has not been scored yet.')
    parts = [
        Part(
            metric=line.metric,
            value=line.value,
            normalised=line.normalised,
            share=line.share,
            points=line.contribution / MICRO,
            micro_points=line.contribution,
        )
        for line in found.score.lines
    ]
    return ScoreAnswer(
        account=key,
        scorecard=found.score.scorecard,
        day=found.score.day,
        score=_points(found.score.effective),
        computed=_points(found.score.computed),
        tier=found.score.tier.value if found.score.tier else None,
        coverage=found.score.coverage,
        bundle=found.score.bundle,
        parts=parts,
    )


@router.get("/timeline")
def timeline(key: str, session: Reading, at: Now, allowed: Readable) -> list[DecisionAnswer]:
    """What happened around the account, the newest first: decisions and refusals with their evidence, and the rest."""
    return [
        DecisionAnswer(
            at=entry.at,
            kind=entry.kind,
            state=entry.state,
            subject=entry.subject,
            sentence=entry.sentence,
            reason=entry.reason,
            run_id=entry.run_id,
            evidence=[asdict(fact) for fact in entry.facts],
        )
        for entry in _find(session, key, at, allowed).timeline
    ]


def _find(session: Reading, key: str, at: datetime, allowed: Pass) -> AccountPage:
    return account_page(session, id_of(session, key), allowed.owner, at)


def _points(micro: int | None) -> float | None:
    return None if micro is None else micro / MICRO
