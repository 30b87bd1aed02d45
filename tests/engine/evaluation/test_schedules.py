"""Days of the calendar: the day of a period once per period, and clocks that run towards a date once per date."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from engine.definitions.calendar import Calendar, Calendars
from engine.definitions.measure import ClockMeasure, On, Period, ScheduleMeasure
from engine.evaluation.evaluation import evaluate
from engine.evaluation.schedules import is_day
from tests.engine.evaluation import portfolio as p

HOLDS, FAILS, UNKNOWN = 1, -1, 0
EPOCH = date(1970, 1, 1)
BERLIN = Calendar("berlin", holidays=frozenset({date(2026, 1, 1), date(2026, 10, 1)}))
DUBAI = Calendar("dubai", working_days=frozenset({0, 1, 2, 3, 6}))
BOTH = Calendars({"berlin": BERLIN, "dubai": DUBAI}, BERLIN)


@pytest.mark.parametrize(
    ("every", "on", "days"),
    [
        ("week", "first day", ["2026-10-05", "2026-10-12"]),
        ("week", "last working day", ["2026-10-02", "2026-10-09", "2026-10-16"]),
        ("month", "first day", ["2026-10-01"]),
        ("month", "first working day", ["2026-10-02"]),
        ("month", "last day", ["2026-09-30"]),
        ("quarter", "first working day", ["2026-10-02"]),
        ("quarter", "last working day", ["2026-09-30"]),
        ("year", "last day", []),
    ],
)
def test_the_day_of_a_period_is_one_day(every: Period, on: On, days: list[str]) -> None:
    """From the 30th of September, with a holiday on the first of October, to the 16th."""
    first = date(2026, 9, 30)
    window = [first + timedelta(days=at) for at in range(17)]
    found = [day.isoformat() for day in window if is_day(ScheduleMeasure(every, on), day, BERLIN)]
    assert found == days


@pytest.mark.parametrize(("every", "times"), [("week", 52), ("month", 12), ("quarter", 4), ("year", 1)])
@pytest.mark.parametrize("on", ["first day", "first working day", "last day", "last working day"])
def test_every_period_has_its_day_once(every: Period, times: int, on: On) -> None:
    """S0-61: so a rule on a schedule starts once in each."""
    year = [date(2026, 1, 1) + timedelta(days=at) for at in range(365)]
    hits = [day for day in year if is_day(ScheduleMeasure(every, on), day, BERLIN)]
    assert len(hits) in {times, times + 1} if every == "week" else len(hits) == times
    assert all((after - before).days > 1 for before, after in pairwise(hits))


def test_each_account_has_its_own_calendar_where_it_names_one() -> None:
    sunday = date(2026, 3, 1)
    known = p.facts(3, at=(sunday - EPOCH).days, fields={"calendar": p.texts("dubai", "berlin", None)})
    measure = ScheduleMeasure("month", "first working day")
    bundle = replace(p.bundle(p.catalog(), p.rule("r", {"it": measure})), calendars=BOTH)
    assert evaluate(bundle, known).signals["r.it"].verdicts.tolist() == [HOLDS, FAILS, FAILS]


def test_an_account_without_a_calendar_has_that_of_its_country() -> None:
    """D.3: the country says whose days off count; a calendar of its own comes first."""
    sunday = date(2026, 3, 1)
    fields = {"country": p.texts("AE", "DE", "AE"), "calendar": p.texts(None, None, "berlin")}
    known = p.facts(3, at=(sunday - EPOCH).days, fields=fields)
    regional = Calendars({"berlin": BERLIN, "dubai": replace(DUBAI, countries=frozenset({"ae"}))}, BERLIN)
    measure = ScheduleMeasure("month", "first working day")
    bundle = replace(p.bundle(p.catalog(), p.rule("r", {"it": measure})), calendars=regional)
    assert evaluate(bundle, known).signals["r.it"].verdicts.tolist() == [HOLDS, FAILS, FAILS]


def rings(measure: ClockMeasure, *days_away: float, today: date = date(2026, 3, 4)) -> list[int]:
    at = (today - EPOCH).days
    known = p.facts(len(days_away), at=at, fields={"renewal_on": p.numbers(*(at + away for away in days_away))})
    bundle = replace(p.bundle(p.catalog(), p.rule("r", {"it": measure})), calendars=BOTH)
    found: list[int] = evaluate(bundle, known).signals["r.it"].verdicts.tolist()
    return found


NINETY = ClockMeasure("account.renewal_on", 90)


def test_a_clock_rings_from_its_day_on_until_the_date() -> None:
    """S3-30."""
    assert rings(NINETY, 91, 90, 1, 0, -1, np.nan) == [FAILS, HOLDS, HOLDS, HOLDS, FAILS, UNKNOWN]
    band = ClockMeasure("account.renewal_on", 120, 90)
    assert rings(band, 121, 120, 91, 90, 89) == [FAILS, HOLDS, HOLDS, FAILS, FAILS]


def test_a_clock_after_a_date_rings_from_its_day_on() -> None:
    after = ClockMeasure("account.renewal_on", 30, side="after")
    assert rings(after, -29, -30, -400, 3) == [FAILS, HOLDS, HOLDS, FAILS]
    assert rings(ClockMeasure("account.renewal_on", 30, 60, "after"), -29, -30, -59, -60) == [
        FAILS,
        HOLDS,
        HOLDS,
        FAILS,
    ]


def test_a_clock_that_would_ring_on_a_day_off_rings_on_the_working_day_before_and_does_not_stop_again() -> None:
    """S3-30: once, in the account's calendar. The ninetieth day before the date is a Sunday."""
    sunday = date(2026, 3, 8)
    week = [sunday + timedelta(days=at) for at in range(-4, 3)]
    found = [rings(NINETY, 90 + (sunday - day).days, today=day)[0] for day in week]
    assert [day.strftime("%a") for day in week] == ["Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue"]
    assert found == [FAILS, FAILS, HOLDS, HOLDS, HOLDS, HOLDS, HOLDS]


@pytest.mark.parametrize("start", range(7))
def test_a_clock_starts_once_per_date(start: int) -> None:
    """S3-30: over a year around the date it begins to ring exactly once, on whatever day of the week."""
    due = date(2026, 6, 1) + timedelta(days=start)
    days = [due + timedelta(days=at) for at in range(-200, 100)]
    found = [rings(NINETY, (due - day).days, today=day)[0] for day in days]
    assert sum(now == HOLDS and before != HOLDS for before, now in pairwise(found)) == 1
