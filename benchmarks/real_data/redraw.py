"""The arms drawn again, many times over, for the same accounts and outcomes.

Nobody was treated, so what became of an account does not depend on its arm: each drawing is an experiment of its own
whose true effect is zero. Of 95 % intervals about one in twenty may exclude it.
"""

from collections import Counter
from dataclasses import replace
from typing import Any, Final

from benchmarks.real_data.product import WORKSPACE, Product
from engine.definitions.bundle import Bundle
from engine.effect.estimate import Outcome, estimate
from engine.evaluation.holdout import arm
from engine.store.files import check
from engine.terms import Arm, OutcomeState

TIMES: Final = 1_000


def redrawn(product: Product, times: int = TIMES) -> list[dict[str, Any]]:
    """For each experiment: how many drawings gave an interval, how many of these exclude zero on either side, and
    their middle, in points."""
    bundle = check(str(WORKSPACE))[0].bundle
    if bundle is None:
        raise SystemExit(f"{WORKSPACE} does not check")
    outcomes = _outcomes(product)
    shown, above, below, total = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for number in range(times):
        for effect in estimate(bundle, _drawn(bundle, outcomes, number)):
            if effect.interval is not None:
                shown[effect.rule] += 1
                above[effect.rule] += effect.interval.low > 0
                below[effect.rule] += effect.interval.high < 0
                total[effect.rule] += round(effect.interval.uplift * 1e6)
    return [
        {"rule": rule, "drawings": count, "above": above[rule], "below": below[rule], "mean": total[rule] / count / 1e4}
        for rule, count in sorted(shown.items())
    ]


def _outcomes(product: Product) -> list[tuple[str, Outcome]]:
    """Every judged outcome with the key of its account, which is what arms are drawn by."""
    rows = product.ask(
        "SELECT key, account_id, rule, playbook, state, decided_on FROM outcomes "
        "JOIN accounts ON accounts.id = account_id WHERE state <> 'due'"
    )
    return [
        (key, Outcome(account, rule, playbook, Arm.TREATED, OutcomeState(state), day))
        for key, account, rule, playbook, state, day in rows
    ]


def _drawn(bundle: Bundle, outcomes: list[tuple[str, Outcome]], number: int) -> list[Outcome]:
    # The product's own draw, salted by another name of the playbook.
    return [
        replace(
            one,
            arm=arm(bundle.rules[one.rule].guard.hold_out, one.rule, f"{one.playbook} {number}", key, one.decided_on),
        )
        for key, one in outcomes
    ]
