"""Events that were pushed become figures: amounts per day as points, the rest worked out when it is asked for."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.definitions.bundle import Bundle
from engine.evaluation.incoming.rows import Format
from engine.store import ingests
from engine.store.account_figures import figures
from engine.store.files import check
from engine.store.ingests import Kind
from engine.store.sessions import Store
from engine.store.tables import AccountRow, MetricRow, PointRow

AT = datetime(2026, 3, 10, 23, tzinfo=UTC)
TODAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
ACCOUNTS = "key,name,fields.expected_logins\nacme,Acme,4\n"
CONTACTS = """key,account,name,email,roles,department,seniority,joined_on
ann,acme,Ann,ann@acme.example,champion,it,director,2026-01-01
bob,acme,Bob,bob@acme.example,user,,,2026-01-01
"""
GOAL = """key,goals.tickets_deflected.target,goals.tickets_deflected.start,goals.tickets_deflected.end
acme,500,2026-01-01,2026-06-30
"""
MORE = ("reply_hours", "problems_solved", "touches")
HEADER = "account,event,at,contact,feature,ticket,severity,amount,invoice,score"


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    checked, _ = check(str(Path(__file__).parents[3]))
    assert checked.bundle is not None
    return checked.bundle


@pytest.fixture
def acme(store: Store, shipped: Bundle) -> Store:
    push(store, shipped, "accounts", ACCOUNTS)
    push(store, shipped, "contacts", CONTACTS)
    return store


def push(store: Store, shipped: Bundle, kind: str, text: str) -> None:
    with store.begin() as session:
        ingests.ingest(session, Kind(kind), [text.encode()], Format.CSV, shipped.catalog, AT)


def happen(store: Store, shipped: Bundle, *rows: str) -> None:
    """Push events, each ``event,at,contact`` and as many of the further columns as it needs."""
    width = HEADER.count(",") - 1
    text = "\n".join(f"acme,{row}{',' * (width - row.count(','))}" for row in rows)
    push(store, shipped, "events", f"{HEADER}\n{text}\n")


def told(store: Store, shipped: Bundle, names: Sequence[str]) -> list[float | None]:
    """The figures of the account."""
    with store.read() as session:
        account = session.scalars(select(AccountRow.id)).one()
        seen = figures(session, shipped, account, TODAY, names)
        return [seen.latest(name) for name in names]


def stored(store: Store) -> dict[str, float]:
    """Metric → sum of its points."""
    with store.read() as session:
        rows = session.execute(
            select(MetricRow.name, PointRow.value).join(PointRow, PointRow.metric_id == MetricRow.id)
        )
        found: dict[str, float] = {}
        for name, value in rows:
            found[name] = found.get(name, 0.0) + value
        return found


def test_minutes_of_use_are_kept_per_day_and_breaks_are_none(acme: Store, shipped: Bundle) -> None:
    """S0-28, S0-29: 4 + 5 minutes and then a break; Bob left it open all day."""
    happen(
        acme,
        shipped,
        "login,2026-03-10T08:00:00Z,ann",
        "activity,2026-03-10T08:04:00Z,ann",
        "feature_used,2026-03-10T08:09:00Z,ann,search",
        "activity,2026-03-10T12:00:00Z,ann",
        "login,2026-03-10T08:00:00Z,bob",
        "activity,2026-03-10T17:00:00Z,bob",
    )
    assert told(acme, shipped, ["active_minutes", "minutes_per_login", "actions"]) == [9, 4.5, 1]
    assert stored(acme)["active_minutes"] == 9
    assert told(acme, shipped, ["usage_against_expectation", "breadth", "depth"]) == [0.5, 1, 0.2]


def test_amounts_are_added_up_and_conditions_are_asked_before(acme: Store, shipped: Bundle) -> None:
    """S1-05: 100 + 20.5 of invoices; one of two tickets is severe; the feature is counted under its name."""
    happen(
        acme,
        shipped,
        "invoice_overdue,2026-03-01T08:00:00Z,,,,,100,i1",
        "invoice_overdue,2026-03-01T09:00:00Z,,,,,20.5,i2",
        "ticket_opened,2026-03-02T08:00:00Z,bob,,t1,1",
        "ticket_opened,2026-03-02T09:00:00Z,bob,,t2,3",
        "feature_used,2026-03-03T08:00:00Z,bob,forms",
    )
    points = stored(acme)
    assert (points["overdue_amount"], points["severe_tickets"], points["feature.forms"]) == (120.5, 1, 1)
    assert "feature.search" not in points
    assert told(acme, shipped, ["overdue_amount", "severe_tickets"]) == [120.5, 1]


def test_what_needs_the_whole_span_has_no_points(acme: Store, shipped: Bundle) -> None:
    happen(
        acme,
        shipped,
        "nps_answered,2026-03-05T08:00:00Z,ann,,,,,,10",
        "nps_answered,2026-03-05T08:00:00Z,bob,,,,,,0",
        "ticket_opened,2026-03-08T08:00:00Z,bob,,t1,1",
        "ticket_resolved,2026-03-09T20:00:00Z,bob,,t1",
        "meeting,2026-03-08T08:00:00Z,ann",
    )
    names = ["survey_nps", "resolution_hours", "departments_reached", "seniority_reached", "roles_reached"]
    assert told(acme, shipped, names) == [0, 36, 1, 3, pytest.approx(1 / 3)]
    assert not stored(acme).keys() & set(names)


def test_a_new_touch_is_seen_at_once(acme: Store, shipped: Bundle) -> None:
    """S4-46: pushed, and the very next look sees it."""
    happen(acme, shipped, "meeting,2026-02-10T08:00:00Z,ann")
    assert told(acme, shipped, ["days_since_contact", "touches"]) == [28, 1]
    happen(acme, shipped, "call,2026-03-09T08:00:00Z,ann")
    assert told(acme, shipped, ["days_since_contact", "touches"]) == [1, 2]


def test_usage_invoices_tickets_mails_notes_and_goals_are_in_one_place(acme: Store, shipped: Bundle) -> None:
    """S1-20: one look at the account has them all; a conversation by mail is a pair of events."""
    push(acme, shipped, "accounts", GOAL)
    happen(
        acme,
        shipped,
        "login,2026-03-09T08:00:00Z,ann",
        "invoice_overdue,2026-03-01T08:00:00Z,,,,,100,i1",
        "ticket_opened,2026-03-02T08:00:00Z,bob,,t1,1",
        "reply,2026-03-05T08:00:00Z,ann",
        "note,2026-03-06T08:00:00Z,ann",
    )
    with acme.begin() as session:
        text = "account,event,at,contact,thread,problem\n"
        text += "acme,outreach_sent,2026-03-03T08:00:00Z,ann,m1,\nacme,outreach_answered,2026-03-03T20:00:00Z,ann,m1,\n"
        text += "acme,note,2026-03-07T08:00:00Z,ann,,import\n"
        ingests.ingest(session, Kind("events"), [text.encode()], Format.CSV, shipped.catalog, AT)
    with acme.read() as session:
        account = session.scalars(select(AccountRow.id)).one()
        seen = figures(session, shipped, account, TODAY, ["users_month", "overdue_amount", "tickets_open", *MORE])
    names = ("users_month", "overdue_amount", "tickets_open", *MORE)
    assert [seen.latest(name) for name in names] == [1, 100, 1, 12, 1, 1]
    goal = seen.goal("tickets_deflected")
    assert goal is not None
    assert goal.target == 500
