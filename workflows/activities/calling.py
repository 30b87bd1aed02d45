"""Calls to connections: one attempt at a time, claimed in the ledger, made outside any transaction, then settled."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from engine.definitions.connection import Connection
from engine.errors import Refused
from engine.running.working_time import DAY_SECONDS
from engine.store import bundles, calls
from engine.store.calls import Came, Claimed
from engine.store.clearance import Settled
from engine.store.sessions import Store
from engine.terms import DeliveryState
from workflows.channels.letter import Verdict
from workflows.channels.webhook import Caller
from workflows.crash_points import pass_by, stand_at

PAUSES: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0)
"""Seconds between attempts, as Standard Webhooks has them; the last one repeats."""
_SPREAD: Final = 0.2
_SHORTEST: Final = 0.2
_SAME_CLOCK: Final = 600.0


@dataclass(frozen=True, slots=True)
class Calling:
    """One call to be made. ``day_seconds``: the run's day, in which its pauses are counted."""

    run_id: int
    step: str
    account_id: int
    connection: Connection
    subject: str
    body: str
    category: str
    priority: str
    contacts: bool
    day_seconds: float


def call(store: Store, caller: Caller | None, order: Calling, at: datetime) -> Verdict:
    """Make the next attempt of a call, however often this is called. Call it outside any transaction."""
    if caller is None:
        return Verdict(DeliveryState.NOT_SENT, "nothing is called from here", permanent=True)
    try:
        wanted = _wanted(caller, order)
    except Refused as refused:
        # Nothing is claimed where nothing can be called: whoever sets the variable lets it go on.
        return Verdict(DeliveryState.NOT_SENT, str(refused), later=at + _pause(order.day_seconds, 2, ""))
    name, began = order.connection.name, caller.turns.clock()
    if wait := caller.turns.take(name):
        return Verdict(DeliveryState.NOT_SENT, f"{name} is busy with other calls", later=at + timedelta(seconds=wait))
    try:
        return _call_now(store, caller, order, wanted, at)
    finally:
        caller.turns.give_back(name, began)


def _call_now(store: Store, caller: Caller, order: Calling, wanted: calls.Wanted, at: datetime) -> Verdict:
    stand_at(order.step)
    pass_by("before_claim")
    with store.begin() as session:
        claimed = calls.claim(session, wanted, at)
    if isinstance(claimed, Settled):
        return _verdict(claimed)
    pass_by("after_claim")
    return _attempt(store, caller, order.connection, claimed, at, order.day_seconds)


def call_again(store: Store, caller: Caller, delivery_id: int, name: str, at: datetime) -> Verdict | None:
    """Call once more what a member wants called again, as it was. None: it has been, or there is nobody to call."""
    with store.begin() as session:
        bundle = bundles.in_force(session)
        connection = bundle.connections.get(name) if bundle else None
        claimed = calls.claim_again(session, delivery_id, at) if connection else None
    if connection is None or claimed is None:
        return None
    return _verdict(claimed) if isinstance(claimed, Settled) else _attempt(store, caller, connection, claimed, at)


def _attempt(
    store: Store,
    caller: Caller,
    connection: Connection,
    claimed: Claimed,
    at: datetime,
    day_seconds: float = DAY_SECONDS,
) -> Verdict:
    """From a claim to the verdict."""
    with store.begin() as session:
        if not calls.begin(session, claimed, _now()):
            return Verdict(DeliveryState.NOT_SENT, "another attempt has taken it over")
    told = caller.call(connection, claimed.message_id, claimed.body, _now())
    pause = _pause(day_seconds, claimed.attempt, claimed.message_id, told.wait, _behind(at))
    with store.begin() as session:
        came = Came(told.state, told.reason, told.permanent, pause, told.gone)
        settled = calls.settle(session, claimed, came, at)
    pass_by("after_verdict")
    return _verdict(settled)


def _wanted(caller: Caller, order: Calling) -> calls.Wanted:
    return calls.Wanted(
        run_id=order.run_id,
        step=order.step,
        account_id=order.account_id,
        connection=order.connection.name,
        endpoint=calls.endpoint(caller.url(order.connection)),
        subject=order.subject,
        body=order.body,
        category=order.category,
        priority=order.priority,
        repeats=order.connection.kind != "chat",
        contacts=order.contacts,
        retries=order.connection.retries,
    )


def _pause(
    day_seconds: float, attempt: int, message_id: str, wait: float | None = None, behind: float = 0.0
) -> timedelta:
    """How long until the next attempt: what the receiver asked for, else longer each time; spread by the id, so that
    calls that failed together do not come back together. Where a day is short, a pause is too."""
    if wait is not None:
        return timedelta(seconds=wait + behind)
    share = int(message_id[4:12] or "0", 16) / 0x1_0000_0000
    usual = PAUSES[min(attempt, len(PAUSES)) - 1] * (1 - _SPREAD + 2 * _SPREAD * share)
    return timedelta(seconds=max(usual * min(day_seconds / DAY_SECONDS, 1.0), _SHORTEST))


def _behind(at: datetime) -> float:
    """Seconds since the moment of the run at which it began to call: what a receiver asks for counts from its answer.
    Zero where the run's clock is not this one."""
    passed = (_now() - at).total_seconds()
    return passed if 0.0 < passed < _SAME_CLOCK else 0.0


def _verdict(settled: Settled) -> Verdict:
    return Verdict(settled.state, settled.reason, settled.permanent, settled.later)


def _now() -> datetime:
    return datetime.now(UTC)
