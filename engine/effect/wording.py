"""Outcomes in words: what was measured, what was needed, and why something cannot be known."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.feature import Feature, ValueType, Window
from engine.definitions.rule import Bound, Success

_EPOCH: Final = date(1970, 1, 1).toordinal()
_BOUNDS: Final[Mapping[Bound, str]] = {
    "below": "below",
    "at_most": "at most",
    "above": "above",
    "at_least": "at least",
}


def iso(day: int) -> str:
    """A day (since 1970-01-01) as ISO date."""
    return date.fromordinal(_EPOCH + day).isoformat()


def percent(share: float) -> str:
    """A share as people write it, with at most one decimal: ``64 %``."""
    return f"{share * 100:.1f}".rstrip("0").rstrip(".") + " %"


def feature_sentence(catalog: Catalog, success: Success, baseline: float | None, value: float, day: int) -> str:
    """What a feature was on the due day against what the criterion asks (``value`` NaN: unknown)."""
    feature = success.feature or Feature("")
    if np.isnan(value):
        return f"{feature.name} is not known on {iso(day)}: the data is missing"
    shown = _shown(catalog, feature, value)
    if success.limit is not None:
        needed = f"{_BOUNDS[success.limit.bound]} {_shown(catalog, feature, success.limit.value)}"
        return f"{feature.name} was {shown} on {iso(day)}; {needed} was needed"
    if not baseline:
        return f"{feature.name} was {shown} on {iso(day)}, but there is no value at the decision to compare it with"
    change = (value - baseline) / abs(baseline)
    return (
        f"{feature.name} went from {_shown(catalog, feature, baseline)} to {shown} by {iso(day)}, "
        f"a change of {_signed(change)}; {_signed(success.change or 0.0)} was needed"
    )


def event_sentence(event: str, decided_on: int, due_on: int, verdict: int) -> str:
    """Whether such an event happened after the decision and in time."""
    if verdict == 0:
        return f'the account is no longer there, so nobody knows whether "{event}" happened'
    happened = "happened" if verdict > 0 else "did not happen"
    return f'"{event}" {happened} after {iso(decided_on)} and by {iso(due_on)}'


def condition_sentence(day: int, verdict: int) -> str:
    """Whether the condition of the criterion held on the due day."""
    if verdict == 0:
        return f"the condition for success cannot be judged on {iso(day)}: data it reads is missing"
    return f"the condition for success {'holds' if verdict > 0 else 'does not hold'} on {iso(day)}"


def _signed(share: float) -> str:
    return ("+" if share >= 0 else "") + percent(share)


def _shown(catalog: Catalog, feature: Feature, value: float) -> str:
    metric = catalog.metrics.get(feature.metric)
    if feature.window is Window.CHANGE or (metric is not None and metric.type is ValueType.SHARE):
        return percent(value)
    digits = metric.decimals if metric is not None and feature.window is not Window.MEAN else 1
    return f"{value:.{digits}f}"
