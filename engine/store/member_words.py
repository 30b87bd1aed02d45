"""Read model: what members decided about an account beside its runs: notes, holds, snoozes, exclusions."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.store.member_tables import ExclusionRow, HoldRow, NoteRow, SnoozeRow

LIMIT = 60
Row = TypeVar("Row", NoteRow, HoldRow, SnoozeRow, ExclusionRow)


class Word(NamedTuple):
    """One thing a member decided, in the order of the fields of a timeline's entry."""

    at: datetime
    kind: str
    state: str
    subject: str
    sentence: str
    who: str
    run_id: int | None = None


def words_of(session: Session, account_id: int) -> Iterator[Word]:
    """Everything of the kind about an account: what began, and what ended."""
    for note in session.scalars(_newest(NoteRow, account_id)):
        yield Word(note.at, "note", "note", "", note.text, note.author, note.run_id)
    for hold in session.scalars(_newest(HoldRow, account_id)):
        yield Word(hold.at, "hold", "hold", "Messages", hold.reason, hold.author)
        if hold.released_at is not None:
            yield Word(hold.released_at, "hold", "released", "Messages", "", hold.released_by)
    for snooze in session.scalars(_newest(SnoozeRow, account_id)):
        until = f"until {snooze.until:%Y-%m-%d}: {snooze.reason}"
        yield Word(snooze.at, "snooze", "snoozed", snooze.rule, until, snooze.author)
        if snooze.ended_at is not None:
            yield Word(snooze.ended_at, "snooze", "woken", snooze.rule, "", snooze.ended_by)
    for one in session.scalars(_newest(ExclusionRow, account_id)):
        until = f"until {one.expires_at:%Y-%m-%d}: {one.reason}" if one.expires_at else one.reason
        yield Word(one.at, "exclusion", "excluded", one.rule, until, one.author)
        if one.ended_at is not None:
            yield Word(one.ended_at, "exclusion", "included", one.rule, "", one.ended_by)


def _newest(table: type[Row], account_id: int) -> Select[Row]:
    return select(table).where(table.account_id == account_id).order_by(table.id.desc()).limit(LIMIT)
