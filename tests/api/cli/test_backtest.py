"""``backtest`` over a small history with known truth: who falls silent churns, and one churns out of the blue."""

from pathlib import Path

import pytest

from tests.api.cli.desk import Desk
from tests.api.cli.truth import LARGE, RULE

SPAN = ("--from", "2026-01-10", "--to", "2026-06-28", "--within", "60d")


def test_a_history_with_known_truth_gives_the_figures_of_a_hand_count(told: Desk) -> None:
    """S0-07, S1-53, S1-54, S2-41: alerts, precision, recall, lead and who was never flagged, rule by rule."""
    found = told.json("backtest", *SPAN, "--json")
    rule = found["rules"]["seats-unused"]
    assert (found["outcomes"], found["customers"]) == (5, 10)
    assert (rule["alerts"], rule["precision"]["met"], rule["precision"]["of"]) == (5, 4, 5)
    assert (rule["recall"]["met"], rule["recall"]["of"]) == (4, 5)
    assert rule["never_flagged"] == ["sudden"]
    assert rule["false_alarms"] == 1
    assert all(53 < each["days"] <= 60 for each in rule["leads_by_account"])
    assert {each["account"] for each in rule["leads_by_account"]} == {f"warned{number}" for number in range(4)}
    assert (rule["arr_caught"], rule["arr_missed"]) == (4000, 1000)
    assert rule["alerts_per_owner_and_week"] == pytest.approx(5 / 25, abs=0.01)
    assert found["signals"]["seats-unused.few_users"]["verdict"] == "more often when it fires"
    assert found["metrics"]["active_users"]["verdict"] == "as declared"


def test_what_happens_after_the_last_cutoff_changes_no_verdict(told: Desk) -> None:
    """The future is planted: points, a stage and an event after a cutoff leave what was said at it as it was."""
    span = ("--from", "2026-01-10", "--to", "2026-03-01", "--within", "60d", "--json")
    before = told.json("backtest", *span)
    future = [f"steady{number},active_users,2026-03-0{day},1" for number in range(4) for day in range(2, 9)]
    told.run("ingest", "points", told.write("future.csv", ["account,metric,day,value", *future]))
    told.run("ingest", "events", told.write("e.csv", ["account,event,at", "steady0,escalation,2026-03-05T10:00:00Z"]))
    after = told.json("backtest", *span)
    assert after["rules"]["seats-unused"] == before["rules"]["seats-unused"]
    stage = ["key,stage,stage_since", "steady0,churned,2026-03-10"]
    told.run("ingest", "accounts", told.write("stage.csv", stage))
    churned = told.json("backtest", *span)["rules"]["seats-unused"]
    assert churned["alerts"] == before["rules"]["seats-unused"]["alerts"]
    assert churned["recall"]["of"] == before["rules"]["seats-unused"]["recall"]["of"] + 1, "only the outcome is new"


def test_what_was_corrected_later_is_counted_and_can_be_left_out(told: Desk) -> None:
    """All of this history was recorded today: as it was known then, nothing was known."""
    told.run("ingest", "points", told.write("c.csv", ["account,metric,day,value", "steady0,active_users,2026-03-02,5"]))
    found = told.json("backtest", *SPAN, "--json")
    assert found["points_corrected_later"] == 1
    assert "--known" in told.run("backtest", *SPAN).stdout
    then = told.json("backtest", *SPAN, "--known", "--json")
    assert then["points_corrected_later"] == 0
    assert then["rules"]["seats-unused"]["unknown"]["rate"] == 1.0


def test_escalations_can_be_the_outcome(told: Desk) -> None:
    """S3-14: the share of escalations that a flag came before."""
    rows = ["quiet,escalation,2026-05-05T10:00:00Z", "steady0,escalation,2026-05-05T10:00:00Z"]
    told.run("ingest", "events", told.write("e.csv", ["account,event,at", *rows]))
    found = told.json("backtest", *SPAN, "--outcome", "escalation", "--json")
    assert found["rules"]["seats-unused"]["recall"] | {"interval": None} == {
        "met": 1,
        "of": 2,
        "rate": 0.5,
        "interval": None,
    }
    assert found["rules"]["seats-unused"]["never_flagged"] == ["steady0"]


def test_a_condition_can_be_the_outcome(told: Desk) -> None:
    found = told.json("backtest", *SPAN, "--outcome", '{"<": [{"var": "active_users"}, 30]}', "--json")
    assert found["rules"]["seats-unused"]["recall"]["met"] == 0, "the flag and the outcome come on the same cutoff"
    wrong = told.run("backtest", *SPAN, "--outcome", '{"<": [{"var": "aktive_users"}, 30]}')
    assert wrong.exit_code == 2
    assert 'did you mean "active_users"' in wrong.stderr


def test_a_rule_that_reads_what_only_today_is_known_of_is_named_and_left_out(told: Desk) -> None:
    (told.folder / "rules/large-only.yaml").write_text(LARGE, encoding="utf-8")
    found = told.json("backtest", *SPAN, "--json")
    assert found["not_tested"] == {"large-only": ["account.arr"]}
    assert list(found["rules"]) == ["seats-unused"]
    alone = told.run("backtest", *SPAN, "--rule", "large-only")
    assert alone.exit_code == 1
    assert "large-only reads account.arr" in str(alone.exception)
    trusting = told.json("backtest", *SPAN, "--rule", "large-only", "--todays-fields", "--json")
    assert trusting["rules"]["large-only"]["alerts"] == 10, "all of them pay more than that today"


def test_two_sets_of_definitions_are_compared_over_the_same_history(told: Desk, tmp_path: Path) -> None:
    other = told.folder / "other"
    (other / "rules").mkdir(parents=True)
    for path in ("rules", "playbooks"):
        for file in (told.folder / path).rglob("*.*"):
            target = other / file.relative_to(told.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(file.read_text(encoding="utf-8").replace("below: 40", "below: 10"), encoding="utf-8")
    found = told.json("backtest", *SPAN, "--compare", str(other), "--json")
    assert [one["rules"]["seats-unused"]["alerts"] for one in found] == [5, 0]
    shown = told.run("backtest", *SPAN, "--compare", str(other), "--html", "-")
    assert all(f"seats-unused ({one['fingerprint'][:8]})" in shown.stdout for one in found)


def test_rules_that_never_fired_are_named_in_a_line_and_have_no_row(told: Desk) -> None:
    """A new workspace has many of them; on the terminal names are never cut off either."""
    never = RULE.replace("below: 40", "below: -1").replace("seats-unused", "quiet-for-ever-and-ever")
    told.write("rules/never.yaml", [never])
    blind = RULE.replace("threshold: {below: 40}", "trend: {change: -20%, over: 300d, min_base: 5}")
    told.write("rules/blind.yaml", [blind.replace("seats-unused", "blind")])
    shown = told.run("backtest", *SPAN)
    for text in (shown.stdout, told.run("backtest", *SPAN, "--html", "-").stdout):
        assert "Never fired: quiet-for-ever-and-ever." in text.replace("\n", " ")
        assert "Unknown for everybody throughout: blind;" in text
    warnings = shown.stdout.partition("As a ranking")[0]
    assert warnings.count("quiet-for-ever-and-ever") == 1, warnings
    assert "seats-unused" in warnings
    assert "…" not in shown.stdout


def test_the_page_needs_nothing_but_itself(told: Desk) -> None:
    page = told.folder / "backtest.html"
    done = told.run("backtest", *SPAN, "--html", str(page))
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "sudden" in text
    assert "<svg" in text
    for outside in ("http://", "https://", "<script", "<link", "@import", "url("):
        assert outside not in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--outcome", "churnt"), 'did you mean "churned"?'),
        (("--rule", "seats-unsed"), 'did you mean "seats-unused"?'),
        (("--within", "soon"), '--within wants whole days like 90d, not "soon"'),
        (("--from", "2026-13-01"), "--from wants a day"),
        (("--to", "soon"), "--to wants a day"),
        (("--from", "2026-06-01", "--to", "2026-05-01"), "--from is after --to"),
    ],
)
def test_what_cannot_be_tested_is_said_in_a_sentence(told: Desk, arguments: tuple[str, ...], said: str) -> None:
    done = told.run("backtest", *arguments)
    assert (done.exit_code, said in done.stderr.replace("\n", " ")) == (2, True), done.stderr


def test_without_any_data_there_is_nothing_to_test(told: Desk) -> None:
    (told.folder / "data/backcast.db").unlink()
    done = told.run("backtest")
    assert done.exit_code == 1
    assert "There is no history yet" in done.stderr
