"""Waking runs: what a waiting run waits for is looked at by every cycle, on the definitions the run began with."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.playbook import WaitStep, walk
from engine.evaluation.evaluation import evaluate
from engine.evaluation.program import evaluate_condition
from engine.store import bundles, waits
from engine.store.facts import load_facts
from engine.store.run_tables import RunRow, WaitRow
from engine.store.sessions import Store


def wake(store: Store, day: int, at: datetime) -> int:
    """Wake every run whose wait's condition certainly holds on the facts of ``day``; how many were woken.

    Looking is the long part and only reads. A run that has gone on meanwhile is not woken: it does not wait any more.
    """
    with store.read() as session:
        found = satisfied(session, day)
    if not found:
        return 0
    with store.begin() as session:
        return sum(waits.satisfy(session, run_id, step, at) for run_id, step in found)


def satisfied(session: Session, day: int) -> list[tuple[int, str]]:
    """The runs, with the step they wait at, whose condition certainly holds on the facts of ``day``."""
    by_bundle: dict[str, list[tuple[WaitRow, RunRow]]] = defaultdict(list)
    for wait, run in session.execute(
        select(WaitRow, RunRow).join(RunRow, RunRow.id == WaitRow.run_id).where(WaitRow.satisfied_at.is_(None))
    ):
        if wait.condition is not None:
            by_bundle[run.bundle].append((wait, run))
    return [
        one
        for fingerprint, waiting in by_bundle.items()
        for one in _satisfied(session, bundles.by_fingerprint(session, fingerprint), waiting, day)
    ]


def _satisfied(
    session: Session, bundle: Bundle, waiting: Sequence[tuple[WaitRow, RunRow]], day: int
) -> Iterator[tuple[int, str]]:
    facts = load_facts(session, bundle, day, sorted({run.account_id for _, run in waiting}))
    columns = evaluate(bundle, facts).columns
    ids = facts.accounts.ids.tolist()
    for wait, run in waiting:
        condition = until(bundle, run.playbook, wait.step)
        if condition is None:
            continue
        planes = evaluate_condition(condition.tree, columns, len(ids))
        if planes.holds[ids.index(run.account_id)]:
            yield run.id, wait.step


def until(bundle: Bundle, playbook: str, step: str) -> Condition | None:
    """The condition a wait step of a playbook waits for; None for a wait that only takes its time."""
    found = (one for one in walk(bundle.playbooks[playbook].steps) if isinstance(one, WaitStep) and one.id == step)
    return next((one.until for one in found), None)
