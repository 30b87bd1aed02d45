"""Tables of what the engine says."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002_decisions"
down_revision = "0001_data"

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    _cycles()
    _effects()
    _episodes()
    _score_overrides()
    _metric_overrides()
    _answers()
    _score_feedback()
    _peers()
    _name_lists()
    _scores()
    _subject_scores()
    _signal_states()
    _decisions()
    _outcomes()
    _predictions()


def downgrade() -> None:
    for table in (
        "predictions",
        "predictors",
        "outcomes",
        "decisions",
        "signal_states",
        "scores",
        "subject_scores",
        "name_lists",
        "peers",
        "score_feedback",
        "answers",
        "metric_overrides",
        "score_overrides",
        "episodes",
        "effects",
        "cycles",
    ):
        op.drop_table(table)


def _cycles() -> None:
    op.create_table(
        "cycles",
        sa.Column("id", Id, primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("decided_at", Moment, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
        sa.Column("unknown", sa.JSON, nullable=False),
        sa.Column("asks", sa.JSON, nullable=False),
        sa.Column("counts", sa.JSON, nullable=False),
    )
    op.create_index("ix_cycles_day", "cycles", ["day"])


def _effects() -> None:
    op.create_table(
        "effects",
        sa.Column("rule", sa.String(120), primary_key=True),
        sa.Column("playbook", sa.String(120), primary_key=True),
        sa.Column("treated", sa.Integer, nullable=False),
        sa.Column("treated_met", sa.Integer, nullable=False),
        sa.Column("treated_unknown", sa.Integer, nullable=False),
        sa.Column("held_out", sa.Integer, nullable=False),
        sa.Column("held_out_met", sa.Integer, nullable=False),
        sa.Column("held_out_unknown", sa.Integer, nullable=False),
        sa.Column("uplift", sa.Float, nullable=True),
        sa.Column("low", sa.Float, nullable=True),
        sa.Column("high", sa.Float, nullable=True),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("estimated_on", sa.Integer, nullable=False),
    )


def _episodes() -> None:
    op.create_table(
        "episodes",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("opened_on", sa.Integer, nullable=False),
        sa.Column("closed_on", sa.Integer, nullable=True),
    )
    where = sa.text("closed_on IS NULL")
    op.create_index(
        "uq_episodes_open", "episodes", ["account_id", "rule"], unique=True, sqlite_where=where, postgresql_where=where
    )
    op.create_index("ix_episodes_account_id_rule", "episodes", ["account_id", "rule", "closed_on"])


def _score_overrides() -> None:
    op.create_table(
        "score_overrides",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("scorecard", sa.String(120), nullable=False),
        sa.Column("score", sa.Integer, nullable=True),
        sa.Column("tier", sa.String(32), nullable=True),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
    )
    op.create_index("ix_score_overrides_account_id", "score_overrides", ["account_id"])


def _metric_overrides() -> None:
    op.create_table(
        "metric_overrides",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("ended_by", sa.String(320), nullable=False),
    )
    op.create_index("ix_metric_overrides_account_id", "metric_overrides", ["account_id"])


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("question", sa.String(200), nullable=False),
        sa.Column("value", sa.Float, nullable=False),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("ix_answers_account_id", "answers", ["account_id"])


def _score_feedback() -> None:
    op.create_table(
        "score_feedback",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=True),
        sa.Column("scorecard", sa.String(120), nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("looks", sa.String(8), nullable=False),
        sa.Column("score", sa.Integer, nullable=True),
        sa.Column("reason", sa.String(2000), nullable=False),
        sa.Column("author", sa.String(320), nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("ix_score_feedback_scorecard", "score_feedback", ["scorecard", "bundle"])


def _peers() -> None:
    op.create_table(
        "peers",
        sa.Column("feature", sa.String(200), primary_key=True),
        sa.Column("among", sa.String(16), primary_key=True),
        sa.Column("cohort", sa.String(200), primary_key=True),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )


def _name_lists() -> None:
    op.create_table(
        "name_lists",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("names", sa.JSON, nullable=False),
    )


def _scores() -> None:
    op.create_table(
        "scores",
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("cause", sa.String(200), nullable=True),
        sa.Column("leads", sa.Boolean, nullable=False),
        *_score_columns(),
        sa.PrimaryKeyConstraint("day", "scorecard", "account_id"),
    )
    op.create_index("ix_scores_account_id_day", "scores", ["account_id", "day"])
    op.create_index("ix_scores_day_effective", "scores", ["day", "leads", "effective", "account_id", "tier"])


def _subject_scores() -> None:
    op.create_table(
        "subject_scores",
        sa.Column("subject_id", Id, sa.ForeignKey("subjects.id"), nullable=False),
        *_score_columns(),
        sa.PrimaryKeyConstraint("day", "scorecard", "subject_id"),
    )
    op.create_index("ix_subject_scores_subject_id_day", "subject_scores", ["subject_id", "day"])


def _score_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("scorecard", sa.String(120), nullable=False),
        sa.Column("computed", sa.Integer, nullable=True),
        sa.Column("effective", sa.Integer, nullable=True),
        sa.Column("coverage", sa.Float, nullable=False),
        sa.Column("raw_tier", sa.String(32), nullable=True),
        sa.Column("computed_tier", sa.String(32), nullable=True),
        sa.Column("tier", sa.String(32), nullable=True),
        sa.Column("last_tier", sa.String(32), nullable=True),
        sa.Column("pending", sa.Integer, nullable=False),
        sa.Column("names_id", sa.Integer, sa.ForeignKey("name_lists.id"), nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
    ]


def _signal_states() -> None:
    op.create_table(
        "signal_states",
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("names_id", sa.Integer, sa.ForeignKey("name_lists.id"), nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
    )


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("episode_id", Id, sa.ForeignKey("episodes.id"), nullable=True),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("playbook", sa.String(120), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("mode", sa.String(16), nullable=True),
        sa.Column("arm", sa.String(16), nullable=True),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("bundle", sa.String(64), nullable=False),
        sa.Column("decided_at", Moment, nullable=False),
    )
    op.create_index("ix_decisions_account_id", "decisions", ["account_id"])
    op.create_index("ix_decisions_rule_decided_at", "decisions", ["rule", "decided_at"])


def _outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("decision_id", Id, sa.ForeignKey("decisions.id"), primary_key=True),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("rule", sa.String(120), nullable=False),
        sa.Column("playbook", sa.String(120), nullable=False),
        sa.Column("arm", sa.String(16), nullable=False),
        sa.Column("baseline", sa.Float, nullable=True),
        sa.Column("decided_on", sa.Integer, nullable=False),
        sa.Column("due_on", sa.Integer, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("value", sa.Float, nullable=True),
        sa.Column("sentence", sa.Text, nullable=False),
        sa.Column("judged_on", sa.Integer, nullable=True),
    )
    op.create_index("ix_outcomes_account_id", "outcomes", ["account_id"])
    op.create_index("ix_outcomes_state_due_on", "outcomes", ["state", "due_on"])


def _predictions() -> None:
    op.create_table(
        "predictors",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("within", sa.Integer, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("judged", sa.JSON, nullable=False),
        sa.Column("sentence", sa.Text, nullable=False),
    )
    op.create_table(
        "predictions",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("account_id", Id, sa.ForeignKey("accounts.id"), primary_key=True, autoincrement=False),
        sa.Column("churn", sa.Float, nullable=False),
        sa.Column("flat", sa.Float, nullable=False),
        sa.Column("grow", sa.Float, nullable=False),
        sa.Column("predictor", sa.String(64), nullable=False),
    )
