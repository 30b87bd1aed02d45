"""How a value became a mark, in words: with the value and these words, the mark can be computed by hand."""

import math
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.feature import Feature
from engine.definitions.scorecard import (
    Bounded,
    Categorical,
    Criteria,
    GoalLine,
    Linear,
    Normaliser,
    Piecewise,
    Rank,
    ScoredMetric,
    Shown,
    Spread,
    Standard,
    TargetRatio,
    Threshold,
)
from engine.evaluation.wording import feature_title, feature_value, name_text, number, share

_PEERS: Final = {"all": "all", "segment": "those of its segment", "stage": "those of its stage"}


def metric_value(catalog: Catalog, metric: ScoredMetric, value: float | None) -> str:
    """What was measured in words; of a goal or a named target, the attained share of it; of a text, the word."""
    if value is None or math.isnan(value):
        return "not known"
    match metric.normaliser:
        case GoalLine(final=final):
            return f"{share(value)} of the goal's {'target' if final else 'line'}"
        case TargetRatio(of=of) if of:
            return f"{share(value)} of its target ({name_text(catalog, of)})"
        case Categorical(words) if catalog.metrics[metric.feature.metric].type.value == "text":
            return words[int(value)][0]
    return feature_value(catalog, metric.feature, value)


def conversion(catalog: Catalog, metric: ScoredMetric) -> str:
    """The formula in brackets, with a blank before it; empty where the value in words says it all."""
    text = _formula(catalog, metric.feature, metric.normaliser)
    fades = f"its weight is gone when it is more than {metric.fades.gone} days old" if metric.fades else ""
    parts = [part for part in (text, fades) if part]
    return f" ({'; '.join(parts)})" if parts else ""


def silence(catalog: Catalog, metric: ScoredMetric | None, *, is_known: bool, must_be_known: bool) -> str:
    """Why a metric without a mark adds nothing, as the end of a sentence that begins with its value."""
    if metric is not None and isinstance(metric.normaliser, Shown):
        return "; it is only shown and has no say"
    if must_be_known:
        return ", and without it there is no score"
    if metric is not None and is_known and isinstance(metric.normaliser, Bounded):
        ends = sorted((metric.normaliser.zero, metric.normaliser.full))
        low, high = (feature_value(catalog, metric.feature, end) for end in ends)
        return f", not between {low} and {high}, and has no say"
    if metric is not None and is_known and isinstance(metric.normaliser, Rank | Spread):
        return "; there are too few to compare it with, and it has no say"
    return " and has no say"


def standard_text(catalog: Catalog, metric: ScoredMetric, standard: Standard) -> str:
    """What is acceptable, in words: ``at least 40 %``."""
    bound = "at least" if standard.highest >= standard.acceptable else "at most"
    limit = metric_value(catalog, metric, standard.acceptable)
    return f"{bound} {limit}"


def _formula(catalog: Catalog, feature: Feature, scale: Normaliser) -> str:
    def said(*values: float) -> tuple[str, ...]:
        return tuple(feature_value(catalog, feature, value) for value in values)

    match scale:
        case Linear(zero, full):
            low, high = said(zero, full)
            return f"0 at {low}, 100 at {high}"
        case Bounded(zero, full):
            low, high = said(zero, full)
            return f"0 at {low}, 100 at {high}, no say beyond"
        case Threshold(good, poor):
            best, worst = said(good, poor)
            return f"100 at {best}, 0 at {worst}, 60 between"
        case Criteria(acceptable, highest):
            least, best = said(acceptable, highest)
            return f"100 at {best}, 50 from {least}, 0 {'below' if highest >= acceptable else 'above'} it"
        case TargetRatio(target, "", lower_is_better=lower):
            wanted = said(target)[0]
            return f"100 x {wanted} / it, at most 100" if lower else f"100 x it / {wanted}, at most 100"
        case Piecewise(points):
            return ", ".join(f"{number(mark)} at {said(value)[0]}" for value, mark in points)
        case Categorical(words):
            return ", ".join(f"{word}: {number(mark)}" for word, mark in words)
        case Rank() | Spread():
            return _relative(catalog, feature, scale)
    return ""


def _relative(catalog: Catalog, feature: Feature, scale: Rank | Spread) -> str:
    worse = "above" if scale.lower_is_better else "below"
    if isinstance(scale, Rank):
        text = f"the share of {_PEERS[scale.among]} that do no better, of 100"
        text += ", in tenths rounded up" if scale.scale == 10 else ""
    else:
        ends = (scale.winsorise, 1 - scale.winsorise)
        worst, best = reversed(ends) if scale.lower_is_better else ends
        text = f"of {_PEERS[scale.among]}, 0 at the value of rank {share(worst)}, 100 at that of {share(best)}"
    if scale.otherwise is not None:
        text += f"; with fewer than 20 to compare: {_formula(catalog, feature, scale.otherwise)}"
    floor = "" if scale.floor is None else f"; 0 {worse} {feature_value(catalog, feature, scale.floor)}"
    return text + floor


def title_with_capital(catalog: Catalog, metric: ScoredMetric) -> str:
    """A scored metric's title as the beginning of a sentence."""
    title = feature_title(catalog, metric.feature)
    return title[:1].upper() + title[1:]
