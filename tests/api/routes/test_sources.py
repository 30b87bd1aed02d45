"""Data of every kind of source comes in as its export has it, and the metrics of the shipped catalog say so next."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.app import create_app
from engine.definitions.bundle import Bundle, read
from engine.evaluation.columns import Numbers
from engine.settings import Settings
from engine.store import account_figures, bundles, files, members
from engine.store.sessions import Store
from engine.store.tables import AccountRow

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
CRM = (
    "key,name,owner,arr,stage,renewal_on,notice_on,parent,products,region\n"
    "group,Acme Group,dana@vendor.example,0,adoption,,,,,\n"
    "acme,Acme,dana@vendor.example,50000,adoption,2026-12-31,2026-10-01,group,Mail;Chat,EU\n"
)
PEOPLE = "key,account,name,email,roles,seniority,department\nann,acme,Ann,ann@acme.com,champion,,Finance\n"
_TICKETS = """\
account,event,at,contact,ticket,severity,topic
acme,ticket_opened,2026-03-08T09:00:00Z,ann,T-1,2,login
acme,ticket_opened,2026-03-09T09:00:00Z,ann,T-2,1,export
acme,ticket_resolved,2026-03-09T12:00:00Z,,T-2,,
"""
_USAGE = """\
account,event,at,contact,flow
acme,flow_started,2026-03-08T08:00:00Z,ann,import
acme,flow_completed,2026-03-08T08:09:00Z,ann,import
"""
CASES = (
    ("crm", "points", "account,metric,day,value\nacme,seats_sold,2026-03-09,80\n", "seats_sold", 80.0),
    ("support", "events", _TICKETS, "tickets_open", 1.0),
    ("survey", "events", "account,event,at,contact,score\nacme,nps_answered,2026-03-01,ann,10\n", "survey_nps", 100.0),
    ("usage", "events", _USAGE, "flows_finished", 1.0),
    ("email", "events", "account,event,at,contact\nacme,reply,2026-03-07T10:00:00Z,ann\n", "days_since_contact", 3.0),
    (
        "notes",
        "events",
        'account,event,at,text,problem\nacme,note,2026-03-09,"Said ""thanks"", wants SSO",sso\n',
        "problems_solved",
        1.0,
    ),
)


class Source:
    """A program that pushes exports."""

    def __init__(self, client: TestClient, key: str) -> None:
        self.client = client
        self.key = key

    def push(self, kind: str, text: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "text/csv"}
        answer = self.client.post(f"/v1/{kind}", content=text.encode(), headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    checked = read(files.read_files("."))
    assert checked.bundle is not None
    return checked.bundle


def known(store: Store, shipped: Bundle, metric: str) -> float:
    """The value of a metric of the account, as an evaluation sees it."""
    with store.read() as session:
        number = session.scalars(select(AccountRow.id).where(AccountRow.key == "acme")).one()
        column = account_figures.figures(session, shipped, number, DAY, [metric]).features[metric]
    assert isinstance(column, Numbers)
    return float(column.values[0])


@pytest.fixture
def source(sqlite_store: Store, shipped: Bundle) -> Iterator[Source]:
    with sqlite_store.begin() as session:
        bundles.publish(session, shipped, "", AT)
        key = members.new_key(session, "exports", AT)
    with TestClient(create_app(sqlite_store, Settings(), lambda: AT)) as client:
        yield Source(client, key)


@pytest.mark.parametrize(
    ("kind", "text", "metric", "value"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_an_export_of_each_source_comes_in_and_its_metric_says_so(
    source: Source, sqlite_store: Store, shipped: Bundle, kind: str, text: str, metric: str, value: object
) -> None:
    """S4-04, S4-05, S4-06, S4-07, S4-08, S4-09: CRM, support, survey, usage, e-mail and notes."""
    assert source.push("accounts", CRM)["new"] == 2
    assert source.push("contacts", PEOPLE)["new"] == 1
    assert known(sqlite_store, shipped, metric) != value
    assert source.push(kind, text)["new"] == text.count("\n") - 1
    assert known(sqlite_store, shipped, metric) == value
