"""Tables of what members decide beside single runs."""

import sqlalchemy as sa
from alembic import op

revision = "0004_members"
down_revision = "0003_runs"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    _installation()
    _holds()
    _snoozes()
    _exclusions()
    _account_members()
    _absences()
    _notes()
    _notices()


def downgrade() -> None:
    for table in (
        "notices",
        "notes",
        "absences",
        "account_members",
        "exclusions",
        "snoozes",
        "holds",
        "installation",
    ):
        op.drop_table(table)


def _installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
    )


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("released_by", sa.String(320), nullable=False),
        sa.Column("released_at", Moment, nullable=True),
    )
    op.create_index("ix_holds_account_id", "holds", ["account_id"])


def _snoozes() -> None:
    op.create_table(
        "snoozes",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("severity", sa.Integer, nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("ended_by", sa.String(320), nullable=False),
    )
    op.create_index("ix_snoozes_account_id_rule", "snoozes", ["account_id", "rule"])


def _exclusions() -> None:
    op.create_table(
        "exclusions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("ended_by", sa.String(320), nullable=False),
    )
    op.create_index("ix_exclusions_account_id_rule", "exclusions", ["account_id", "rule"])


def _account_members() -> None:
    op.create_table(
        "account_members",
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("role", sa.String(64), primary_key=True),
        sa.Column("member", sa.String(320), nullable=False),
    )


def _absences() -> None:
    op.create_table(
        "absences",
        sa.Column("id", Id, primary_key=True),
        sa.Column("member", sa.String(320), nullable=False),
        sa.Column("delegate", sa.String(320), nullable=False),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
    )
    op.create_index("ix_absences_member", "absences", ["member"])


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("run_id", Id, sa.ForeignKey("runs.id"), nullable=True),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("ix_notes_account_id", "notes", ["account_id"])


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", Id, primary_key=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("member", sa.String(320), nullable=False),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("subject", sa.String(500), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("link", sa.String(300), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("sent_at", Moment, nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
    )
    where = sa.text("sent_at IS NULL")
    op.create_index("ix_notices_waiting", "notices", ["member"], sqlite_where=where, postgresql_where=where)
