"""Notices to members: what they are to hear of, each once, at once or with their next digest, as they chose.

A notice waits in its row until it is claimed for a mail; the claim is committed before the wire, so a notice goes out
once or is *ambiguous*: shown on the member's page, never sent again by itself.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store import secrets
from engine.store.member_tables import NoticeRow
from engine.store.tables import MemberRow
from engine.terms import DeliveryState, Frequency

AT_ONCE: Final = 100
"""So many notices go into one mail at most; the rest waits for the next one."""
_INTERRUPTED: Final = "the mail with it was interrupted: it may or may not have arrived"
_SENDING, _AMBIGUOUS = DeliveryState.SENDING.value, DeliveryState.AMBIGUOUS.value
_LEFT: Final = "left"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. ``link`` is a path of our pages, or empty; ``state`` is empty while it waits, else a delivery's, or
    ``left``: the member wants no mails."""

    id: int
    subject: str
    text: str
    link: str
    at: datetime
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """A member as notices see them."""

    email: str
    name: str
    frequency: Frequency
    calendar: str


def tell(
    session: Session,
    *,
    key: str,
    member: str,
    subject: str,
    text: str,
    at: datetime,
    account_id: int | None = None,
    link: str = "",
) -> bool:
    """Put a notice in the queue, once per key. Returns whether it is a new one."""
    values = {"key": key, "member": member.strip().lower(), "account_id": account_id, "subject": subject[:500]}
    insert = (postgresql if session.get_bind().dialect.name == "postgresql" else sqlite).insert(NoticeRow)
    once = insert.values(**values, text=text, link=link, at=at).on_conflict_do_nothing(index_elements=["key"])
    return session.scalar(once.returning(NoticeRow.id)) is not None


def readers(session: Session) -> tuple[Reader, ...]:
    """Every active member."""
    rows = session.scalars(select(MemberRow).where(MemberRow.active).order_by(MemberRow.id))
    return tuple(Reader(row.email, row.name, Frequency(row.frequency), row.calendar) for row in rows)


def waiting_for(session: Session) -> Mapping[str, datetime]:
    """Who has notices that wait, and since when the oldest does."""
    oldest = select(NoticeRow.member, func.min(NoticeRow.at)).where(NoticeRow.sent_at.is_(None))
    return {member: at for member, at in session.execute(oldest.group_by(NoticeRow.member))}  # noqa: C416 # typed


def claim(session: Session, member: str, at: datetime) -> tuple[Notice, ...]:
    """Take what waits for a member, the oldest first, for one mail. Whoever comes second gets nothing."""
    ids = select(NoticeRow.id).where(NoticeRow.member == member, NoticeRow.sent_at.is_(None))
    taken = (
        update(NoticeRow)
        .where(NoticeRow.id.in_(ids.order_by(NoticeRow.id).limit(AT_ONCE)), NoticeRow.sent_at.is_(None))
        .values(sent_at=at, state=_SENDING)
        .returning(NoticeRow)
    )
    rows = session.scalars(taken, execution_options={"populate_existing": True}).all()
    return tuple(_notice(row) for row in sorted(rows, key=lambda row: row.id))


def done(session: Session, keys: Sequence[str]) -> frozenset[str]:
    """Those of some keys whose notice was taken already."""
    taken = select(NoticeRow.key).where(NoticeRow.key.in_(keys), NoticeRow.sent_at.is_not(None))
    return frozenset(session.scalars(taken))


def open_digest(session: Session, key: str, member: str, at: datetime) -> bool:
    """Begin a digest, once per key: a notice without words of its own. Returns whether it is still to be sent."""
    return tell(session, key=key, member=member, subject="", text="", at=at) or not done(session, [key])


def settle(session: Session, claimed: Sequence[Notice], state: DeliveryState, reason: str, *, again: bool) -> None:
    """Write what became of a mail. ``again``: it was certainly not sent, so its notices wait for the next one."""
    mine = (NoticeRow.id.in_([one.id for one in claimed]), NoticeRow.state.in_([_SENDING, _AMBIGUOUS]))
    if again:
        session.execute(update(NoticeRow).where(*mine).values(state="", reason=reason[:2000], sent_at=None))
    else:
        session.execute(update(NoticeRow).where(*mine).values(state=state.value, reason=reason[:2000]))


def resolve_stale(session: Session, before: datetime) -> int:
    """Turn what has been on the way since before a moment into ambiguous. Returns how many."""
    stale = update(NoticeRow).where(NoticeRow.state == _SENDING, NoticeRow.sent_at < before)
    return len(session.scalars(stale.values(state=_AMBIGUOUS, reason=_INTERRUPTED).returning(NoticeRow.id)).all())


def leave(session: Session, members: Sequence[str], at: datetime) -> None:
    """No mail goes out with what waits for these: they want none, or are no members (any more)."""
    waiting = update(NoticeRow).where(NoticeRow.member.in_(members), NoticeRow.sent_at.is_(None))
    session.execute(waiting.values(sent_at=at, state=_LEFT))


def of_member(session: Session, member: str, limit: int = 50) -> tuple[Notice, ...]:
    """The latest notices to a member, the newest first, digests left out."""
    query = select(NoticeRow).where(NoticeRow.member == member, NoticeRow.subject != "")
    return tuple(_notice(row) for row in session.scalars(query.order_by(NoticeRow.id.desc()).limit(limit)))


def frequency_of(session: Session, member: str) -> Frequency:
    """How often a member wants mails. Raises `NotFound`."""
    return Frequency(_member(session, member).frequency)


def set_frequency(session: Session, member: str, frequency: str) -> None:
    """Write how often a member wants mails. Raises `NotFound`; `Refused` for a word that is none of the four."""
    if frequency not in set(Frequency):
        raise Refused(f'mails come {", ".join(Frequency)}, not "{frequency}"')
    _member(session, member).frequency = Frequency(frequency).value


def message_id(session: Session, first: Notice, sender: str) -> str:
    """The Message-ID of the mail that begins with a notice, the same however often it is tried."""
    digest = hmac.new(secrets.get(session, "message-id"), f"notice/{first.id}".encode(), hashlib.sha256).hexdigest()
    return f"<{digest[:40]}@{sender.rpartition('@')[2] or 'localhost'}>"


def _member(session: Session, email: str) -> MemberRow:
    row = session.scalar(select(MemberRow).where(MemberRow.email == email.strip().lower(), MemberRow.active))
    if row is None:
        raise NotFound(f'no member has the address "{email}"')
    return row


def _notice(row: NoticeRow) -> Notice:
    return Notice(row.id, row.subject, row.text, row.link, row.at, row.state, row.reason)
