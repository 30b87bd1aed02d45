"""Read model: a score with its parts as the cycle stored them, and what moved since a month ago. Nothing is computed
again: both explanations are exact because the stored contributions are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.decision_tables import ScoreRow
from engine.terms import Tier

COMPARED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One metric of a score: ``value`` and ``normalised`` None where unknown; ``share`` of the whole score it had;
    ``contribution`` in micro-points; ``before`` its contribution at the comparison, None when it was no part."""

    metric: str
    value: float | None
    normalised: float | None
    share: float
    contribution: int
    before: int | None
    value_before: float | None

    @property
    def change(self) -> int:
        """What the metric moved the score by since the comparison, in micro-points."""
        return self.contribution - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Score:
    """A score with its parts and the one it is compared with. Micro-points; the parts sum to ``computed`` exactly."""

    scorecard: str
    day: int
    computed: int | None
    effective: int | None
    coverage: float
    computed_tier: Tier | None
    tier: Tier | None
    bundle: str
    lines: tuple[Line, ...]
    compared_day: int | None
    compared: int | None
    gone: int

    @property
    def change(self) -> int | None:
        """Micro-points since the comparison, before overrides; None if either is unknown."""
        return None if self.computed is None or self.compared is None else self.computed - self.compared


def read_score(session: Session, row: ScoreRow | None) -> Score | None:
    """A stored score with its parts, and what they were 30 days before; None for an account never scored."""
    if row is None:
        return None
    before = session.scalar(
        select(ScoreRow)
        .where(
            ScoreRow.account_id == row.account_id,
            ScoreRow.scorecard == row.scorecard,
            ScoreRow.day <= row.day - COMPARED_DAYS,
        )
        .order_by(ScoreRow.day.desc())
        .limit(1)
    )
    earlier = {line[0]: line for line in before.lines} if before else {}
    lines = _lines(row.lines, earlier)
    gone = -sum(line[4] for name, line in earlier.items() if name not in {one.metric for one in lines})
    return Score(
        scorecard=row.scorecard,
        day=row.day,
        computed=row.computed,
        effective=row.effective,
        coverage=row.coverage,
        computed_tier=Tier(row.computed_tier) if row.computed_tier else None,
        tier=Tier(row.tier) if row.tier else None,
        bundle=row.bundle,
        lines=lines,
        compared_day=before.day if before else None,
        compared=before.computed if before else None,
        gone=gone,
    )


def _lines(stored: Sequence[Any], earlier: dict[str, Any]) -> tuple[Line, ...]:
    return tuple(
        Line(
            metric=name,
            value=value,
            normalised=normalised,
            share=share,
            contribution=contribution,
            before=earlier[name][4] if name in earlier else None,
            value_before=earlier[name][1] if name in earlier else None,
        )
        for name, value, normalised, share, contribution in stored
    )
