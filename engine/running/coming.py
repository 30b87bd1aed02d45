"""Runs that the calendar alone will start: rules with a schedule or a clock, looked at day by day ahead.

Only such signals move; all others, and what actions and hold-outs ask, stay as they are on the day of the evaluation.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.measure import ClockMeasure, ScheduleMeasure
from engine.definitions.rule import Action, Rule
from engine.evaluation.columns import Bytes, Column, Flags, Ints, Numbers
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.features import Features, OwnNames
from engine.evaluation.program import evaluate_condition
from engine.evaluation.proposing import Drawing
from engine.evaluation.signals import measured
from engine.terms import Arm, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Coming:
    """Accounts that enter a rule on a day (days since 1970-01-01), with the action and the arm each would get."""

    rule: str
    day: int
    rows: Ints
    actions: tuple[Action, ...]
    arms: tuple[Arm, ...]

    @property
    def starts(self) -> tuple[int, int]:
        """How many of them start, and how many are held out."""
        held = sum(arm is Arm.HELD_OUT for arm in self.arms)
        return len(self.arms) - held, held


def coming(
    bundle: Bundle, evaluation: Evaluation, days: int, barred: Flags, ended: Mapping[tuple[str, int], int]
) -> Iterator[Coming]:
    """Who enters which rule in the ``days`` after that of the evaluation, rule by rule, day by day.

    ``barred`` bool[N]: accounts for which nothing may start; ``ended``: (rule, account id) → day its last episode
    ended.
    """
    for name, rule in sorted(bundle.rules.items()):
        if any(isinstance(signal.measure, ScheduleMeasure | ClockMeasure) for signal in rule.signals.values()):
            yield from _Ahead(bundle, rule, evaluation, barred, ended).days(days, name)


class _Ahead:
    """One rule on the days ahead. ``rests`` is until when each account is left alone after its last episode."""

    def __init__(
        self,
        bundle: Bundle,
        rule: Rule,
        evaluation: Evaluation,
        barred: Flags,
        ended: Mapping[tuple[str, int], int],
    ) -> None:
        self.bundle = bundle
        self.rule = rule
        self.evaluation = evaluation
        self.barred = barred
        ids = evaluation.facts.accounts.ids.tolist()
        before = (ended.get((rule.name, account)) for account in ids)
        self.rests = np.array([-1 if day is None else day + rule.guard.cooldown for day in before], dtype=np.int64)
        self.drawing = Drawing(rule, evaluation)

    def days(self, days: int, name: str) -> Iterator[Coming]:
        today = self.evaluation.facts.at
        inside = np.asarray(self.evaluation.rules[name] == Verdict.HOLDS)
        for day in range(today + 1, today + days):
            verdicts = self._verdicts(day)
            enters = (verdicts == Verdict.HOLDS) & ~inside & ~self.barred & (self.rests <= day)
            self.rests[inside & (verdicts == Verdict.FAILS)] = day + self.rule.guard.cooldown
            inside = np.where(verdicts == Verdict.UNKNOWN, inside, verdicts == Verdict.HOLDS)
            if enters.any():
                yield self._entering(day, np.flatnonzero(enters))

    def _verdicts(self, day: int) -> Bytes:
        columns = OwnNames(self.rule.name, _On(self.bundle, self.rule, self.evaluation, day))
        return evaluate_condition(self.rule.when.tree, columns, len(self.evaluation.facts.accounts)).verdicts

    def _entering(self, day: int, rows: Ints) -> Coming:
        found = [(row, self.drawing.action(row)[0]) for row in rows.tolist()]
        some = [(row, action) for row, action in found if action is not None]
        return Coming(
            self.rule.name,
            day,
            np.array([row for row, _ in some], dtype=np.int64),
            tuple(action for _, action in some),
            tuple(self.drawing.arm(row, action) for row, action in some),
        )


class _On(Mapping[str, Column]):
    """The columns of an evaluation, but for the signals of one rule that look at the calendar: those are of ``day``."""

    def __init__(self, bundle: Bundle, rule: Rule, evaluation: Evaluation, day: int) -> None:
        self._columns = evaluation.columns
        features = Features(bundle.catalog, evaluation.facts, day=day)
        self._moved: dict[str, Column] = {}
        for name, signal in rule.signals.items():
            if isinstance(signal.measure, ScheduleMeasure | ClockMeasure):
                verdicts = measured(signal.measure, features, rule.name, bundle.calendars).verdicts
                values = np.where(verdicts == 0, np.nan, (verdicts > 0).astype(np.float64))
                self._moved[f"signal.{rule.name}.{name}"] = Numbers(values)

    def __getitem__(self, name: str) -> Column:
        return self._moved[name] if name in self._moved else self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
