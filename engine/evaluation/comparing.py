"""What a change of the definitions does to the portfolio: two evaluations of the same moment, side by side.

Whom a rule fires for and which tier an account is in are compared; starts, hold-outs and refusals are those of the
plan by the new definitions. Nothing here knows files: `engine.definitions.differing` compares those.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from engine.evaluation.columns import Flags
from engine.evaluation.deciding import Decision, Plan
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.scoring import TIERS
from engine.terms import DecisionKind, Reason, Verdict

TIER_SHARE: Final = 0.10
"""More than this share of the accounts changing tier at once is asked about first."""
FEW: Final = 10
"""As many accounts may always change tier: in a small portfolio a tenth is nobody."""


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What changes for one rule, as keys of accounts. ``stops``: those it no longer fires for.

    ``refused`` are the plan's refusals. ``was_there`` and ``is_there``: whether the definitions before and after have
    the rule at all.
    """

    was_there: bool
    is_there: bool
    fires: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    starts: tuple[Decision, ...] = ()
    held_out: tuple[Decision, ...] = ()
    refused: tuple[Decision, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to tell of the rule."""
        lists = (self.fires, self.stops, self.starts, self.held_out, self.refused)
        return self.was_there == self.is_there and not any(lists)


@dataclass(frozen=True, slots=True)
class TierMove:
    """An account whose tier differs; empty where it has none."""

    account: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change does: by rule, and by scorecard that both definitions have. ``accounts``: how many there are."""

    accounts: int
    rules: Mapping[str, RuleEffect]
    tiers: Mapping[str, tuple[TierMove, ...]]


@dataclass(frozen=True, slots=True)
class Blast:
    """What goes beyond what may happen without somebody saying so: ``asks`` are sentences, ``size`` counts accounts."""

    size: int = 0
    asks: tuple[str, ...] = field(default=())


def compare(before: Evaluation | None, after: Evaluation, plan: Plan) -> Effect:
    """The effect of going over from ``before`` (None: nothing was in force) to ``after``, over the same accounts."""
    old = before.rules if before else {}
    decisions: dict[str, list[Decision]] = {}
    for decision in plan.decisions:
        decisions.setdefault(decision.rule, []).append(decision)
    rules = {name: _rule(name, before, after, decisions.get(name, [])) for name in sorted({*old, *after.rules})}
    return Effect(len(after.facts.accounts), rules, _tiers(before, after))


def _rule(name: str, before: Evaluation | None, after: Evaluation, decided: list[Decision]) -> RuleEffect:
    held, holds = _firing(before, name, after), _firing(after, name, after)
    keys = after.facts.accounts.keys
    return RuleEffect(
        was_there=before is not None and name in before.rules,
        is_there=name in after.rules,
        fires=tuple(keys[row] for row in np.flatnonzero(holds & ~held).tolist()),
        stops=tuple(keys[row] for row in np.flatnonzero(held & ~holds).tolist()),
        starts=tuple(one for one in decided if one.kind is DecisionKind.START),
        held_out=tuple(one for one in decided if one.kind is DecisionKind.HOLD_OUT),
        refused=tuple(one for one in decided if one.kind is DecisionKind.REFUSE),
    )


def _firing(evaluation: Evaluation | None, name: str, like: Evaluation) -> Flags:
    if evaluation is None or name not in evaluation.rules:
        return np.zeros(len(like.facts.accounts), dtype=np.bool_)
    return np.asarray(evaluation.rules[name] == Verdict.HOLDS)


def _tiers(before: Evaluation | None, after: Evaluation) -> dict[str, tuple[TierMove, ...]]:
    if before is None:
        return {}
    found: dict[str, tuple[TierMove, ...]] = {}
    keys = after.facts.accounts.keys
    for name in after.scores:
        if name not in before.scores:
            continue
        old, new = before.scores[name].tier, after.scores[name].tier
        moved = np.flatnonzero(old != new).tolist()
        found[name] = tuple(TierMove(keys[row], _tier(old[row]), _tier(new[row])) for row in moved)
    return found


def _tier(code: np.int8) -> str:
    return "" if code < 0 else TIERS[code].value


def blast_of(effect: Effect, before: Plan | None, after: Plan) -> Blast:
    """What the change does beyond the limits. ``before``: what the definitions in force would plan at this moment;
    a rule that is stopped at its limit under them already is not stopped by the change."""
    asks: list[str] = []
    size = 0
    stopped = _stopped(before)
    for rule, count in _stopped(after).items():
        if count > stopped.get(rule, 0):
            size += count
            asks.append(f"rule {rule} would go beyond its limit for {count} accounts: {after.asks.get(rule, '')}")
    most = max(FEW, int(effect.accounts * TIER_SHARE))
    for card, moves in effect.tiers.items():
        if len(moves) > most:
            size += len(moves)
            asks.append(
                f"scorecard {card} would move {len(moves)} of {effect.accounts} accounts to another tier "
                f"(more than {most} are asked about)"
            )
    return Blast(size, tuple(asks))


def _stopped(plan: Plan | None) -> dict[str, int]:
    found: dict[str, int] = {}
    for decision in plan.decisions if plan else ():
        if decision.reason is Reason.BLAST_RADIUS:
            found[decision.rule] = found.get(decision.rule, 0) + 1
    return found
