"""A backtest on a terminal: rules, scorecards, signals, metrics, and what to keep in mind when reading them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from engine.effect.backtest import Backtest
from engine.effect.backtest_words import (
    DASH,
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
from engine.effect.foretold import Warned
from engine.terms import Tier

SHOWN: Final = 10
LONGEST: Final = 19
"""Columns for a name before it is folded."""


def show(found: Sequence[Backtest], console: Console) -> None:
    """Print one backtest, or several of the same history one below the other in each table."""
    first = found[0]
    console.print(summary(first))
    _rules(found, console)
    _cards(found, console)
    _signals(first, console)
    _metrics(first, console)
    _missed(first, console)
    for line in remarks(first):
        console.print(line)


def _rules(found: Sequence[Backtest], console: Console) -> None:
    heads = ("alerts", "per owner and week", "precision", "recall", "false alarms", "false pos.", "lead", "ARR caught")
    table, quiet = _table("rule", "As a warning", heads), silent(found)
    for one in found:
        for name in (name for name in one.rules if name not in quiet):
            figures = one.rules[name]
            table.add_row(_labelled(name, one, found), *_warned(figures, one))
        for name, card in one.cards.items():
            label = f"{name}: {Tier.REQUIRES_ATTENTION.label}"
            table.add_row(_labelled(label, one, found), *_warned(card.attention, one))
    if table.row_count:
        console.print(table)
    for line in silence(found):
        console.print(line)


def _table(first: str, title: str, heads: Sequence[str]) -> Table:
    """A table whose names are never cut off, and whose heads wrap between words only."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    table.add_column(first, overflow="fold", min_width=LONGEST, no_wrap=first != "rule")
    for name in heads:
        table.add_column(name, justify="right", overflow="fold", min_width=max(map(len, name.split())))
    return table


def _labelled(name: str, one: Backtest, found: Sequence[Backtest]) -> str:
    return name if len(found) == 1 else f"{name} ({one.fingerprint[:8]})"


def _warned(one: Warned, found: Backtest) -> tuple[str, ...]:
    return (
        str(one.alerts),
        f"{found.alerts_per_owner(one):.1f}",
        share_text(one.precision),
        share_text(one.recall),
        str(one.false_alarms),
        percent(one.false_positive_rate.rate),
        lead_text(one),
        f"{found.arr_of(one.caught):,.0f}",
    )


def _cards(found: Sequence[Backtest], console: Console) -> None:
    if not any(one.cards for one in found):
        return
    heads = ("AUC", "avg. precision", "worst tenth", "all", *(tier.label for tier in Tier))
    table = _table("scorecard", "As a ranking", heads)
    for one in found:
        for name, card in one.cards.items():
            best = card.ranked
            auc = interval_text(best.auc, best.low, best.high)
            base = best.happened / best.cells if best.cells else float("nan")
            tiers = [share_text(each) for each in card.by_tier.tiers.values()]
            table.add_row(
                _labelled(name, one, found),
                auc,
                number(best.average_precision),
                percent(best.top),
                percent(base),
                *tiers,
            )
    console.print(table)


def _signals(found: Backtest, console: Console) -> None:
    if not found.signals:
        return
    heads = ("when it fires", "when clear", "history says")
    table = _table("signal", f"How often {found.frame.outcome} follows", heads)
    for name, one in judged(found.signals).items():
        table.add_row(name, share_text(one.firing), share_text(one.clear), one.verdict)
    _print(table, unjudged(found.signals, "signals"), console)


def _print(table: Table, rest: str, console: Console) -> None:
    if table.row_count:
        console.print(table)
    if rest:
        console.print(rest)


def _metrics(found: Backtest, console: Console) -> None:
    if not found.metrics:
        return
    heads = ("declared", "AUC", "ARR kept, worst third", "best third", "history says")
    table, shown = _table("metric", "How metrics bear on it", heads), judged(found.metrics)
    declared = {1: "higher is better", -1: "lower is better", 0: DASH}
    for name, one in sorted(shown.items(), key=lambda pair: -np.nan_to_num(pair[1].ranked.auc, nan=0.0)):
        kept = percent(one.kept_low), percent(one.kept_high)
        table.add_row(name, declared[one.sign], number(one.ranked.auc), *kept, one.verdict)
    _print(table, unjudged(found.metrics, "metrics"), console)


def _missed(found: Backtest, console: Console) -> None:
    if not found.rules:
        return
    never = never_flagged(found)
    if not never:
        console.print(f"Every account with the outcome {found.frame.outcome} was flagged by some rule before.")
        return
    shown = ", ".join(found.frame.names[row] for row in never[:SHOWN])
    more = f" and {len(never) - SHOWN} more" if len(never) > SHOWN else ""
    lost = f"ARR {found.arr_of(np.array(never)):,.0f}"
    console.print(f"Never flagged before by any of these rules, the largest first ({lost}): {shown}{more}")
