"""Tables of what is done: runs, steps, tasks, waits, approvals, acts, deliveries, suppressions, reports, outbox."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id

_OPEN_RUN = text("state NOT IN ('done', 'failed', 'cancelled')")


class RunRow(Base):
    """One playbook carried out for one account. ``frozen``: the compiled playbook and its fingerprint.

    ``cursor`` is the line the run is at, ``sentence`` what it is doing or why it ended. A member may start a run by
    hand: then there is no episode.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index(
            "uq_runs_open",
            "account_id",
            "playbook",
            unique=True,
            sqlite_where=_OPEN_RUN,
            postgresql_where=_OPEN_RUN,
        ),
        Index("ix_runs_state", "state"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"))
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episodes.id"))
    rule: Mapped[str] = mapped_column(String(120))
    playbook: Mapped[str] = mapped_column(String(120))
    mode: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    sentence: Mapped[str] = mapped_column(Text, default="")
    frozen: Mapped[dict[str, Any]]
    cursor: Mapped[int] = mapped_column(Integer, default=0)
    bundle: Mapped[str] = mapped_column(String(64))
    day_seconds: Mapped[float]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class StepRow(Base):
    """What happened to one line of a run. ``detail`` says it for the timeline (no addresses)."""

    __tablename__ = "steps"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(160), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    sentence: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class TaskRow(Base):
    """A to-do for a member; ``questions`` (name → text) when it asks. ``version`` guards simultaneous edits.

    ``codes``: the outcome and cause codes offered, and what is to be ticked off (``outcomes``, ``causes``,
    ``checklist``: lists); ``outcome``, ``cause``: what was chosen; ``ticked``: what is ticked off. ``remind_at``,
    ``escalate_at``: when somebody is to hear of it next; None: no more.
    """

    __tablename__ = "tasks"
    __table_args__ = (UniqueConstraint("run_id", "step"), Index("ix_tasks_assignee_state", "assignee", "state"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    step: Mapped[str] = mapped_column(String(160))
    title: Mapped[str] = mapped_column(String(500))
    assignee: Mapped[str] = mapped_column(String(320))
    questions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str] = mapped_column(String(320), default="")
    version: Mapped[int] = mapped_column(Integer, default=1)
    codes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    outcome: Mapped[str] = mapped_column(String(64), default="")
    cause: Mapped[str] = mapped_column(String(500), default="")
    ticked: Mapped[list[Any]] = mapped_column(default=list)
    remind_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]
    escalate_to: Mapped[str] = mapped_column(String(320), default="")


class WaitRow(Base):
    """What a waiting run waits for. The cycle looks at ``condition`` (JsonLogic) and wakes the run when it holds;
    ``event``: an event of this kind of the account wakes it, as soon as it is recorded."""

    __tablename__ = "waits"
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), primary_key=True)
    step: Mapped[str] = mapped_column(String(160), primary_key=True)
    condition: Mapped[dict[str, Any] | None]
    until: Mapped[datetime]
    satisfied_at: Mapped[datetime | None]
    event: Mapped[str] = mapped_column(String(64), default="")
    since: Mapped[datetime | None]


class ApprovalRow(Base):
    """A yes that steps wait for. ``content`` is a list of what would be sent or shown, ``content_hash`` its SHA-256.

    Whoever updates the row from ``pending`` at its ``version`` decides; everybody else is told who did. ``facts``:
    marks of the facts it rests on (`engine.running.resting`), looked at again when what was approved is done.
    """

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("run_id", "step"), Index("ix_approvals_approver_state", "approver", "state"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    step: Mapped[str] = mapped_column(String(160))
    approver: Mapped[str] = mapped_column(String(320))
    state: Mapped[str] = mapped_column(String(16))
    content: Mapped[list[Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer, default=1)
    edited_by: Mapped[str] = mapped_column(String(320), default="")
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_by: Mapped[str] = mapped_column(String(320), default="")
    decided_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(String(2000), default="")
    facts: Mapped[str] = mapped_column(String(64), default="")
    remind_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]
    escalate_to: Mapped[str] = mapped_column(String(320), default="")


class ActRow(Base):
    """A person's act on a run: the row decides, the outbox carries it as a Temporal update with this row's id."""

    __tablename__ = "acts"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    step: Mapped[str] = mapped_column(String(160), default="")
    actor: Mapped[str] = mapped_column(String(320))
    reason: Mapped[str] = mapped_column(String(2000), default="")
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]


class DeliveryRow(Base):
    """The ledger: one row per step and receiver, hence one Message-ID. ``fence`` is the attempt that holds it;
    ``permanent``: it was not sent, and trying again would not help.

    ``receiver``: ``contact:<id>`` for a message to a contact, ``connection:<name>`` for a webhook or chat message.
    ``address``: the lower-cased address, by which caps count one person across accounts. ``category`` and
    ``priority`` are the playbook's. ``retries``: how often an ambiguous one was sent again, on whose word.

    ``since``: when it was first to go; ``due_at``: when it was claimed, or may be again; both on the run's clock.
    ``reschedules``: how often it was put off. ``on_ambiguous``: what the step says is done then. ``letter``: what is on
    the wire, kept until it is known to have arrived or not. ``bounce`` (``hard``, ``soft``): what came back.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("run_id", "step", "receiver"),
        Index("ix_deliveries_state", "state"),
        Index("ix_deliveries_address_due_at", "address", "due_at"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    step: Mapped[str] = mapped_column(String(160))
    receiver: Mapped[str] = mapped_column(String(160))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id"))
    address: Mapped[str] = mapped_column(String(320), default="")
    category: Mapped[str] = mapped_column(String(16), default="")
    priority: Mapped[str] = mapped_column(String(16), default="")
    channel: Mapped[str] = mapped_column(String(16))
    message_id: Mapped[str] = mapped_column(String(255), unique=True)
    subject: Mapped[str] = mapped_column(String(998))
    content_hash: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(2000), default="")
    fence: Mapped[int] = mapped_column(Integer, default=0)
    permanent: Mapped[bool] = mapped_column(default=False)
    retries: Mapped[int] = mapped_column(Integer, default=0)
    resolved_by: Mapped[str] = mapped_column(String(320), default="")
    claimed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    since: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    reschedules: Mapped[int] = mapped_column(Integer, default=0)
    on_ambiguous: Mapped[str] = mapped_column(String(16), default="hold")
    letter: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    bounce: Mapped[str] = mapped_column(String(16), default="")
    bounced_at: Mapped[datetime | None]


class SuppressionRow(Base):
    """An address that must not be written to. ``category`` is a playbook's category, or ``all``."""

    __tablename__ = "suppressions"
    address: Mapped[str] = mapped_column(String(320), primary_key=True)
    category: Mapped[str] = mapped_column(String(16), primary_key=True)
    reason: Mapped[str] = mapped_column(String(500))
    at: Mapped[datetime]


class ReportRow(Base):
    """A composed report, frozen at approval, opened by a link whose hash stands here."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("run_id", "step"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id"))
    step: Mapped[str] = mapped_column(String(160), default="")
    report: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(16))
    content: Mapped[dict[str, Any]]
    share_with: Mapped[str] = mapped_column(String(64), default="")
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    approved_by: Mapped[str] = mapped_column(String(320), default="")
    approved_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    first_opened_at: Mapped[datetime | None]


class ReportAnswerRow(Base):
    """What a customer answered on a report: once per question."""

    __tablename__ = "report_answers"
    report_id: Mapped[int] = mapped_column(ForeignKey("reports.id"), primary_key=True)
    metric: Mapped[str] = mapped_column(String(200), primary_key=True)
    value: Mapped[float]
    comment: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]


class OutboxRow(Base):
    """What Temporal still has to be told. Written in the transaction that decided it; drained by the worker, the
    smallest ``priority`` first."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_open",
            "priority",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index(
            "ix_outbox_open_run",
            "run_id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id"))
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    next_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(Text, default="")
    done_at: Mapped[datetime | None]
    priority: Mapped[int] = mapped_column(Integer, default=3)
