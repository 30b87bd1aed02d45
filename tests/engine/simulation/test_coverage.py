"""The measuring is right on the whole: intervals cover the known truth as often as they promise, and no more.

`benchmarks/effect_coverage.py` does the same with 400 histories of 4,000 accounts. The bounds here follow from the
binomial distribution of so many intervals; a right estimator misses each of them once in a thousand choices of seeds.
"""

from dataclasses import dataclass
from math import comb

import pytest

from engine.definitions.bundle import Bundle
from engine.simulation.history import run_history

REPETITIONS, ACCOUNTS = 50, 1000
SURELY = 0.0005


@dataclass(frozen=True, slots=True)
class Seen:
    """One interval beside the truth."""

    truth: float
    uplift: float
    low: float
    high: float

    def covers(self, value: float) -> bool:
        return self.low <= value <= self.high


@pytest.fixture(scope="module")
def seen(measuring: Bundle) -> list[Seen]:
    found = []
    for seed in range(REPETITIONS):
        history = run_history(measuring, seed, ACCOUNTS)
        assert history.strays == 0
        for effect in history.effects:
            if effect.interval is not None:
                span, truth = effect.interval, history.truth[effect.rule, effect.playbook]
                found.append(Seen(truth, span.uplift, span.low, span.high))
    return found


def bounds(number: int, chance: float) -> tuple[int, int]:
    """Counts below and above which a binomial variable lies with a probability of `SURELY` each at most."""
    weights = [comb(number, k) * chance**k * (1 - chance) ** (number - k) for k in range(number + 1)]
    low = next(k for k in range(number + 1) if sum(weights[: k + 1]) > SURELY)
    high = next(k for k in range(number, -1, -1) if sum(weights[k:]) > SURELY)
    return low, high


def test_nearly_every_experiment_has_an_interval(seen: list[Seen]) -> None:
    assert len(seen) >= 0.98 * 6 * REPETITIONS


def test_the_intervals_cover_the_truth_as_often_as_they_promise(seen: list[Seen]) -> None:
    """S2-51."""
    low, high = bounds(len(seen), 0.95)
    assert low <= sum(each.covers(each.truth) for each in seen) <= high


def test_a_playbook_that_does_nothing_seems_to_do_something_no_more_often_than_promised(seen: list[Seen]) -> None:
    nothing = [each for each in seen if each.truth == 0]
    low, high = bounds(len(nothing), 0.05)
    assert low <= sum(not each.covers(0) for each in nothing) <= high


def test_the_estimates_are_right_on_average(seen: list[Seen]) -> None:
    # The half-width of a 95 % interval is about two standard errors of one estimate.
    error = sum((each.high - each.low) / 3.92 for each in seen) / len(seen) / len(seen) ** 0.5
    assert abs(sum(each.uplift - each.truth for each in seen) / len(seen)) < 3.5 * error


def test_an_untruth_is_covered_much_less_often(seen: list[Seen]) -> None:
    assert sum(each.covers(each.truth + 0.25) for each in seen) < 0.5 * len(seen)


def test_bounds_are_those_of_the_binomial_distribution() -> None:
    assert bounds(100, 0.5) == (34, 66)
