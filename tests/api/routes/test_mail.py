"""Mail that comes in over HTTP: answers and returned letters take effect once, anything else changes nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from api.app import create_app
from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.settings import Settings
from engine.store import bundles, deliveries, members, secrets, suppressions
from engine.store.deliveries import Claim
from engine.store.member_tables import NoticeRow
from engine.store.run_tables import DeliveryRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow
from engine.terms import DeliveryState, Role
from tests.engine.store.letters import AT, Rows, put_rows, wanted
from tests.workflows.channels.test_incoming import answer, dsn
from workflows.channels.replying import address
from workflows.channels.unsubscribing import SECRET


@pytest.fixture(scope="module")
def bundle(catalog_text: str) -> Bundle:
    more = catalog_text.replace("\nevents:\n", "\nevents:\n  bounced: {}\n", 1)
    checked = reading.read({"rules/catalog.yaml": more})
    assert checked.bundle is not None, checked.problems
    return checked.bundle


@dataclass
class Site:
    """An installation that has sent one letter to Ann, and a program that passes on mail."""

    store: Store
    client: TestClient
    key: str
    rows: Rows
    sent: Claim
    at: list[Any]

    def push(self, body: bytes, **headers: str) -> Response:
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "message/rfc822"} | headers
        response: Response = self.client.post("/v1/mail", content=body, headers=given)
        return response

    def returned(self, status: str) -> str:
        """Pass on a returned letter; what came of it."""
        response = self.push(
            dsn(status).replace(b"<0123456789abcdef0123456789abcdef01234567@vendor.example>", self.quoted)
        )
        assert response.status_code == 202, response.text
        detail: str = response.json()["detail"]
        return detail

    @property
    def quoted(self) -> bytes:
        return self.sent.message_id.encode()

    def answered(self) -> Response:
        with self.store.begin() as session:
            to = address("reply+@vendor.example", secrets.get(session, SECRET), self.sent.delivery_id)
        return self.push(answer(To=to, From="Ann <Ann@acme.example>"))

    def events(self) -> list[tuple[str, int | None]]:
        with self.store.read() as session:
            return [(row.name, row.contact_id) for row in session.scalars(select(EventRow).order_by(EventRow.id))]

    def notices(self) -> list[str]:
        with self.store.read() as session:
            return [f"{row.member}: {row.subject}: {row.text}" for row in session.scalars(select(NoticeRow))]

    def is_shut(self) -> bool:
        with self.store.read() as session:
            return suppressions.is_suppressed(session, "ann@acme.example", "operational")


@pytest.fixture
def site(sqlite_store: Store, bundle: Bundle) -> Iterator[Site]:
    moments = [AT]
    with sqlite_store.begin() as session:
        bundles.publish(session, bundle, "", AT)
        members.add(session, "dana@vendor.example", "Dana", [Role.CSM])
        rows = put_rows(session)
        session.get_one(AccountRow, rows.account).owner = "dana@vendor.example"
        sent = deliveries.claim(session, wanted(rows), AT)
        assert isinstance(sent, Claim)
        assert deliveries.begin_sending(session, sent, AT)
        deliveries.settle(session, sent, DeliveryState.SENT, "250 taken", AT, permanent=False)
        key = members.new_key(session, "relay", AT)
    with TestClient(create_app(sqlite_store, Settings(), lambda: moments[-1])) as client:
        yield Site(sqlite_store, client, key, rows, sent, moments)


def test_an_address_that_is_gone_is_shut_at_once_and_its_contact_has_bounced(site: Site) -> None:
    """S2-25, D.4 24."""
    assert site.returned("5.1.1") == "Letters to this address come back: nothing is sent there any more."
    assert site.is_shut()
    assert site.events() == [("bounced", site.rows.ann)]
    [told] = site.notices()
    assert told.startswith("dana@vendor.example: Acme, Ann: Letters come back")
    assert site.returned("5.1.1") == "It is known already that letters to this address come back."
    assert len(site.events()) == len(site.notices()) == 1


def test_what_bounced_stays_shut_when_the_person_subscribes_again(site: Site) -> None:
    site.returned("5.1.1")
    with site.store.begin() as session:
        suppressions.allow(session, "ann@acme.example", [suppressions.ALL])
        assert "come back" in suppressions.why(session, "ann@acme.example", "education")


def test_passing_trouble_is_counted_and_shuts_the_address_after_three_days(site: Site) -> None:
    assert "the address stays open" in site.returned("4.2.2")
    site.at.append(AT + timedelta(hours=71))
    assert "the address stays open" in site.returned("4.4.7")
    assert not site.is_shut()
    assert site.events() == []
    site.at.append(AT + timedelta(hours=72))
    assert "come back" in site.returned("4.4.7")
    assert site.is_shut()


def test_a_report_about_a_message_that_is_not_ours_shuts_nothing(site: Site) -> None:
    answered = site.push(dsn("5.1.1"))
    assert answered.json() == {"kind": "returned", "detail": "It quotes no message of ours; nothing was changed."}
    assert not site.is_shut()


def test_an_answer_is_an_event_of_the_contact_and_reaches_the_owner_once(site: Site) -> None:
    """S1-26: what customers answer feeds the metrics of interaction."""
    assert site.answered().json() == {
        "kind": "answered",
        "detail": "It was passed on to the account's owner. It counts as a reply.",
    }
    assert "known already" in site.answered().json()["detail"]
    assert site.events() == [("reply", site.rows.ann)]
    assert site.notices() == ["dana@vendor.example: Acme, Ann: Answer: Re: Hello: Thank you, Tuesday is fine."]


def test_an_answer_of_somebody_else_counts_for_the_account(site: Site) -> None:
    with site.store.begin() as session:
        session.get_one(ContactRow, site.rows.ann).email = "ann.lee@acme.example"
    site.answered()
    assert site.events() == [("reply", None)]


@pytest.mark.parametrize("body", [b"", b"\0\0\0", b"To: nobody\r\n\r\nhello", b"\xff" * 1000])
def test_any_other_mail_is_taken_and_changes_nothing(site: Site, body: bytes) -> None:
    response = site.push(body)
    assert (response.status_code, response.json()["kind"]) == (202, "ignored")
    with site.store.read() as session:
        assert session.scalars(select(DeliveryRow.bounce)).all() == [""]


def test_without_a_key_or_as_something_else_or_too_large_it_is_refused(site: Site) -> None:
    assert site.push(b"", Authorization="Bearer nothing").status_code == 401
    assert site.push(b"", **{"Content-Type": "application/json"}).status_code == 415
    assert site.push(b"x" * 10_000_001).status_code == 413
