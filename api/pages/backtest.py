"""A backtest as one page that needs nothing else: no script, no request, readable in light, dark and on a phone."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from api.pages import backtest_charts
from api.pages.rendering import ENVIRONMENT
from engine.effect.backtest import Backtest, by_week
from engine.effect.backtest_words import (
    interval_text,
    judged,
    lead_text,
    never_flagged,
    number,
    percent,
    remarks,
    share_text,
    silence,
    silent,
    summary,
    unjudged,
)
from engine.effect.clusters import Share
from engine.effect.foretold import WEEK, Warned
from engine.terms import Tier


def page(found: Sequence[Backtest]) -> str:
    """The page of one backtest, or of several sets of definitions over the same history."""
    first, quiet = found[0], silent(found)
    signals, metrics = judged(first.signals), judged(first.metrics)
    warned = [(name, figures, one) for one in found for name, figures in _warned(one) if name not in quiet]
    return ENVIRONMENT.get_template("backtest.html").render(
        found=found,
        first=first,
        summary=summary(first),
        remarks=remarks(first),
        several=len(found) > 1,
        warnings=[(_label(name, one, found), figures, one) for name, figures, one in warned],
        silence=silence(found),
        cards=[(_label(name, one, found), card) for one in found for name, card in one.cards.items()],
        leads=[(_label(name, one, found), *_leads(figures, one)) for name, figures, one in warned],
        metrics=sorted(metrics.items(), key=lambda pair: -np.nan_to_num(pair[1].ranked.auc, nan=0.0)),
        signals=sorted(signals.items(), key=lambda pair: math.isnan(pair[1].low)),
        unjudged={"signals": unjudged(first.signals, "signals"), "metrics": unjudged(first.metrics, "metrics")},
        reach=_reach([share for one in signals.values() for share in (one.firing, one.clear)]),
        tier_reach=_reach(
            [share for one in found for card in one.cards.values() for share in card.by_tier.tiers.values()]
        ),
        missed=_missed(first),
        tiers=tuple(Tier),
        say=_Words(),
        draw=backtest_charts,
    )


class _Words:
    """How figures are written; the template has no words of its own for them."""

    share = staticmethod(share_text)
    percent = staticmethod(percent)
    number = staticmethod(number)
    interval = staticmethod(interval_text)
    lead = staticmethod(lead_text)


def _warned(one: Backtest) -> list[tuple[str, Warned]]:
    attention = Tier.REQUIRES_ATTENTION.label
    return [*one.rules.items(), *((f"{name}: {attention}", card.attention) for name, card in one.cards.items())]


def _reach(shares: Iterable[Share]) -> float:
    """The largest share a chart has to show: outcomes are rare, and on a scale to 1 all bars would be dots."""
    return max((one.high for one in shares if one.known), default=1.0) or 1.0


def _label(name: str, one: Backtest, found: Sequence[Backtest]) -> str:
    return name if len(found) == 1 else f"{name} ({one.fingerprint[:8]})"


def _leads(figures: Warned, one: Backtest) -> tuple[tuple[int, ...], int]:
    return by_week(figures.leads, -(-one.frame.within // WEEK)), len(figures.late)


def _missed(first: Backtest) -> list[dict[str, Any]]:
    return [
        {"name": first.frame.names[row], "key": first.frame.keys[row], "arr": first.frame.arr[row]}
        for row in never_flagged(first)
    ]
