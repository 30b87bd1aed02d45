"""Measures: what each way of looking at the data costs, over accounts and over their people, from packed columns.

    python -m benchmarks measures [--quick]

A shard of 8,192 accounts with five contacts each and 120 days of history, as a cycle reads it; about one value in
twenty is missing. Before anything is timed, what every measure says of a sample of accounts is worked out again in
plain Python, subject by subject.
"""

import statistics
from collections.abc import Mapping
from itertools import pairwise
from time import process_time
from typing import Any, Final

import numpy as np

from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import Feature, ValueType
from engine.definitions.measure import (
    ClockMeasure,
    ContactsMeasure,
    DeviationMeasure,
    Limit,
    Measure,
    RankMeasure,
    RhythmMeasure,
    ScheduleMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.problem import Place
from engine.evaluation.columns import Floats, Numbers, Texts
from engine.evaluation.facts import Contacts, Facts, Grid, Subjects
from engine.evaluation.features import Features
from engine.evaluation.signals import measured

SHARD, PEOPLE, DAYS, AT = 8_192, 5, 120, 20_000
SAMPLE: Final = 60
ROLES: Final = ("sponsor", "user", "user", "user", "key_user")
PLACE: Final = Place("benchmarks/measures.py", 1, 1)
UNUSUAL, SLOWER = DeviationMeasure("users", Limit("below", -1.5), 90), RhythmMeasure("users", 2, 90)
FALLING: Final = ContactsMeasure(TrendMeasure("logins", -0.2, 30, 0), ("sponsor",))
MEASURES: Final[Mapping[str, Measure]] = {
    "threshold": ThresholdMeasure(Feature("users"), Limit("below", 10)),
    "trend": TrendMeasure("users", -0.2, 30, 5),
    "rank": RankMeasure(Feature("users"), Limit("at_most", 10), "stage", 2),
    "deviation": UNUSUAL,
    "rhythm": SLOWER,
    "contacts_trend": FALLING,
    "contacts_deviation": ContactsMeasure(DeviationMeasure("logins", Limit("below", -1), 60, 7)),
    "contacts_rhythm": ContactsMeasure(RhythmMeasure("logins", 2, 90), share=0.5),
    "slip": SlipMeasure("logins", "key_users", roles=("key_user",)),
    "schedule": ScheduleMeasure("quarter", "first working day"),
    "clock": ClockMeasure("account.renewal_on", 90),
}

goals: Final[Mapping[str, tuple[str, float]]] = {"cpu_s_per_100k_accounts": ("<=", 10.0)}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Compare, then time: CPU seconds per 100,000 accounts of each measure, and of all of them together."""
    size = 1_024 if quick else SHARD
    facts = _facts(size)
    compared = _check(facts)
    each = {name: min(_timed(measure, facts) for _ in range(3)) * 100_000 / size for name, measure in MEASURES.items()}
    return {
        "accounts": size,
        "contacts": size * PEOPLE,
        "verdicts_compared": compared,
        "cpu_s_per_100k_accounts": round(sum(each.values()), 2),
        **{f"of_it_{name}": round(cpu, 3) for name, cpu in each.items()},
    }


def _timed(measure: Measure, facts: Facts) -> float:
    features = Features(_catalog(), facts)
    began = process_time()
    measured(measure, features)
    return process_time() - began


def _check(facts: Facts) -> int:
    features = Features(_catalog(), facts)
    users, logins = facts.series["users"], facts.contact_series["logins"]
    if not isinstance(users, Grid) or not isinstance(logins, Grid):
        raise SystemExit("the benchmark reads packed columns")
    for name, measure in (("deviation", UNUSUAL), ("rhythm", SLOWER)):
        values = measured(measure, features).values
        for row in range(SAMPLE):
            history = users.values[:, row]
            wanted = _deviation(history) if name == "deviation" else _rhythm(history)
            if abs(values[row] - wanted) > 1e-6:
                raise SystemExit(f"{name} of account {row} is {values[row]}, by hand {wanted}")
    falling = measured(FALLING, features).verdicts
    for row in range(SAMPLE):
        wanted = 1 if _change(logins.values[:, row * PEOPLE]) <= -0.2 else -1
        if falling[row] != wanted:
            raise SystemExit(f"the sponsor of account {row}: {falling[row]}, by hand {wanted}")
    return 3 * SAMPLE


def _deviation(history: Floats) -> float:
    """(latest - mean) / standard deviation of the 90 days before the latest value's window, in plain Python."""
    known = [float(value) for value in history[-91:] if not np.isnan(value)]
    *before, latest = known
    return (latest - statistics.fmean(before)) / statistics.stdev(before)


def _rhythm(history: Floats) -> float:
    """The present gap over the median of the gaps before, where every day of the week is the account's own."""
    active = [day for day, value in enumerate(history[-90:].tolist()) if value > 0]
    gaps = [later - earlier for earlier, later in pairwise(active)]
    return max(89 - active[-1], gaps[-1]) / statistics.median(gaps[:-1])


def _change(history: Floats) -> float:
    """The mean of thirty days over that of the thirty before, less one."""
    now, before = history[-30:], history[-60:-30]
    return round(statistics.fmean(now[~np.isnan(now)]) / statistics.fmean(before[~np.isnan(before)]) - 1, 12)


def _facts(size: int) -> Facts:
    drawn = np.random.default_rng(1)
    users = np.round(drawn.gamma(2, 20, size=(DAYS, size))) + 1
    logins = (drawn.random((DAYS, size * PEOPLE)) < 0.4).astype(np.float64)
    for table in (users, logins):
        table[drawn.random(table.shape) < 0.05] = np.nan
    stages = Texts(drawn.integers(0, 4, size), ("adoption", "value", "renewal", "expansion"))
    renewals = Numbers(AT + drawn.integers(0, 365, size).astype(np.float64))
    ids = np.arange(size * PEOPLE, dtype=np.int64)
    return Facts(
        at=AT,
        accounts=Subjects(ids[:size], tuple(map(str, range(size)))),
        fields={"stage": stages, "renewal_on": renewals},
        series={"users": _grid(users)},
        contacts=Contacts(
            ids,
            tuple(map(str, range(len(ids)))),
            ids // PEOPLE,
            tuple(frozenset({role}) for role in ROLES) * size,
            np.zeros(len(ids), dtype=np.bool_),
        ),
        contact_series={"logins": _grid(logins)},
    )


def _grid(table: Floats) -> Grid:
    unknown = np.full(table.shape[1], np.nan)
    return Grid(AT - DAYS + 1, table, unknown, unknown)


def _catalog() -> Catalog:
    metrics = {name: _metric(name, of) for name, of in (("users", "account"), ("logins", "contact"))}
    return Catalog(metrics, {}, {}, {}, tuple(dict.fromkeys(ROLES)), (), {}, "", PLACE)


def _metric(name: str, of: Any) -> Metric:
    return Metric(name, name, "adoption", "do", ValueType.NUMBER, "higher", PLACE, decimals=0, of=of)
