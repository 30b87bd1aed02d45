"""Waking runs: what a waiting run waits for is looked at by every cycle, on the definitions the run began with."""

from collections import defaultdict
from collections.abc import Sequence
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


def wake(session: Session, day: int, at: datetime) -> int:
    """Wake every run whose wait's condition certainly holds on the facts of ``day``; how many were woken."""
    by_bundle: dict[str, list[tuple[WaitRow, RunRow]]] = defaultdict(list)
    for wait, run in session.execute(
        select(WaitRow, RunRow).join(RunRow, RunRow.id == WaitRow.run_id).where(WaitRow.satisfied_at.is_(None))
    ):
        if wait.condition is not None:
            by_bundle[run.bundle].append((wait, run))
    return sum(
        _wake(session, bundles.by_fingerprint(session, fingerprint), waiting, day, at)
        for fingerprint, waiting in by_bundle.items()
    )


def _wake(
    session: Session, bundle: Bundle, waiting: Sequence[tuple[WaitRow, RunRow]], day: int, at: datetime
) -> int:
    facts = load_facts(session, bundle, day, sorted({run.account_id for _, run in waiting}))
    columns = evaluate(bundle, facts).columns
    ids = facts.accounts.ids.tolist()
    woken = 0
    for wait, run in waiting:
        condition = until(bundle, run.playbook, wait.step)
        if condition is None:
            continue
        planes = evaluate_condition(condition.tree, columns, len(ids))
        if planes.holds[ids.index(run.account_id)]:
            woken += waits.satisfy(session, run.id, wait.step, at)
    return woken


def until(bundle: Bundle, playbook: str, step: str) -> Condition | None:
    """The condition a wait step of a playbook waits for; None for a wait that only takes its time."""
    found = (one for one in walk(bundle.playbooks[playbook].steps) if isinstance(one, WaitStep) and one.id == step)
    return next((one.until for one in found), None)
