"""A portfolio of ten thousand accounts under a hundred rules, within stated time and memory."""

import tracemalloc
from time import process_time

import numpy as np

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import Limit, ThresholdMeasure, TrendMeasure
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Grid
from tests.engine.evaluation import portfolio as p

ACCOUNTS, RULES, METRICS, DAYS = 10_000, 100, 10, 60
SECONDS, MEGABYTES = 5, 300
"""Several times what an idle machine needs (about 0.2 s and 110 MB): so that only something of another order fails."""


def test_ten_thousand_accounts_under_a_hundred_rules_take_seconds() -> None:
    """S2-53: automation lets an organisation scale."""
    random = np.random.default_rng(4)
    nothing = np.full(ACCOUNTS, np.nan)
    series = {
        f"m{at}": Grid(p.AT - DAYS + 1, np.round(random.random((DAYS, ACCOUNTS)) * 100, 2), nothing, nothing)
        for at in range(METRICS)
    }
    rules = [p.rule(f"rule-{at}", _signals(f"m{at % METRICS}", at)) for at in range(RULES)]
    catalog = p.catalog(*(p.metric(name) for name in series))
    known = p.facts(ACCOUNTS, series=series)
    tracemalloc.start()
    began = process_time()
    found = evaluate(p.bundle(catalog, *rules), known)
    firing = [int((verdicts == 1).sum()) for verdicts in found.rules.values()]
    taken, peak = process_time() - began, tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert len(firing) == RULES
    assert all(0 < count < ACCOUNTS for count in firing)
    assert taken < SECONDS
    assert peak < MEGABYTES


def _signals(name: str, number: int) -> dict[str, object]:
    return {
        "low": ThresholdMeasure(Feature(name, Window.MEAN, 7), Limit("below", 40.0 + number % 20)),
        "falling": TrendMeasure(name, -0.01 * (1 + number % 10), 14, 0.0),
    }
