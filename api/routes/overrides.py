"""Overrides as JSON: what people say a score, a tier or a metric really is, until when and why."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore, bundle_in_force
from api.described import SESSION
from engine.errors import NotFound
from engine.store import metric_overrides, score_overrides
from engine.store.account_page import owned
from engine.store.glances import id_of
from engine.terms import MICRO, Tier

router = APIRouter(prefix="/v1/accounts/{key}/overrides", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]
Overriding = Annotated[Pass, Depends(Acting("account", "override"))]
Days = Annotated[int, Form(ge=1, le=score_overrides.LONGEST.days)]
Reason = Annotated[str, Form(max_length=2_000)]
USUAL_DAYS = 30


class OverrideAnswer(BaseModel):
    """One override in force. ``of``: the scorecard, or the metric as files name it. One of ``score`` (0–100), ``tier``
    and ``value`` is given; what was computed or measured is kept beside it and comes back when it ends."""

    id: int
    kind: Literal["score", "metric"]
    of: str
    score: float | None
    tier: str | None
    value: float | None
    reason: str
    author: str
    created_at: datetime
    expires_at: datetime


@router.get("")
def listed(key: str, session: Reading, at: Now, allowed: Readable) -> list[OverrideAnswer]:
    """What is overridden now."""
    account = owned(session, id_of(session, key), allowed.owner).id
    return [
        *(_of_score(one) for one in score_overrides.in_force(session, account, at)),
        *(_of_metric(one) for one in metric_overrides.in_force(session, account, at)),
    ]


@router.post("/scores/{scorecard}", status_code=HTTPStatus.CREATED)
def of_score(
    key: str,
    scorecard: str,
    store: TheStore,
    at: Now,
    allowed: Overriding,
    reason: Reason = "",
    score: Annotated[float | None, Form()] = None,
    tier: Annotated[Tier | None, Form()] = None,
    days: Days = USUAL_DAYS,
) -> OverrideAnswer:
    """Say that a score (0–100) or a tier is another one for some days; an older one of the scorecard ends."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        if scorecard not in bundle_in_force(session).scorecards:
            raise NotFound(f'There is no scorecard "{scorecard}".')
        number = score_overrides.override(
            session,
            account,
            scorecard,
            score=score,
            tier=tier,
            reason=reason,
            member=allowed.identity.email,
            expires_at=at + timedelta(days=days),
            at=at,
        )
        return next(_of_score(one) for one in score_overrides.in_force(session, account, at) if one.id == number)


@router.post("/metrics/{metric}", status_code=HTTPStatus.CREATED)
def of_metric(
    key: str,
    metric: str,
    store: TheStore,
    at: Now,
    allowed: Overriding,
    value: Annotated[float, Form()],
    reason: Reason = "",
    days: Days = USUAL_DAYS,
) -> OverrideAnswer:
    """Say what a metric (or a feature of it) really is for some days; the points stay as they are."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        number = metric_overrides.override(
            session,
            bundle_in_force(session).catalog,
            account,
            metric,
            value=value,
            reason=reason,
            member=allowed.identity.email,
            expires_at=at + timedelta(days=days),
            at=at,
        )
        return next(_of_metric(one) for one in metric_overrides.in_force(session, account, at) if one.id == number)


@router.post("/{kind}/{number}/end", status_code=HTTPStatus.NO_CONTENT)
def end(key: str, kind: Literal["score", "metric"], number: int, store: TheStore, at: Now, allowed: Overriding) -> None:
    """Take one back before it expires; it stays on record."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        mine = score_overrides.in_force if kind == "score" else metric_overrides.in_force
        if number not in {one.id for one in mine(session, account, at)}:
            raise NotFound("There is no such override in force.")
        (score_overrides.end if kind == "score" else metric_overrides.end)(session, number, allowed.identity.email, at)


def _of_score(one: score_overrides.Override) -> OverrideAnswer:
    return OverrideAnswer(
        id=one.id,
        kind="score",
        of=one.scorecard,
        score=None if one.micro is None else one.micro / MICRO,
        tier=one.tier,
        value=None,
        reason=one.reason,
        author=one.author,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


def _of_metric(one: metric_overrides.MetricOverride) -> OverrideAnswer:
    return OverrideAnswer(
        id=one.id,
        kind="metric",
        of=one.name,
        score=None,
        tier=None,
        value=one.value,
        reason=one.reason,
        author=one.author,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )
