"""Rhythms: a weekly user who comes every other week is slower, a week-end is no gap."""

import numpy as np
import pytest

from engine.definitions.catalog import FromEvents
from engine.definitions.measure import ContactsMeasure, RhythmMeasure
from engine.evaluation.evaluation import Observed, evaluate
from tests.engine.evaluation import portfolio as p

LOGINS = p.metric("logins", of="contact", from_events=FromEvents(("login",)))
HOLDS, FAILS, UNKNOWN = 1, -1, 0
MONDAY = 20_000 - (20_000 - 4) % 7
"""The Monday on or before the day of the tests; 1970-01-05 was a Monday."""


def observe(measure: RhythmMeasure | ContactsMeasure, *days: set[int], at: int = MONDAY, **more: object) -> Observed:
    """One account per set of active days (counted back from ``at``), each with one user."""
    happened = tuple((row, row, age) for row, ages in enumerate(days) for age in sorted(ages, reverse=True))
    found = p.happenings(*happened)
    known = p.facts(
        len(days),
        at=at,
        people=tuple((row, {"user"}) for row in range(len(days))),
        events={"login": type(found)(found.ids, found.rows, found.contact_rows, found.days - p.AT + at, {})},
    )
    bundle = p.bundle(p.catalog(LOGINS, events={"login": p.event("login")}), p.rule("r", {"it": measure}))
    return evaluate(bundle, known).signals["r.it"]


TWICE = RhythmMeasure("logins", 2.0, 90)
WEEKLY = set(range(0, 90, 7))
WEEKDAYS = {age for age in range(90) if (MONDAY - age - 4) % 7 < 5}


def test_a_weekly_user_who_goes_fortnightly_fires() -> None:
    """S2-49: on the second Monday missed, and still when the user comes back after a fortnight."""
    weekly = {age for age in range(14, 90) if age % 7 == 0}
    found = observe(TWICE, WEEKLY, weekly - {0}, weekly | {0}, {age + 7 for age in WEEKLY if age < 80})
    assert found.verdicts.tolist() == [FAILS, HOLDS, HOLDS, FAILS]
    assert found.values.tolist() == [1, 2, 2, 1]
    assert found.parts["idle"].tolist() == [0, 14, 0, 7]


@pytest.mark.parametrize(("at", "first"), [(MONDAY - 1, 2), (MONDAY - 2, 1), (MONDAY, 0)])
def test_a_week_end_is_no_gap_for_who_works_on_weekdays(at: int, first: int) -> None:
    """S2-49: on Saturday, Sunday and Monday the gap is one day of their own, as always."""
    worked = {age for age in range(90) if (at - age - 4) % 7 < 5}
    assert min(worked) == first
    found = observe(TWICE, worked, at=at)
    assert found.verdicts.tolist() == [FAILS]
    assert found.values.tolist() == [1]


def test_two_working_days_missed_are_twice_the_usual_for_who_works_on_weekdays() -> None:
    """On a Tuesday, last seen on Friday: Monday and Tuesday are missing."""
    tuesday = MONDAY + 1
    worked = {age for age in range(4, 90) if (tuesday - age - 4) % 7 < 5}
    found = observe(TWICE, worked, worked | {1}, at=tuesday)
    assert found.values.tolist() == [2, 1]
    assert found.verdicts.tolist() == [HOLDS, FAILS]


def test_who_has_no_habit_is_counted_in_calendar_days() -> None:
    """Every ninth day is another day of the week each time."""
    every_ninth = set(range(0, 90, 9))
    found = observe(
        TWICE, every_ninth, {age + 17 for age in every_ninth if age < 70}, {age + 18 for age in every_ninth if age < 70}
    )
    assert found.parts["usual"].tolist() == [9, 9, 9]
    assert found.verdicts.tolist() == [FAILS, FAILS, HOLDS]
    assert found.values[1] == round(17 / 9, 9)


def test_too_few_gaps_to_know_what_is_usual_are_unknown() -> None:
    """Four gaps are needed beside the last one: five active days and one more."""
    assert observe(TWICE, {0, 7, 14, 21, 28, 35}, {0, 7, 14, 21, 28}, set()).verdicts.tolist() == [
        FAILS,
        UNKNOWN,
        UNKNOWN,
    ]


def test_the_usual_gap_is_the_median_and_one_holiday_does_not_move_it() -> None:
    holiday = WEEKLY - {28, 35}
    found = observe(TWICE, holiday)
    assert found.parts["usual"].tolist() == [1]
    assert found.verdicts.tolist() == [FAILS]


def test_an_even_number_of_gaps_has_the_mean_of_the_two_in_the_middle() -> None:
    active = np.cumsum([0, 20, 9, 9, 12, 13]).tolist()
    found = observe(RhythmMeasure("logins", 1.5, 90), set(active))
    assert found.parts["usual"].tolist() == [10.5]  # 9, 9, 12, 13; the last gap is what is compared
    assert found.parts["present"].tolist() == [20]


def test_a_person_whose_rhythm_slows_is_found_among_the_contacts() -> None:
    """S2-49."""
    slower = {age for age in range(14, 90) if age % 7 == 0}
    found = observe(ContactsMeasure(TWICE, ("user",)), WEEKLY, slower)
    assert found.verdicts.tolist() == [FAILS, HOLDS]
    assert found.people is not None
    assert found.people.tolist() == [False, True]
