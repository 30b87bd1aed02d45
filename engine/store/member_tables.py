"""Tables of what members decide beside single runs: holds, snoozes, exclusions, absences, notes, notices."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class HoldRow(Base):
    """While one is open nothing goes out: ``account_id`` None holds everything. ``cause``: ``member``, or ``restored``
    where the database was found in another place than it was written in."""

    __tablename__ = "holds"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    cause: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]
    released_by: Mapped[str] = mapped_column(String(320), default="")
    released_at: Mapped[datetime | None]


class InstallationRow(Base):
    """Where this database has been at work: one row, ``place`` a hash of host and folder, to tell a copy from it."""

    __tablename__ = "installation"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    place: Mapped[str] = mapped_column(String(64))
    seen_at: Mapped[datetime]


class SnoozeRow(Base):
    """A rule is left alone for an account until a day, unless it gets worse: ``severity`` is what it was when snoozed,
    as a number of which more is worse (how many of its signals fired)."""

    __tablename__ = "snoozes"
    __table_args__ = (Index("ix_snoozes_account_id_rule", "account_id", "rule"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    rule: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(2000))
    severity: Mapped[int] = mapped_column(Integer, default=0)
    author: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(320), default="")


class ExclusionRow(Base):
    """A rule does not start anything for an account. Ended, never deleted."""

    __tablename__ = "exclusions"
    __table_args__ = (Index("ix_exclusions_account_id_rule", "account_id", "rule"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    rule: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(320), default="")


class AccountMemberRow(Base):
    """Who does what for an account beside its owner: ``role`` is a word of the catalog's ``member_roles``."""

    __tablename__ = "account_members"
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(64), primary_key=True)
    member: Mapped[str] = mapped_column(String(320))


class AbsenceRow(Base):
    """A member is out of office from one moment to another; ``delegate`` stands in."""

    __tablename__ = "absences"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    member: Mapped[str] = mapped_column(String(320), index=True)
    delegate: Mapped[str] = mapped_column(String(320))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class NoteRow(Base):
    """What a member wrote down about an account, perhaps about one of its runs."""

    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    author: Mapped[str] = mapped_column(String(320))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class NoticeRow(Base):
    """Something a member is to hear of: at once, or with the next digest, as they chose. ``key`` says it once.

    ``state``: empty while it waits; then, like a delivery's, what became of the mail it went in (``left``: no mail was
    wanted), and ``sent_at`` is when that mail was begun. An empty ``subject`` stands for a digest of the day.
    """

    __tablename__ = "notices"
    __table_args__ = (
        Index(
            "ix_notices_waiting",
            "member",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    member: Mapped[str] = mapped_column(String(320))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    subject: Mapped[str] = mapped_column(String(500))
    text: Mapped[str] = mapped_column(Text)
    link: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(String(16), default="")
    reason: Mapped[str] = mapped_column(String(2000), default="")
