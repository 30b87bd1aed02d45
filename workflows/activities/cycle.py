"""One evaluation cycle: evaluate, decide, save; judge what is due; wake what waits.

Evaluating is the long part: it goes shard by shard, reads, and writes states and scores in short transactions, so
nobody has to wait for it and memory does not grow with the portfolio. What is decided is one transaction, and the open
episodes in it, not the signal states, say what has been decided before: a cycle that dies in between is harmless.

A cycle over the accounts about which something new is known does the same for them alone. It adds to the last cycle
over all accounts, of the same day and the same definitions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock

from sqlalchemy.orm import Session
from temporalio import activity

from engine.definitions.bundle import Bundle
from engine.effect.estimate import estimate
from engine.effect.feedback import feedback
from engine.effect.outcome import JudgedOutcome
from engine.errors import Refused
from engine.evaluation.deciding import Plan, settle
from engine.store import bundles, changed, outcomes, recovered
from engine.store.changed import Changed
from engine.store.columns import Columns
from engine.store.decisions import save_plan
from engine.store.evaluations import extend_cycle, is_current, refuse_past, save_cycle
from engine.store.past import load_past
from engine.store.queueing import Queue, queue
from engine.store.sessions import Store
from engine.store.waking import wake
from engine.terms import Arm, DecisionKind, OutcomeState
from workflows.activities.looking import SHARD, Looked, look
from workflows.payloads import CycleInput, CycleResult

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cycles:
    """The activity of a cycle, with what it works on."""

    def __init__(self, store: Store, day_seconds: float, columns: Columns | None = None) -> None:
        self.store = store
        self.day_seconds = day_seconds
        self.columns = columns
        self.turn = Lock()
        """Held while a cycle is at work in this process: another one would only do the same work again."""

    @activity.defn(name="evaluate")
    def evaluate(self, wanted: CycleInput) -> CycleResult:
        """Run one cycle with the bundle in force."""
        at = datetime.fromisoformat(wanted.at) if wanted.at else datetime.now(UTC)
        with self.store.read() as session:
            bundle = bundles.in_force(session)
        if bundle is None:
            raise Refused("no bundle is in force: start the worker in a folder that holds rules/ and playbooks/")
        with self.turn:
            return run_cycle(self.store, bundle, at, day_seconds=self.day_seconds, columns=self.columns)

    def part(self, bundle: Bundle, seen: Changed) -> CycleResult:
        """Run a cycle over the accounts that changed, as of now. Raises `Refused` where one over all is due."""
        at = datetime.now(UTC)
        return run_part(self.store, bundle, at, seen, day_seconds=self.day_seconds, columns=self.columns)


def run_cycle(
    store: Store,
    bundle: Bundle,
    at: datetime,
    *,
    day_seconds: float | None,
    released: frozenset[str] = frozenset(),
    columns: Columns | None = None,
    shard: int = SHARD,
) -> CycleResult:
    """Run one cycle as of ``at``. ``day_seconds`` None replays history: decisions and outcomes, but no runs.

    The past is read in the transaction that writes the plan, so two cycles at once decide one after the other.
    Raises `Refused` on a day before the last one that was decided.
    """
    day = (at - EPOCH).days
    with store.read() as session:
        refuse_past(session, day)
        seen = changed.read(session)
    looked = look(store, bundle, at, released=released, columns=columns, shard=shard)
    with _deciding(store, day) as session:
        plan = settle(bundle, looked.proposals, load_past(session, bundle, at, released), at, day)
        save_plan(session, bundle, plan, day, day_seconds)
        judged = _judge(session, bundle, looked, day)
        result = _result(looked, plan, judged)
        save_cycle(session, bundle, plan, day, _counts(result))
        changed.forget(session, seen)
    if day_seconds is None:
        return result
    return replace(result, woken=wake(store, day, at, looked.seen))


def run_part(
    store: Store,
    bundle: Bundle,
    at: datetime,
    seen: Changed,
    *,
    day_seconds: float | None,
    columns: Columns | None = None,
) -> CycleResult:
    """Run a cycle over the accounts that changed, as of ``at``: for them it comes to what a cycle over all would.

    Nothing is judged: outcomes are looked at by the cycle over all accounts, once a day. Raises `Refused` where the
    last of those was not of the same day and bundle: then one is due.
    """
    day, accounts = (at - EPOCH).days, seen.accounts
    with store.read() as session:
        _refuse_part(session, bundle, day)
    looked = look(store, bundle, at, accounts=accounts, columns=columns)
    with _deciding(store, day) as session:
        _refuse_part(session, bundle, day)
        plan = settle(bundle, looked.proposals, load_past(session, bundle, at, accounts=accounts), at, day)
        save_plan(session, bundle, plan, day, day_seconds)
        result = _result(looked, plan, 0)
        extend_cycle(session, bundle, plan, _counts(result))
        changed.forget(session, seen)
    if day_seconds is None:
        return result
    return replace(result, woken=wake(store, day, at, looked.seen, accounts))


def _refuse_part(session: Session, bundle: Bundle, day: int) -> None:
    if not is_current(session, bundle.fingerprint, day):
        raise Refused("the last cycle over all accounts was of another day or of other definitions: one is due first")


@contextmanager
def _deciding(store: Store, day: int) -> Iterator[Session]:
    """A writing transaction that no other cycle, and no start by hand, runs beside."""
    with store.begin() as session:
        queue(session, Queue.DECIDING)
        refuse_past(session, day)
        yield session


def _judge(session: Session, bundle: Bundle, looked: Looked, day: int) -> int:
    still = {one.decision_id for one in outcomes.due(session, day)}
    found: list[JudgedOutcome] = [one for one in looked.judged if one.due.decision_id in still]
    by_itself = recovered.untouched(session, [one.due.decision_id for one in found if _is_credited(one)])
    outcomes.save_judged(session, [_said(one) if one.due.decision_id in by_itself else one for one in found])
    outcomes.save_feedback(session, feedback(one for one in found if one.due.decision_id not in by_itself))
    if found:
        outcomes.save_effects(session, estimate(bundle, outcomes.judged(session)), day)
    return len(found)


def _is_credited(one: JudgedOutcome) -> bool:
    return one.state is OutcomeState.MET and one.due.arm is not Arm.HELD_OUT


def _said(one: JudgedOutcome) -> JudgedOutcome:
    # It stays met, in both arms alike: whoever takes these out of one arm measures something else than the playbook.
    return replace(one, sentence=f"{one.sentence}; {recovered.BY_ITSELF}")


def _result(looked: Looked, plan: Plan, judged: int) -> CycleResult:
    kinds = [decision.kind for decision in plan.decisions]
    return CycleResult(
        accounts=sum(proposal.accounts for proposal in looked.proposals),
        starts=kinds.count(DecisionKind.START),
        refusals=kinds.count(DecisionKind.REFUSE),
        hold_outs=kinds.count(DecisionKind.HOLD_OUT),
        judged=judged,
    )


def _counts(result: CycleResult) -> dict[str, int]:
    return {name: getattr(result, name) for name in result.__dataclass_fields__}
