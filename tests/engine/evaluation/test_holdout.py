"""Arms: stable, nested, independent between experiments, drawn anew each rotation."""

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.rule import HoldOut
from engine.evaluation.holdout import arm, draw
from engine.terms import Arm


def held_out(share: float, rule: str = "low", playbook: str = "help", day: int = 20_000, rotate: int = 180) -> set[int]:
    hold_out = HoldOut(share, rotate=rotate)
    return {at for at in range(4_000) if arm(hold_out, rule, playbook, f"account-{at}", day) is Arm.HELD_OUT}


def test_without_a_hold_out_everybody_is_treated() -> None:
    assert arm(None, "low", "help", "a", 20_000) is Arm.TREATED


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1.0])
def test_about_the_share_is_held_out(share: float) -> None:
    assert len(held_out(share)) / 4_000 == pytest.approx(share, abs=0.02)


def test_raising_the_share_only_adds_accounts() -> None:
    assert held_out(0.1) < held_out(0.3)


def test_another_rule_or_playbook_draws_independently() -> None:
    first = held_out(0.3)
    for other in (held_out(0.3, rule="high"), held_out(0.3, playbook="visit")):
        assert len(first & other) / 4_000 == pytest.approx(0.09, abs=0.02)


def test_arms_are_drawn_anew_each_rotation_and_only_then() -> None:
    assert held_out(0.3, day=180 * 111) == held_out(0.3, day=180 * 112 - 1)
    assert len(held_out(0.3, day=180 * 111) & held_out(0.3, day=180 * 112)) / 4_000 == pytest.approx(0.09, abs=0.02)


@settings(max_examples=50, deadline=None)
@given(st.text(), st.text(), st.text(), st.integers(0, 1_000))
def test_a_draw_is_a_number_from_0_to_below_1(rule: str, playbook: str, key: str, rotation: int) -> None:
    assert 0 <= draw(rule, playbook, key, rotation) < 1
    assert draw(rule, playbook, key, rotation) == draw(rule, playbook, key, rotation)


def test_a_draw_is_the_same_on_every_machine() -> None:
    """A changed draw would move accounts between the arms of running experiments."""
    assert draw("seats-unused", "seat-activation", "acme", 111) == pytest.approx(DRAWN, abs=1e-15)


DRAWN = 0.866201629204652
