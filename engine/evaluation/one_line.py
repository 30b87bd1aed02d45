"""An account or a group of accounts in one line: tier, number, trend, cause. The same for everybody who reads it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.evaluation.rollups import HUNDREDTHS, Total
from engine.evaluation.wording import points
from engine.terms import MICRO, Tier

TREND_DAYS: Final = 30
STEADY: Final = MICRO
"""A change of less than a point is no trend."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one account stands: its score now and 30 days ago in micro-points (None without one), its tier, and the
    title of the metric behind its last drop, "" none."""

    micro: int | None
    before: int | None
    tier: Tier | None
    cause: str

    @property
    def change(self) -> int | None:
        """Micro-points in 30 days; None where either score is unknown."""
        return None if self.micro is None or self.before is None else self.micro - self.before

    @property
    def falls(self) -> bool:
        """Whether the score fell by a point or more."""
        return self.change is not None and self.change <= -STEADY


def account_line(name: str, standing: Standing) -> str:
    """``Acorn: Take Notice, 61.2, down 3.4 in 30 days, most by Licence utilisation``."""
    if standing.micro is None or standing.tier is None:
        return f"{name}: insufficient data"
    cause = f", most by {standing.cause}" if standing.falls and standing.cause else ""
    return f"{name}: {standing.tier.label}, {points(standing.micro)}, {_trend(standing.change)}{cause}"


def group_line(name: str, total: Total, members: Sequence[Standing]) -> str:
    """``mid: 12 accounts, 61.2 on average, down 1.4 in 30 days, 3 of them (41,000) Requires Attention, …``.

    The trend is the mean change of those that were scored both times; the cause the one most of the falling have.
    """
    accounts = f"{total.accounts} account{'' if total.accounts == 1 else 's'}"
    if total.mean_score is None:
        return f"{name}: {accounts}, insufficient data"
    changes = [one.change for one in members if one.change is not None]
    mean = round(sum(changes) / len(changes)) if changes else None
    worst = Tier.REQUIRES_ATTENTION
    arr = total.arr_by_tier.get(worst, 0) / HUNDREDTHS
    need = f"{total.tiers.get(worst, 0)} of them ({arr:,.0f}) {worst.label}"
    causes = Counter(one.cause for one in members if one.falls and one.cause).most_common(1)
    cause = f", most often by {causes[0][0]} ({causes[0][1]})" if causes else ""
    return f"{name}: {accounts}, {points(round(total.mean_score * MICRO))} on average, {_trend(mean)}, {need}{cause}"


def _trend(change: int | None) -> str:
    if change is None:
        return "no earlier score"
    if abs(change) < STEADY:
        return f"steady for {TREND_DAYS} days"
    return f"{'up' if change > 0 else 'down'} {points(abs(change))} in {TREND_DAYS} days"
