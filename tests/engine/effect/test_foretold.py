"""How a rule would have warned: every figure by hand, on four accounts and six weekly cutoffs."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_array_equal

from engine.effect.backtest import by_week, falls, quartiles
from engine.effect.clusters import share
from engine.effect.foretold import Happened, alerts, follow, warned
from engine.effect.uplift import Proportion, wilson

DAYS = np.array([0, 7, 14, 21, 28, 35], dtype=np.int64)
FIRES, CLEAR, UNKNOWN = 1, -1, 0
VERDICTS = np.array(
    [
        # a0 churns on day 30 after two flags, a1 churns on day 40 unflagged, a2 is a false alarm twice, a3 is unknown
        [CLEAR, CLEAR, FIRES, UNKNOWN],
        [CLEAR, CLEAR, CLEAR, UNKNOWN],
        [FIRES, CLEAR, UNKNOWN, UNKNOWN],
        [FIRES, CLEAR, FIRES, UNKNOWN],
        [CLEAR, CLEAR, UNKNOWN, UNKNOWN],
        [CLEAR, CLEAR, FIRES, UNKNOWN],
    ],
    dtype=np.int8,
)
OUTCOMES = Happened(np.array([0, 1]), np.array([30, 40]), until=60)
HERE = np.ones((6, 4), dtype=bool)
HERE[5, 0] = False
CELLS = follow(OUTCOMES, DAYS, HERE, within=21)


def test_what_followed_is_known_only_where_the_horizon_has_been_seen() -> None:
    """The last cutoff's horizon ends on day 56; had the data ended on day 50, nobody would know."""
    assert CELLS.known.all(axis=1).tolist() == [True] * 5 + [False]
    short = follow(Happened(OUTCOMES.rows, OUTCOMES.days, until=50), DAYS, HERE, within=21)
    assert short.known[5].tolist() == [False, True, False, False], "that one churned on day 40 is known all the same"
    assert_array_equal(np.flatnonzero(CELLS.happened[:, 0]), [2, 3, 4])


def test_an_alert_is_the_beginning_and_unknown_in_between_is_no_end() -> None:
    assert_array_equal(np.argwhere(alerts(VERDICTS, HERE)), [[0, 2], [2, 0], [3, 2]])


def test_precision_recall_false_alarms_and_lead_are_what_a_hand_counts() -> None:
    """S0-07, S1-53: three alerts, one of them followed; of two who churned one was flagged, 16 days before."""
    found = warned(VERDICTS, CELLS, HERE, OUTCOMES)
    assert (found.alerts, found.unjudged, found.false_alarms) == (3, 0, 2)
    assert (found.precision.met, found.precision.known) == (1, 3)
    assert (found.recall.met, found.recall.known) == (1, 2)
    assert found.recall.low == pytest.approx(wilson(Proportion(1, 2))[0])
    assert found.leads.tolist() == [30 - 14]
    assert (found.caught.tolist(), found.missed.tolist(), found.hits.tolist()) == ([0], [1], [0])
    assert found.unknown.met == 6 + 2


def test_false_positives_count_cells_that_nothing_followed() -> None:
    """S1-53: a2 fires in three of the four cells of which its verdict is known; a0 and a1 never without cause."""
    found = warned(VERDICTS, CELLS, HERE, OUTCOMES)
    silent = {0: 2, 1: 3, 2: 4}  # a3 is unknown throughout, a2 twice
    assert found.false_positive_rate.known == sum(silent.values())
    assert found.false_positive_rate.met == 3


def test_a_flag_that_comes_after_counts_as_late_with_a_negative_lead() -> None:
    """S1-46: an indicator that follows the change it should announce is counted too, with its sign."""
    said = np.array([[CLEAR], [CLEAR], [CLEAR], [FIRES], [FIRES], [FIRES]], dtype=np.int8)
    outcomes = Happened(np.array([0]), np.array([17]), until=60)
    found = warned(said, follow(outcomes, DAYS, HERE[:, 1:2], 21), HERE[:, 1:2], outcomes)
    assert (found.leads.tolist(), found.late.tolist(), found.missed.tolist()) == ([], [-4], [0])


def test_a_fall_to_a_lower_tier_is_an_outcome_and_a_gap_is_none() -> None:
    """S1-46: the change of tier that an indicator should come before."""
    tiers = np.array([[2, 1], [2, -1], [1, 1], [-1, 2], [0, 2], [0, 2]], dtype=np.int8)
    found = falls(tiers, DAYS, 35)
    assert (found.rows.tolist(), found.days.tolist()) == ([0, 0], [14, 28])


def test_weeks_and_quartiles() -> None:
    leads = np.array([1, 7, 8, 14, 90], dtype=np.int64)
    assert by_week(leads, 4) == (2, 2, 0, 1)
    assert quartiles(leads) == (7.0, 8.0, 14.0)
    assert quartiles(np.zeros(0, dtype=np.int64)) is None


def test_one_account_that_is_wrong_every_week_is_not_many_mistakes() -> None:
    """The interval of 40 cells of 4 accounts is much wider than that of 40 accounts."""
    few = share(np.array([10.0, 0, 0, 10]), np.full(4, 10.0))
    many = share(np.repeat([1.0, 0, 0, 1], 10), np.ones(40))
    assert few.rate == many.rate == 0.5
    assert few.high - few.low > 2 * (many.high - many.low)


def test_nothing_known_is_no_zero() -> None:
    assert math.isnan(share(np.zeros(3), np.zeros(3)).rate)


@given(
    arrays.arrays(np.int8, (6, 4), elements=st.sampled_from([-1, 0, 1])),
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 80)), max_size=6, unique=True),
    st.integers(1, 40),
)
def test_figures_fit_together_whatever_happened(
    said: "np.ndarray[tuple[int, int], np.dtype[np.int8]]", happened: list[tuple[int, int]], within: int
) -> None:
    happened.sort()
    outcomes = Happened(
        np.array([row for row, _ in happened], dtype=np.int64),
        np.array([day for _, day in happened], dtype=np.int64),
        60,
    )
    here = np.ones((6, 4), dtype=bool)
    cells = follow(outcomes, DAYS, here, within)
    found = warned(said, cells, here, outcomes)
    assert found.precision.known + found.unjudged == found.alerts
    assert found.recall.met == len(found.leads) == len(found.caught_rows)
    assert all(0 < lead <= within for lead in found.leads.tolist())
    assert all(-within <= lead <= 0 for lead in found.late.tolist())
    assert not set(found.caught.tolist()) & set(found.missed.tolist())
    for one in (found.precision, found.recall, found.false_positive_rate, found.base_rate):
        if one.known:
            assert 0 <= one.low <= one.high <= 1
