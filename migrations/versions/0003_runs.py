"""Tables of what is done."""

import sqlalchemy as sa
from alembic import op

revision = "0003_runs"
down_revision = "0002_decisions"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    _suppressions()
    _runs()
    _acts()
    _approvals()
    _deliveries()
    _outbox()
    _reports()
    _steps()
    _tasks()
    _waits()
    _report_answers()


def downgrade() -> None:
    for table in (
        "report_answers",
        "waits",
        "tasks",
        "steps",
        "reports",
        "outbox",
        "deliveries",
        "approvals",
        "acts",
        "runs",
        "suppressions",
    ):
        op.drop_table(table)


def _suppressions() -> None:
    op.create_table(
        "suppressions",
        sa.Column("address", sa.String(320), primary_key=True),
        sa.Column("category", sa.String(16), primary_key=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("decision_id", Id, sa.ForeignKey("decisions.id"), nullable=True),
        sa.Column("episode_id", Id, sa.ForeignKey("episodes.id"), nullable=True),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("playbook", sa.String(120), nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("frozen", sa.JSON, nullable=False),
        sa.Column("cursor", sa.Integer, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("day_seconds", sa.Double, nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("started_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
    )
    op.create_index("ix_runs_account_id", "runs", ["account_id"])
    op.create_index("ix_runs_state", "runs", ["state"])
    where = sa.text("state NOT IN ('done', 'failed', 'cancelled')")
    op.create_index(
        "uq_runs_open", "runs", ["account_id", "playbook"], unique=True, sqlite_where=where, postgresql_where=where
    )


def _acts() -> None:
    op.create_table(
        "acts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("step", sa.String(160), nullable=False),
        sa.Column("actor", sa.String(320), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("applied_at", Moment, nullable=True),
    )
    op.create_index("ix_acts_run_id", "acts", ["run_id"])


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("step", sa.String(160), nullable=False),
        sa.Column("approver", sa.String(320), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("edited_by", sa.String(320), nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("decided_by", sa.String(320), nullable=False),
        sa.Column("decided_at", Moment, nullable=True),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("facts", sa.String(64), nullable=False),
        sa.Column("remind_at", Moment, nullable=True),
        sa.Column("escalate_at", Moment, nullable=True),
        sa.Column("escalate_to", sa.String(320), nullable=False),
        sa.UniqueConstraint("run_id", "step"),
    )
    op.create_index("ix_approvals_account_id", "approvals", ["account_id"])
    op.create_index("ix_approvals_approver_state", "approvals", ["approver", "state"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("step", sa.String(160), nullable=False),
        sa.Column("receiver", sa.String(160), nullable=False),
        sa.Column("contact_id", Id, sa.ForeignKey("contacts.id"), nullable=True),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("message_id", sa.String(255), nullable=False, unique=True),
        sa.Column("subject", sa.String(998), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("permanent", sa.Boolean, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("resolved_by", sa.String(320), nullable=False),
        sa.Column("claimed_at", Moment, nullable=False),
        sa.Column("decided_at", Moment, nullable=True),
        sa.Column("since", Moment, nullable=True),
        sa.Column("due_at", Moment, nullable=True),
        sa.Column("reschedules", sa.Integer, nullable=False),
        sa.Column("on_ambiguous", sa.String(16), nullable=False),
        sa.Column("letter", sa.JSON, nullable=True),
        sa.Column("bounce", sa.String(16), nullable=False),
        sa.Column("bounced_at", Moment, nullable=True),
        sa.UniqueConstraint("run_id", "step", "receiver"),
    )
    op.create_index("ix_deliveries_address_due_at", "deliveries", ["address", "due_at"])
    op.create_index("ix_deliveries_account_id", "deliveries", ["account_id"])
    op.create_index("ix_deliveries_state", "deliveries", ["state"])


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Id, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("done_at", Moment, nullable=True),
        sa.Column("priority", sa.Integer, nullable=False),
    )
    where = sa.text("done_at IS NULL")
    op.create_index("ix_outbox_open", "outbox", ["priority", "id"], sqlite_where=where, postgresql_where=where)
    op.create_index("ix_outbox_open_run", "outbox", ["run_id"], sqlite_where=where, postgresql_where=where)


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=True),
        sa.Column("step", sa.String(160), nullable=False),
        sa.Column("report", sa.String(120), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("content", sa.JSON, nullable=False),
        sa.Column("share_with", sa.String(64), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=True, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("approved_by", sa.String(320), nullable=False),
        sa.Column("approved_at", Moment, nullable=True),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.Column("first_opened_at", Moment, nullable=True),
        sa.UniqueConstraint("run_id", "step"),
    )
    op.create_index("ix_reports_account_id", "reports", ["account_id"])


def _steps() -> None:
    op.create_table(
        "steps",
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("step", sa.String(160), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=True),
        sa.Column("step", sa.String(160), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("assignee", sa.String(320), nullable=False),
        sa.Column("questions", sa.JSON, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("due_at", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("done_at", Moment, nullable=True),
        sa.Column("done_by", sa.String(320), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("codes", sa.JSON, nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("cause", sa.String(500), nullable=False),
        sa.Column("ticked", sa.JSON, nullable=False),
        sa.Column("remind_at", Moment, nullable=True),
        sa.Column("escalate_at", Moment, nullable=True),
        sa.Column("escalate_to", sa.String(320), nullable=False),
        sa.UniqueConstraint("run_id", "step"),
    )
    op.create_index("ix_tasks_account_id", "tasks", ["account_id"])
    op.create_index("ix_tasks_assignee_state", "tasks", ["assignee", "state"])


def _waits() -> None:
    op.create_table(
        "waits",
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("step", sa.String(160), primary_key=True),
        sa.Column("condition", sa.JSON, nullable=True),
        sa.Column("until", Moment, nullable=False),
        sa.Column("satisfied_at", Moment, nullable=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("since", Moment, nullable=True),
    )


def _report_answers() -> None:
    op.create_table(
        "report_answers",
        sa.Column("report_id", Id, sa.ForeignKey("reports.id"), primary_key=True),
        sa.Column("metric", sa.String(200), primary_key=True),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
