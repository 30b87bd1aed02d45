"""What pages say: tiers in words, sums that add up, refusals and hold-outs with reasons, outages calmly."""

import re
from datetime import timedelta

from engine.store.decision_tables import CycleRow
from engine.store.run_tables import OutboxRow
from tests.installed import Site
from tests.seeding import ADMIN, AUTHOR, DAY, NOW, OWNER


def test_a_tier_is_a_word_and_an_icon_never_colour_alone(site: Site) -> None:
    """S0-08, S0-56."""
    page = site.member(OWNER).get("/accounts").text
    for word in ("Requires Attention", "Take Notice", "Doing Well", "Insufficient data"):
        assert word in page
    assert re.search(r'class="tier requires_attention"><svg class="icon"', page)


def test_risk_is_seen_in_one_row_without_a_click(site: Site) -> None:
    """S2-04, S2-35, S4-13: those that need attention come first, with tier, score, trend, cause and renewal."""
    client = site.member(OWNER)
    page = client.get("/accounts").text
    names = re.findall(r'class="account" href="/accounts/\d+">([^<]+)', page)
    assert names[0] == "Northwind Health"
    assert names[-1] == "Cedar Schools"
    row = page.partition("Northwind Health")[2].partition("</tr>")[0]
    score = client.get("/v1/accounts/northwind-health/score").json()["score"]
    for part in (f"{score:.1f}", "sparkline", "Tickets deflected", "84,000", "31 Dec 2026"):
        assert part in row


def test_the_list_is_filtered_by_tier_owner_and_words(site: Site) -> None:
    client = site.member(ADMIN)

    def names(query: str) -> list[str]:
        return re.findall(r'class="account" href="/accounts/\d+">([^<]+)', client.get(f"/accounts?{query}").text)

    assert names("tier=doing_well") == ["Blue Harbor Bank", "Fjord Travel"]
    assert names("owner=omar@vendor.example") == ["Delta Foundry"]
    assert names("search=elm") == ["Elm Insurance"]
    assert names("search=%25") == []
    assert "No account fits" in client.get("/accounts?search=zzz").text


def test_the_parts_of_a_score_sum_to_it(site: Site) -> None:
    """S0-50, S0-63: every figure used is on the page, and again the same."""
    client = site.member(OWNER)
    score = client.get("/v1/accounts/acorn-logistics/score").json()
    assert sum(part["micro_points"] for part in score["parts"]) == round(score["computed"] * 1_000_000)
    path = f"/accounts/{site.seeded.accounts['Acorn Logistics']}"
    page = client.get(path).text
    assert page == client.get(path).text
    for part in score["parts"]:
        if part["value"] is not None:
            assert f"{part['points']:.1f}" in page
    assert "not known" in page, "a missing metric is said to be missing"


def test_a_metric_leads_down_to_the_records(site: Site) -> None:
    """S0-59, S1-34: from the score to a formula's parts to the points that were sent in."""
    client = site.member(OWNER)
    path = f"/accounts/{site.seeded.accounts['Acorn Logistics']}"
    assert "metrics/license_utilization" in client.get(path).text
    assert "metrics/active_users" in client.get(f"{path}/metrics/license_utilization").text
    points = client.get(f"{path}/metrics/active_users").text
    assert "39 users" in points
    assert "Recorded" in points
    assert client.get(f"{path}/metrics/no_such_metric").status_code == 404


def test_the_timeline_tells_refusals_and_hold_outs_with_reasons(site: Site) -> None:
    page = site.member(OWNER).get(f"/accounts/{site.seeded.accounts['Acorn Logistics']}").text
    for words in ("Not started", "the rule is cooling down", "Held out", "Goal not met", "May have arrived"):
        assert words in page


def test_an_approval_shows_what_would_be_sent_to_whom_and_why(site: Site) -> None:
    page = site.member(OWNER).get("/inbox").text
    for words in (
        "Maria Lindqvist",
        "Did something change on your side?",
        "fell by 31 %",
        "2 days left",
        "usage-falling.yaml",
    ):
        assert words in page
    assert '<iframe sandbox srcdoc="&lt;p&gt;' in page


def test_a_delivery_in_doubt_is_shown_to_the_owner(site: Site) -> None:
    """P1: never silently resent, never dropped."""
    page = site.member(OWNER).get("/inbox").text
    assert "May or may not have arrived" in page
    assert "What is new for you" in page


def test_effects_say_when_there_is_not_enough_data(site: Site) -> None:
    page = site.member(OWNER).get("/effects").text
    assert "Not enough data" in page
    assert "+30.8" in page
    assert "clear gain" in page
    assert "not clear yet" in page


def test_while_temporal_is_down_every_page_says_what_waits(site: Site) -> None:
    """F05: decisions are kept; the page says so."""
    client = site.member(OWNER)
    assert "wait in the outbox" not in client.get("/inbox").text
    assert client.get("/v1/health").json() == {"status": "ok", "waiting": 0}
    with site.store.begin() as session:
        session.add(
            OutboxRow(
                kind="start",
                run_id=site.seeded.run,
                payload={},
                created_at=NOW - timedelta(minutes=5),
                attempts=3,
                next_at=NOW,
                error="connection refused",
            )
        )
    for path in ("/inbox", "/accounts"):
        page = client.get(path).text
        assert "wait in the outbox since 5 minutes ago" in page
        assert "connection refused" in page
    assert client.post(f"/approvals/{site.seeded.approval}/approve", data={"version": "1"}).status_code == 303
    assert client.get("/v1/health").json()["status"] == "behind"


def test_an_account_without_a_score_says_so(site: Site) -> None:
    page = site.member(OWNER).get(f"/accounts/{site.seeded.accounts['Cedar Schools']}").text
    assert "Insufficient data" in page


def test_a_run_shows_where_it_stands_and_what_lies_ahead(site: Site) -> None:
    page = site.member(OWNER).get(f"/runs/{site.seeded.waiting_run}").text
    assert 'aria-current="step"' in page
    assert "here now" in page
    assert "ahead" in page
    assert site.seeded.bundle.fingerprint[:12] in page
    answer = site.member(OWNER).get(f"/v1/runs/{site.seeded.waiting_run}").json()
    assert [step["step"] for step in answer["steps"] if step["current"]] == ["wait-1"]


def test_a_rule_that_would_start_too_much_asks_those_who_may_release_it(site: Site) -> None:
    """P6: authors read the question in their inbox; others are not bothered."""
    with site.store.begin() as session:
        session.add(
            CycleRow(
                day=DAY,
                decided_at=NOW,
                bundle="",
                rules=[],
                unknown={},
                asks={"usage-falling": "Rule usage-falling wants 900 runs; its limit is 50. Let them start?"},
                counts={},
            )
        )
    assert "wants 900 runs" in site.member(AUTHOR).get("/inbox").text
    assert "backcast evaluate --release usage-falling" in site.member(AUTHOR).get("/inbox").text
    assert "wants 900 runs" not in site.member(OWNER).get("/inbox").text


def test_an_account_without_a_score_shows_what_is_known_and_no_points(site: Site) -> None:
    """Too little data is said, not shown as zero."""
    page = site.member(ADMIN).get(f"/accounts/{site.seeded.accounts['Cedar Schools']}").text
    assert "Too little is known for a score" in page
    assert "0.0</b>" not in page
