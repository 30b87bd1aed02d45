"""The effect of every experiment: its arms counted, compared, and put into a sentence.

The unit is the account, by intention to treat: an account counts in the arm it was drawn in, whatever was then done
with its run. Of several outcomes of one account in one drawing of arms only the first counts, because whether there
is a second depends on what became of the first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.definitions.bundle import Bundle
from engine.definitions.rule import HoldOut
from engine.effect.uplift import ENOUGH, MISMATCH, Interval, Proportion, needed_per_arm, newcombe, ratio_p
from engine.effect.wording import percent
from engine.terms import Arm, OutcomeState


@dataclass(frozen=True, slots=True)
class Outcome:
    """A judged outcome as the estimate reads it. ``decided_on``: days since 1970-01-01."""

    account_id: int
    rule: str
    playbook: str
    arm: Arm
    state: OutcomeState
    decided_on: int


@dataclass(frozen=True, slots=True)
class ArmCount:
    """The outcomes of one arm: ``accounts`` in all, of them ``met`` and ``unknown``."""

    accounts: int
    met: int
    unknown: int

    @property
    def known(self) -> Proportion:
        """What the comparison reads: met of known."""
        return Proportion(self.met, self.accounts - self.unknown)


@dataclass(frozen=True, slots=True)
class Effect:
    """What one experiment says so far. ``interval`` is None while there is not enough data; ``sentence`` says so."""

    rule: str
    playbook: str
    treated: ArmCount
    held_out: ArmCount
    interval: Interval | None
    sentence: str
    warnings: tuple[str, ...] = ()


def estimate(bundle: Bundle, outcomes: Iterable[Outcome]) -> tuple[Effect, ...]:
    """The effect of every experiment of the bundle or of ``outcomes``, ordered by rule and playbook.

    Outcomes that are still due are left out. An experiment without any outcome is there too: not enough data.
    """
    groups: dict[tuple[str, str], list[Outcome]] = {experiment: [] for experiment in experiments(bundle)}
    for outcome in outcomes:
        if outcome.state is not OutcomeState.DUE:
            groups.setdefault((outcome.rule, outcome.playbook), []).append(outcome)
    return tuple(_effect(bundle, *experiment, group) for experiment, group in sorted(groups.items()))


def experiments(bundle: Bundle) -> tuple[tuple[str, str], ...]:
    """Every rule with every playbook it can start, if it holds accounts out; ordered, each once."""
    found = {
        (rule.name, action.playbook)
        for rule in bundle.rules.values()
        if rule.guard.hold_out is not None
        for action in rule.actions
    }
    return tuple(sorted(found))


def firsts(outcomes: Iterable[Outcome], rotate: int) -> tuple[Outcome, ...]:
    """The first outcome of each account in each drawing of arms (anew every ``rotate`` days; 0: never)."""
    found: dict[tuple[int, int], Outcome] = {}
    for outcome in sorted(outcomes, key=lambda each: (each.decided_on, each.account_id)):
        found.setdefault((outcome.account_id, outcome.decided_on // rotate if rotate > 0 else 0), outcome)
    return tuple(found.values())


def _effect(bundle: Bundle, rule: str, playbook: str, outcomes: Sequence[Outcome]) -> Effect:
    declared = bundle.rules.get(rule)
    hold_out = declared.guard.hold_out if declared is not None else None
    counted = firsts(outcomes, hold_out.rotate if hold_out is not None else 0)
    states = {arm: Counter(each.state for each in counted if each.arm is arm) for arm in Arm}
    treated, held_out = _count(states[Arm.TREATED]), _count(states[Arm.HELD_OUT])
    interval = None
    if min(treated.known.known, held_out.known.known) >= ENOUGH:
        interval = newcombe(treated.known, held_out.known)
    sentence = _said(playbook, interval) if interval is not None else _too_little(treated, held_out)
    return Effect(rule, playbook, treated, held_out, interval, sentence, _warnings(treated, held_out, hold_out))


def _count(states: Mapping[OutcomeState, int]) -> ArmCount:
    accounts = sum(states.values())
    return ArmCount(accounts, states.get(OutcomeState.MET, 0), states.get(OutcomeState.UNKNOWN, 0))


def _said(playbook: str, interval: Interval) -> str:
    span = f"{_points(interval.uplift)} points, 95 % interval {_points(interval.low)} to {_points(interval.high)}"
    if not interval.excludes_zero:
        return f"{playbook}: no difference shown in the share that met the goal ({span})"
    helped = "helps: more" if interval.low > 0 else "does harm: fewer"
    return f"{playbook} {helped} accounts met the goal with it than without ({span})"


def _points(share: float) -> str:
    return f"{share * 100:+.1f}"


def _too_little(treated: ArmCount, held_out: ArmCount) -> str:
    base = held_out if held_out.known.known else treated
    needed = needed_per_arm(base.known.rate if base.known.known else 0.5)
    return (
        f"not enough data: {treated.known.known} treated and {held_out.known.known} held-out accounts are judged; "
        f"you would need about {needed} accounts per arm to see a difference of 10 points"
    )


def _warnings(treated: ArmCount, held_out: ArmCount, hold_out: HoldOut | None) -> tuple[str, ...]:
    return tuple(filter(None, (_sizes(treated, held_out, hold_out), _unknowns(treated, held_out))))


def _sizes(treated: ArmCount, held_out: ArmCount, hold_out: HoldOut | None) -> str:
    if hold_out is None or ratio_p(treated.accounts, held_out.accounts, hold_out.share) >= MISMATCH:
        return ""
    total = treated.accounts + held_out.accounts
    seen = f"{held_out.accounts} of {total} accounts are held out, {percent(hold_out.share)} was declared"
    return f"the arms do not have the sizes that were drawn: {seen}; find out why before you believe the effect"


def _unknowns(treated: ArmCount, held_out: ArmCount) -> str:
    if min(treated.accounts, held_out.accounts) < ENOUGH:
        return ""
    lost, gone = (Proportion(arm.unknown, arm.accounts) for arm in (treated, held_out))
    if not newcombe(lost, gone, 1 - MISMATCH).excludes_zero:
        return ""
    seen = f"{percent(lost.rate)} of the treated and {percent(gone.rate)} of the held-out accounts"
    return f"the outcome is unknown for {seen}: what is missing may differ between the arms, so distrust the effect"
