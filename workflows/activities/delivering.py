"""Deliver one message to one contact: claim in the ledger, send outside any transaction, write the verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity

from engine.definitions.playbook import Span
from engine.store import deliveries, secrets
from engine.store.deliveries import Claim, Settled, Wanted
from engine.store.sessions import Store
from engine.store.touches import Rules
from engine.terms import DeliveryState
from workflows.channels import replying, unsubscribing
from workflows.channels.letter import Channel, Letter, Verdict
from workflows.crash_points import pass_by, stand_at

_LATENESS: Final = Span(7.0)


@dataclass(frozen=True, slots=True)
class Order:
    """One message for one contact, rendered. ``base_url`` is where the unsubscribe link leads (empty: no link).

    ``name``: the contact's. ``member``: the address of a colleague who gets a copy; then there is no contact.
    ``reply_to``: where answers go; with ``+`` before the ``@`` it gets the delivery's own token. What the others mean
    stands at `Wanted`.
    """

    run_id: int
    step: str
    account_id: int
    contact_id: int | None
    category: str
    subject: str
    text: str
    html: str
    sender: str = "customer-success@example.com"
    base_url: str = ""
    sender_name: str = ""
    reply_to: str = ""
    name: str = ""
    member: str = ""
    priority: str = "education"
    max_lateness: Span = _LATENESS
    on_ambiguous: str = "hold"
    rules: Rules | None = None


def deliver(store: Store, channel: Channel, order: Order, at: datetime) -> Verdict:
    """Deliver once, however often it is called. Call it outside any transaction.

    ``at`` is the run's moment; the ledger also keeps when the letter really left, which can be much later.
    ``not_sent`` and not ``permanent``: worth another call later (the relay was down, or a member holds the run).
    """
    stand_at(order.step)
    with undisturbed():
        pass_by("before_claim")
        with store.begin() as session:
            claimed = deliveries.claim(session, _wanted(channel, order), _moment(at))
            secret = secrets.get(session, unsubscribing.SECRET)
        if not isinstance(claimed, Claim):
            return _verdict(claimed)
        pass_by("after_claim")
        return _send(store, channel, claimed, _letter(order, claimed, secret))


def send_again(store: Store, channel: Channel, delivery_id: int) -> Verdict | None:
    """Send what a member wants sent again, as it was. None: it has gone meanwhile, or somebody else sends it."""
    with store.begin() as session:
        claimed = deliveries.claim_again(session, delivery_id, _now())
    if not isinstance(claimed, Claim):
        return None if claimed is None else _verdict(claimed)
    return _send(store, channel, claimed, Letter(**(claimed.letter or {})))


def _send(store: Store, channel: Channel, claimed: Claim, letter: Letter) -> Verdict:
    """From a claim to the verdict."""
    with store.begin() as session:
        if not deliveries.begin_sending(session, claimed, _now(), asdict(letter)):
            return Verdict(DeliveryState.NOT_SENT, "another attempt has taken it over")
    verdict = channel.send(letter)
    with store.begin() as session:
        settled = deliveries.settle(
            session, claimed, verdict.state, verdict.reason, _now(), permanent=verdict.permanent
        )
    pass_by("after_verdict")
    # Of a doubtful one the ledger knows what its step says; of a send that was overtaken, what it came to.
    return _verdict(settled) if verdict.state is DeliveryState.AMBIGUOUS else verdict


def _verdict(settled: Settled) -> Verdict:
    return Verdict(settled.state, settled.reason, settled.permanent, settled.later)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A cancellation waits until what is on the wire, a letter or a call, has its verdict."""
    if not activity.in_activity():
        yield
        return
    with activity.shield_thread_cancel_exception():
        yield


def _wanted(channel: Channel, order: Order) -> Wanted:
    return Wanted(
        run_id=order.run_id,
        step=order.step,
        account_id=order.account_id,
        contact_id=order.contact_id,
        category=order.category,
        channel=channel.name,
        subject=order.subject,
        content=f"{order.subject}\x00{order.text}\x00{order.html}",
        sender=order.sender,
        member=order.member,
        priority=order.priority,
        max_lateness=order.max_lateness,
        on_ambiguous=order.on_ambiguous,
        rules=order.rules,
    )


def _letter(order: Order, claimed: Claim, secret: bytes) -> Letter:
    token = unsubscribing.make_token(secret, claimed.to_address, order.category)
    return Letter(
        message_id=claimed.message_id,
        sender=order.sender,
        to_name=claimed.to_name,
        to_address=claimed.to_address,
        subject=order.subject,
        text=order.text,
        html=order.html,
        unsubscribe_url=unsubscribing.link(order.base_url, token) if order.base_url and not order.member else "",
        sender_name=" ".join(order.sender_name.split()),
        reply_to="" if order.member else replying.address(order.reply_to, secret, claimed.delivery_id),
    )


def _moment(at: datetime) -> datetime:
    """The run's moment now: an attempt can begin long after the run asked for it (a worker was down)."""
    if not activity.in_activity():
        return at
    info = activity.info()
    return at + max(info.started_time - info.scheduled_time, timedelta(0))


def _now() -> datetime:
    return datetime.now(UTC)
