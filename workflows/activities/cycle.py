"""One evaluation cycle: evaluate, decide, save; judge what is due; wake what waits.

Evaluating is the long part and only reads, so nobody has to wait for it. What is decided is one transaction, and the
open episodes in it, not the signal states, say what has been decided before: a cycle that dies in between is harmless.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session
from temporalio import activity

from engine.definitions.bundle import Bundle
from engine.effect.estimate import estimate
from engine.effect.feedback import feedback
from engine.effect.outcome import judge
from engine.errors import Refused
from engine.evaluation.deciding import Plan, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.store import bundles, outcomes
from engine.store.decisions import save_plan
from engine.store.evaluations import refuse_past, save_cycle, save_evaluation
from engine.store.facts import load_facts
from engine.store.past import load_past
from engine.store.queueing import Queue, queue
from engine.store.sessions import Store
from engine.store.waking import wake
from engine.terms import DecisionKind
from workflows.payloads import CycleInput, CycleResult

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cycles:
    """The activity of a cycle, with what it works on."""

    def __init__(self, store: Store, day_seconds: float) -> None:
        self.store = store
        self.day_seconds = day_seconds

    @activity.defn(name="evaluate")
    def evaluate(self, wanted: CycleInput) -> CycleResult:
        """Run one cycle with the bundle in force."""
        at = datetime.fromisoformat(wanted.at) if wanted.at else datetime.now(UTC)
        with self.store.read() as session:
            bundle = bundles.in_force(session)
        if bundle is None:
            raise Refused("no bundle is in force: start the worker in a folder that holds rules/ and playbooks/")
        return run_cycle(self.store, bundle, at, day_seconds=self.day_seconds)


def run_cycle(
    store: Store,
    bundle: Bundle,
    at: datetime,
    *,
    day_seconds: float | None,
    released: frozenset[str] = frozenset(),
) -> CycleResult:
    """Run one cycle as of ``at``. ``day_seconds`` None replays history: decisions and outcomes, but no runs.

    The past is read in the transaction that writes the plan, so two cycles at once decide one after the other.
    Raises `Refused` on a day before the last one that was decided.
    """
    day = (at - EPOCH).days
    with store.read() as session:
        refuse_past(session, day)
        facts = load_facts(session, bundle, day, moment=at, late=outcomes.lateness(session, day))
    evaluation = evaluate(bundle, facts)
    with _deciding(store, day) as session:
        save_evaluation(session, bundle, evaluation)
    with _deciding(store, day) as session:
        plan = decide(bundle, evaluation, load_past(session, bundle, at, released), at)
        save_plan(session, bundle, plan, day, day_seconds)
        judged = _judge(session, bundle, evaluation)
        result = _result(evaluation, plan, judged)
        save_cycle(session, bundle, plan, day, {name: getattr(result, name) for name in result.__dataclass_fields__})
    if day_seconds is None:
        return result
    return replace(result, woken=wake(store, day, at, evaluation, of=bundle.fingerprint))


@contextmanager
def _deciding(store: Store, day: int) -> Iterator[Session]:
    """A writing transaction that no other cycle, and no start by hand, runs beside."""
    with store.begin() as session:
        queue(session, Queue.DECIDING)
        refuse_past(session, day)
        yield session


def _judge(session: Session, bundle: Bundle, evaluation: Evaluation) -> int:
    day = evaluation.facts.at
    found = judge(bundle, evaluation, outcomes.due(session, day))
    outcomes.save_judged(session, found)
    outcomes.save_feedback(session, feedback(found))
    if found:
        outcomes.save_effects(session, estimate(bundle, outcomes.judged(session)), day)
    return len(found)


def _result(evaluation: Evaluation, plan: Plan, judged: int) -> CycleResult:
    kinds = [decision.kind for decision in plan.decisions]
    return CycleResult(
        accounts=len(evaluation.facts.accounts),
        starts=kinds.count(DecisionKind.START),
        refusals=kinds.count(DecisionKind.REFUSE),
        hold_outs=kinds.count(DecisionKind.HOLD_OUT),
        judged=judged,
    )
