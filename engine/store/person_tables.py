"""Tables of what people say beside the data: what a metric really is, answers without a task, how a score looks."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.base import Base, Id


class MetricOverrideRow(Base):
    """A person's word on a metric of an account, with reason, author and expiry. Never deleted, only ended."""

    __tablename__ = "metric_overrides"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    value: Mapped[float] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str] = mapped_column(String(320), default="")


class AnswerRow(Base):
    """Append-only: what a member answered to a question of the catalog at any moment, and why. The newest of a day is
    the point of that day."""

    __tablename__ = "answers"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    question: Mapped[str] = mapped_column(String(200))
    value: Mapped[float] = mapped_column(Float)
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]


class FeedbackRow(Base):
    """Append-only: whether a score ``looks`` right or wrong to a member. ``bundle``: the definitions it was made by;
    without an account it is about the scorecard as such. ``score``: what was shown, in micro-points."""

    __tablename__ = "score_feedback"
    __table_args__ = (Index("ix_score_feedback_scorecard", "scorecard", "bundle"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    scorecard: Mapped[str] = mapped_column(String(120))
    bundle: Mapped[str] = mapped_column(String(64))
    looks: Mapped[str] = mapped_column(String(8))
    score: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(2000))
    author: Mapped[str] = mapped_column(String(320))
    at: Mapped[datetime]
