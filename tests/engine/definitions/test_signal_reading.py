"""The measures of signals, one by one."""

from typing import Final

import pytest

from engine.definitions.condition import Condition
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
from engine.definitions.rule import Flapping, Signal
from tests.bad_files.workspace import BASE, RULE, bundle_of, notes_of, sentences_of, with_edit

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


def test_any_signal_may_clear_by_a_condition() -> None:
    signal = signal_of('{event: login, for: 7d, clears: {condition: {">": [{var: active_users}, 9]}}}')
    assert isinstance(signal.clears, Condition)
    assert signal.clears.names == {"active_users"}


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("metric: utilization, threshold: {below: 40%}, clears: {above: 45%}", 0.45),
        ("metric: active_users, rank: {at_most: 10, floor: 2}, clears: {above: 20}", 20),
        ("metric: active_users, deviation: {below: -3, baseline: 90d}, clears: {above: -1}", -1),
        ("metric: logins, rhythm: {gap: 2x usual, over: 90d}, clears: {below: 1.5}", 1.5),
        ("metric: logins, slip: {pattern: broad}, clears: {below: 40%}", 0.4),
        ("contacts: {}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 60%, clears: {below: 40%}", 0.4),
        ("contacts: {}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 3, clears: {at_most: 1}", 1),
    ],
)
def test_what_is_measured_may_have_to_come_back_further_than_it_went(measure: str, value: float) -> None:
    clears = signal_of(f"{{{measure}}}").clears
    assert isinstance(clears, Limit)
    assert clears.value == value


def test_an_own_goal_may_follow_the_authors_own_points() -> None:
    """S2-30, S2-31: how much of the way is asked for after which part of the time."""
    start = "{goal: {metric: active_users, target: 100, from: account.onboarded_on, within: 90d, attained_below: 80%, "
    measure = signal_of(start + "shape: {25%: 10%, 50%: 40%}}}").measure
    assert isinstance(measure, GoalMeasure)
    assert (measure.shape, measure.points) == ("points", ((0.25, 0.1), (0.5, 0.4)))
    assert sentences_of(texts_of(start + "shape: {50%: 40%, 25%: 10%}}}")) == [
        "R009 the points of a goal's line must go on in time and never go back"
    ]
    assert sentences_of(texts_of(start + "shape: {50%: 40%, 75%: 10%}}}")) == [
        "R009 the points of a goal's line must go on in time and never go back"
    ]
    assert sentences_of(texts_of(start + "shape: {30d: 40%}}}")) == ['R009 "30d" is no part of the time']
    assert sentences_of(texts_of(start + "shape: curved}}")) == ['R003 "shape" must be linear or step, not "curved"']


def test_what_cannot_be_seen_from_the_signal_alone_is_noted() -> None:
    bare = notes_of(texts_of("{metric: active_users, rank: {at_most: 10}}"))
    assert "a rank hides that everybody falls at once: give it a floor beside the limit, floor: 5" in bare
    weekly = notes_of(texts_of("{every: week}"))
    assert any("the cooldown of 30 days is as long as a week or longer" in note for note in weekly)
    assert not any("cooldown" in note for note in notes_of(texts_of("{every: quarter}")))


def guard_of(written: str) -> Flapping | None:
    texts = texts_of("{event: login, for: 7d}")
    return (
        bundle_of(with_edit(RULE, "cooldown: 30d,", f"cooldown: 30d, {written}", texts))
        .rules["seats-unused"]
        .guard.flapping
    )


def test_when_a_signal_flaps_is_the_authors_to_say() -> None:
    assert guard_of("") == Flapping(0.3, 0.15)
    assert guard_of("flapping: {starts: 50%, ends: 25%},") == Flapping(0.5, 0.25)
    assert guard_of("flapping: ignore,") is None
    wrong = with_edit(RULE, "cooldown: 30d,", "cooldown: 30d, flapping: {starts: 20%, ends: 30%},")
    assert sentences_of(wrong) == ["R023 a signal stops flapping below the share at which it starts"]


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
        ("{metric: active_users, rank: {at_most: 110}}", ["R037 a mark lies between 0 and 100, not at 110"]),
        ("{metric: active_users, rank: {at_most: 10%, among: peers}}",
         ['R002 "at_most" must be a number, not the share "10%"',
          'R003 "among" must be all, segment or stage, not "peers"']),
        ("{metric: active_users, deviation: {below: -3, baseline: 10d}}",
         ["R038 10 days cannot hold the 14 points that a baseline needs"]),
        ("{metric: active_users.mean_7d, deviation: {below: -3, baseline: 90d}}",
         ['R033 a metric is needed here, without ".mean_7d"']),
        ("{metric: logins, rhythm: {gap: 1x usual, over: 90d}}",
         ['R036 "gap" must be a multiple of the usual above 1, not "1x usual"']),
        ("{metric: logins, rhythm: {gap: 2x usual, over: 4d}}", ["R038 4 days cannot hold 4 gaps"]),
        ("{contacts: {}, metric: logins}", ["R030 contacts need exactly one measure, not none"]),
        ("{contacts: {}, metric: logins, rank: {at_most: 10}}",
         ["R030 contacts need exactly one measure, not none", 'R004 unknown key "rank"']),
        ("{contacts: {}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 0}",
         ['R005 "at_least" must be between 1 and 1,000,000, not "0"']),
        ("{contacts: {}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 160%}",
         ['R005 "at_least" must be between 1% and 100%, not "160%"']),
        ("{metric: active_users, slip: {pattern: broad}}",
         ['R034 "active_users" is measured per account, not per contact']),
        ("{metric: logins, slip: {pattern: key_users}}",
         ['R039 the pattern "key_users" asks for key users: say which roles they have']),
        ("{metric: logins, slip: {pattern: wide, few: 70%}}",
         ['R003 "pattern" must be broad, key_users, mixed or none, not "wide"',
          "R039 few (70%) must be less than broad (60%)"]),
        ("{every: day}", ["R021 what fires every day never ends, and a rule starts when it begins to fire"]),
        ("{every: week, on: monday}",
         ['R003 "on" must be first day, first working day, last day or last working day, not "monday"']),
        ("{every: week, lasting: 3d}", ["R020 a day of the calendar does not last"]),
        ("{before: account.arr, by: 90d}", ['B001 there is no date of an account "account.arr"']),
        ("{before: account.renewal_on, by: 90d, until: 120d}",
         ['R022 "until" must come after "by": fewer than 90 days']),
        ("{after: account.onboarded_on, by: 30d, until: 30d}",
         ['R022 "until" must come after "by": more than 30 days']),
        ('{condition: {"<": [{var: score.health}, 50]}, lasting: 31d}',
         ["R020 what rests on scores, tiers, causes, signals or ranks is remembered for 30 days"]),
        ("{event: login, for: 7d, lasting: 8d}",
         ["R020 what counts for 7 days cannot last 8: the signal never fires"]),
        ("{event: login, for: 7d, clears: {condition: {var: in_segment.big}}}",
         ['J006 there is no value "in_segment.big" here']),
        ("{condition: {var: signal.it}}", ['J006 there is no value "signal.it" here']),
        ("[]", ["R002 a signal must have keys and values, not a list",
                "R030 a signal needs exactly one measure, not none"]),
    ],
)  # fmt: skip
def test_a_signal_refuses(written: str, sentences: list[str]) -> None:
    """S2-30."""
    assert sorted(sentences_of(texts_of(written))) == sorted(sentences)
