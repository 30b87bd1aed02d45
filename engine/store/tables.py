"""Tables of the data that comes in: subjects, accounts, contacts, metrics, points, events, goals; and of members.

Days are days since 1970-01-01. Text columns that hold a closed list hold the words of `engine.terms`.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class SubjectRow(Base):
    """Whatever points can be about. Accounts, contacts and products share one sequence of ids."""

    __tablename__ = "subjects"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))


class AccountRow(Base):
    """One account. ``fields`` holds further columns the data people push; ``stopped_*`` is a person's act."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(Id, ForeignKey("subjects.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    owner: Mapped[str] = mapped_column(String(300), default="", index=True)
    arr: Mapped[float | None] = mapped_column(Float)
    stage: Mapped[str | None] = mapped_column(String(64))
    stage_since: Mapped[int | None] = mapped_column(Integer)
    onboarded_on: Mapped[int | None] = mapped_column(Integer)
    renewal_on: Mapped[int | None] = mapped_column(Integer)
    notice_on: Mapped[int | None] = mapped_column(Integer)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    stopped_reason: Mapped[str] = mapped_column(String(500), default="")
    suppressed: Mapped[bool] = mapped_column(default=False)
    recorded_at: Mapped[datetime]


class ContactRow(Base):
    """One person at an account."""

    __tablename__ = "contacts"
    # The same person at other accounts is found by the address, whatever its letters look like.
    __table_args__ = (Index("ix_contacts_address", text("lower(email)")),)
    id: Mapped[int] = mapped_column(Id, ForeignKey("subjects.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(200), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(300))
    email: Mapped[str] = mapped_column(String(320), default="")
    roles: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(16), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    frequency: Mapped[str] = mapped_column(String(16), default="")
    seniority: Mapped[str | None] = mapped_column(String(64))
    department: Mapped[str | None] = mapped_column(String(120))
    joined_on: Mapped[int | None] = mapped_column(Integer)
    departed_on: Mapped[int | None] = mapped_column(Integer)
    recorded_at: Mapped[datetime]


class ProductRow(Base):
    """One product (or service) that one account uses: a subject of its own."""

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("account_id", "name"),)
    id: Mapped[int] = mapped_column(Id, ForeignKey("subjects.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str] = mapped_column(String(200))
    recorded_at: Mapped[datetime]


class WordRow(Base):
    """A word that a text metric's points say: the point's value is its number."""

    __tablename__ = "words"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    word: Mapped[str] = mapped_column(String(200), unique=True)


class ChangedAccountRow(Base):
    """A mark: something new is known about an account that no cycle has looked at. Every change leaves a row of its
    own, so that no writer waits for another and a cycle forgets only what it has seen. Account 0 stands for more
    accounts than are worth naming."""

    __tablename__ = "changed_accounts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(Id)


class MetricRow(Base):
    """A metric's number in the points table; a name keeps its number for ever."""

    __tablename__ = "metrics"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class PointRow(Base):
    """The current value of a metric of a subject on a day. Key day first: 59 times fewer bytes written."""

    __tablename__ = "points"
    __table_args__ = {"sqlite_with_rowid": False}
    day: Mapped[int] = mapped_column(Integer, primary_key=True)
    subject_id: Mapped[int] = mapped_column(Id, primary_key=True)
    metric_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    value: Mapped[float] = mapped_column(Float)
    recorded_at: Mapped[datetime]


class PointChangeRow(Base):
    """The trail of writing points: that points of subjects with ids ``first`` to ``last`` changed on a day."""

    __tablename__ = "point_changes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[int] = mapped_column(Integer)
    first: Mapped[int] = mapped_column(Id)
    last: Mapped[int] = mapped_column(Id)
    recorded_at: Mapped[datetime]


class CorrectionRow(Base):
    """Append-only: a value that was replaced, when it had been recorded and when it was replaced."""

    __tablename__ = "corrections"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[int] = mapped_column(Integer)
    subject_id: Mapped[int] = mapped_column(Id)
    metric_id: Mapped[int] = mapped_column(Integer)
    value: Mapped[float] = mapped_column(Float)
    recorded_at: Mapped[datetime]
    replaced_at: Mapped[datetime]


class EventRow(Base):
    """Something that happened. ``key`` is the sender's, or a hash of the content: the same event is one row."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_name_day", "name", "day"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    day: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    recorded_at: Mapped[datetime]


class GoalRow(Base):
    """What was agreed with one account for one goal of the catalog."""

    __tablename__ = "goals"
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    goal: Mapped[str] = mapped_column(String(64), primary_key=True)
    target: Mapped[float] = mapped_column(Float)
    start_value: Mapped[float] = mapped_column(Float, default=0.0)
    start_day: Mapped[int] = mapped_column(Integer)
    end_day: Mapped[int] = mapped_column(Integer)


class IngestRow(Base):
    """One accepted batch: the same key with the same body is answered from here; with another body refused."""

    __tablename__ = "ingests"
    key: Mapped[str] = mapped_column(String(256), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class BundleRow(Base):
    """An immutable bundle: every file's text, by the fingerprint. ``author`` and ``applied_at`` of the last time it was
    put in force; None before the first (it is only proposed)."""

    __tablename__ = "bundles"
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    texts: Mapped[dict[str, Any]]
    author: Mapped[str] = mapped_column(String(300), default="")
    applied_at: Mapped[datetime | None]


class BundleActRow(Base):
    """Append-only: who put which bundle in force, when and why, in place of which one. ``kind``: words of
    `engine.terms.BundleAct`. ``changes``: what it changed, as counts; ``accepted``: the blast that was accepted."""

    __tablename__ = "bundle_acts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(ForeignKey("bundles.fingerprint"))
    kind: Mapped[str] = mapped_column(String(16))
    author: Mapped[str] = mapped_column(String(300), default="")
    message: Mapped[str] = mapped_column(String(2000), default="")
    previous: Mapped[str] = mapped_column(String(64), default="")
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    accepted: Mapped[int | None] = mapped_column(Integer)
    at: Mapped[datetime]


class MemberRow(Base):
    """A colleague who signs in. ``roles``: words of `engine.terms.Role`. ``manager``: the address of whom things go to
    that stay undone; ``calendar``: by which their hours count; ``frequency``: how often they hear of what can wait."""

    __tablename__ = "members"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(300))
    roles: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    manager: Mapped[str] = mapped_column(String(320), default="")
    calendar: Mapped[str] = mapped_column(String(64), default="")
    frequency: Mapped[str] = mapped_column(String(16), default="immediate")


class SignInRow(Base):
    """A one-time sign-in link or a session, by the SHA-256 of its secret; the secret itself is never stored."""

    __tablename__ = "sign_ins"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    csrf: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class KeyRow(Base):
    """An ingest key, by the SHA-256 of its secret."""

    __tablename__ = "keys"
    key_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class SecretRow(Base):
    """A secret this installation made for itself (it signs unsubscribe links)."""

    __tablename__ = "secrets"
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary)
