"""The measures of signals, one by one."""

from typing import Final

import pytest

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import (
    ClockMeasure,
    ConditionMeasure,
    ContactsMeasure,
    DeviationMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Measure,
    RankMeasure,
    RhythmMeasure,
    ScheduleMeasure,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.rule import Signal
from tests.bad_files.workspace import BASE, RULE, bundle_of, sentences_of

TOP: Final = BASE[RULE][: BASE[RULE].index("signals:")]


def texts_of(signal: str) -> dict[str, str]:
    return {**BASE, RULE: f"{TOP}signals:\n  it: {signal}\n"}


def signal_of(signal: str) -> Signal:
    return bundle_of(texts_of(signal)).rules["seats-unused"].signals["it"]


@pytest.mark.parametrize(
    ("written", "measure"),
    [
        ("{metric: utilization, threshold: {below: 40%}}",
         ThresholdMeasure(Feature("utilization"), Limit("below", 0.4))),
        ("{metric: active_users.mean_7d, threshold: {at_least: 12.5}}",
         ThresholdMeasure(Feature("active_users", Window.MEAN, 7), Limit("at_least", 12.5))),
        ("{metric: active_users.change_30d, threshold: {at_most: -20%}}",
         ThresholdMeasure(Feature("active_users", Window.CHANGE, 30), Limit("at_most", -0.2))),
        ("{metric: active_users, trend: {change: -20%, over: 30d, min_base: 5}}",
         TrendMeasure("active_users", -0.2, 30, 5.0)),
        ("{metric: active_users, trend: {change: +10%, over: 7d}}", TrendMeasure("active_users", 0.1, 7, 0.0)),
        ("{goal: {agreed: more_users, attained_below: 80%, of: line}}", GoalMeasure(0.8, "line", agreed="more_users")),
        ("{goal: {metric: active_users, target: 100, from: account.onboarded_on, within: 90d, attained_below: 80%}}",
         GoalMeasure(0.8, "line", metric="active_users", target=100.0, start="account.onboarded_on", within=90)),
        ("{metric: active_users, silence: {longer_than: 30d}}", SilenceMeasure(Feature("active_users"), 30)),
        ("{event: login, roles: [user], for: 30d}", EventMeasure("login", 30, None, ("user",))),
        ("{every: quarter, on: first working day}", ScheduleMeasure("quarter", "first working day")),
        ("{before: account.renewal_on, by: 90d}", ClockMeasure("account.renewal_on", 90)),
        ("{after: account.onboarded_on, by: 30d, until: 60d}", ClockMeasure("account.onboarded_on", 30, 60, "after")),
        ("{metric: active_users, rank: {at_most: 10, among: segment, floor: 2}}",
         RankMeasure(Feature("active_users"), Limit("at_most", 10), "segment", 2.0)),
        ("{metric: active_users, deviation: {below: -3, baseline: 90d}}",
         DeviationMeasure("active_users", Limit("below", -3), 90)),
        ("{metric: active_users, deviation: {above: 2.5, baseline: 60d, recent: 7d, least: 20}}",
         DeviationMeasure("active_users", Limit("above", 2.5), 60, 7, 20)),
        ("{metric: logins, rhythm: {gap: 2x usual, over: 90d}}", RhythmMeasure("logins", 2.0, 90)),
        ("{contacts: {roles: [user]}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 1}",
         ContactsMeasure(TrendMeasure("logins", -0.2, 30, 0.0), ("user",))),
        ("{contacts: {}, metric: logins.sum_7d, threshold: {below: 1}, at_least: 60%}",
         ContactsMeasure(ThresholdMeasure(Feature("logins", Window.SUM, 7), Limit("below", 1)), (), 1, 0.6)),
        ("{contacts: {roles: [user]}, metric: logins, rhythm: {gap: 3x usual, over: 60d, least: 6}, at_least: 2}",
         ContactsMeasure(RhythmMeasure("logins", 3.0, 60, 6), ("user",), 2)),
        ("{contacts: {roles: [champion]}, metric: logins, silence: {longer_than: 14d}}",
         ContactsMeasure(SilenceMeasure(Feature("logins"), 14), ("champion",))),
    ],
)  # fmt: skip
def test_a_measure_is_read_as_it_is_written(written: str, measure: Measure) -> None:
    assert signal_of(written).measure == measure


def test_a_condition_measure_reads_names_of_the_account() -> None:
    measure = signal_of('{condition: {"<=": [{var: account.renewal_in_days}, 120]}}').measure
    assert isinstance(measure, ConditionMeasure)
    assert measure.condition.names == {"account.renewal_in_days"}


def test_an_event_may_be_asked_for_its_fields() -> None:
    measure = signal_of('{event: survey_answered, where: {"<": [{var: event.nps}, 7]}, for: 14d}').measure
    assert isinstance(measure, EventMeasure)
    assert measure.where is not None
    assert measure.where.names == {"event.nps"}


def test_a_signal_may_have_to_last_and_may_clear_elsewhere() -> None:
    signal = signal_of("{metric: utilization, threshold: {below: 40%}, lasting: 7d, clears: {above: 45%}}")
    assert (signal.lasting, signal.clears) == (7, Limit("above", 0.45))


@pytest.mark.parametrize(
    ("written", "sentences"),
    [
        ("{metric: active_users, trend: {change: -20, over: 30d}}",
         ['R002 "change" must be a share like "40%", not "-20"']),
        ("{metric: active_users.mean_7d, trend: {change: -20%, over: 30d}}",
         ['R033 a metric is needed here, without ".mean_7d"']),
        ("{metric: actve_users, trend: {change: -20%, over: 30d}}", ['B001 there is no metric "actve_users"']),
        ("{goal: {agreed: more, attained_below: 80%}}", ['B001 there is no goal "more"']),
        ("{goal: {metric: active_users, target: 10, from: account.arr, within: 9d, attained_below: 80%}}",
         ['B001 there is no date of an account "account.arr"']),
        ("{goal: {metric: active_users, target: 10, from: account.onboarded_on, attained_below: 80%}}",
         ['R001 "goal" needs "within"']),
        ("{event: log_in, for: 7d}", ['B001 there is no event "log_in"']),
        ("{event: login}", ['R001 a signal needs "for"']),
        ("{event: login, for: 7d, clears: {above: 3}}", ["R032 this measure has no value that could clear it"]),
        ("{metric: logins, threshold: {below: 3}}",
         ['B011 "logins" is measured per contact; a number of the account is needed here']),
        ("{metric: logins, rhythm: {gap: twice, over: 90d}}",
         ['R036 "gap" must be a multiple of the usual above 1, not "twice"']),
        ("{contacts: {roles: [boss]}, metric: active_users, trend: {change: -20%, over: 30d}}",
         ['B001 there is no role "boss"', 'R034 "active_users" is measured per account, not per contact']),
        ("{every: fortnight}", ['R003 "every" must be week, month, quarter or year, not "fortnight"']),
        ("{condition: {var: signal.it}}", ['J006 there is no value "signal.it" here']),
        ("[]", ["R002 a signal must have keys and values, not a list",
                "R030 a signal needs exactly one measure, not none"]),
    ],
)  # fmt: skip
def test_a_signal_refuses(written: str, sentences: list[str]) -> None:
    """S2-30."""
    assert sorted(sentences_of(texts_of(written))) == sorted(sentences)
