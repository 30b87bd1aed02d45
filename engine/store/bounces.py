"""What comes of mail that comes in: letters that came back shut an address, answers are told to whoever wrote.

A permanent refusal of the address shuts it at once. Other refusals are counted: relays try again by themselves, so an
address is only shut when letters to it have been coming back for three days.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.store import happened, notices, people, suppressions
from engine.store.run_tables import DeliveryRow
from engine.store.tables import ContactRow

HARD: Final = "hard"
SOFT: Final = "soft"
BOUNCED: Final = "bounced"
"""The event of a contact whose address is shut."""
REPLY: Final = "reply"
"""The event of a contact who has answered."""
_PATIENCE: Final = timedelta(hours=72)
_FORGOTTEN: Final = timedelta(days=14)


def came_back(
    session: Session, message_ids: Sequence[str], *, hard: bool, status: str, words: str, at: datetime
) -> str:
    """A letter came back. Returns what came of it, as a sentence; ``message_ids`` is whatever the report quotes."""
    row = session.scalar(
        select(DeliveryRow).where(DeliveryRow.message_id.in_(message_ids), DeliveryRow.address != "").with_for_update()
    )
    if row is None:
        return "It quotes no message of ours; nothing was changed."
    if row.bounce == HARD:
        return "It is known already that letters to this address come back."
    said = f"{status} {words}".strip() or "no reason given"
    is_over = hard or _too_long(session, row.address, at)
    row.bounce, row.bounced_at = HARD if is_over else SOFT, row.bounced_at or at
    if not is_over:
        return f"It came back for now ({said}); it is counted, and the address stays open."
    why = said if hard else f"for more than three days, at last: {said}"
    suppressions.suppress(session, row.address, suppressions.ALL, f"{suppressions.BOUNCED}{why}", at)
    key = f"bounced-{row.id}"
    happened.record(session, BOUNCED, account_id=row.account_id, contact_id=row.contact_id, key=key, at=at)
    _tell(session, row, key, "Letters come back", f"Letters to this contact come back: {why}.", at)
    return "Letters to this address come back: nothing is sent there any more."


def answered(
    session: Session, delivery_id: int, *, sender: str, subject: str, text: str, key: str, at: datetime
) -> str:
    """Somebody answered a message. Returns what came of it, as a sentence; the same ``key`` again changes nothing."""
    row = session.get(DeliveryRow, delivery_id)
    if row is None:
        return "The message it answers is not there any more; nothing was changed."
    contact_id = _who(session, row.account_id, sender)
    counted = happened.record(
        session, REPLY, account_id=row.account_id, contact_id=contact_id, key=f"reply-{key}"[:80], at=at
    )
    is_new = _tell(session, row, f"reply-{key}", f"Answer: {subject or row.subject}", text or "(no text)", at)
    if not is_new:
        return "This answer is known already; nothing was changed."
    counting = "It counts as a reply." if counted else f'The catalog has no event "{REPLY}", so it counts nowhere.'
    return f"It was passed on to the account's owner. {counting}"


def _too_long(session: Session, address: str, at: datetime) -> bool:
    """Whether letters to an address have been coming back for so long that it is no passing trouble."""
    first = session.scalar(
        select(func.min(DeliveryRow.bounced_at)).where(
            DeliveryRow.address == address, DeliveryRow.bounce == SOFT, DeliveryRow.bounced_at > at - _FORGOTTEN
        )
    )
    return first is not None and at - first >= _PATIENCE


def _who(session: Session, account_id: int, sender: str) -> int | None:
    """The contact of the account who has written; None where somebody else has."""
    same = func.lower(ContactRow.email) == sender.strip().lower()
    return session.scalar(select(ContactRow.id).where(ContactRow.account_id == account_id, same).limit(1))


def _tell(session: Session, row: DeliveryRow, key: str, subject: str, text: str, at: datetime) -> bool:
    account = people.account(session, row.account_id)
    contact = session.get(ContactRow, row.contact_id) if row.contact_id is not None else None
    if not account.owner:
        return True
    return notices.tell(
        session,
        key=key[:200],
        member=account.owner,
        subject=f"{account.name}, {contact.name if contact else 'copy'}: {subject}",
        text=text,
        at=at,
        account_id=account.id,
        link=f"/accounts/{account.id}",
    )
