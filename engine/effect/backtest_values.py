"""All figures of a backtest as plain values: what ``--json`` prints. Unknown is null, days are ISO dates."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import numpy as np

from engine.effect.backtest import Backtest, CardFigures, quartiles
from engine.effect.clusters import Share
from engine.effect.foretold import Warned
from engine.effect.ranked import Bearing, Direction, Ranked
from engine.evaluation.columns import Ints

_EPOCH: Final = date(1970, 1, 1).toordinal()


def values_of(found: Backtest) -> dict[str, Any]:
    """One backtest."""
    frame = found.frame
    return {
        "fingerprint": found.fingerprint,
        "outcome": frame.outcome,
        "within_days": frame.within,
        "every_days": frame.every,
        "from": day_text(frame.first),
        "to": day_text(frame.last),
        "seen_until": day_text(found.until),
        "cutoffs": len(found.cutoffs),
        "customers": found.customers,
        "outcomes": found.outcomes,
        "outcomes_without_a_day": found.undated,
        "points_corrected_later": frame.corrected,
        "rules": {name: _warned(one, found) for name, one in found.rules.items()},
        "scorecards": {name: _card(one, found) for name, one in found.cards.items()},
        "signals": {name: _direction(one) for name, one in found.signals.items()},
        "metrics": {name: _bearing(one) for name, one in found.metrics.items()},
        "not_tested": {name: list(names) for name, names in found.untested.items()},
    }


def day_text(day: int) -> str:
    """A day since 1970-01-01 as an ISO date."""
    return date.fromordinal(day + _EPOCH).isoformat()


def _warned(one: Warned, found: Backtest) -> dict[str, Any]:
    return {
        "alerts": one.alerts,
        "alerts_too_recent_to_judge": one.unjudged,
        "alerts_per_owner_and_week": _round(found.alerts_per_owner(one)),
        "precision": _share(one.precision),
        "recall": _share(one.recall),
        "false_alarms": one.false_alarms,
        "false_positive_rate": _share(one.false_positive_rate),
        "base_rate": _share(one.base_rate),
        "unknown": _share(one.unknown),
        "lead_days": _leads(one.leads),
        "leads_by_account": _by_account(one, found),
        "late_days": [int(day) for day in one.late],
        "arr_caught": found.arr_of(one.caught),
        "arr_missed": found.arr_of(one.missed),
        "never_flagged": [found.frame.keys[row] for row in one.missed.tolist()],
    }


def _leads(leads: Ints) -> dict[str, Any]:
    middle = quartiles(leads)
    low, median, high = middle or (None, None, None)
    return {"count": len(leads), "lower_quartile": low, "median": median, "upper_quartile": high}


def _by_account(one: Warned, found: Backtest) -> list[dict[str, Any]]:
    """Each caught outcome with its lead, in the order of the accounts."""
    rows = one.caught_rows.tolist()
    return [
        {"account": found.frame.keys[row], "days": lead} for row, lead in zip(rows, one.leads.tolist(), strict=True)
    ]


def _card(one: CardFigures, found: Backtest) -> dict[str, Any]:
    return {
        "ranking": _ranked(one.ranked),
        "tiers": {tier: _share(each) for tier, each in one.by_tier.tiers.items()},
        "tiers_are_ordered": one.by_tier.is_ordered,
        "requires_attention_as_a_warning": _warned(one.attention, found),
    }


def _ranked(one: Ranked) -> dict[str, Any]:
    return {
        "cells": one.cells,
        "followed": one.happened,
        "auc": _round(one.auc),
        "auc_interval": _interval((one.low, one.high)),
        "average_precision": _round(one.average_precision),
        "precision_in_the_worst_tenth": _round(one.top),
    }


def _direction(one: Direction) -> dict[str, Any]:
    return {
        "followed_when_it_fires": _share(one.firing),
        "followed_when_clear": _share(one.clear),
        "difference_interval": _interval((one.low, one.high)),
        "verdict": one.verdict,
    }


def _bearing(one: Bearing) -> dict[str, Any]:
    return {
        "declared": {1: "higher is better", -1: "lower is better", 0: "neither"}[one.sign],
        "ranking": _ranked(one.ranked),
        "arr_kept_in_the_worst_third": _round(one.kept_low),
        "arr_kept_in_the_best_third": _round(one.kept_high),
        "verdict": one.verdict,
    }


def _share(one: Share) -> dict[str, Any]:
    return {"met": one.met, "of": one.known, "rate": _round(one.rate), "interval": _interval((one.low, one.high))}


def _interval(ends: Iterable[float]) -> list[float] | None:
    found = [float(end) for end in ends]
    return None if any(np.isnan(found)) else [round(end, 4) for end in found]


def _round(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
