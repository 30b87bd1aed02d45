"""What a signal said before: bits of known days, what has lasted, and what changes too often to act on."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import ConditionMeasure, Limit, RankMeasure, ThresholdMeasure
from engine.definitions.rule import Flapping, Guard, Signal
from engine.evaluation.columns import Ints
from engine.evaluation.deciding import decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.evidence import evidence_of
from engine.evaluation.facts import Before
from engine.evaluation.history import KNOWN_DAYS, changes, held, is_flapping, length, lengthened
from engine.evaluation.past import Past
from engine.evaluation.remembering import remember
from tests.engine.evaluation import portfolio as p

HOLDS, FAILS, UNKNOWN = 1, -1, 0
VERDICTS = st.lists(st.sampled_from([HOLDS, FAILS, UNKNOWN]), max_size=45)


def history_of(verdicts: Sequence[int]) -> Ints:
    found = np.ones(1, dtype=np.int64)
    for verdict in verdicts:
        found = lengthened(found, np.array([verdict], dtype=np.int8))
    return found


@given(VERDICTS)
def test_a_history_is_the_last_known_verdicts(verdicts: list[int]) -> None:
    known = [verdict for verdict in verdicts if verdict][-KNOWN_DAYS:]
    found = history_of(verdicts)
    assert length(found).tolist() == [len(known)]
    assert int(found[0]) == int("1" + "".join("1" if verdict > 0 else "0" for verdict in known), 2)
    last = known[-21:]
    assert changes(found).tolist() == [sum(one != other for one, other in pairwise(last))]


@given(VERDICTS, st.sampled_from([HOLDS, FAILS, UNKNOWN]), st.integers(2, 10))
def test_lasting_asks_the_last_known_days(verdicts: list[int], today: int, days: int) -> None:
    known = [verdict for verdict in verdicts if verdict][-(days - 1) :]
    expected = (
        UNKNOWN if not today else FAILS if FAILS in [*known, today] else HOLDS if len(known) >= days - 1 else UNKNOWN
    )
    assert held(history_of(verdicts), np.array([today], dtype=np.int8), days).tolist() == [expected]


def flaps(verdicts: Sequence[int], limits: Flapping = Flapping()) -> bool:  # noqa: B008 - frozen
    return bool(is_flapping(history_of(verdicts), limits)[0])


def test_a_signal_flaps_from_its_high_limit_on_until_it_is_below_the_low_one() -> None:
    """Twenty changes weigh 114 down to 76, 1900 together; the six newest are 654, 34 %, the five newest 550, 29 %."""
    quiet = [FAILS] * 16
    assert not flaps([*quiet, HOLDS, FAILS, HOLDS, FAILS, HOLDS])
    assert flaps([*quiet[1:], HOLDS, FAILS, HOLDS, FAILS, HOLDS, FAILS])
    assert flaps([FAILS, HOLDS] * 11)
    settled = [*quiet, HOLDS, FAILS, HOLDS, FAILS, HOLDS, FAILS, HOLDS]
    still = [flaps([*settled, *[HOLDS] * more]) for more in range(24)]
    assert still[0]
    assert not still[-1]
    assert still == sorted(still, reverse=True)


def test_with_fewer_than_21_known_verdicts_nothing_flaps() -> None:
    assert not flaps([FAILS, HOLDS] * 10)
    assert flaps([*[FAILS, HOLDS] * 10, FAILS])


@settings(max_examples=40)
@given(VERDICTS)
def test_unknown_days_neither_make_a_signal_flap_nor_settle(verdicts: list[int]) -> None:
    assert flaps(verdicts) == flaps([verdict for verdict in verdicts if verdict])


USERS = p.metric("users", decimals=0)
LOW = ThresholdMeasure(Feature("users"), Limit("below", 40))


def day_by_day(values: Sequence[float], signal: Signal, guard: Guard = Guard()) -> list[Evaluation]:  # noqa: B008
    bundle = p.bundle(p.catalog(USERS), p.rule("r", {"it": signal}, guard=guard))
    history = p.series({len(values) - 1 - at: value for at, value in enumerate(values) if not np.isnan(value)})
    found: list[Evaluation] = []
    before = Before()
    for age in range(len(values) - 1, -1, -1):
        known = p.facts(1, at=p.AT - age, series={"users": history}, before=before)
        found.append(evaluate(bundle, replace(known, before=before)))
        before = remember(found[-1])
    return found


def test_a_flapping_signal_counts_as_unknown_until_it_settles_and_says_so() -> None:
    """S1-53: it starts no run meanwhile, and ends no episode."""
    found = day_by_day([*[30.0, 50.0] * 12, *[30.0] * 20], Signal("it", LOW, p.PLACE))
    verdicts = [int(one.rules["r"][0]) for one in found]
    assert verdicts[:20] == [HOLDS, FAILS] * 10
    assert verdicts[20:30] == [UNKNOWN] * 10
    assert verdicts[-1] == HOLDS
    assert set(verdicts[20:]) == {UNKNOWN, HOLDS}
    bundle = p.bundle(p.catalog(USERS), p.rule("r", {"it": LOW}))
    (evidence,) = evidence_of(bundle.rules["r"], bundle.catalog, found[24], 0)
    assert evidence.sentence.endswith(
        "it changed 20 times in its last 21 known states, so it counts as unknown until it settles"
    )


def test_a_rule_may_ignore_flapping() -> None:
    found = day_by_day([30.0, 50.0] * 12, Signal("it", LOW, p.PLACE), Guard(flapping=None))
    assert [int(one.rules["r"][0]) for one in found] == [HOLDS, FAILS] * 12


def scored(values: Sequence[float], signal: Signal, age_of_gap: int = -1) -> list[int]:
    """The verdicts of a signal on a score that takes these values day by day; on the gap nothing is known."""
    bundle = p.bundle(p.catalog(USERS), p.rule("r", {"it": signal}))
    before, found = Before(), []
    for at, value in enumerate(values):
        known = p.facts(1, at=p.AT - len(values) + at, before=before)
        column = p.numbers(np.nan if at == age_of_gap else value)
        seen = evaluate(bundle, known, {"score.health": column, "users.rank": column})
        before = remember(seen)
        found.append(int(seen.signals["r.it"].verdicts[0]))
    return found


UNDER = ConditionMeasure(p.compare("score.health", "<", 50))


@pytest.mark.parametrize(
    "measure",
    [
        UNDER,
        RankMeasure(Feature("users"), Limit("below", 50)),
        ThresholdMeasure(Feature("users", Window.RANK), Limit("below", 50)),
    ],
)
def test_what_rests_on_scores_or_ranks_lasts_by_what_is_remembered(measure: ConditionMeasure) -> None:
    lasting = Signal("it", measure, p.PLACE, lasting=3)
    assert scored([40, 40, 40, 40], lasting) == [UNKNOWN, UNKNOWN, HOLDS, HOLDS]
    assert scored([60, 40, 40, 40], lasting) == [FAILS, FAILS, FAILS, HOLDS]
    assert scored([40, 40, 40, 60, 40], lasting) == [UNKNOWN, UNKNOWN, HOLDS, FAILS, FAILS]


def test_a_day_on_which_a_score_was_unknown_is_passed_over() -> None:
    lasting = Signal("it", UNDER, p.PLACE, lasting=3)
    assert scored([40, 40, 40, 40, 40], lasting, age_of_gap=3) == [UNKNOWN, UNKNOWN, HOLDS, UNKNOWN, HOLDS]


def test_a_condition_may_clear_any_signal() -> None:
    clears = p.compare("score.health", ">", 60)
    signal = Signal("it", UNDER, p.PLACE, clears=clears)
    assert scored([40, 55, 60, 61, 55], signal) == [HOLDS, HOLDS, HOLDS, FAILS, FAILS]


def test_a_plan_counts_for_whom_a_rule_waits_because_a_signal_flaps() -> None:
    """S1-53: nothing starts, nothing ends, and it is said for how many and why."""
    evaluation = day_by_day([30.0, 50.0] * 12, Signal("it", LOW, p.PLACE))[-2]
    bundle = p.bundle(p.catalog(USERS), p.rule("r", {"it": LOW}))
    at = datetime(2026, 1, 1, tzinfo=UTC)
    plan = decide(bundle, evaluation, Past(inside={"r": {100}}), at)
    assert (plan.decisions, plan.closed) == ((), ())
    assert (dict(plan.unknown), dict(plan.flapping)) == ({"r": 1}, {"r": 1})
    assert decide(bundle, evaluation, Past(), at).decisions == ()
