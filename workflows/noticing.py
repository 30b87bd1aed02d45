"""Mails to members: notices at once, or with a digest of what changed, as each member chose.

A loop of the worker. What goes into a mail is claimed in its own transaction before the wire; a mail of which nobody
knows whether it arrived is never sent again, but stands on the member's page.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.calendar import WEEKDAYS_ONLY, Calendars
from engine.errors import Unavailable
from engine.running.digesting import latest
from engine.store import bundles, digests, holds, notices, people
from engine.store.digests import Entry
from engine.store.notices import Notice, Reader
from engine.store.sessions import Store
from engine.terms import DeliveryState, Frequency
from workflows.channels.letter import Channel, Letter, Verdict
from workflows.channels.smtp import TURNED_AWAY

_log = logging.getLogger(__name__)

PAGE: Final = "/notices"
_BEAT: Final = 5.0
_DOWN: Final = timedelta(minutes=1)
_STALE: Final = timedelta(minutes=2)
"""A mail whose process is alive has its verdict by then."""
_MOST: Final = 30
"""Accounts of a digest; who wants more looks at the portfolio."""
_SPANS: Final = {Frequency.DAILY: ("daily", 1), Frequency.WEEKLY: ("weekly", 7)}


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to a member, claimed: its notices, and what changed of their accounts (digests only)."""

    reader: Reader
    message_id: str
    notices: tuple[Notice, ...]
    entries: tuple[Entry, ...] = ()


class Noticing:
    """One per installation is enough; two do no harm."""

    def __init__(self, store: Store, channel: Channel, base_url: str, sender: str) -> None:
        self._store = store
        self._channel = channel
        self._base_url = base_url.rstrip("/")
        self._sender = sender
        self._down_until = datetime.min.replace(tzinfo=UTC)
        self._away_until: dict[str, datetime] = {}

    async def run(self) -> None:
        """Send for ever; ends only by being cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.send_due, datetime.now(UTC))
            except (SQLAlchemyError, Unavailable) as error:  # a busy or restarting database: the rows are there later
                _log.warning("notices could not be read or marked, trying again: %s", error)
            await asyncio.sleep(_BEAT)

    def send_due(self, at: datetime) -> int:
        """Send every mail that is due at ``at``. Returns how many were tried."""
        with self._store.read() as session:
            due = _due(session, at)
        for reader in due:
            self._send_to(reader, at)
        with self._store.begin() as session:
            notices.resolve_stale(session, at - _STALE)
        return len(due)

    def _send_to(self, reader: Reader, at: datetime) -> None:
        if at < max(self._down_until, self._away_until.get(reader.email, self._down_until)):
            return
        with self._store.read() as session:
            entries = _changed(session, reader, at)
        with self._store.begin() as session:
            mail = _claim(session, reader, entries, self._sender, at)
        if mail is None:
            return
        verdict = self._channel.send(_letter(mail, self._sender, self._base_url))
        again = verdict.state is DeliveryState.NOT_SENT and not verdict.permanent
        with self._store.begin() as session:
            notices.settle(session, mail.notices, verdict.state, verdict.reason, again=again)
        if again:
            self._leave_alone(reader, verdict, at)

    def _leave_alone(self, reader: Reader, verdict: Verdict, at: datetime) -> None:
        """For a while: one whose address the relay does not take now, or everybody where it takes none."""
        if verdict.reason.startswith(TURNED_AWAY):
            self._away_until[reader.email] = at + _DOWN
        else:
            self._down_until = at + _DOWN
        # Without the relay's own words, which name the address.
        _log.warning("a mail to a member could not be sent yet: %s", verdict.reason.partition(": ")[0])


def _due(session: Session, at: datetime) -> tuple[Reader, ...]:
    """Whose mail is due: notices wait and they want them at once, or their digest is not done yet."""
    if holds.everything(session) is not None:
        return ()
    waiting, readers = notices.waiting_for(session), notices.readers(session)
    calendars = _calendars(session)
    keys = {reader.email: _digest_key(calendars, reader, at) for reader in readers}
    done = notices.done(session, [key for key in keys.values() if key])
    wanted = [one for one in readers if (one.email in waiting if _at_once(one) else keys[one.email] not in {"", *done})]
    gone = [email for email in waiting if email not in keys]
    return (*wanted, *(Reader(email, "", Frequency.NEVER, "") for email in gone))


def _at_once(reader: Reader) -> bool:
    return reader.frequency in {Frequency.IMMEDIATE, Frequency.NEVER}


def _calendars(session: Session) -> Calendars:
    bundle = bundles.in_force(session)
    return bundle.calendars if bundle else WEEKDAYS_ONLY


def _digest_key(calendars: Calendars, reader: Reader, at: datetime) -> str:
    """What says once that a digest is made; empty where none is due."""
    moment = latest(reader.frequency, calendars.of(reader.calendar), at)
    return f"digest:{reader.email}:{moment.date()}" if moment else ""


def _changed(session: Session, reader: Reader, at: datetime) -> tuple[Entry, ...]:
    """What changed of the reader's accounts since the digest before."""
    bundle: Bundle | None = bundles.in_force(session)
    if bundle is None or _at_once(reader):
        return ()
    return digests.digest(session, bundle, people.day_of(at), reader.email, _SPANS[reader.frequency][1])


def _claim(session: Session, reader: Reader, entries: tuple[Entry, ...], sender: str, at: datetime) -> Mail | None:
    """Take what waits for a reader; None where nothing is to be sent (any more)."""
    if holds.everything(session) is not None:
        return None
    if reader.frequency is Frequency.NEVER:
        notices.leave(session, [reader.email], at)
        return None
    key = _digest_key(_calendars(session), reader, at)
    if not _at_once(reader) and not notices.open_digest(session, key, reader.email, at):
        return None
    taken = notices.claim(session, reader.email, at)
    if not taken:
        return None
    if not entries and not any(one.subject for one in taken):
        notices.settle(session, taken, DeliveryState.NOT_SENT, "there was nothing to say", again=False)
        return None
    return Mail(reader, notices.message_id(session, taken[0], sender), taken, entries)


def _letter(mail: Mail, sender: str, base_url: str) -> Letter:
    told = tuple(one for one in mail.notices if one.subject)
    alone = told[0].subject if len(told) == 1 and _at_once(mail.reader) else ""
    parts = [*_told(told, base_url, alone=bool(alone)), *_entries(mail.entries, base_url)]
    parts.append((f"How often you get such mails is yours to choose: {base_url}{PAGE}",))
    return Letter(
        message_id=mail.message_id,
        sender=sender,
        to_name=mail.reader.name,
        to_address=mail.reader.email,
        subject=alone or _subject(mail, len(told)),
        text="\n\n".join("\n".join(part) for part in parts) + "\n",
        html="\n".join(f"<p>{'<br>'.join(map(escape, part))}</p>" for part in parts),
    )


def _subject(mail: Mail, told: int) -> str:
    counts = [f"{told} notice{'s' * (told != 1)}"] if told else []
    accounts = len(mail.entries)
    counts += [f"{accounts} account{'s' * (accounts != 1)} to look at"] if accounts else []
    name = "Backcast" if _at_once(mail.reader) else f"Your {_SPANS[mail.reader.frequency][0]} digest"
    return f"{name}: {', '.join(counts)}"


def _told(told: Sequence[Notice], base_url: str, *, alone: bool) -> list[tuple[str, ...]]:
    found = []
    for one in told:
        head = () if alone else (one.subject,)
        found.append((*head, one.text, *((base_url + one.link,) if one.link else ())))
    return found


def _entries(entries: Sequence[Entry], base_url: str) -> list[tuple[str, ...]]:
    """What changed, why, and the next step, in the order in which the accounts deserve attention."""
    found: list[tuple[str, ...]] = []
    for entry in entries[:_MOST]:
        why = (f"Why: {'; '.join(entry.why)}",) if entry.why else ()
        changed = "; ".join(entry.changed) or "no change"
        found.append((f"{entry.place}. {entry.name}: {changed}", *why, f"Next: {entry.next}"))
    if len(entries) > _MOST:
        found.append((f"And {len(entries) - _MOST} more accounts: {base_url}/accounts",))
    return found
