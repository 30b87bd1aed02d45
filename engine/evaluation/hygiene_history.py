"""What only a history shows (codes H02x): rules that never or always fire, metrics that say the same thing twice."""

from collections.abc import Iterator
from itertools import combinations
from typing import Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.problem import Problem
from engine.evaluation.columns import Flags, Floats
from engine.evaluation.hygiene import unwaived
from engine.evaluation.replaying import Replay
from engine.terms import Verdict

ALIKE: Final = 0.95
ENOUGH: Final = 20
"""Accounts with both values that a correlation needs."""
ALWAYS: Final = 0.95
SOME: Final = 5
"""Accounts that two rules must have fired for before they are compared."""


def hygiene_of(bundle: Bundle, replay: Replay) -> tuple[Problem, ...]:
    """Every finding of a replayed history that no file waives."""
    found = [*_rules(bundle, replay), *_together(bundle, replay), *_alike(bundle, replay)]
    return unwaived(found, bundle.texts)


def _rules(bundle: Bundle, replay: Replay) -> Iterator[Problem]:
    span = f"on {len(replay.days)} days of the last {int(replay.days[-1] - replay.days[0]) + 1}"
    for rule in bundle.rules.values():
        said = replay.rules[rule.name][replay.here]
        known, firing = said != Verdict.UNKNOWN, said == Verdict.HOLDS
        if not known.any():
            message = f'"{rule.name}" was unknown for every account {span}'
            yield Problem(rule.place, "H022", message, "`backcast why ACCOUNT RULE` names the data that is missing")
        elif not firing.any():
            message = f'"{rule.name}" fired for no account {span}'
            yield Problem(
                rule.place, "H020", message, "its limit may be out of reach: look at the values in the metric"
            )
        elif firing[known].mean() >= ALWAYS:
            message = f'"{rule.name}" fired for {firing[known].mean():.0%} of the accounts {span}'
            yield Problem(rule.place, "H021", message, "what fires for all says nothing about one: tighten its limit")


def _together(bundle: Bundle, replay: Replay) -> Iterator[Problem]:
    """Rules with a playbook in common that nearly always fire for the same accounts."""
    for one, other in combinations(bundle.rules.values(), 2):
        shared = {action.playbook for action in one.actions} & {action.playbook for action in other.actions}
        if not shared:
            continue
        both = [(replay.rules[rule.name] == Verdict.HOLDS) & replay.here for rule in (one, other)]
        either, together = (both[0] | both[1]).any(axis=0), (both[0] & both[1]).any(axis=0)
        if either.sum() >= SOME and together.sum() >= ALWAYS * either.sum():
            message = f'"{other.name}" and "{one.name}" fire for the same accounts and start "{min(shared)}"'
            yield Problem(other.place, "H024", message, "make them one rule, or give their actions a for:")


def _alike(bundle: Bundle, replay: Replay) -> Iterator[Problem]:
    for card in bundle.scorecards.values():
        names = [metric.name for metric in card.metrics if metric.name in replay.metrics]
        for first, second in combinations(names, 2):
            close = correlation(replay.metrics[first][-1], replay.metrics[second][-1], replay.here[-1])
            if close is not None and abs(close) >= ALIKE:
                place = next(metric.place for metric in card.metrics if metric.name == second)
                message = f'"{first}" and "{second}" say the same of the accounts (correlation {close:.2f})'
                yield Problem(place, "H023", message, "together they count twice: score one of them")


def correlation(first: Floats, second: Floats, here: Flags) -> float | None:
    """Pearson's correlation over the accounts with both values; None where too few have, or one never varies."""
    both = here & ~np.isnan(first) & ~np.isnan(second)
    if both.sum() < ENOUGH or not np.ptp(first[both]) or not np.ptp(second[both]):
        return None
    return float(np.corrcoef(first[both], second[both])[0, 1])
