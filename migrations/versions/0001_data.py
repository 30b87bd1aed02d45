"""Tables of the data that comes in, of definitions and of members."""

import sqlalchemy as sa
from alembic import op

revision = "0001_data"
down_revision = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    _bundles()
    _bundle_acts()
    _corrections()
    _ingests()
    _keys()
    _members()
    _metrics()
    _points()
    _point_changes()
    _secrets()
    _subjects()
    _accounts()
    _sign_ins()
    _contacts()
    _products()
    _changed_accounts()
    _words()
    _goals()
    _events()


def downgrade() -> None:
    for table in (
        "events",
        "goals",
        "words",
        "changed_accounts",
        "products",
        "contacts",
        "sign_ins",
        "accounts",
        "subjects",
        "secrets",
        "point_changes",
        "points",
        "metrics",
        "members",
        "keys",
        "ingests",
        "corrections",
        "bundle_acts",
        "bundles",
    ):
        op.drop_table(table)


def _bundles() -> None:
    op.create_table(
        "bundles",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("texts", sa.JSON, nullable=False),
        sa.Column("author", sa.String(300), nullable=False),
        sa.Column("applied_at", Moment, nullable=True),
    )


def _bundle_acts() -> None:
    op.create_table(
        "bundle_acts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("fingerprint", sa.String(64), sa.ForeignKey("bundles.fingerprint"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("author", sa.String(300), nullable=False),
        sa.Column("message", sa.String(2000), nullable=False),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("accepted", sa.Integer, nullable=True),
        sa.Column("at", Moment, nullable=False),
    )


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", Id, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("metric_id", sa.Integer, nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("replaced_at", Moment, nullable=False),
    )


def _ingests() -> None:
    op.create_table(
        "ingests",
        sa.Column("key", sa.String(256), primary_key=True),
        sa.Column("body_hash", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("revoked_at", Moment, nullable=True),
    )


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", Id, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False, unique=True),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("manager", sa.String(320), nullable=False),
        sa.Column("calendar", sa.String(64), nullable=False),
        sa.Column("frequency", sa.String(16), nullable=False),
    )


def _metrics() -> None:
    op.create_table(
        "metrics",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False, unique=True),
    )


def _points() -> None:
    op.create_table(
        "points",
        sa.Column("day", sa.Integer, primary_key=True),
        sa.Column("subject_id", Id, primary_key=True),
        sa.Column("metric_id", sa.Integer, primary_key=True),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sqlite_with_rowid=False,
    )


def _point_changes() -> None:
    op.create_table(
        "point_changes",
        sa.Column("id", Id, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("first", Id, nullable=False),
        sa.Column("last", Id, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
    )


def _secrets() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _subjects() -> None:
    op.create_table(
        "subjects",
        sa.Column("id", Id, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
    )


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Id, sa.ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("owner", sa.String(300), nullable=False),
        sa.Column("arr", sa.Float, nullable=True),
        sa.Column("stage", sa.String(64), nullable=True),
        sa.Column("stage_since", sa.Integer, nullable=True),
        sa.Column("onboarded_on", sa.Integer, nullable=True),
        sa.Column("renewal_on", sa.Integer, nullable=True),
        sa.Column("notice_on", sa.Integer, nullable=True),
        sa.Column("parent_id", Id, sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("stopped_reason", sa.String(500), nullable=False),
        sa.Column("suppressed", sa.Boolean, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
    )
    op.create_index("ix_accounts_owner", "accounts", ["owner"])


def _sign_ins() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("member_id", Id, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
    )


def _contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", Id, sa.ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("roles", sa.JSON, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("frequency", sa.String(16), nullable=False),
        sa.Column("seniority", sa.String(64), nullable=True),
        sa.Column("department", sa.String(120), nullable=True),
        sa.Column("joined_on", sa.Integer, nullable=True),
        sa.Column("departed_on", sa.Integer, nullable=True),
        sa.Column("recorded_at", Moment, nullable=False),
    )
    op.create_index("ix_contacts_account_id", "contacts", ["account_id"])
    op.create_index("ix_contacts_address", "contacts", [sa.text("lower(email)")])


def _products() -> None:
    op.create_table(
        "products",
        sa.Column("id", Id, sa.ForeignKey("subjects.id"), primary_key=True, autoincrement=False),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.UniqueConstraint("account_id", "name"),
    )


def _changed_accounts() -> None:
    op.create_table(
        "changed_accounts",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, nullable=False),
    )


def _words() -> None:
    op.create_table(
        "words",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("word", sa.String(200), nullable=False, unique=True),
    )


def _goals() -> None:
    op.create_table(
        "goals",
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("goal", sa.String(64), primary_key=True),
        sa.Column("target", sa.Float, nullable=False),
        sa.Column("start_value", sa.Float, nullable=False),
        sa.Column("start_day", sa.Integer, nullable=False),
        sa.Column("end_day", sa.Integer, nullable=False),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", Id, primary_key=True),
        sa.Column("key", sa.String(80), nullable=False, unique=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("contact_id", Id, sa.ForeignKey("contacts.id"), nullable=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
    )
    op.create_index("ix_events_account_id", "events", ["account_id"])
    op.create_index("ix_events_name_day", "events", ["name", "day"])
