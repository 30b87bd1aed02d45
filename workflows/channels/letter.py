"""One e-mail as a value, and what a channel says became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from engine.terms import DeliveryState


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address. ``message_id`` is the ledger row's, the same on every attempt. ``sender_name``: whose
    name it carries; ``reply_to``: where answers go, where that is not the sender."""

    message_id: str
    sender: str
    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str = ""
    sender_name: str = ""
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """``state`` is SENT, NOT_SENT or AMBIGUOUS. ``permanent``: trying again would not help. ``later``: not now, but
    then (a window, a cap, a quiet period, a hold)."""

    state: DeliveryState
    reason: str = ""
    permanent: bool = False
    later: datetime | None = None


class Channel(Protocol):
    """Something that can carry a letter. ``name`` goes into the ledger."""

    name: str

    def send(self, letter: Letter) -> Verdict:
        """Carry the letter; never raises for what the other side does."""
        ...
