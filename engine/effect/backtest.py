"""A replayed history and what happened in it, as the figures people decide by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Window
from engine.effect.foretold import WEEK, Cells, Happened, Warned, follow, warned
from engine.effect.ranked import Bearing, ByTier, Direction, Ranked, bearing, by_tier, direction, ranked
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.features import feature_named
from engine.evaluation.replaying import Replay
from engine.terms import Verdict

_SIGNS: Final = {"higher": 1, "lower": -1, "neither": 0}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What was asked: cutoffs from ``first`` to ``last`` (days), an outcome within ``within`` days after each.

    ``arr`` float64[N] and ``owners`` (one text per account, empty where there is none) are today's. ``corrected``: how
    many points were corrected after their day; the replay saw the later value.
    """

    first: int
    last: int
    every: int
    within: int
    outcome: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    arr: Floats
    owners: tuple[str, ...]
    corrected: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class CardFigures:
    """How a scorecard foretold: its score as a ranking, its tiers, and its lowest tier as a warning."""

    ranked: Ranked
    by_tier: ByTier
    attention: Warned


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """All figures of one set of definitions over one history. ``untested``: rule or scorecard → the names it reads of
    which only today's value is known. ``undated``: accounts whose outcome has no day, left out everywhere."""

    frame: Frame
    fingerprint: str
    cutoffs: Ints
    customers: int
    outcomes: int
    undated: int
    until: int
    rules: Mapping[str, Warned]
    cards: Mapping[str, CardFigures]
    signals: Mapping[str, Direction]
    metrics: Mapping[str, Bearing]
    untested: Mapping[str, tuple[str, ...]]

    @property
    def weeks(self) -> float:
        """How long somebody would have been told."""
        return (self.frame.last - self.frame.first + self.frame.every) / WEEK

    def alerts_per_owner(self, found: Warned) -> float:
        """Alerts per owner and week; everybody without an owner is one owner."""
        return found.alerts / max(len(set(self.frame.owners)), 1) / max(self.weeks, 1e-9)

    def arr_of(self, rows: Ints) -> float:
        """What these accounts pay in a year, as far as it is known; each counts once."""
        return float(np.nansum(self.frame.arr[np.unique(rows)])) if len(rows) else 0.0


def backtest(
    bundle: Bundle,
    replay: Replay,
    outcomes: Happened,
    frame: Frame,
    *,
    undated: int = 0,
    untested: Mapping[str, tuple[str, ...]] | None = None,
) -> Backtest:
    """The figures of what ``bundle`` would have said in ``replay``, given what happened."""
    cells = follow(outcomes, replay.days, replay.here, frame.within)
    skipped = untested or {}
    tested = [name for name in bundle.rules if name not in skipped]
    return Backtest(
        frame=frame,
        fingerprint=bundle.fingerprint,
        cutoffs=replay.days,
        customers=int(replay.here.any(axis=0).sum()),
        outcomes=_in_reach(outcomes, replay, frame.within),
        undated=undated,
        until=outcomes.until,
        rules={name: warned(replay.rules[name], cells, replay.here, outcomes) for name in tested},
        cards={
            name: _card(replay, name, cells, outcomes)
            for name in bundle.scorecards
            if name in replay.scores and name not in skipped
        },
        signals={
            name: direction(verdicts, cells)
            for name, verdicts in replay.signals.items()
            if name.rpartition(".")[0] in tested
        },
        metrics={
            name: bearing(values, sign_of(bundle, name), cells, frame.arr) for name, values in replay.metrics.items()
        },
        untested=skipped,
    )


def _card(replay: Replay, name: str, cells: Cells, outcomes: Happened) -> CardFigures:
    tiers = np.where(replay.here, replay.tiers[name], -1)
    attention = np.select([tiers == 0, tiers > 0], [Verdict.HOLDS, Verdict.FAILS], Verdict.UNKNOWN).astype(np.int8)
    return CardFigures(
        ranked=ranked(-replay.scores[name], cells),
        by_tier=by_tier(tiers, cells),
        attention=warned(attention, cells, replay.here, outcomes),
    )


def sign_of(bundle: Bundle, name: str) -> int:
    """1 where higher values of a metric are declared better, -1 where lower ones are, 0 neither."""
    feature = feature_named(bundle.catalog, name)
    if feature is None:
        return 0
    if feature.window is Window.DAYS_SINCE:
        return -1
    return _SIGNS[bundle.catalog.metrics[feature.metric].better]


def _in_reach(outcomes: Happened, replay: Replay, within: int) -> int:
    """Outcomes that a cutoff could have warned of."""
    found = 0
    for row, day in zip(outcomes.rows.tolist(), outcomes.days.tolist(), strict=True):
        before = (replay.days < day) & (replay.days >= day - within)
        found += bool((before & replay.here[:, row]).any())
    return found


def entries(said: NDArray[np.int8], days: Ints, until: int) -> Happened:
    """Outcomes from verdicts int8[T, N]: the cutoffs on which it begins to hold, where it was known not to before."""
    rows, found = list[int](), list[int]()
    for row in range(said.shape[1]):
        known = 0
        for at, verdict in enumerate(said[:, row].tolist()):
            if verdict == Verdict.HOLDS and known == Verdict.FAILS:
                rows.append(row)
                found.append(int(days[at]))
            known = verdict or known
    return Happened(np.array(rows, dtype=np.int64), np.array(found, dtype=np.int64), until)


def falls(tiers: NDArray[np.int8], days: Ints, until: int) -> Happened:
    """Outcomes from tiers int8[T, N]: the cutoffs on which an account is in a lower tier than when last known."""
    rows, found = list[int](), list[int]()
    for row in range(tiers.shape[1]):
        known = -1
        for at, tier in enumerate(tiers[:, row].tolist()):
            if 0 <= tier < known:
                rows.append(row)
                found.append(int(days[at]))
            known = tier if tier >= 0 else known
    return Happened(np.array(rows, dtype=np.int64), np.array(found, dtype=np.int64), until)


def features_of(bundle: Bundle, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are numbers of an account, sorted: what `Backtest.metrics` is about."""
    found: set[str] = set()
    for name in names:
        feature = feature_named(bundle.catalog, name)
        if feature is not None and bundle.catalog.metrics[feature.metric].of == "account":
            found.add(feature.name)
    return tuple(sorted(found))


def quartiles(days: Ints) -> tuple[float, float, float] | None:
    """Lower quartile, median and upper quartile; None for no days."""
    if not len(days):
        return None
    low, middle, high = np.quantile(days, [0.25, 0.5, 0.75]).tolist()
    return low, middle, high


def by_week(days: Sequence[int] | Ints, weeks: int) -> tuple[int, ...]:
    """How many of the days fall into each of the first ``weeks`` weeks; what is longer counts in the last."""
    found = [0] * max(weeks, 1)
    for day in np.asarray(days).tolist():
        found[min(max((int(day) - 1) // WEEK, 0), len(found) - 1)] += 1
    return tuple(found)
