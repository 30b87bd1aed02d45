"""Measures of contacts: so many of them, such a share, the pattern of a slip, and who they are."""

from typing import Any

import numpy as np
import pytest

from engine.definitions.catalog import FromEvents
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import (
    ContactsMeasure,
    DeviationMeasure,
    Limit,
    Measure,
    Pattern,
    SilenceMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.rule import Signal
from engine.evaluation.evaluation import Observed, evaluate
from engine.evaluation.evidence import evidence_of
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features
from engine.running.sight import Sight
from tests.engine.evaluation import portfolio as p

HOLDS, FAILS, UNKNOWN = 1, -1, 0
LOGINS = p.metric("logins", of="contact", decimals=1, title="Logins")
FALL = TrendMeasure("logins", -0.2, 30, 1)
ROLES = {"roles": ("champion", "sponsor", "user", "key_user")}


def flat(now: float, before: float) -> dict[int, float]:
    return {age: now if age < 30 else before for age in range(60)}


SAME, LESS, MORE, NEVER, NEW = (
    flat(10, 10),
    flat(8, 10),
    flat(12, 10),
    dict[int, float](),
    dict.fromkeys(range(30), 5.0),
)
GONE = dict.fromkeys(range(30, 60), 10.0)


def facts(*accounts: list[tuple[str, dict[int, float]]], departed: tuple[int, ...] = ()) -> Facts:
    people = [(row, role, history) for row, owned in enumerate(accounts) for role, history in owned]
    known = p.facts(
        len(accounts),
        people=tuple((row, {role}) for row, role, _ in people),
        contact_series={"logins": p.series(*(history for _, _, history in people))},
    )
    known.contacts.departed[list(departed)] = True
    return known


def observe(measure: Measure, known: Facts, *metrics: Any, **catalog: Any) -> Observed:
    bundle = p.bundle(p.catalog(*(metrics or (LOGINS,)), **{**ROLES, **catalog}), p.rule("r", {"it": measure}))
    return evaluate(bundle, known).signals["r.it"]


def verdicts(measure: Measure, known: Facts) -> list[int]:
    found: list[int] = observe(measure, known).verdicts.tolist()
    return found


def test_at_least_so_many_contacts_of_the_roles_must_fall() -> None:
    known = facts(
        [("key_user", LESS), ("key_user", SAME), ("user", LESS)],
        [("key_user", SAME), ("user", LESS)],
        [("key_user", LESS), ("key_user", LESS)],
    )
    assert verdicts(ContactsMeasure(FALL, ("key_user",), 1), known) == [HOLDS, FAILS, HOLDS]
    assert verdicts(ContactsMeasure(FALL, ("key_user",), 2), known) == [FAILS, FAILS, HOLDS]
    assert verdicts(ContactsMeasure(FALL, (), 2), known) == [HOLDS, FAILS, HOLDS]


def test_a_share_is_one_of_those_who_can_be_measured() -> None:
    """Three of five are exactly 60 %; who never logged in cannot log in less."""
    known = facts(
        [("user", LESS)] * 3 + [("user", SAME)] * 2 + [("user", NEVER)] * 5,
        [("user", LESS)] * 2 + [("user", SAME)] * 2,
    )
    found = observe(ContactsMeasure(FALL, (), share=0.6), known)
    assert found.verdicts.tolist() == [HOLDS, FAILS]
    assert found.values.tolist() == [0.6, 0.5]


def test_who_has_no_history_is_left_out_and_who_went_missing_is_unknown() -> None:
    known = facts(
        [("user", NEVER), ("user", SAME)],
        [("user", GONE), ("user", SAME)],
        [("user", GONE), ("user", LESS)],
        [("user", NEW)],
    )
    assert verdicts(ContactsMeasure(FALL), known) == [FAILS, UNKNOWN, HOLDS, UNKNOWN]


def test_where_nobody_has_the_role_nobody_can_fall() -> None:
    known = facts([("user", LESS)], [])
    assert verdicts(ContactsMeasure(FALL, ("sponsor",)), known) == [FAILS, FAILS]
    assert verdicts(ContactsMeasure(FALL, (), share=0.5), known) == [HOLDS, FAILS]


def test_contacts_who_departed_do_not_count() -> None:
    known = facts([("key_user", LESS), ("key_user", SAME)], departed=(0,))
    found = observe(ContactsMeasure(FALL, ("key_user",)), known)
    assert found.verdicts.tolist() == [FAILS]
    assert found.parts["measured"].tolist() == [1]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (ThresholdMeasure(Feature("logins", Window.SUM, 7), Limit("at_most", 56)), [HOLDS, FAILS]),
        (ThresholdMeasure(Feature("logins"), Limit("below", 8)), [FAILS, FAILS]),
        (TrendMeasure("logins", 0.2, 30, 0), [FAILS, HOLDS]),
        (DeviationMeasure("logins", Limit("below", -0.5), 40), [HOLDS, FAILS]),
        (SilenceMeasure(Feature("logins"), 30), [FAILS, FAILS]),
    ],
)
def test_any_measure_of_a_contact_can_be_asked(measure: Any, expected: list[int]) -> None:
    known = facts([("user", LESS)], [("user", MORE)])
    assert verdicts(ContactsMeasure(measure), known) == expected


def test_silence_of_a_contact_counts_from_the_last_login() -> None:
    known = facts([("champion", {31: 1.0})], [("champion", {30: 1.0})], [("champion", NEVER)])
    assert verdicts(ContactsMeasure(SilenceMeasure(Feature("logins"), 30)), known) == [HOLDS, FAILS, UNKNOWN]


def test_a_run_writes_to_exactly_the_contacts_a_signal_names() -> None:
    """S4-24."""
    measure = ContactsMeasure(FALL, ("key_user",))
    bundle = p.bundle(p.catalog(LOGINS, **ROLES), p.rule("r", {"it": measure}))
    known = facts(
        [("key_user", LESS), ("key_user", SAME), ("user", LESS), ("key_user", LESS)],
        [("key_user", SAME), ("user", LESS)],
    )
    evaluation = evaluate(bundle, known)
    assert Sight(bundle, evaluation, 0).contacts_behind("r", "it") == frozenset({900, 903})
    assert Sight(bundle, evaluation, 1).contacts_behind("r", "it") == frozenset()
    (evidence,) = evidence_of(bundle.rules["r"], bundle.catalog, evaluation, 0)
    assert evidence.sentence == (
        "Logins down by 20 % or more in 30 days: 2 of 3 contacts (key user) (c0, c3), at least 1"
    )


KEYS = ("key_user", "sponsor")


def slip(pattern: Pattern) -> SlipMeasure:
    return SlipMeasure("logins", pattern, roles=KEYS)


def people(fallen: int, whole: int, *more: tuple[str, dict[int, float]]) -> list[tuple[str, dict[int, float]]]:
    return [("user", LESS)] * fallen + [("user", SAME)] * (whole - fallen) + list(more)


@pytest.mark.parametrize(
    ("account", "pattern"),
    [
        (people(6, 10), "broad"),
        (people(59, 100), "mixed"),
        (people(5, 20), "mixed"),
        (people(4, 20), "none"),
        (people(0, 5, ("sponsor", LESS)), "key_users"),
        (people(0, 5, ("sponsor", flat(8.1, 10))), "none"),
        (people(0, 3, ("sponsor", LESS)), "mixed"),
        (people(0, 5), "none"),
        (people(6, 10, ("user", NEVER), ("user", NEW)), "broad"),
    ],
)
def test_use_that_slips_has_one_of_four_patterns(account: list[tuple[str, dict[int, float]]], pattern: Pattern) -> None:
    """S4-20, S4-23: broad from 60 % of the active people on; fewer than 25 % but somebody who matters: key users."""
    patterns: tuple[Pattern, ...] = ("broad", "key_users", "mixed", "none")
    known = facts(account)
    assert {each: verdicts(slip(each), known)[0] for each in patterns} == {
        each: HOLDS if each == pattern else FAILS for each in patterns
    }


def test_a_slip_of_key_users_names_them_and_a_broad_one_names_all_who_fall() -> None:
    """S4-23: the account's total is flat, one decision-maker falls."""
    known = facts(people(0, 4, ("sponsor", LESS)), people(3, 4, ("sponsor", LESS)))
    found = observe(slip("key_users"), known)
    assert found.verdicts.tolist() == [HOLDS, FAILS]
    assert found.people is not None
    assert np.flatnonzero(found.people).tolist() == [4, 9]
    everybody = observe(slip("broad"), known).people
    assert everybody is not None
    assert np.flatnonzero(everybody).tolist() == [4, 5, 6, 7, 9]


def test_a_slip_is_known_where_it_is_the_same_whatever_the_missing_people_do() -> None:
    known = facts(people(8, 10, ("user", GONE)), people(1, 2, ("user", GONE)), [("user", NEVER)], [])
    assert verdicts(slip("broad"), known) == [HOLDS, UNKNOWN, UNKNOWN, UNKNOWN]


def test_logins_that_nobody_counted_are_none_at_all() -> None:
    """Of a count of events a day without one is a true zero: who stops logging in falls by all of it."""
    counted = p.metric("logins", of="contact", from_events=FromEvents(("login",)))
    happened = p.happenings(*((0, 0, age) for age in range(59, 29, -1)))
    known = p.facts(1, people=((0, {"user"}),), events={"login": happened})
    found = observe(ContactsMeasure(FALL), known, counted, events={"login": p.event("login")})
    assert found.verdicts.tolist() == [HOLDS]


def test_a_measure_of_contacts_can_last() -> None:
    """Each day is looked at anew: fallen by 20 % since two days, or since the day before yesterday only."""
    since = {age: 7.0 if age < 32 else 10.0 for age in range(62)}
    once = {age: 7.0 if age < 31 else 10.0 for age in range(62)}
    bundle = p.bundle(
        p.catalog(LOGINS, **ROLES), p.rule("r", {"it": Signal("it", ContactsMeasure(FALL), p.PLACE, lasting=3)})
    )
    known = facts([("user", since)], [("user", {**once, 0: 30.0, 1: 30.0, 2: 30.0})])
    assert evaluate(bundle, known).signals["r.it"].verdicts.tolist() == [HOLDS, FAILS]


def test_the_people_of_an_earlier_day_are_those_of_the_account() -> None:
    known = facts([("user", LESS)], [("user", SAME)])
    features = Features(p.catalog(LOGINS, **ROLES), known)
    earlier = features.as_of(p.AT - 5)
    assert earlier.over("contact").day == p.AT - 5
    assert earlier.over("contact").over("account") is earlier
    assert earlier.over("contact") is features.over("contact").as_of(p.AT - 5)
