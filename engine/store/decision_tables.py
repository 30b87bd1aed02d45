"""Tables of what the engine says: signal states, episodes, scores, decisions, outcomes, effects."""

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, String, Text, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, relationship

from engine.store.base import Base, Id
from engine.store.packing import unpack_lines


class CycleRow(Base):
    """One evaluation cycle: which rules it knew, for how many accounts each was unknown, what it did (counts).

    ``asks``: rules that stopped at their blast radius, with the sentence a member is asked.
    """

    __tablename__ = "cycles"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[int] = mapped_column(Integer, index=True)
    decided_at: Mapped[datetime]
    bundle: Mapped[str] = mapped_column(String(64))
    rules: Mapped[list[Any]]
    unknown: Mapped[dict[str, Any]]
    asks: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]


class NameListRow(Base):
    """A list of names in order that packed rows refer to: signals of states, metrics of a score's lines."""

    __tablename__ = "name_lists"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    names: Mapped[list[Any]]


class SignalStatesRow(Base):
    """What all signals say of one account since ``day``, and what they said before it, packed by
    `engine.store.states`: one row, so that a cycle over a few accounts writes no more than theirs."""

    __tablename__ = "signal_states"
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(Integer)
    names_id: Mapped[int] = mapped_column(ForeignKey("name_lists.id"))
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class PeerRow(Base):
    """What one cohort's accounts said of a feature that accounts are compared by, ascending: packed float64."""

    __tablename__ = "peers"
    feature: Mapped[str] = mapped_column(String(200), primary_key=True)
    among: Mapped[str] = mapped_column(String(16), primary_key=True)
    cohort: Mapped[str] = mapped_column(String(200), primary_key=True)
    day: Mapped[int] = mapped_column(Integer)
    packed: Mapped[bytes] = mapped_column(LargeBinary)


class EpisodeRow(Base):
    """One stretch of an account in a challenge. At most one is open per rule and account."""

    __tablename__ = "episodes"
    __table_args__ = (
        Index(
            "uq_episodes_open",
            "account_id",
            "rule",
            unique=True,
            sqlite_where=text("closed_on IS NULL"),
            postgresql_where=text("closed_on IS NULL"),
        ),
        Index("ix_episodes_account_id_rule", "account_id", "rule", "closed_on"),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    rule: Mapped[str] = mapped_column(String(120))
    opened_on: Mapped[int] = mapped_column(Integer)
    closed_on: Mapped[int | None] = mapped_column(Integer)


class _Score:
    """One score on one day. ``computed`` and ``effective`` in micro-points, NULL for insufficient data.

    ``packed`` with the metrics' names says what each of them was on the day (``lines``), so that the explanation of any
    day is exactly what was shown on it. ``last_tier`` and ``pending`` are what the next evaluation continues from.
    """

    day: Mapped[int] = mapped_column(Integer)
    scorecard: Mapped[str] = mapped_column(String(120))
    computed: Mapped[int | None] = mapped_column(Integer)
    effective: Mapped[int | None] = mapped_column(Integer)
    coverage: Mapped[float] = mapped_column(Float)
    raw_tier: Mapped[str | None] = mapped_column(String(32))
    computed_tier: Mapped[str | None] = mapped_column(String(32))
    tier: Mapped[str | None] = mapped_column(String(32))
    last_tier: Mapped[str | None] = mapped_column(String(32))
    pending: Mapped[int] = mapped_column(Integer, default=0)
    names_id: Mapped[int] = mapped_column(ForeignKey("name_lists.id"))
    packed: Mapped[bytes] = mapped_column(LargeBinary)
    bundle: Mapped[str] = mapped_column(String(64))

    @declared_attr
    def names(cls) -> Mapped[NameListRow]:  # noqa: N805  (SQLAlchemy calls it with the class)
        """The metrics of the lines."""
        return relationship(NameListRow, lazy="joined", innerjoin=True)

    @property
    def lines(self) -> list[tuple[str, float | None, float | None, float, int]]:
        """Per metric in the scorecard's order ``(name, value, normalised, share, contribution)``, None: unknown."""
        return unpack_lines(self.names.names, self.packed)


class ScoreRow(_Score, Base):
    """One account's score on one day. ``cause``: the metric behind the last drop. ``leads``: of the scorecards that
    apply it is the first by priority, and so *the* score of the account; there is one on each day."""

    __tablename__ = "scores"
    __table_args__ = (
        PrimaryKeyConstraint("day", "scorecard", "account_id"),
        Index("ix_scores_account_id_day", "account_id", "day"),
        Index("ix_scores_day_effective", "day", "leads", "effective", "account_id", "tier"),
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    cause: Mapped[str | None] = mapped_column(String(200))
    leads: Mapped[bool] = mapped_column(Boolean, default=True)


class SubjectScoreRow(_Score, Base):
    """One contact's or product's score on one day, by a scorecard of those."""

    __tablename__ = "subject_scores"
    __table_args__ = (
        PrimaryKeyConstraint("day", "scorecard", "subject_id"),
        Index("ix_subject_scores_subject_id_day", "subject_id", "day"),
    )
    subject_id: Mapped[int] = mapped_column(ForeignKey("subjects.id"))


class ScoreOverrideRow(Base):
    """A person's change to a score or a tier, with reason, author and expiry. Never deleted, only ended."""

    __tablename__ = "score_overrides"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    scorecard: Mapped[str] = mapped_column(String(120))
    score: Mapped[int | None] = mapped_column(Integer)
    tier: Mapped[str | None] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DecisionRow(Base):
    """One decision, with the evidence it was made on. ``evidence`` is a list of the fields of `Evidence`."""

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_rule_decided_at", "rule", "decided_at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    episode_id: Mapped[int | None] = mapped_column(ForeignKey("episodes.id"))
    rule: Mapped[str] = mapped_column(String(120))
    playbook: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(64))
    mode: Mapped[str | None] = mapped_column(String(16))
    arm: Mapped[str | None] = mapped_column(String(16))
    sentence: Mapped[str] = mapped_column(Text)
    evidence: Mapped[list[Any]]
    bundle: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[datetime]


class OutcomeRow(Base):
    """What is to be judged, for both arms alike: due at the decision plus the success criterion's time."""

    __tablename__ = "outcomes"
    __table_args__ = (Index("ix_outcomes_state_due_on", "state", "due_on"),)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    rule: Mapped[str] = mapped_column(String(120))
    playbook: Mapped[str] = mapped_column(String(120))
    arm: Mapped[str] = mapped_column(String(16))
    baseline: Mapped[float | None] = mapped_column(Float)
    decided_on: Mapped[int] = mapped_column(Integer)
    due_on: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(String(16))
    value: Mapped[float | None] = mapped_column(Float)
    sentence: Mapped[str] = mapped_column(Text, default="")
    judged_on: Mapped[int | None] = mapped_column(Integer)


class EffectRow(Base):
    """The newest estimate of one experiment. ``low`` and ``high`` are NULL while there is not enough data."""

    __tablename__ = "effects"
    rule: Mapped[str] = mapped_column(String(120), primary_key=True)
    playbook: Mapped[str] = mapped_column(String(120), primary_key=True)
    treated: Mapped[int] = mapped_column(Integer)
    treated_met: Mapped[int] = mapped_column(Integer)
    treated_unknown: Mapped[int] = mapped_column(Integer)
    held_out: Mapped[int] = mapped_column(Integer)
    held_out_met: Mapped[int] = mapped_column(Integer)
    held_out_unknown: Mapped[int] = mapped_column(Integer)
    uplift: Mapped[float | None] = mapped_column(Float)
    low: Mapped[float | None] = mapped_column(Float)
    high: Mapped[float | None] = mapped_column(Float)
    sentence: Mapped[str] = mapped_column(Text)
    estimated_on: Mapped[int] = mapped_column(Integer)


class PredictorRow(Base):
    """What was fitted on one day to say what becomes of accounts within ``within`` days, and how it was judged on later
    days than it was fitted on (a list of the fields of `Judged`). ``sentence``: why nothing is predicted, else ""."""

    __tablename__ = "predictors"
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    within: Mapped[int] = mapped_column(Integer)
    accounts: Mapped[int] = mapped_column(Integer)
    judged: Mapped[list[Any]]
    sentence: Mapped[str] = mapped_column(Text, default="")


class PredictionRow(Base):
    """The chances of one account as told on one day; they sum to 1. ``predictor``: who told them, by fingerprint."""

    __tablename__ = "predictions"
    day: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True, autoincrement=False)
    churn: Mapped[float] = mapped_column(Float)
    flat: Mapped[float] = mapped_column(Float)
    grow: Mapped[float] = mapped_column(Float)
    predictor: Mapped[str] = mapped_column(String(64))
