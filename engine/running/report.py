"""What a customer report says, composed from an account's figures by the report's own allow-list.

Whatever the facts hold, a metric that is not in ``allow`` cannot get in: every section takes its figures through
`_allowed`. Nothing of why a run was started, of notes, of money or of risk is in the facts at all.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from engine.definitions.report import (
    AdoptionSection,
    DoneSection,
    GoalsSection,
    HealthSection,
    NextStepsSection,
    QuestionSection,
    Report,
)
from engine.running.figures import GoalFigures, iso
from engine.terms import MICRO

NO_WORDING: Final = "There is not enough data yet to say."
STANDARD_PERIOD: Final = 90
"""Days a report covers when no section shows a trend."""


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """A metric to show: ``kind`` is its type's word, ``course`` (day since 1970-01-01, value) the oldest first."""

    title: str
    unit: str
    kind: str
    decimals: int
    latest: float | None
    course: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class SentFacts:
    """One thing the account was sent: its subject, and to how many people."""

    day: int
    subject: str
    people: int


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """What the composing reads. ``score`` in micro-points (None: insufficient data); ``wording`` is the customer's
    wording of the account's tier; ``goals`` by the name of their metric."""

    account: str
    title: str
    day: int
    metrics: Mapping[str, MetricFacts]
    goals: Mapping[str, GoalFigures] = field(default_factory=dict)
    score: int | None = None
    wording: str = ""
    sent: tuple[SentFacts, ...] = ()
    next_steps: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A figure with what it takes to write it. ``kind``: number, share (0–1) or boolean. None: no recent data."""

    metric: str
    title: str
    unit: str
    kind: str
    decimals: int
    value: float | None


@dataclass(frozen=True, slots=True)
class GoalContent:
    """A goal agreed: where it should end, where its line is today, where the account is."""

    figure: Value
    target: float
    start: str
    end: str
    line: float | None
    attainment: float | None
    status: str


@dataclass(frozen=True, slots=True)
class AdoptionContent:
    """A metric with its course: ``[day, value]`` pairs, the oldest first."""

    figure: Value
    course: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class GoalsContent:
    """The goals section."""

    goals: tuple[GoalContent, ...]
    kind: Literal["goals"] = "goals"


@dataclass(frozen=True, slots=True)
class AdoptionsContent:
    """The adoption section; ``days`` is the length of the courses."""

    metrics: tuple[AdoptionContent, ...]
    days: int
    kind: Literal["adoption"] = "adoption"


@dataclass(frozen=True, slots=True)
class HealthContent:
    """The health section: the customer's wording, or the score (0–100, one decimal)."""

    wording: str
    score: float | None
    kind: Literal["health"] = "health"


@dataclass(frozen=True, slots=True)
class DoneContent:
    """What we did: ``[day, sentence]`` pairs, the newest first."""

    done: tuple[tuple[str, str], ...]
    kind: Literal["what_we_did"] = "what_we_did"


@dataclass(frozen=True, slots=True)
class NextStepsContent:
    """What comes next, in the owner's words."""

    text: str
    kind: Literal["next_steps"] = "next_steps"


@dataclass(frozen=True, slots=True)
class QuestionContent:
    """A question to the customer on a scale; the answer becomes a point of ``metric``."""

    ask: str
    low: int
    high: int
    metric: str
    kind: Literal["question"] = "question"


SectionContent: TypeAlias = (
    GoalsContent | AdoptionsContent | HealthContent | DoneContent | NextStepsContent | QuestionContent
)


@dataclass(frozen=True, slots=True)
class ReportContent:
    """A composed report. Days are ``YYYY-MM-DD``; sections in the order of the file."""

    title: str
    account: str
    period_from: str
    as_of: str
    sections: tuple[SectionContent, ...]

    def as_json(self) -> dict[str, Any]:
        """The content as JSON values, for storing; a page reads it back by ``sections[…].kind``."""
        return asdict(self)


def compose(report: Report, facts: ReportFacts) -> ReportContent:
    """Compose a report: exactly its sections, of nothing but its allow-list."""
    start = facts.day - period(report)
    composed = (_section(report, facts, section, start) for section in report.sections)
    return ReportContent(
        title=facts.title,
        account=facts.account,
        period_from=iso(start),
        as_of=iso(facts.day),
        sections=tuple(section for section in composed if section is not None),
    )


def period(report: Report) -> int:
    """The days a report covers: its longest trend."""
    return max((part.trend for part in report.sections if isinstance(part, AdoptionSection)), default=STANDARD_PERIOD)


def metrics_of(report: Report) -> frozenset[str]:
    """The metrics a report can show."""
    named = [part.show for part in report.sections if isinstance(part, AdoptionSection | GoalsSection)]
    return frozenset(report.allow) & frozenset(name for show in named for name in show)


def _section(report: Report, facts: ReportFacts, section: object, start: int) -> SectionContent | None:
    match section:
        case GoalsSection(show):
            shown = [facts.goals[name] for name in _allowed(report, show) if name in facts.goals]
            return GoalsContent(tuple(_goal(facts, goal) for goal in shown if goal.metric in facts.metrics))
        case AdoptionSection(show, trend):
            names = [name for name in _allowed(report, show) if name in facts.metrics]
            return AdoptionsContent(tuple(_adoption(facts, name) for name in names), trend)
        case HealthSection(_, show):
            return _health(facts, show)
        case DoneSection():
            return _done(facts, start)
        case NextStepsSection():
            return NextStepsContent(facts.next_steps)
        case QuestionSection(ask, low, high, metric):
            return QuestionContent(ask, low, high, metric)
    return None


def _allowed(report: Report, show: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in show if name in report.allow)


def _value(facts: ReportFacts, name: str, value: float | None) -> Value:
    metric = facts.metrics[name]
    digits = metric.decimals + (2 if metric.kind == "share" else 0)
    shown = None if value is None else round(value, digits)
    return Value(name, metric.title, metric.unit, metric.kind, metric.decimals, shown)


def _goal(facts: ReportFacts, goal: GoalFigures) -> GoalContent:
    return GoalContent(
        figure=_value(facts, goal.metric, goal.actual),
        target=goal.target,
        start=iso(goal.start),
        end=iso(goal.end),
        line=None if goal.line is None else round(goal.line, facts.metrics[goal.metric].decimals + 2),
        attainment=goal.attainment,
        status=_status(goal.attainment),
    )


def _status(attainment: float | None) -> str:
    if attainment is None:
        return "No recent data"
    return "On track" if attainment >= 1 else "Behind" if attainment >= 0.8 else "Well behind"


def _adoption(facts: ReportFacts, name: str) -> AdoptionContent:
    metric = facts.metrics[name]
    course = tuple((iso(day), _value(facts, name, value).value or 0.0) for day, value in metric.course)
    return AdoptionContent(_value(facts, name, metric.latest), course)


def _health(facts: ReportFacts, show: str) -> HealthContent | None:
    if show == "none":
        return None
    if show == "score":
        return HealthContent("", None if facts.score is None else round(facts.score / MICRO, 1))
    return HealthContent(facts.wording or NO_WORDING, None)


def _done(facts: ReportFacts, start: int) -> DoneContent:
    sent = sorted((one for one in facts.sent if one.day >= start), key=lambda one: (-one.day, one.subject))
    return DoneContent(tuple((iso(one.day), _said(one)) for one in sent))


def _said(one: SentFacts) -> str:
    to = "one of you" if one.people == 1 else f"{one.people} of you"
    return f"We wrote to {to}: “{one.subject}”"
