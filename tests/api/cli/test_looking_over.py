"""The commands that look over the portfolio: in the order of attention, from above, beside each other, ahead."""

import pytest

from engine.store.decision_tables import PredictorRow
from tests.api.cli.desk import Desk

AT = ("--at", "2026-06-30")


@pytest.fixture
def lived(told: Desk) -> Desk:
    """Ten accounts of known history, scored in May and at the end."""
    for day in ("2026-05-25", "2026-06-30"):
        done = told.run("evaluate", "--at", day, "--no-runs")
        assert done.exit_code == 0, done.output
    return told


def test_accounts_come_in_the_order_of_attention_with_the_parts_of_it(lived: Desk) -> None:
    """S0-05, S1-25: whoever pays most of those at the same risk comes first, and the sum is worked out."""
    lived.run("ingest", "accounts", lived.write("a.csv", ["key,arr", "steady3,9000"]))
    found = lived.json("accounts", *AT, "--json")
    assert [one["key"] for one in found][:2] == ["steady3", "quiet"]
    assert {one["key"] for one in found} == {"quiet", *(f"steady{number}" for number in range(4))}
    assert found[1]["tier"] == "requires_attention"
    assert found[1]["assumed"] == ["renewal", "loss", "save", "grow"]
    said = lived.run("accounts", *AT, "--account", "quiet").stdout
    assert "place 2. 1,000 x 30% (assumed) chance of loss x 50% (assumed) chance to save x 0.30 urgency" in said
    table = lived.run("accounts", *AT, "--by", "score").stdout
    assert table.index("quiet") < table.index("steady3")


def test_an_account_that_is_no_customer_is_told(lived: Desk) -> None:
    done = lived.run("accounts", "--account", "sudden")
    assert done.exit_code == 2
    assert 'no customer "sudden"' in done.output


def test_segments_are_one_line_and_sums(lived: Desk) -> None:
    """S0-43, S3-21."""
    (found,) = lived.json("segments", *AT, "--by", "owner", "--json")
    assert (found["accounts"], found["arr"], found["scored"], found["mean_score"]) == (5, 5000.0, 5, 68.0)
    assert [child["accounts"] for child in found["children"]] == [5]
    said = lived.run("segments", *AT, "--by", "stage", "--accounts").stdout
    assert "all: 5 accounts, 68.0 on average, steady for 30 days, 1 of them (1,000) Requires Attention" in said
    assert "quiet: Requires Attention, 20.0, steady for 30 days" in said
    assert "parent" in lived.run("segments", "--families").stdout


def test_what_accounts_cannot_be_grouped_by_is_one_sentence(lived: Desk) -> None:
    done = lived.run("segments", "--by", "ownr")
    assert done.exit_code == 1
    assert str(done.exception) == 'accounts cannot be grouped by "ownr"; did you mean "owner"?'


def test_cohorts_of_a_few_say_that_nothing_is_known(lived: Desk) -> None:
    found = lived.json("cohorts", "active_users", "--below", "40", "--by", "owner", *AT, "--json")
    assert [(one["known"], one["light"]) for one in found["cohorts"]] == [(5, 1)]
    assert {one["use"] for one in found["accounts"]} == {"unknown"}
    assert "fewer than 20 known" in lived.run("cohorts", "active_users", "--below", "40", "--by", "owner", *AT).stdout


def test_predictions_are_refused_with_what_is_missing_and_the_refusal_is_kept(lived: Desk) -> None:
    """S3-06."""
    said = lived.run("predict", *AT).stdout
    assert said.startswith("Nothing is predicted: ")
    assert lived.json("predict", *AT, "--json")["chances"] == []
    assert lived.count(PredictorRow) == 1


def test_what_history_teaches_is_said_with_counts_and_never_applied(lived: Desk) -> None:
    """S3-15, S3-32, S3-43: metrics ranked by how they tell; of ten accounts no goal is suggested."""
    span = ("--from", "2026-01-10", "--to", "2026-06-28", "--within", "60d")
    found = lived.json("patterns", *span, "--json")
    assert (found["customers"], found["happened"], found["patterns"], found["suggested_goals"]) == (10, 5, [], [])
    assert [(one["metric"], one["verdict"]) for one in found["metrics"]] == [("active_users", "as declared")]
    said = lived.run("patterns", *span).stdout
    assert "No goal can be suggested from so little history" in said
    assert "Nothing is applied" in said


def test_the_morning_and_the_effort_are_told(lived: Desk) -> None:
    """S3-09, S4-60."""
    lived.run(
        "ingest", "points", lived.write("p.csv", ["account,metric,day,value", "steady0,active_users,2026-07-01,30"])
    )
    assert lived.run("evaluate", "--at", "2026-07-01", "--no-runs").exit_code == 0
    entries = {one["key"]: one for one in lived.json("digest", "--at", "2026-07-01", "--json")}
    assert entries["steady0"]["changed"][:2] == ["Doing Well became Requires Attention", "score 80.0 to 30.0"]
    assert entries["steady0"]["why"][0] == "most by Weekly users"
    assert "why: most by Weekly users" in lived.run("digest", "--at", "2026-07-01").stdout
    assert "Could be saved, and nobody is at it" in lived.run("effort", "--at", "2026-07-01").stdout


def test_falling_scores_are_split_into_what_is_for_product_and_what_is_for_cs(lived: Desk) -> None:
    """S3-44: a fall of use is for product; nothing that CS does fell."""
    lived.run(
        "ingest", "points", lived.write("p.csv", ["account,metric,day,value", "steady0,active_users,2026-07-01,30"])
    )
    assert lived.run("evaluate", "--at", "2026-07-01", "--no-runs").exit_code == 0
    assert lived.json("focus", "--json") == [
        {"side": "product", "metric": "active_users", "title": "Weekly users", "accounts": 1, "arr": 1000.0}
    ]
    assert "For CS: nothing falls" in lived.run("focus").stdout
