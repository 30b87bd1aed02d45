"""Every comparing measure in one sentence, with the numbers to work it out again; and each person in the trace."""

from typing import Any

import numpy as np
import pytest

from engine.definitions.feature import Feature
from engine.definitions.measure import (
    ClockMeasure,
    ContactsMeasure,
    DeviationMeasure,
    Limit,
    RankMeasure,
    RhythmMeasure,
    ScheduleMeasure,
    SilenceMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.rule import Signal
from engine.evaluation.evaluation import evaluate
from engine.evaluation.evidence import signal_sentence
from engine.evaluation.measure_sentences import Seen
from engine.evaluation.past import Past
from engine.evaluation.tracing import why_rule
from engine.terms import Verdict
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(
    p.metric("users", title="Active users", unit="people", decimals=0),
    p.metric("quiet", title="Quiet days", better="lower"),
    p.metric("logins", title="Logins", of="contact", decimals=0),
)
HOLDS, FAILS, UNKNOWN = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN
LOWEST = RankMeasure(Feature("users"), Limit("at_most", 10), "segment", 5)
UNUSUAL = DeviationMeasure("users", Limit("below", -3), 90)
SLOWER = RhythmMeasure("users", 2, 90)
FALL = TrendMeasure("logins", -0.2, 30, 1)
PARTS = {"recent": 12.0, "mean": 40.0, "spread": 8.75, "points": 88.0}
GAPS = {"present": 4.0, "usual": 1.0, "gaps": 12.0, "idle": 28.0}
RENEWAL = ClockMeasure("account.renewal_on", 90, 30)


@pytest.mark.parametrize(
    ("measure", "verdict", "value", "parts", "sentence"),
    [
        (LOWEST, HOLDS, 8.0, {"value": 12.0},
         "Active users is 12 people: mark 8 of 100 among accounts of its segment, at most 10"),
        (LOWEST, HOLDS, 0.0, {"value": 4.0},
         "Active users is 4 people, below the floor of 5 people, which is mark 0, at most 10"),
        (LOWEST, UNKNOWN, None, {},
         "Active users: the mark among accounts of its segment is not known; needed: at most 10"),
        (UNUSUAL, HOLDS, -3.2, PARTS,
         ("Active users: the latest value is 12 people, -3.2 standard deviations from its own 90 days before, "
         "40 people (spread 8.75, 88 points), below -3")),
        (UNUSUAL, UNKNOWN, None, {**PARTS, "points": 9.0},
         ("Active users: the latest value is 12 people; its 90 days before have 9 points and need 14; "
         "needed: below -3 standard deviations")),
        (UNUSUAL, UNKNOWN, None, {**PARTS, "spread": 0.0},
         ("Active users: the latest value is 12 people; all 88 points of the 90 days before are the same; "
         "needed: below -3 standard deviations")),
        (SLOWER, HOLDS, 4.0, GAPS,
         ("Active users: the gap is 4 of its own days, 4 times the usual 1 (median of 12 gaps in 90 days, "
         "last active 28 days ago), at least 2 times")),
        (SLOWER, UNKNOWN, None, {"gaps": 2.0, "idle": np.nan},
         "Active users: no usual gap yet: 2 gaps in 90 days, 4 are needed; needed: at least 2 times"),
        (ContactsMeasure(FALL, ("sponsor",), share=0.6), FAILS, 0.5, {"named": 1.0, "measured": 2.0},
         "Logins down by 20 % or more in 30 days: 1 of 2 contacts (sponsor) (c1, c2), not at least 60 %"),
        (ContactsMeasure(SilenceMeasure(Feature("logins"), 14)), UNKNOWN, None, {"named": 0.0, "measured": 0.0},
         "Logins silent for more than 14 days: no contact can be measured; needed: at least 1"),
        (SlipMeasure("logins", "key_users", roles=("sponsor",)), HOLDS, 0.1,
         {"pattern": 1.0, "named": 1.0, "measured": 10.0},
         "Logins: slip key users: 1 of 10 active people fell by 20 % or more in 30 days (c1, c2), key users"),
        (SlipMeasure("logins", "broad"), UNKNOWN, None, {"measured": 0.0},
         "Logins: the pattern of the slip is not known (nobody was active before); needed: broad"),
        (ScheduleMeasure("quarter", "first working day"), HOLDS, 20_000.0, {},
         "Today is the first working day of the quarter"),
        (ScheduleMeasure("quarter", "first working day"), FAILS, 20_000.0, {},
         "Today is not the first working day of the quarter"),
        (RENEWAL, HOLDS, 59.0, {},
         "Today is 59 days before the account's renewal, at most 90 days and more than 30"),
        (RENEWAL, UNKNOWN, None, {},
         "The account's renewal is not known; needed: at most 90 days and more than 30 before it"),
    ],
)  # fmt: skip
def test_a_measure_is_said_with_its_numbers(
    measure: Any, verdict: Verdict, value: float | None, parts: dict[str, float], sentence: str
) -> None:
    seen = Seen(value, parts, ("c1", "c2"))
    assert signal_sentence(CATALOG, Signal("it", measure, p.PLACE), verdict, value, {}, 0, seen) == sentence


def test_of_many_people_some_are_named() -> None:
    seen = Seen(7.0, {"named": 7.0, "measured": 9.0}, tuple("abcdefg"))
    found = signal_sentence(CATALOG, Signal("it", ContactsMeasure(FALL), p.PLACE), HOLDS, 7.0, {}, 0, seen)
    assert "7 of 9 contacts (a, b, c, d, e and 2 more)" in found


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (ThresholdMeasure(Feature("logins"), Limit("below", 3)), "Logins below 3"),
        (
            DeviationMeasure("logins", Limit("below", -2), 60),
            "Logins below -2 standard deviations from the 60 days before",
        ),
        (RhythmMeasure("logins", 3, 60), "Logins with gaps of 3 times the usual over 60 days"),
    ],
)
def test_what_is_asked_of_one_person_is_said_before_how_many(measure: Any, said: str) -> None:
    seen = Seen(1.0, {"named": 1.0, "measured": 1.0})
    asked = Signal("it", ContactsMeasure(measure), p.PLACE)
    assert signal_sentence(CATALOG, asked, HOLDS, 1.0, {}, 0, seen).startswith(f"{said}: 1 of 1 contacts")


def flat(now: float, before: float) -> dict[int, float]:
    return {age: now if age < 30 else before for age in range(60)}


@pytest.mark.parametrize(
    "measure", [ContactsMeasure(FALL), SlipMeasure("logins", "mixed", roles=("sponsor",), min_base=1)]
)
def test_the_trace_goes_down_to_every_person_and_their_points(measure: Any) -> None:
    """S4-23, S0-59."""
    bundle = p.bundle(CATALOG, p.rule("r", {"it": measure}))
    known = p.facts(
        2,
        people=((0, {"sponsor"}), (0, {"user"}), (1, {"user"})),
        contact_series={"logins": p.series(flat(5, 10), flat(12, 10), flat(10, 10))},
    )
    lines = why_rule(bundle, evaluate(bundle, known), Past(), 0, "r")
    limit = "down by 20 % or more"
    assert f"    c0 (sponsor): Logins went down by 50 % in 30 days against the 30 days before, {limit}" in lines
    assert f"    c1 (user): Logins went up by 20 % in 30 days against the 30 days before, not {limit}" in lines
    assert not any("c2" in line for line in lines)
    assert any("Logins: 120 points in the 60 days to" in line for line in lines)
