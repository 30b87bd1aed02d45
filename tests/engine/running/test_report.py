"""A report holds what its allow-list names and nothing else, and its figures are true."""

import json
from dataclasses import replace

from hypothesis import given, strategies as st

from engine.definitions.problem import Place
from engine.definitions.report import (
    AdoptionSection,
    DoneSection,
    GoalsSection,
    HealthSection,
    NextStepsSection,
    QuestionSection,
    Report,
    Section,
)
from engine.running.figures import GoalFigures
from engine.running.report import MetricFacts, ReportFacts, SentFacts, compose, metrics_of, period

DAY = 20_697
SECRET = 987_654.321


def _metric(title: str, latest: float | None, kind: str = "number") -> MetricFacts:
    return MetricFacts(title, "users", kind, 0, latest, ((DAY - 7, 3.0), (DAY, latest or 0.0)))


def _report(*sections: Section, allow: tuple[str, ...] = ("active_users", "tickets_deflected")) -> Report:
    return Report("quarterly", "Your quarter", allow, sections, Place("playbooks/reports/quarterly.yaml"))


FACTS = ReportFacts(
    account="Acme",
    title="Acme: your quarter",
    day=DAY,
    metrics={
        "active_users": _metric("Weekly active users", 7.0),
        "license_utilization": _metric("Licence utilisation", 0.4137, "share"),
        "tickets_deflected": _metric("Tickets deflected", 45.0),
        "churn_risk": _metric("Churn probability, internal", SECRET),
    },
    goals={
        "tickets_deflected": GoalFigures("g", "tickets_deflected", 100, DAY - 50, DAY + 50, 45.0, 50.0, 0.9),
        "churn_risk": GoalFigures("h", "churn_risk", SECRET, DAY - 50, DAY + 50, SECRET, SECRET, 1.0),
    },
    score=69_300_000,
    wording="Good, with room to grow",
    sent=(SentFacts(DAY - 2, "Seats are waiting", 2), SentFacts(DAY - 400, "Long ago", 1)),
    next_steps="We meet in May.",
)
EVERYTHING = (
    GoalsSection(("tickets_deflected", "churn_risk")),
    AdoptionSection(("active_users", "license_utilization", "churn_risk"), 180),
    HealthSection("health", "wording"),
    DoneSection(),
    NextStepsSection(ask_owner=True),
    QuestionSection("Does this match your view?", 1, 5, "report_agreement"),
)


def _json(report: Report, facts: ReportFacts = FACTS) -> str:
    return json.dumps(compose(report, facts).as_json(), ensure_ascii=False)


def test_a_metric_that_is_not_allowed_cannot_appear_even_when_a_section_names_it() -> None:
    """S2-47."""
    text = _json(_report(*EVERYTHING))
    assert "churn" not in text.lower()
    assert "987654" not in text
    assert "license_utilization" not in text


@given(st.sets(st.sampled_from(sorted(FACTS.metrics))), st.lists(st.sampled_from(sorted(FACTS.metrics)), unique=True))
def test_whatever_is_asked_for_only_the_allow_list_is_in_it(allow: set[str], show: list[str]) -> None:
    """S2-47."""
    sections = (GoalsSection(tuple(show)), AdoptionSection(tuple(show), 90))
    report = _report(*sections, allow=tuple(sorted(allow)))
    text = _json(report)
    for name, metric in FACTS.metrics.items():
        if name not in allow:
            assert name not in text
            assert metric.title not in text
    assert metrics_of(report) == allow & set(show)


def test_the_customer_sees_the_chosen_signals_in_their_own_words() -> None:
    """S2-44."""
    content = compose(_report(*EVERYTHING), FACTS).as_json()
    adoption = content["sections"][1]
    assert adoption["metrics"][0]["figure"]["title"] == "Weekly active users"
    assert adoption["metrics"][0]["course"] == (("2026-08-25", 3.0), ("2026-09-01", 7.0))
    assert content["as_of"] == "2026-09-01"
    assert content["period_from"] == "2026-03-05"


def test_a_goal_is_shown_with_its_line_and_where_the_account_is() -> None:
    goal = compose(_report(*EVERYTHING), FACTS).as_json()["sections"][0]["goals"][0]
    assert (goal["figure"]["value"], goal["line"], goal["target"], goal["status"]) == (45.0, 50.0, 100, "Behind")


def test_health_is_shown_only_as_the_file_says() -> None:
    """S2-45."""
    assert "Good, with room to grow" in _json(_report(HealthSection("health", "wording")))
    assert "69.3" not in _json(_report(HealthSection("health", "wording")))
    scored = compose(_report(HealthSection("health", "score")), FACTS).as_json()["sections"][0]
    assert (scored["score"], scored["wording"]) == (69.3, "")
    assert compose(_report(HealthSection("health", "none")), FACTS).sections == ()


def test_without_a_score_the_report_says_so_and_shows_no_tier() -> None:
    text = _json(_report(HealthSection("health", "wording")), replace(FACTS, wording="", score=None))
    assert "not enough data" in text


def test_what_we_did_is_told_in_subjects_of_the_period() -> None:
    done = compose(_report(*EVERYTHING), FACTS).as_json()["sections"][3]["done"]
    assert done == (("2026-08-30", "We wrote to 2 of you: “Seats are waiting”"),)


def test_missing_data_is_shown_as_missing_and_never_as_zero() -> None:
    facts = replace(FACTS, metrics={"active_users": _metric("Weekly active users", None)}, goals={})
    content = compose(_report(AdoptionSection(("active_users",), 30)), facts).as_json()
    assert content["sections"][0]["metrics"][0]["figure"]["value"] is None


def test_a_figure_is_rounded_as_its_metric_is_written() -> None:
    report = _report(AdoptionSection(("license_utilization",), 30), allow=("license_utilization",))
    assert compose(report, FACTS).as_json()["sections"][0]["metrics"][0]["figure"]["value"] == 0.41


def test_a_report_covers_its_longest_trend_or_a_quarter() -> None:
    assert period(_report(*EVERYTHING)) == 180
    assert period(_report(DoneSection())) == 90
