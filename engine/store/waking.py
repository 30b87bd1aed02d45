"""Waking runs: what a waiting run waits for, and what would end it, is looked at by every cycle, on the definitions the
run began with."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.errors import EngineError
from engine.evaluation.columns import Flags
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.program import evaluate_condition
from engine.store import awaited, bundles, exits, waits
from engine.store.exits import Candidate
from engine.store.facts import load_facts
from engine.store.run_tables import WaitRow
from engine.store.sessions import Store

_MANY: Final = 5_000
"""Of more accounts than this, reading everything is quicker than naming them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a run is to be told: that what ``step`` waits for has come or, without a step, that its exit holds."""

    run_id: int
    step: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that stands still, and a step whose condition it waits for (empty: only time, or a person). A run with
    rows beside each other may wait for several."""

    run: Candidate
    step: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a cycle has seen of waiting runs: at which run and step it looked, and what it found to tell."""

    looked: frozenset[Told] = frozenset()
    found: frozenset[Told] = frozenset()

    def __or__(self, other: "Seen") -> "Seen":
        return Seen(self.looked | other.looked, self.found | other.found)


def waiting(session: Session, accounts: Collection[int] | None = None) -> list[Waiting]:
    """The runs that stand still, of all accounts or of those named."""
    open_waits = select(WaitRow).where(WaitRow.satisfied_at.is_(None)).order_by(WaitRow.step)
    steps: dict[int, list[str]] = defaultdict(list)
    for wait in session.scalars(open_waits):
        if wait.condition is not None:
            steps[wait.run_id].append(wait.step)
    return [Waiting(one, step) for one in exits.waiting(session, accounts) for step in steps.get(one.run_id, [""])]


def see(bundle: Bundle, evaluation: Evaluation, runs: Sequence[Waiting]) -> Seen:
    """Look at runs of accounts that were evaluated, all of which began with ``bundle``."""
    looked = frozenset(Told(one.run.run_id, one.step) for one in runs)
    return Seen(looked, frozenset(_told(bundle, evaluation, runs)))


def wake(
    store: Store, day: int, at: datetime, seen: Seen | None = None, accounts: Collection[int] | None = None
) -> int:
    """Wake every run whose wait's condition or exit certainly holds on the facts of ``day``; how many were woken.

    ``seen``: what a cycle has just seen of them. ``accounts``: only their runs. Looking is the long part and only
    reads. A run that has gone on meanwhile is not woken: it does not wait any more.
    """
    with store.read() as session:
        found = due(session, day, seen or Seen(), accounts)
        moved = awaited.moved(session, at, accounts)
    if not found and not moved:
        return 0
    with store.begin() as session:
        looking = sum(waits.look_again(session, run_id, step, at) for run_id, step in moved)
        return looking + sum(_tell(session, one, at) for one in found)


def due(session: Session, day: int, seen: Seen, accounts: Collection[int] | None = None) -> list[Told]:
    """The runs to be woken on the facts of ``day``."""
    by_bundle: dict[str, list[Waiting]] = defaultdict(list)
    for one in waiting(session, accounts):
        by_bundle[one.run.bundle].append(one)
    return [told for name, runs in by_bundle.items() for told in _due(session, name, runs, day, seen)]


def _tell(session: Session, one: Told, at: datetime) -> bool:
    return waits.satisfy(session, one.run_id, one.step, at) if one.step else waits.leave(session, one.run_id, at)


def _due(session: Session, fingerprint: str, runs: Sequence[Waiting], day: int, seen: Seen) -> Iterator[Told]:
    yield from (Told(one.run.run_id) for one in runs if one.run.barred)
    others = [one for one in runs if not one.run.barred]
    try:
        bundle = bundles.by_fingerprint(session, fingerprint)
    except EngineError:  # nobody can read what these runs wait for; the others are not to suffer from it
        return
    known = [one for one in others if Told(one.run.run_id, one.step) in seen.looked]
    ended = exits.reasons(bundle, None, [one.run for one in known])  # the episode may be over only since a moment ago
    yield from (Told(run_id) for run_id in ended)
    said = {Told(one.run.run_id, step) for one in known for step in ("", one.step) if one.run.run_id not in ended}
    yield from sorted(said & seen.found, key=lambda one: (one.run_id, one.step))
    unseen = [one for one in others if Told(one.run.run_id, one.step) not in seen.looked]
    yield from _told(bundle, _look(session, bundle, unseen, day), unseen)


def _told(bundle: Bundle, evaluation: Evaluation | None, runs: Sequence[Waiting]) -> Iterator[Told]:
    ended = exits.reasons(bundle, evaluation, [one.run for one in runs])
    yield from (Told(run_id) for run_id in ended)
    if evaluation is None:
        return
    verdicts: dict[tuple[str, str], Flags] = {}
    for one in runs:
        step, row = (one.run.playbook, one.step), _row(evaluation, one.run.account_id)
        condition = until(bundle, *step)
        if condition is None or row is None or one.run.run_id in ended:
            continue
        if step not in verdicts:
            size = len(evaluation.facts.accounts)
            verdicts[step] = evaluate_condition(condition.tree, evaluation.columns, size).holds
        if verdicts[step][row]:
            yield Told(one.run.run_id, one.step)


def _look(session: Session, bundle: Bundle, runs: Sequence[Waiting], day: int) -> Evaluation | None:
    """The facts of the accounts that somebody asks about; None: nobody asks."""
    accounts: set[int] = set()
    for one in runs:
        condition = until(bundle, one.run.playbook, one.step)
        for asked in (exits.asks(bundle, one.run), condition.names if condition else None):
            if asked is not None:
                accounts.add(one.run.account_id)
    if not accounts:
        return None
    whom = None if len(accounts) > _MANY else sorted(accounts)
    return evaluate(bundle, load_facts(session, bundle, day, whom))


def _row(evaluation: Evaluation, account_id: int) -> int | None:
    """Where the account stands; None for one that came after the facts were read: the next cycle sees it."""
    ids = evaluation.facts.accounts.ids
    row = int(np.searchsorted(ids, account_id))
    return row if row < len(ids) and int(ids[row]) == account_id else None


def until(bundle: Bundle, playbook: str, step: str) -> Condition | None:
    """The condition a wait step of a playbook waits for; None for a wait that only takes its time."""
    found = awaited.wait_step(bundle, playbook, step)
    return None if found is None else found.until
