"""Explaining a change of score: every micro-point of it, by metric and by what moved.

Value moved, data went missing or came back, weights shifted because of that, other accounts moved (ranks), the model
changed, a person's override. The parts are whole micro-points and sum to the change exactly.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Bounded, Rank, Scorecard, ScoredMetric, Spread
from engine.evaluation.conversions import metric_value
from engine.evaluation.explaining import AccountScore, ScoreLine
from engine.evaluation.scoring import normalise
from engine.evaluation.wording import feature_title, points
from engine.terms import MICRO


class Moved(StrEnum):
    """What made a part of a change."""

    VALUE = "value"
    WENT_MISSING = "went_missing"
    CAME_BACK = "came_back"
    WEIGHTS = "weights"
    PEERS = "peers"
    MODEL = "model"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change in micro-points. ``metric`` is empty for an override."""

    metric: str
    moved: Moved
    micro: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change between two days. ``micro`` (effective after minus before) is the sum of ``parts``, largest fall first.

    ``cause``: the metric that fell most, empty where none fell. Where one side has no score, ``micro`` is None and the
    headline says so.
    """

    micro: int | None
    parts: tuple[Part, ...]
    cause: str
    headline: str


def explain_change(
    catalog: Catalog, before_card: Scorecard, before: AccountScore, card: Scorecard, after: AccountScore
) -> Change:
    """Decompose the change from ``before`` to ``after``; the two may be of different versions of the scorecard."""
    if before.computed is None or after.computed is None or before.effective is None or after.effective is None:
        return Change(None, (), "", _no_change(before, after))
    cards = {metric.name: metric for metric in before_card.metrics} | {metric.name: metric for metric in card.metrics}
    changed = _model(before_card) != _model(card)
    earlier, later = ({line.metric: line for line in score.lines} for score in (before, after))
    found: list[tuple[str, Moved, int]] = []
    for name in dict.fromkeys([*later, *earlier]):
        found += _metric_parts(cards[name], earlier.get(name), later.get(name), model_changed=changed)
    found.append(("", Moved.OVERRIDE, (after.effective - after.computed) - (before.effective - before.computed)))
    told = sorted((part for part in found if part[2]), key=lambda part: part[2])
    parts = tuple(
        Part(name, moved, micro, _sentence(catalog, cards.get(name), moved, micro, earlier.get(name), later.get(name)))
        for name, moved, micro in told
    )
    micro, cause = after.effective - before.effective, _cause(parts)
    return Change(micro, parts, cause, _headline(catalog, cards, micro, cause))


def _model(card: Scorecard) -> tuple[object, ...]:
    weighed = tuple((each.name, each.weight, each.metrics) for each in card.dimensions)
    return weighed, card.missing


def _metric_parts(
    metric: ScoredMetric, before: ScoreLine | None, after: ScoreLine | None, *, model_changed: bool
) -> list[tuple[str, Moved, int]]:
    total = (after.contribution if after else 0) - (before.contribution if before else 0)
    other = Moved.MODEL if model_changed else Moved.WEIGHTS
    if before is None or after is None:
        return [(metric.name, Moved.MODEL, total)]
    is_silent = None in {before.normalised, after.normalised}
    if is_silent and isinstance(metric.normaliser, Bounded) and None not in {before.value, after.value}:
        return [(metric.name, other if model_changed else Moved.VALUE, total)]  # it went in or out of its bounds
    if before.normalised is None or after.normalised is None:
        if before.normalised is not None:
            return [(metric.name, Moved.WENT_MISSING, total)]
        return [(metric.name, Moved.CAME_BACK if after.normalised is not None else other, total)]
    start = _bridge(metric, before) if model_changed else before.normalised
    moved = round((before.share + after.share) / 2 * (after.normalised - start) * MICRO)
    same_share = abs(before.share - after.share) < 1e-12
    if same_share and not model_changed and after.normalised != before.normalised:
        moved = total  # what rounding left over belongs to the value that moved
    by_peers = isinstance(metric.normaliser, Rank | Spread) and before.value == after.value
    return [(metric.name, Moved.PEERS if by_peers else Moved.VALUE, moved), (metric.name, other, total - moved)]


def _bridge(metric: ScoredMetric, before: ScoreLine) -> float:
    """The mark the old value would have had in the new model."""
    if before.value is None or isinstance(metric.normaliser, Rank | Spread):
        return before.normalised or 0.0
    return float(normalise(metric, np.array([before.value]))[0])


def _cause(parts: tuple[Part, ...]) -> str:
    sums: dict[str, int] = {}
    for part in parts:
        if part.metric:
            sums[part.metric] = sums.get(part.metric, 0) + part.micro
    lowest = min(sums, key=lambda name: (sums[name], name), default="")
    return lowest if lowest and sums[lowest] < 0 else ""


def _sentence(
    catalog: Catalog,
    metric: ScoredMetric | None,
    moved: Moved,
    micro: int,
    before: ScoreLine | None,
    after: ScoreLine | None,
) -> str:
    signed = f"{'+' if micro > 0 else ''}{points(micro)}"
    if metric is None:
        return f"{signed}: a person's override"
    title = feature_title(catalog, metric.feature)
    values = [metric_value(catalog, metric, line.value if line else None) for line in (before, after)]
    what = {
        Moved.VALUE: f"{title} went from {values[0]} to {values[1]}",
        Moved.WENT_MISSING: f"{title} is no longer known (it was {values[0]})",
        Moved.CAME_BACK: f"{title} is known again: {values[1]}",
        Moved.WEIGHTS: f"{title} weighs differently because other data went missing or came back",
        Moved.PEERS: f"{title} did not move, but the other accounts did",
        Moved.MODEL: f"the scorecard treats {title} differently",
    }
    return f"{signed}: {what[moved]}"


def _headline(catalog: Catalog, cards: dict[str, ScoredMetric], micro: int, cause: str) -> str:
    if not micro:
        return "The score did not change"
    way = f"The score {'rose' if micro > 0 else 'fell'} by {points(abs(micro))} points"
    if micro > 0 or not cause:
        return way
    return f"{way}; the cause is {feature_title(catalog, cards[cause].feature)}"


def _no_change(before: AccountScore, after: AccountScore) -> str:
    if before.computed is None and after.computed is None:
        return "There was no score and there is none: insufficient data"
    return "There is no score any more: insufficient data" if after.computed is None else "There is a score again"
