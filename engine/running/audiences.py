"""Whom the messages of a whole portfolio are for: contacts as rows, chosen as a run chooses them for one account."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.playbook import Audience, CampaignStep, EmailStep, ReportStep, Step
from engine.definitions.problem import Place
from engine.evaluation.columns import Flags, Ints
from engine.evaluation.evaluation import Evaluation
from engine.running.sight import holding_contacts


@dataclass(frozen=True, slots=True, eq=False)
class Reachable:
    """Of each contact of `Facts.contacts`: whether it can be written to (it has an address, it has not left), and
    ``idle``: days → whether it has not logged in for so long."""

    written: Flags
    idle: Mapping[int, Flags] = field(default_factory=dict)


class Audiences:
    """Answers whom a step means, and remembers it."""

    def __init__(self, bundle: Bundle, evaluation: Evaluation, reachable: Reachable) -> None:
        self._bundle = bundle
        self._evaluation = evaluation
        self._reachable = reachable
        self._contacts = evaluation.facts.contacts
        self._order = np.argsort(self._contacts.account_rows, kind="stable")
        self._sorted = self._contacts.account_rows[self._order]
        self._chosen: dict[tuple[str, Audience], Flags] = {}
        self._stopped: dict[Place, Flags] = {}

    def of(self, step: Step | None, rule: str, rows: Ints) -> Ints:
        """The contacts at the accounts ``rows`` to whom a step of a run of ``rule`` writes."""
        if isinstance(step, ReportStep):
            chosen = self._flags(Audience(role=step.share_with), "")
        elif isinstance(step, EmailStep | CampaignStep):
            chosen = self._flags(step.to, rule)
        else:
            return np.zeros(0, dtype=np.int64)
        if isinstance(step, CampaignStep) and step.stop_when is not None:
            chosen = chosen & ~self._done(step)
        everyone = self._at(rows)
        return everyone[chosen[everyone]]

    def _at(self, rows: Ints) -> Ints:
        """All contacts of these accounts."""
        start, end = np.searchsorted(self._sorted, rows, "left"), np.searchsorted(self._sorted, rows, "right")
        counts = end - start
        before = np.repeat(start - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        return np.asarray(self._order[before + np.arange(counts.sum())], dtype=np.int64)

    def _flags(self, to: Audience, rule: str) -> Flags:
        key = (rule if to.signal else "", to)
        if key not in self._chosen:
            self._chosen[key] = self._reachable.written & (
                self._named(to.signal, rule) if to.signal else self._role(to)
            )
        return self._chosen[key]

    def _role(self, to: Audience) -> Flags:
        has = np.fromiter((to.role in roles for roles in self._contacts.roles), np.bool_, len(self._contacts.ids))
        return has & self._reachable.idle[to.idle_for] if to.idle_for in self._reachable.idle else has

    def _named(self, signal: str, rule: str) -> Flags:
        """The people a signal names: those it measures, or whom its event is about."""
        nobody = np.zeros(len(self._contacts.ids), dtype=np.bool_)
        signals = self._evaluation.signals
        observed = signals.get(f"{rule}.{signal}") or signals.get(signal)
        if observed is None:
            return nobody
        if observed.people is not None:
            return np.asarray(observed.people & (observed.verdicts == 1)[self._contacts.account_rows])
        for events in self._evaluation.facts.events.values():
            behind = np.isin(events.ids, observed.sources[observed.sources >= 0]) & (events.contact_rows >= 0)
            nobody[events.contact_rows[behind]] = True
        return nobody

    def _done(self, step: CampaignStep) -> Flags:
        if step.stop_when is None:
            return np.zeros(len(self._contacts.ids), dtype=np.bool_)
        if step.place not in self._stopped:
            self._stopped[step.place] = holding_contacts(self._bundle, self._evaluation, step.stop_when)
        return self._stopped[step.place]
