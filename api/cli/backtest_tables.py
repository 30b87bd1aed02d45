"""A backtest on a terminal: rules, scorecards, signals, metrics, and what to keep in mind when reading them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from engine.effect.backtest import Backtest
from engine.effect.backtest_words import (
    DASH,
    lead_text,
    never_flagged,
    number,
    percent,
    remarks,
    share_text,
    summary,
)
from engine.effect.foretold import Warned
from engine.terms import Tier

SHOWN: Final = 10


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
    table = Table("rule", title="As a warning", title_justify="left")
    for name in ("alerts", "owner/week", "precision", "recall", "false alarms", "false pos.", "lead", "ARR caught"):
        table.add_column(name, justify="right")
    for one in found:
        for name, figures in one.rules.items():
            table.add_row(_labelled(name, one, found), *_warned(figures, one))
        for name, card in one.cards.items():
            label = f"{name}: {Tier.REQUIRES_ATTENTION.label}"
            table.add_row(_labelled(label, one, found), *_warned(card.attention, one))
    console.print(table)


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
    table = Table("scorecard", title="As a ranking", title_justify="left")
    for name in ("AUC", "avg. precision", "worst tenth", "all", *(tier.label for tier in Tier)):
        table.add_column(name, justify="right")
    for one in found:
        for name, card in one.cards.items():
            best = card.ranked
            auc = f"{number(best.auc)} ({number(best.low)}–{number(best.high)})"
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
    table = Table("signal", title=f"How often {found.frame.outcome} follows", title_justify="left")
    for name in ("when it fires", "when clear", "history says"):
        table.add_column(name, justify="right")
    for name, one in found.signals.items():
        table.add_row(name, share_text(one.firing), share_text(one.clear), one.verdict)
    console.print(table)


def _metrics(found: Backtest, console: Console) -> None:
    if not found.metrics:
        return
    table = Table("metric", title="How metrics bear on it", title_justify="left")
    for name in ("declared", "AUC", "ARR kept, worst third", "best third", "history says"):
        table.add_column(name, justify="right")
    declared = {1: "higher is better", -1: "lower is better", 0: DASH}
    for name, one in sorted(found.metrics.items(), key=lambda pair: -np.nan_to_num(pair[1].ranked.auc, nan=0.0)):
        kept = percent(one.kept_low), percent(one.kept_high)
        table.add_row(name, declared[one.sign], number(one.ranked.auc), *kept, one.verdict)
    console.print(table)


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
