"""The order of attention: worked out by hand, part by part."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from engine.evaluation.columns import Floats
from engine.evaluation.priority import Assumptions, Priority, Stakes, prioritise, urgency_of

NAN = float("nan")


def stakes(size: int = 1, **given: list[float]) -> Stakes:
    known: dict[str, Floats] = {
        name: np.full(size, value)
        for name, value in {
            "arr": 10_000.0,
            "renewal": 60.0,
            "loss": 0.2,
            "save": 0.5,
            "grow": 0.0,
            "waiting": 0.0,
        }.items()
    }
    tier = np.array(given.pop("tier", [1.0] * size), dtype=np.int8)
    return Stakes(**{**known, **{name: np.array(values) for name, values in given.items()}}, tier=tier)


def only(**given: list[float]) -> Priority:
    return prioritise(stakes(1, **given))


def test_risk_is_arr_times_loss_times_save_times_urgency() -> None:
    """S0-05: the order equals the documented formula. 10,000 x 0.2 x 0.5 x 1 = 1,000."""
    assert only().priority[0] == pytest.approx(1_000.0)


def test_urgency_rises_in_a_straight_line_from_180_to_60_days() -> None:
    """Half way, at 120 days: 0.3 + 0.7 / 2 = 0.65; past due as urgent as today, unknown not urgent."""
    found = urgency_of(np.array([400.0, 180.0, 120.0, 60.0, 5.0, -3.0, NAN]))
    assert found == pytest.approx([0.3, 0.3, 0.65, 1.0, 1.0, 1.0, 0.3])


def test_of_equal_risks_the_account_with_more_arr_comes_first() -> None:
    """S1-25: effort goes to the customers most valuable to the business."""
    found = prioritise(stakes(3, arr=[5_000.0, 50_000.0, 20_000.0]))
    assert found.order() == [1, 2, 0]


def test_growth_ranks_by_what_can_be_won() -> None:
    """S0-06: 10,000 x 0.2 x 0.9 = 1,800 to win is more than 10,000 x 0.04 x 0.5 x 0.3 = 60 to lose."""
    found = only(loss=[0.04], renewal=[300.0], grow=[0.9])
    assert found.is_growth.tolist() == [True]
    assert found.priority[0] == pytest.approx(1_800.0)


def test_what_cannot_be_saved_goes_behind_what_can() -> None:
    """S3-08: an account that is likely lost whatever one does does not take the first place."""
    found = prioritise(stakes(2, loss=[0.9, 0.4], save=[0.05, 0.6]))
    assert found.order() == [1, 0]


def test_an_unknown_part_is_replaced_as_stated_and_said() -> None:
    found = prioritise(stakes(2, arr=[NAN, 8_000.0], loss=[NAN, NAN], tier=[0, -1]))
    assert found.arr.tolist() == [8_000.0, 8_000.0]
    assert found.loss.tolist() == [0.30, 0.12]
    assert found.assumed["arr"].tolist() == [True, False]
    assert found.assumed["loss"].tolist() == [True, True]
    assert found.assumed["save"].tolist() == [False, False]


def test_waiting_lifts_an_account_until_it_is_seen() -> None:
    """Nothing starves: at 10 a day an account worth 100 less comes first after ten days and one more."""
    both = stakes(2, arr=[10_000.0, 9_000.0], waiting=[0.0, 11.0])
    assert prioritise(both).order() == [0, 1]
    assert prioritise(both, Assumptions(ageing=10.0)).order() == [1, 0]


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=20), st.floats(0, 1), st.floats(-100, 400))
def test_the_order_does_not_depend_on_how_many_wrote_in(arr: list[float], loss: float, renewal: float) -> None:
    """S3-07: only stakes count. The order is that of the numbers, and every number follows from its own parts."""
    found = prioritise(stakes(len(arr), arr=arr, loss=[loss] * len(arr), renewal=[renewal] * len(arr)))
    by_hand = [each * loss * 0.5 * found.urgency[0] for each in arr]
    assert found.risk == pytest.approx(by_hand)
    assert [found.priority[row] for row in found.order()] == sorted(found.priority, reverse=True)
