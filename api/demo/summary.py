"""What the demo has to show: figures for a program, and the same for people."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.simulation.truth import true_uplift
from engine.store.overview import Measured, Overview
from engine.terms import Reason, Tier

_COLOURS = {Tier.REQUIRES_ATTENTION: "red", Tier.TAKE_NOTICE: "yellow", Tier.DOING_WELL: "green"}
_WIDTH = 30


def as_json(seen: Overview, address: str) -> dict[str, Any]:
    """The one object that ``demo --json`` prints."""
    return {
        "accounts": seen.accounts,
        "points": seen.points,
        "signals_firing": seen.signals_firing,
        "tiers": {tier or "insufficient_data": count for tier, count in seen.tiers.items()},
        "decisions": seen.decisions,
        "refusals": seen.refusals,
        "runs": seen.runs,
        "deliveries": seen.deliveries,
        "reports": seen.reports,
        "effects": [_effect(effect) for effect in seen.effects],
        "address": address,
    }


def tables(seen: Overview) -> RenderableType:
    """The figures as a person reads them."""
    return Group(_tiers(seen), Text(), _counts(seen), Text(), _effects(seen))


def _effect(effect: Measured) -> dict[str, Any]:
    truth = true_uplift(effect.rule, effect.playbook)
    return {
        "rule": effect.rule,
        "playbook": effect.playbook,
        "treated": effect.treated,
        "held_out": effect.held_out,
        "uplift": effect.uplift,
        "low": effect.low,
        "high": effect.high,
        "true_uplift": None if truth is None else round(truth, 6),
    }


def _tiers(seen: Overview) -> Table:
    table = Table(title=f"{seen.accounts:,} accounts, {seen.points:,} points", title_justify="left", box=None)
    table.add_column("tier")
    table.add_column("accounts", justify="right")
    table.add_column("")
    most = max(seen.tiers.values(), default=0) or 1
    for tier in reversed(Tier):
        count = seen.tiers[tier.value]
        bar = Text("█" * round(_WIDTH * count / most), style=_COLOURS[tier])
        table.add_row(tier.label, f"{count:,}", bar)
    table.add_row("Insufficient data", f"{seen.tiers[None]:,}", Text("░" * round(_WIDTH * seen.tiers[None] / most)))
    if rest := seen.accounts - sum(seen.tiers.values()):
        table.add_row("Not scored: have left", f"{rest:,}", "")
    return table


def _counts(seen: Overview) -> Text:
    return Text("\n").join(Text(line) for line in _count_lines(seen))


def _count_lines(seen: Overview) -> Iterator[str]:
    decided, runs, sent = seen.decisions, seen.runs, seen.deliveries
    yield f"signals     {seen.signals_firing:,} firing where an account is inside the rule"
    yield f"decisions   {decided['start']:,} start, {decided['hold_out']:,} hold out, {decided['refuse']:,} refuse"
    for reason, count in sorted(seen.refusals.items()):
        yield f"              {count:,} refused: {Reason(reason).value.replace('_', ' ')}"
    yield "runs        " + ", ".join(f"{count} {state}" for state, count in runs.items())
    yield "deliveries  " + ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in sent.items())
    yield f"reports     {seen.reports} shared"


def _effects(seen: Overview) -> Table:
    table = Table(title="Effect: how many more of 100 accounts reach the goal", title_justify="left", box=None)
    begun = [effect for effect in seen.effects if effect.treated or effect.held_out]
    waiting = len(seen.effects) - len(begun)
    more = f" {waiting} more rules have judged nobody yet." if waiting else ""
    table.caption = f"One interval in twenty misses the truth; that is what 95 % means.{more}"
    table.caption_justify = "left"
    table.padding = (0, 1, 0, 0)
    table.add_column("rule → playbook", no_wrap=True)
    for column in ("treated", "held out", "effect", "95 % interval", "truth"):
        table.add_column(column, justify="right", no_wrap=True)
    for effect in begun:
        truth = true_uplift(effect.rule, effect.playbook)
        table.add_row(
            f"{effect.rule} → {effect.playbook}",
            str(effect.treated),
            str(effect.held_out),
            "" if effect.uplift is None else _points(effect.uplift),
            _interval(effect),
            "" if truth is None else _points(truth),
        )
    return table


def _interval(effect: Measured) -> str:
    if effect.low is None or effect.high is None:
        return "not enough data"
    return f"{_points(effect.low)} … {_points(effect.high)}"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"
