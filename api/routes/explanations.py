"""Explanations as JSON: why a score is what it is, why it moved, what is behind it, and what answers it."""

from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading, bundle_in_force
from api.described import SESSION
from engine.errors import NotFound, Refused
from engine.evaluation.changes import Moved
from engine.store.score_reasons import ScoreOn, WhyMoved, WhyScore, why_moved, why_score

router = APIRouter(prefix="/v1/accounts/{key}/scores/{scorecard}", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]
_EPOCH = date(1970, 1, 1)


class ExplainedMetric(BaseModel):
    """One metric in words, with where its source records are."""

    metric: str
    sentence: str
    micro_points: int
    records: str


class ExplainedGroup(BaseModel):
    """One dimension of the scorecard; its points are those of its metrics."""

    dimension: str
    micro_points: int
    sentence: str


class Explained(BaseModel):
    """Why a score is what it is. ``kept``: a cycle said so on the day; else it was worked out as of the day. ``said``:
    what people say of its metrics, beside what was measured."""

    account: str
    scorecard: str
    day: date
    kept: bool
    bundle: str
    headline: str
    reasons: list[str]
    said: list[str]
    coverage: str
    groups: list[ExplainedGroup]
    metrics: list[ExplainedMetric]


class ChangePart(BaseModel):
    """One part of a change. ``metric`` is empty for an override."""

    metric: str
    moved: Moved
    micro_points: int
    sentence: str


class MovedInput(BaseModel):
    """What a metric is made of, before and after; null is unknown. ``effect``: by how much it moved the metric."""

    name: str
    before: float | None
    after: float | None
    effect: float | None
    sentence: str


class FallenPerson(BaseModel):
    """A contact, by key, whose own value fell."""

    contact: str
    before: float
    after: float | None
    stopped: bool
    sentence: str


class BehindIt(BaseModel):
    """The metric that fell most and what is below it; ``chain`` ends at what is to blame."""

    metric: str
    dimension: str
    micro_points: int
    chain: list[str]
    sentence: str
    records: str
    inputs: list[MovedInput]
    contacts: list[FallenPerson]


class AnswerTo(BaseModel):
    """A playbook that answers the cause, the best first; ``basis`` says why it stands there."""

    rule: str
    challenge: str
    playbook: str
    uplift: float | None
    basis: str


class ChangeAnswer(BaseModel):
    """Why a score moved. The parts sum to ``micro_points`` exactly; null: one of the two days has no score."""

    account: str
    scorecard: str
    since: date
    until: date
    micro_points: int | None
    headline: str
    parts: list[ChangePart]
    notes: list[str]
    cause: BehindIt | None
    answers: list[AnswerTo]
    gap: bool


@router.get("/why")
def why(
    key: str,
    scorecard: str,
    session: Reading,
    now: Now,
    allowed: Readable,
    at: Annotated[date | None, Query(description="The day (default: today).")] = None,
) -> Explained:
    """Why the score is what it is: tier, limits that are missed, groups, every metric with its formula."""
    found = why_score(session, bundle_in_force(session), key, allowed.owner, _number(at, now), scorecard)
    if found is None:
        raise NotFound(f'The scorecard "{scorecard}" does not apply to "{key}".')
    return _explained(found)


@router.get("/change")
def change(
    key: str,
    scorecard: str,
    session: Reading,
    now: Now,
    allowed: Readable,
    since: Annotated[date, Query(alias="from", description="The first of the two days.")],
    to: Annotated[date | None, Query(description="The second one (default: today).")] = None,
) -> ChangeAnswer:
    """Why the score moved between two days, to the micro-point, what is behind it, and which playbooks answer it."""
    days = _number(since, now), _number(to, now)
    if days[0] >= days[1]:
        raise Refused(f'"from" is a day before {_day(days[1])}.')
    found = why_moved(session, bundle_in_force(session), key, allowed.owner, *days, scorecard)
    if found is None:
        raise NotFound(f'The scorecard "{scorecard}" did not apply to "{key}" on one of the two days.')
    return _change(found)


def _number(day: date | None, now: datetime) -> int:
    today = now.astimezone(UTC).date()
    return (min(day or today, today) - _EPOCH).days


def _day(number: int) -> date:
    return date.fromordinal(number + _EPOCH.toordinal())


def _records(key: str, metric: str) -> str:
    return f"/v1/accounts/{key}/records/{metric}"


def _explained(found: WhyScore) -> Explained:
    of: ScoreOn = found.of
    return Explained(
        account=found.account,
        scorecard=of.card.name,
        day=_day(of.day),
        kept=of.kept,
        bundle=of.bundle.fingerprint,
        headline=found.explanation.headline,
        reasons=list(found.explanation.reasons),
        said=list(found.said),
        coverage=found.explanation.coverage,
        groups=[
            ExplainedGroup(dimension=group.name, micro_points=group.micro, sentence=group.sentence)
            for group in found.groups
        ],
        metrics=[
            ExplainedMetric(
                metric=line.metric,
                sentence=line.sentence,
                micro_points=line.contribution,
                records=_records(found.account, line.metric),
            )
            for line in found.explanation.lines
        ],
    )


def _change(found: WhyMoved) -> ChangeAnswer:
    return ChangeAnswer(
        account=found.account,
        scorecard=found.after.card.name,
        since=_day(found.before.day),
        until=_day(found.after.day),
        micro_points=found.change.micro,
        headline=found.change.headline,
        parts=[
            ChangePart(metric=part.metric, moved=part.moved, micro_points=part.micro, sentence=part.sentence)
            for part in found.change.parts
        ],
        notes=list(found.change.notes),
        cause=_behind(found),
        answers=[
            AnswerTo(
                rule=one.rule,
                challenge=one.challenge,
                playbook=one.playbook,
                uplift=one.effect.uplift if one.effect else None,
                basis=one.basis,
            )
            for one in found.answers
        ],
        gap=found.is_gap,
    )


def _behind(found: WhyMoved) -> BehindIt | None:
    cause = found.cause
    if cause is None:
        return None
    return BehindIt(
        metric=cause.metric,
        dimension=cause.dimension,
        micro_points=cause.micro,
        chain=list(cause.chain),
        sentence=cause.sentence,
        records=_records(found.account, cause.chain[-1]),
        inputs=[
            MovedInput(name=one.name, before=one.before, after=one.after, effect=one.effect, sentence=one.sentence)
            for one in cause.inputs
        ],
        contacts=[
            FallenPerson(
                contact=one.key, before=one.before, after=one.after, stopped=one.stopped, sentence=one.sentence
            )
            for one in cause.people
        ],
    )
