"""A tiny bundle and tiny facts: one rule per kind of success criterion, built from values."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, EventKind, Metric
from engine.definitions.condition import Compare, Condition, Literal, Var
from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.problem import Place
from engine.definitions.rule import Action, Challenge, Guard, HoldOut, Limit, Rule, Success
from engine.evaluation.columns import Column, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.facts import Contacts, Facts, Happenings, Series, Subjects
from engine.evaluation.features import Features
from engine.terms import ChallengeKind, Mode

PLACE = Place("rules/test.yaml", 1, 1)
USERS = Metric("users", "Users", "adoption", "do", ValueType.NUMBER, "higher", PLACE, decimals=0, stale_after=14)
USED = Metric("used", "Seats in use", "adoption", "do", ValueType.SHARE, "higher", PLACE)
SUCCESS: Mapping[str, Success] = {
    "limit": Success(within=45, feature=Feature("used"), limit=Limit("at_least", 0.6)),
    "change": Success(within=30, feature=Feature("users", Window.MEAN, 7), change=0.15),
    "event": Success(within=45, event="named"),
    "condition": Success(
        within=45,
        condition=Condition(
            raw={">": [{"var": "users"}, 10]},
            tree=Compare(">", Var("users", ValueType.NUMBER), Literal(10.0, ValueType.NUMBER)),
            names=frozenset({"users"}),
            place=PLACE,
        ),
    ),
}


def _rule(name: str, success: Success) -> Rule:
    always = Condition(raw=True, tree=Literal(True, ValueType.BOOLEAN), names=frozenset(), place=PLACE)
    return Rule(
        name=name,
        challenge=Challenge("Title", ChallengeKind.RISK, "why", "cs-ops", success),
        actions=(Action("help", Mode.AUTOMATIC, PLACE),),
        signals={},
        when=always,
        guard=Guard(hold_out=HoldOut(0.3)),
        examples=(),
        place=PLACE,
    )


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    catalog = Catalog(
        metrics={"users": USERS, "used": USED},
        events={"named": EventKind("named", {}, PLACE)},
        goals={},
        questions={},
        roles=(),
        stages=("adoption", "churned"),
        segments={},
        north_star="",
        place=PLACE,
    )
    rules = {name: _rule(name, success) for name, success in SUCCESS.items()}
    return Bundle(catalog, {}, rules, {}, {}, {}, {}, "f" * 64)


@pytest.fixture(scope="session")
def seen(bundle: Bundle) -> Callable[..., Evaluation]:
    """An evaluation of accounts 10, 20, 30 from points (metric → [(row, day, value)]) and events (row, day)."""

    def _seen(
        at: int,
        points: Mapping[str, list[tuple[int, int, float]]] | None = None,
        events: list[tuple[int, int]] | None = None,
        stages: tuple[str, str, str] = ("adoption", "adoption", "adoption"),
    ) -> Evaluation:
        nobody = np.zeros(0, dtype=np.int64)
        named = sorted(events or [])
        words = ("adoption", "churned")
        facts = Facts(
            at=at,
            accounts=Subjects(np.array([10, 20, 30], dtype=np.int64), ("a", "b", "c")),
            fields={"stage": Texts(np.array([words.index(stage) for stage in stages], dtype=np.int64), words)},
            series={name: _series(values) for name, values in (points or {}).items()},
            contacts=Contacts(nobody, (), nobody, (), np.zeros(0, dtype=np.bool_)),
            events={
                "named": Happenings(
                    ids=np.arange(len(named), dtype=np.int64),
                    rows=np.array([row for row, _ in named], dtype=np.int64),
                    contact_rows=np.full(len(named), -1, dtype=np.int64),
                    days=np.array([day for _, day in named], dtype=np.int64),
                    fields={},
                )
            },
        )
        columns: Mapping[str, Column] = Features(bundle.catalog, facts)
        return Evaluation(facts=facts, columns=columns, signals={}, rules={}, scores={})

    return _seen


def _series(points: list[tuple[int, int, float]]) -> Series:
    ordered = sorted(points)
    return Series(
        rows=np.array([row for row, _, _ in ordered], dtype=np.int64),
        days=np.array([day for _, day, _ in ordered], dtype=np.int64),
        values=np.array([value for _, _, value in ordered]),
    )


@pytest.fixture(scope="session")
def without_hold_out(bundle: Bundle) -> Bundle:
    rules = {name: replace(rule, guard=replace(rule.guard, hold_out=None)) for name, rule in bundle.rules.items()}
    return replace(bundle, rules=rules)
