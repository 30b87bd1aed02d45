"""What a run sees of its account: conditions judged and values read off one row of an evaluation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.features import Features
from engine.evaluation.goals import agreed_attainment, expected
from engine.evaluation.program import evaluate_condition
from engine.terms import Verdict

_OF_THE_PORTFOLIO: Final = ("score.", "tier.", "cause.", "signal.")


@dataclass(frozen=True, slots=True)
class GoalSight:
    """One agreed goal: numbers as points have them, days since 1970-01-01; None where unknown."""

    target: float
    start: int
    end: int
    actual: float | None
    expected: float | None
    attainment: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """One account in an evaluation. ``row`` is its row there."""

    bundle: Bundle
    evaluation: Evaluation
    row: int

    def verdict(self, condition: Condition) -> Verdict:
        """What a condition on the account says."""
        planes = evaluate_condition(condition.tree, self.evaluation.columns, len(self.evaluation.facts.accounts))
        return Verdict(int(planes.verdicts[self.row]))

    def contacts_for_whom(self, condition: Condition) -> frozenset[int]:
        """The ids of the account's contacts for whom a condition certainly holds."""
        facts = self.evaluation.facts
        columns = _ContactColumns(self.bundle, self.evaluation)
        holds = evaluate_condition(condition.tree, columns, len(facts.contacts.ids)).holds
        return frozenset(facts.contacts.ids[holds & (facts.contacts.account_rows == self.row)].tolist())

    def value(self, name: str) -> float | None:
        """A number by the name a condition would use; None where it is unknown."""
        column = self.evaluation.columns[name]
        found = float(column.values[self.row]) if isinstance(column, Numbers) else np.nan
        return None if np.isnan(found) else found

    def text(self, name: str) -> str | None:
        """A text by the name a condition would use; None where it is unknown."""
        column = self.evaluation.columns[name]
        if not isinstance(column, Texts) or column.codes[self.row] < 0:
            return None
        return str(column.words[int(column.codes[self.row])])

    def event_behind(self, rule: str, signal: str) -> int | None:
        """The event that makes a signal fire; ``signal`` is a name of ``rule``, or ``<rule>.<signal>``."""
        signals = self.evaluation.signals
        observed = signals.get(f"{rule}.{signal}") or signals.get(signal)
        if observed is None or observed.sources[self.row] < 0:
            return None
        return int(observed.sources[self.row])

    def goal(self, name: str) -> GoalSight | None:
        """A goal of the catalog as agreed with the account; None where nothing was agreed."""
        agreed = self.evaluation.facts.goals.get(name)
        if agreed is None or np.isnan(agreed.target[self.row]):
            return None
        features = _features(self.evaluation.columns, self.bundle, self.evaluation)
        shape = self.bundle.catalog.goals[name].shape
        line = float(expected(agreed, features.day, step=shape == "step")[self.row])
        attained = float(agreed_attainment(name, features)[self.row])
        start = float(agreed.start_value[self.row])
        return GoalSight(
            target=float(agreed.target[self.row]),
            start=int(agreed.start_day[self.row]),
            end=int(agreed.end_day[self.row]),
            # Attainment is (actual - start) / (line - start), so this is the actual value again.
            actual=_known(start + attained * (line - start)),
            expected=_known(line),
            attainment=_known(attained),
        )


def needs_portfolio(names: frozenset[str]) -> bool:
    """Whether what is read compares an account with others, so that its own facts alone would give another answer."""
    return any(name.startswith(_OF_THE_PORTFOLIO) or name.endswith(".rank") for name in names)


class _ContactColumns(Mapping[str, Column]):
    """Columns over contacts: ``contact.…`` is measured per contact, everything else is its account's."""

    def __init__(self, bundle: Bundle, evaluation: Evaluation) -> None:
        self._accounts = evaluation.columns
        self._rows = evaluation.facts.contacts.account_rows
        self._contacts = Features(bundle.catalog, evaluation.facts, contacts=True)

    def __getitem__(self, name: str) -> Column:
        if name.startswith("contact."):
            return self._contacts[name]
        column = self._accounts[name]
        if isinstance(column, Numbers):
            return Numbers(column.values[self._rows])
        return Texts(column.codes[self._rows], column.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._contacts)

    def __len__(self) -> int:
        return len(self._contacts)


def _features(columns: Mapping[str, Column], bundle: Bundle, evaluation: Evaluation) -> Features:
    return columns if isinstance(columns, Features) else Features(bundle.catalog, evaluation.facts)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 9)
