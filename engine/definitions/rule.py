"""A rule: the challenge, the actions that answer it, the signals that say when, the guard, the examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal as Choice

from engine.definitions.condition import Condition
from engine.definitions.feature import Feature
from engine.definitions.measure import (
    Bound as Bound,
    ClockMeasure as ClockMeasure,
    ConditionMeasure as ConditionMeasure,
    ContactsMeasure as ContactsMeasure,
    DeviationMeasure as DeviationMeasure,
    EventMeasure as EventMeasure,
    GoalMeasure as GoalMeasure,
    Limit as Limit,
    Measure as Measure,
    RankMeasure as RankMeasure,
    RhythmMeasure as RhythmMeasure,
    ScheduleMeasure as ScheduleMeasure,
    SilenceMeasure as SilenceMeasure,
    SlipMeasure as SlipMeasure,
    ThresholdMeasure as ThresholdMeasure,
    TrendMeasure as TrendMeasure,
)
from engine.definitions.playbook import Span
from engine.definitions.problem import Place
from engine.terms import ChallengeKind, Mode


@dataclass(frozen=True, slots=True)
class Signal:
    """A named measure. ``lasting`` days it must have held; once firing it stays so until ``clears`` holds: a limit on
    what the measure measures, or a condition."""

    name: str
    measure: Measure
    place: Place = field(compare=False)
    lasting: int = 0
    clears: Limit | Condition | None = None


@dataclass(frozen=True, slots=True)
class Success:
    """The criterion declared before anything starts, judged ``within`` days after the decision.

    Exactly one of: ``feature`` with ``limit``; ``feature`` with ``change`` (relative to its value at the
    decision); ``event``; ``condition``.
    """

    within: int
    feature: Feature | None = None
    limit: Limit | None = None
    change: float | None = None
    event: str = ""
    condition: Condition | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """Why the rule exists, who owns it, and when it counts as solved."""

    title: str
    kind: ChallengeKind
    why: str
    owner: str
    success: Success
    review_by: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """Which playbook answers, for whom, in which mode. The first whose condition holds is taken.
    ``veto``: in mode veto, how long a person has to stop it."""

    playbook: str
    mode: Mode
    place: Place = field(compare=False)
    when: Condition | None = None
    veto: Span | None = None


@dataclass(frozen=True, slots=True)
class HoldOut:
    """The share of accounts deliberately left untreated; ``rotate`` days until arms are drawn anew."""

    share: float
    exempt: Condition | None = None
    rotate: int = 180


@dataclass(frozen=True, slots=True)
class Flapping:
    """When a signal changes too often to act on: it flaps from ``starts`` of its last changes on, until ``ends``."""

    starts: float = 0.3
    ends: float = 0.15


USUAL_FLAPPING: Final = Flapping()


@dataclass(frozen=True, slots=True)
class Guard:
    """What keeps a rule from doing too much. ``max_new_runs`` None means max(50, 5 % of accounts).

    A signal of the rule that is ``flapping`` counts as unknown until it settles; None: it never does.
    """

    cooldown: int = 30
    max_new_runs: int | None = None
    hold_out: HoldOut | None = None
    flapping: Flapping | None = USUAL_FLAPPING


@dataclass(frozen=True, slots=True)
class ExampleEvent:
    """One event of an example: ``age`` days ago, to a contact with ``role`` (empty: to nobody in particular)."""

    event: str
    age: int
    role: str = ""
    fields: Mapping[str, float | str | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExampleGoal:
    """What an example's account has agreed: ``target`` from ``at_start``, begun ``age`` days ago, ``within`` days."""

    goal: str
    target: float
    age: int
    within: int
    at_start: float = 0.0


@dataclass(frozen=True, slots=True)
class Example:
    """A tiny history and what the rule must say of it.

    ``given`` maps a metric, ``account.<field>`` or another name of conditions to its values by age in days (0 is the
    day of the evaluation). Written, a plain value is today's; ``{last 10d: 30}`` is one value on each of the last ten
    days, today included; ``{10d ago: 5}`` and ``{today: 5}`` are one day's. Where two spans cover a day the shorter
    one says what it was, so ``{last 30d: 25, last 70d: 40}`` is forty that became twenty-five a month ago.

    An event stands in the same list under its name: ``login: [3d ago, 5d ago]``, ``{3d ago: champion}`` (to whom),
    ``{3d ago: {nps: 4, role: user}}`` (with fields). ``events`` maps each to its ages; ``happened`` has all of it.

    A metric of contacts is told by who they are: ``logins: {sponsor: {last 30d: 1}, user 2: 3}``; ``people`` maps it to
    them. Without a role it is somebody's. What is told of scores, tiers and ranks by day is remembered.

    Goals stand beside ``given``: ``agreed: {tickets_deflected: {target: 1800, start: 60d ago, within: 180d}}``.
    """

    name: str
    given: Mapping[str, Mapping[int, float | str | bool]]
    then: Choice["fires", "clear", "unknown"]
    place: Place = field(compare=False)
    events: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    happened: tuple[ExampleEvent, ...] = ()
    agreed: tuple[ExampleGoal, ...] = ()
    people: Mapping[str, Mapping[str, Mapping[int, float | str | bool]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One file. ``when`` is a condition over ``signal.<name>`` of the rule's own signals."""

    name: str
    challenge: Challenge
    actions: tuple[Action, ...]
    signals: Mapping[str, Signal]
    when: Condition
    guard: Guard
    examples: tuple[Example, ...]
    place: Place = field(compare=False)
    existing: Choice["ignore", "enrol", "ask"] = "ask"
    leading_indicator: bool = False
    choose: Choice["first", "measured"] = "first"
