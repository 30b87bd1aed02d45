"""Scores and metrics as rankings, against hand counts and against data whose truth is known."""

import math

import numpy as np
import pytest

from engine.effect.foretold import Cells
from engine.effect.ranked import bearing, by_tier, direction, ranked
from engine.evaluation.accuracy import auc

SIZE, CUTOFFS = 300, 4


def cells(happened: np.ndarray) -> Cells:
    return Cells(np.arange(len(happened)) * 7, 90, happened, np.ones_like(happened))


def world(seed: int = 1) -> tuple[np.ndarray, Cells]:
    """A metric that is lower where the outcome follows, for most accounts."""
    generator = np.random.default_rng(seed)
    risk = generator.random(SIZE)
    happened = np.broadcast_to(generator.random(SIZE) < risk * 0.5, (CUTOFFS, SIZE))
    return 100 - 80 * np.broadcast_to(risk, (CUTOFFS, SIZE)) + generator.normal(0, 5, (CUTOFFS, SIZE)), cells(happened)


def test_a_ranking_is_judged_over_all_cells_with_an_interval_over_accounts() -> None:
    values, followed = world()
    found = ranked(-values, followed)
    assert found.auc == pytest.approx(auc(-values.ravel(), followed.happened.ravel()))
    assert found.low < found.auc < found.high
    assert found.low > 0.5
    assert (found.cells, found.happened) == (SIZE * CUTOFFS, int(followed.happened.sum()))


def test_what_is_unknown_is_not_ranked() -> None:
    values, followed = world()
    values[0] = np.nan
    assert ranked(-values, followed).cells == SIZE * (CUTOFFS - 1)
    assert math.isnan(ranked(-values, cells(np.zeros((CUTOFFS, SIZE), dtype=bool))).auc)


def test_a_metrics_declared_direction_is_held_against_history() -> None:
    """S0-04, S1-17: how a metric bears on what customers are worth, and whether it points where it is said to."""
    values, followed = world()
    arr = np.full(SIZE, 1000.0)
    as_declared, against = bearing(values, 1, followed, arr), bearing(values, -1, followed, arr)
    assert (as_declared.verdict, against.verdict) == ("as declared", "against what is declared")
    assert bearing(values, 0, followed, arr).verdict == "low values come before it"
    worst = values <= np.quantile(values, 1 / 3)
    assert as_declared.kept_low == pytest.approx(1 - followed.happened[worst].mean(), abs=0.02)
    assert as_declared.kept_low < as_declared.kept_high
    noise = np.random.default_rng(5).random((CUTOFFS, SIZE))
    assert bearing(noise, 1, followed, arr).verdict == "no bearing seen"


def test_a_signals_direction_is_held_against_history() -> None:
    """S1-17."""
    values, followed = world()
    said = np.where(values < 50, 1, -1).astype(np.int8)
    found = direction(said, followed)
    assert found.verdict == "more often when it fires"
    assert found.firing.rate == pytest.approx(followed.happened[said > 0].mean())
    assert direction(-said, followed).verdict == "less often when it fires"
    assert direction(np.ones_like(said), followed).verdict == "not enough history"


def test_tiers_say_how_often_the_outcome_followed() -> None:
    """Calibration by tier: a worse tier should be followed more often, and it is said when it is not."""
    values, followed = world()
    tiers = np.select([values < 40, values < 70], [0, 1], 2).astype(np.int8)
    found = by_tier(tiers, followed)
    assert found.is_ordered
    assert found.tiers["requires_attention"].rate == pytest.approx(followed.happened[tiers == 0].mean())
    assert not by_tier((2 - tiers).astype(np.int8), followed).is_ordered
