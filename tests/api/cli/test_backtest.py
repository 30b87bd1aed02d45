"""``backtest`` over a small history with known truth: who falls silent churns, and one churns out of the blue."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.api.cli.desk import Desk

END = date(2026, 6, 30)
CATALOG = """\
format: 1
north_star: weekly teams
metrics:
  active_users:
    {title: Weekly users, source: adoption, evidence: do, type: number, better: higher, stale_after: 14d,
     bears_on_value: Teams that log in renew.}
events:
  escalation: {}
roles: [champion]
stages: [adoption, churned]
"""
CARD = """\
format: 1
scorecard: health
desired_outcome: They renew.
dimensions:
  usage: {weight: 100%, metrics: {active_users: {linear: [0, 100]}}}
tiers:
  requires_attention: {from: 0, customer_wording: Let us look}
  take_notice: {from: 50, customer_wording: Good}
  doing_well: {from: 75, customer_wording: Well}
"""
PLAYBOOK = """\
format: 1
playbook: seat-activation
title: Get the seats used
category: education
steps:
  - task: {title: Ask who needs them, to: owner}
"""
RULE = """\
format: 1
rule: seats-unused
challenge:
  title: Seats are paid for and not used
  kind: risk
  why: Accounts under 40 % use renew at half the rate.
  owner: cs-ops
  success: {metric: active_users, at_least: 60, within: 45d}
actions:
  - {playbook: seat-activation, mode: automatic}
signals:
  few_users: {metric: active_users, threshold: {below: 40}}
"""
LARGE = RULE.replace("seats-unused", "large-only").replace(
    "  few_users:", '  large: {condition: {">=": [{var: account.arr}, 100]}}\n  few_users:'
)


@pytest.fixture
def told(desk: Desk) -> Desk:
    """Ten accounts over half a year: `warned0` to `warned3` fall to 20 users 60 days before they churn, `sudden`
    churns at 80 users, `steady` ones stay at 80, and `quiet` has 20 users and stays."""
    for folder in ("rules", "playbooks"):
        shutil.rmtree(desk.folder / folder)
    written = {"catalog": CATALOG, "seats-unused": RULE, "scorecards/health": CARD}
    for name, text in (*((f"rules/{name}", text) for name, text in written.items()), ("playbooks/seats", PLAYBOOK)):
        (desk.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (desk.folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (desk.folder / "data/backcast.db").unlink()
    churned = {f"warned{number}": END - timedelta(days=20 + 5 * number) for number in range(4)}
    churned["sudden"] = END - timedelta(days=30)
    keys = [*churned, "quiet", *(f"steady{number}" for number in range(4))]
    accounts = ["key,name,arr,owner,stage,stage_since"]
    stages = {key: f"churned,{churned[key]}" if key in churned else "adoption,2025-01-01" for key in keys}
    accounts += [f"{key},{key},1000,ann@example.com,{stages[key]}" for key in keys]
    points = ["account,metric,day,value"]
    for age in range(180):
        day = END - timedelta(days=age)
        for key in keys:
            falls = key == "quiet" or (key.startswith("warned") and day >= churned[key] - timedelta(days=60))
            points.append(f"{key},active_users,{day},{20 if falls else 80}")
    for kind, rows in (("accounts", accounts), ("points", points)):
        done = desk.run("ingest", kind, desk.write(f"{kind}.csv", rows))
        assert done.exit_code == 0, done.output
    return desk


SPAN = ("--from", "2026-01-10", "--to", "2026-06-28", "--within", "60d")


def test_a_history_with_known_truth_gives_the_figures_of_a_hand_count(told: Desk) -> None:
    """S0-07, S1-53, S2-41: alerts, precision, recall, lead and who was never flagged, rule by rule."""
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
        (("--from", "2026-06-01", "--to", "2026-05-01"), "--from is after --to"),
    ],
)
def test_what_cannot_be_tested_is_said_in_a_sentence(told: Desk, arguments: tuple[str, ...], said: str) -> None:
    done = told.run("backtest", *arguments)
    assert (done.exit_code, said in done.stderr.replace("\n", " ")) == (2, True), done.stderr


def test_without_any_data_there_is_nothing_to_test(desk: Desk) -> None:
    (desk.folder / "data/backcast.db").unlink()
    done = desk.run("backtest")
    assert done.exit_code == 1
    assert "There is no history yet" in done.stderr
