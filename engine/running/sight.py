"""What a run sees of its account: conditions judged on one row of an evaluation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.evaluation.columns import Column, Flags
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.features import Features, taken
from engine.evaluation.program import evaluate_condition
from engine.terms import Verdict


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
        contacts = self.evaluation.facts.contacts
        holds = holding_contacts(self.bundle, self.evaluation, condition)
        return frozenset(contacts.ids[holds & (contacts.account_rows == self.row)].tolist())

    def event_behind(self, rule: str, signal: str) -> int | None:
        """The event that makes a signal fire; ``signal`` is a name of ``rule``, or ``<rule>.<signal>``."""
        signals = self.evaluation.signals
        observed = signals.get(f"{rule}.{signal}") or signals.get(signal)
        if observed is None or observed.sources[self.row] < 0:
            return None
        return int(observed.sources[self.row])

    def contacts_behind(self, rule: str, signal: str) -> frozenset[int] | None:
        """The ids of the account's contacts whom a firing signal names; None where it is no signal about contacts."""
        signals, contacts = self.evaluation.signals, self.evaluation.facts.contacts
        observed = signals.get(f"{rule}.{signal}") or signals.get(signal)
        if observed is None or observed.people is None:
            return None
        if observed.verdicts[self.row] != Verdict.HOLDS:
            return frozenset()
        return frozenset(contacts.ids[observed.people & (contacts.account_rows == self.row)].tolist())


def holding_contacts(bundle: Bundle, evaluation: Evaluation, condition: Condition) -> Flags:
    """For which contacts of all accounts a condition certainly holds, bool[C]."""
    columns = _ContactColumns(bundle, evaluation)
    return evaluate_condition(condition.tree, columns, len(evaluation.facts.contacts.ids)).holds


class _ContactColumns(Mapping[str, Column]):
    """Columns over contacts: ``contact.…`` is measured per contact, everything else is its account's."""

    def __init__(self, bundle: Bundle, evaluation: Evaluation) -> None:
        self._accounts = evaluation.columns
        self._rows = evaluation.facts.contacts.account_rows
        self._contacts = Features(bundle.catalog, evaluation.facts, contacts=True)

    def __getitem__(self, name: str) -> Column:
        if name.startswith("contact."):
            return self._contacts[name]
        return taken(self._accounts[name], self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._contacts)

    def __len__(self) -> int:
        return len(self._contacts)
