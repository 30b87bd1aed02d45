"""Deliver one message to one contact: claim in the ledger, send outside any transaction, write the verdict."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from temporalio import activity

from engine.store import deliveries, secrets
from engine.store.deliveries import Claim, Settled, Wanted
from engine.store.sessions import Store
from engine.terms import DeliveryState
from workflows.channels import unsubscribing
from workflows.channels.letter import Channel, Letter, Verdict
from workflows.crash_points import pass_by, stand_at


@dataclass(frozen=True, slots=True)
class Order:
    """One message for one contact, rendered. ``base_url`` is where the unsubscribe link leads (empty: no link)."""

    run_id: int
    step: str
    account_id: int
    contact_id: int
    category: str
    subject: str
    text: str
    html: str
    sender: str = "customer-success@example.com"
    base_url: str = ""


def deliver(store: Store, channel: Channel, order: Order, at: datetime) -> Verdict:
    """Deliver once, however often it is called. Call it outside any transaction.

    ``at`` is the run's moment; the ledger also keeps when the letter really left, which can be much later.
    ``not_sent`` and not ``permanent``: worth another call later (the relay was down, or a member holds the run).
    """
    stand_at(order.step)
    with _undisturbed():
        pass_by("before_claim")
        with store.begin() as session:
            claimed = deliveries.claim(session, _wanted(channel, order), at)
            secret = secrets.get(session, unsubscribing.SECRET)
        if isinstance(claimed, Settled):
            return Verdict(claimed.state, claimed.reason, permanent=claimed.permanent)
        pass_by("after_claim")
        with store.begin() as session:
            if not deliveries.begin_sending(session, claimed, _now()):
                return Verdict(DeliveryState.NOT_SENT, "another attempt has taken it over")
        verdict = channel.send(_letter(order, claimed, secret))
        with store.begin() as session:
            deliveries.settle(session, claimed, verdict.state, verdict.reason, _now(), permanent=verdict.permanent)
        pass_by("after_verdict")
        return verdict


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A cancellation waits until the letter on the wire has its verdict."""
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
        unsubscribe_url=unsubscribing.link(order.base_url, token) if order.base_url else "",
    )


def _now() -> datetime:
    return datetime.now(UTC)
