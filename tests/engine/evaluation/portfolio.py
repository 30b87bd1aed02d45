"""Small portfolios and definitions, built from values, for the tests of the evaluation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, EventKind, Goal, Metric
from engine.definitions.condition import All, Compare, Condition, Literal, Tree, Var
from engine.definitions.feature import Feature, ValueType, parse_feature
from engine.definitions.problem import Place
from engine.definitions.rule import Action, Challenge, Guard, Rule, Signal, Success
from engine.definitions.scorecard import Band, Dimension, Linear, Scorecard, ScoredMetric
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.facts import Agreed, Contacts, Facts, Happenings, Series, Subjects
from engine.terms import ChallengeKind, Mode, Tier

AT = 20_000
PLACE = Place("rules/test.yaml", 1, 1)
NUMBER, SHARE, TEXT = ValueType.NUMBER, ValueType.SHARE, ValueType.TEXT


def metric(name: str, **more: Any) -> Metric:
    """A metric whose title is its name with a capital."""
    given: dict[str, Any] = {"title": name.replace("_", " ").capitalize(), "source": "adoption", "evidence": "do"}
    given |= {"type": NUMBER, "better": "higher", "place": PLACE}
    return Metric(name=name, **(given | more))


def condition(tree: Tree, *names: str) -> Condition:
    return Condition(raw=None, tree=tree, names=frozenset(names), place=PLACE)


def compare(name: str, operator: str, value: float | str | bool, kind: ValueType = NUMBER) -> Condition:
    """``name operator value`` as a checked condition."""
    return condition(Compare(operator, Var(name, kind), Literal(value, kind)), name)


def flag(name: str) -> Condition:
    return condition(Var(name, ValueType.BOOLEAN), name)


def catalog(*metrics: Metric, **more: Any) -> Catalog:
    given: dict[str, Any] = {"events": {}, "goals": {}, "questions": {}, "segments": {}}
    given |= {"roles": ("champion", "sponsor", "user"), "stages": ("adoption", "churned"), "north_star": "x"}
    return Catalog(metrics={each.name: each for each in metrics}, place=PLACE, **(given | more))


def event(name: str, **fields: ValueType) -> EventKind:
    return EventKind(name, fields, PLACE)


def goal(name: str, of: str, **more: Any) -> Goal:
    return Goal(name, of, PLACE, **more)


def rule(
    name: str, signals: Mapping[str, Any], when: Condition | None = None, playbook: str = "help", **more: Any
) -> Rule:
    """A rule that fires when all its signals do. ``signals``: measures, or whole signals."""
    made = {key: value if isinstance(value, Signal) else Signal(key, value, PLACE) for key, value in signals.items()}
    every = All(tuple(Var(f"signal.{key}", ValueType.BOOLEAN) for key in made))
    given: dict[str, Any] = {
        "challenge": Challenge("It goes wrong", ChallengeKind.RISK, "because", "cs-ops", Success(within=30)),
        "actions": (Action(playbook, Mode.AUTOMATIC, PLACE),),
        "guard": Guard(),
        "examples": (),
        "existing": "enrol",
    }
    return Rule(name=name, signals=made, when=when or condition(every), place=PLACE, **(given | more))


def scored(name: str, zero: float = 0.0, full: float = 100.0, **more: Any) -> ScoredMetric:
    feature = parse_feature(name) or Feature(name)
    given: dict[str, Any] = {"feature": feature, "normaliser": Linear(zero, full), "weight": 1.0, "place": PLACE}
    return ScoredMetric(**(given | more))


def dimension(name: str, weight: float, *metrics: ScoredMetric) -> Dimension:
    return Dimension(name, weight, metrics, PLACE)


def scorecard(*dimensions: Dimension, **more: Any) -> Scorecard:
    bands = (
        Band(Tier.REQUIRES_ATTENTION, 0, "Let us look at this together"),
        Band(Tier.TAKE_NOTICE, 50, "Good, with room to grow"),
        Band(Tier.DOING_WELL, 75, "Going well"),
    )
    given: dict[str, Any] = {"name": "health", "desired_outcome": "They renew.", "bands": bands, "place": PLACE}
    return Scorecard(dimensions=dimensions, **(given | more))


def bundle(of: Catalog, *rules: Rule, cards: Sequence[Scorecard] = ()) -> Bundle:
    return Bundle(of, {card.name: card for card in cards}, {each.name: each for each in rules}, {}, {}, {}, {}, "test")


def series(*rows: Mapping[int, float]) -> Series:
    """One series; each row maps the age of a point in days (0: today) to its value."""
    points = sorted((row, AT - age, value) for row, ages in enumerate(rows) for age, value in ages.items())
    columns = [[point[at] for point in points] for at in range(3)]
    return Series(
        np.array(columns[0], dtype=np.int64), np.array(columns[1], dtype=np.int64), np.array(columns[2], dtype=float)
    )


def numbers(*values: float) -> Column:
    return Numbers(np.array(values, dtype=np.float64))


def texts(*values: str | None) -> Column:
    words = tuple(sorted({value for value in values if value is not None}))
    return Texts(np.array([-1 if value is None else words.index(value) for value in values], dtype=np.int64), words)


def happenings(*events: tuple[int, int, int], **fields: Column) -> Happenings:
    """Events as (account row, contact row or -1, age in days), given in order of account and day."""
    table = np.array(events, dtype=np.int64).reshape(-1, 3)
    return Happenings(np.arange(len(table)) + 500, table[:, 0], table[:, 1], AT - table[:, 2], fields)


def agreed(target: float, start: float, age: int, remaining: int, size: int = 1) -> Agreed:
    """A goal agreed ``age`` days ago that ends in ``remaining`` days."""
    whole = np.ones(size)
    return Agreed(whole * target, whole * start, whole * (AT - age), whole * (AT + remaining))


def facts(size: int = 1, **more: Any) -> Facts:
    """Facts of ``size`` accounts a0, a1 … with ids 100, 101 …; contacts as (account row, roles)."""
    people = more.pop("people", ())
    contacts = Contacts(
        ids=np.arange(len(people), dtype=np.int64) + 900,
        keys=tuple(f"c{at}" for at in range(len(people))),
        account_rows=np.array([account for account, _ in people], dtype=np.int64),
        roles=tuple(frozenset(roles) for _, roles in people),
        departed=np.zeros(len(people), dtype=np.bool_),
    )
    accounts = Subjects(np.arange(size, dtype=np.int64) + 100, tuple(f"a{at}" for at in range(size)))
    given: dict[str, Any] = {"at": AT, "accounts": accounts, "fields": {}, "series": {}, "contacts": contacts}
    return Facts(**(given | more))


def with_points(known: Facts, **points: Series) -> Facts:
    return replace(known, series={**known.series, **points})
