"""The sentences of a change of score: what moved, the headline, and what happened beside the points."""

from collections.abc import Iterator
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Bounded, Scorecard, ScoredMetric
from engine.evaluation.conversions import metric_value
from engine.evaluation.explaining import AccountScore, ScoreLine, departure, title_of
from engine.evaluation.wording import feature_title, points, share

_WEIGHTS: Final = "weighs differently because data went missing, came back or grew older"


def part_sentence(
    catalog: Catalog,
    metric: ScoredMetric,
    moved: str,
    micro: int,
    before: ScoreLine | None,
    after: ScoreLine | None,
) -> str:
    """One part in words: ``-20.0: Active users went from 80 to 30``. ``moved``: a word of `changes.Moved`."""
    title = feature_title(catalog, metric.feature)
    values = [metric_value(catalog, metric, line.value if line else None) for line in (before, after)]
    what = {
        "value": f"{title} went from {values[0]} to {values[1]}",
        "went_missing": f"{title} is no longer known (it was {values[0]})",
        "came_back": f"{title} is known again: {values[1]}",
        "weights": f"{title} {_WEIGHTS}",
        "peers": f"{title} did not move, but the other accounts did",
        "model": f"the scorecard treats {title} differently",
    }
    return f"{signed(micro)}: {what[moved]}"


def override_sentence(before: AccountScore, after: AccountScore, micro: int) -> str:
    """What a person's override did to the score: it began, it ended, or it is another one."""
    was, is_ = before.effective != before.computed, after.effective != after.computed
    way = "began" if is_ and not was else "ended" if was and not is_ else "is another one"
    return f"{signed(micro)}: a person's override {way}"


def headline(catalog: Catalog, cause: ScoredMetric | None, micro: int) -> str:
    """The change in a sentence, with the metric that fell most where the score fell."""
    if not micro:
        return "The score did not change"
    way = f"The score {'rose' if micro > 0 else 'fell'} by {points(abs(micro))} points"
    if micro > 0 or cause is None:
        return way
    return f"{way}; the cause is {feature_title(catalog, cause.feature)}"


def no_change(before: AccountScore, after: AccountScore) -> str:
    """What is said where one of the two days has no score."""
    if before.computed is None and after.computed is None:
        return "There was no score and there is none: insufficient data"
    return "There is no score any more: insufficient data" if after.computed is None else "There is a score again"


def notes(
    catalog: Catalog, before_card: Scorecard, before: AccountScore, card: Scorecard, after: AccountScore
) -> tuple[str, ...]:
    """What happened beside the points: the tier and what decided it, coverage, marks at the end of their scale."""
    found = []
    if before.tier is not after.tier:
        names = [title_of(tier) if tier else "no tier" for tier in (before.tier, after.tier)]
        found.append(f"The tier went from {names[0]} to {names[1]}")
    for when, of, score in (("Before", before_card, before), ("Now", card, after)):
        if score.computed_tier is not None and score.computed_tier is not score.raw_tier:
            found.append(f"{when}: {departure(of, catalog, score)}")
    if round(before.coverage, 4) != round(after.coverage, 4):
        known = share(round(before.coverage, 4)), share(round(after.coverage, 4))
        found.append(f"The known weight went from {known[0]} to {known[1]}")
    return (*found, *_clamped(catalog, card, before, after))


def _clamped(catalog: Catalog, card: Scorecard, before: AccountScore, after: AccountScore) -> Iterator[str]:
    """The metrics whose value moved beyond the end of their scale, where it makes no points any more."""
    earlier = {line.metric: line for line in before.lines}
    metrics = {metric.name: metric for metric in card.metrics if not isinstance(metric.normaliser, Bounded)}
    for line in after.lines:
        was, metric = earlier.get(line.metric), metrics.get(line.metric)
        if metric is None or was is None or None in {was.value, line.value} or was.value == line.value:
            continue
        if line.normalised in {0.0, 100.0} and was.normalised == line.normalised:
            values = [metric_value(catalog, metric, each.value) for each in (was, line)]
            title = feature_title(catalog, metric.feature)
            end = "less than 0" if line.normalised == 0 else "more than 100"
            yield f"{title} went from {values[0]} to {values[1]}, but its mark cannot be {end}"


def signed(micro: int) -> str:
    """Micro-points with their sign: ``+1.5``, ``-20.0``."""
    return f"{'+' if micro > 0 else ''}{points(micro)}"
