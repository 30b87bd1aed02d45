"""Waking runs: what a waiting run waits for, and what would end it, is looked at by every cycle, on the definitions the
run began with."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.playbook import WaitStep, walk
from engine.errors import EngineError
from engine.evaluation.columns import Flags
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.program import evaluate_condition
from engine.running.sight import needs_portfolio
from engine.store import bundles, exits, waits
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


def wake(store: Store, day: int, at: datetime, seen: Evaluation | None = None, of: str = "") -> int:
    """Wake every run whose wait's condition or exit certainly holds on the facts of ``day``; how many were woken.

    ``seen`` is what a cycle has just seen of the whole portfolio with the bundle of fingerprint ``of``.
    Looking is the long part and only reads. A run that has gone on meanwhile is not woken: it does not wait any more.
    """
    with store.read() as session:
        found = due(session, day, {} if seen is None else {of: seen})
    if not found:
        return 0
    with store.begin() as session:
        return sum(_tell(session, one, at) for one in found)


def due(session: Session, day: int, seen: Mapping[str, Evaluation]) -> list[Told]:
    """The runs to be woken on the facts of ``day``. ``seen``: what is known of the whole portfolio, by bundle."""
    by_bundle: dict[str, list[Candidate]] = defaultdict(list)
    for one in exits.waiting(session):
        by_bundle[one.bundle].append(one)
    steps: dict[int, str] = {}
    for wait in session.scalars(select(WaitRow).where(WaitRow.satisfied_at.is_(None))):
        if wait.condition is not None:
            steps[wait.run_id] = wait.step
    return [
        told
        for fingerprint, candidates in by_bundle.items()
        for told in _due(session, fingerprint, candidates, steps, day, seen.get(fingerprint))
    ]


def _tell(session: Session, one: Told, at: datetime) -> bool:
    return waits.satisfy(session, one.run_id, one.step, at) if one.step else waits.leave(session, one.run_id, at)


def _due(
    session: Session,
    fingerprint: str,
    candidates: Sequence[Candidate],
    steps: Mapping[int, str],
    day: int,
    seen: Evaluation | None,
) -> Iterator[Told]:
    yield from (Told(one.run_id) for one in candidates if one.barred)
    others = [one for one in candidates if not one.barred]
    try:
        bundle = bundles.by_fingerprint(session, fingerprint)
    except EngineError:  # nobody can read what these runs wait for; the others are not to suffer from it
        return
    waited = {one.run_id: until(bundle, one.playbook, steps.get(one.run_id, "")) for one in others}
    evaluation = seen or _look(session, bundle, [(one, waited[one.run_id]) for one in others], day)
    ended = exits.reasons(bundle, evaluation, others)
    yield from (Told(run_id) for run_id in ended)
    if evaluation is None:
        return
    verdicts: dict[tuple[str, str], Flags] = {}
    for one in others:
        condition, row = waited[one.run_id], _row(evaluation, one.account_id)
        if condition is None or row is None or one.run_id in ended:
            continue
        step = (one.playbook, steps[one.run_id])
        if step not in verdicts:
            size = len(evaluation.facts.accounts)
            verdicts[step] = evaluate_condition(condition.tree, evaluation.columns, size).holds
        if verdicts[step][row]:
            yield Told(one.run_id, steps[one.run_id])


def _look(
    session: Session, bundle: Bundle, candidates: Sequence[tuple[Candidate, Condition | None]], day: int
) -> Evaluation | None:
    """The facts of the accounts that somebody asks about, or of all where they are compared; None: nobody asks."""
    names: set[str] = set()
    accounts: set[int] = set()
    for one, condition in candidates:
        for asked in (exits.asks(bundle, one), condition.names if condition else None):
            if asked is not None:
                names |= asked
                accounts.add(one.account_id)
    if not accounts:
        return None
    whom = None if needs_portfolio(frozenset(names)) or len(accounts) > _MANY else sorted(accounts)
    return evaluate(bundle, load_facts(session, bundle, day, whom))


def _row(evaluation: Evaluation, account_id: int) -> int | None:
    """Where the account stands; None for one that came after the facts were read: the next cycle sees it."""
    ids = evaluation.facts.accounts.ids
    row = int(np.searchsorted(ids, account_id))
    return row if row < len(ids) and int(ids[row]) == account_id else None


def until(bundle: Bundle, playbook: str, step: str) -> Condition | None:
    """The condition a wait step of a playbook waits for; None for a wait that only takes its time."""
    found = (one for one in walk(bundle.playbooks[playbook].steps) if isinstance(one, WaitStep) and one.id == step)
    return next((one.until for one in found), None)
