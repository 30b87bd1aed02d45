"""Pushing data over HTTP: what is accepted is stored, what is not is answered with every place; never with a 5xx."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import func, select

from api.app import create_app
from engine.definitions.bundle import Bundle
from engine.evaluation.incoming.rows import Format
from engine.settings import Settings
from engine.store import bundles, ingests, members
from engine.store.ingests import Kind
from engine.store.sessions import Store
from engine.store.tables import PointRow

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
JSON, NDJSON = "application/json", "application/x-ndjson"


class Sender:
    """A program with an ingest key."""

    def __init__(self, client: TestClient, key: str) -> None:
        self.client = client
        self.key = key

    def push(self, body: Any, kind: str = "points", **headers: str) -> Response:
        """Push a body; what is not bytes or text is made JSON."""
        content = body if isinstance(body, bytes | str) else json.dumps(body)
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": JSON}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value.encode("latin-1") for name, value in given.items()}
        answer: Response = self.client.post(f"/v1/{kind}", content=content, headers=sent)
        return answer


def prepared(store: Store, bundle: Bundle) -> str:
    with store.begin() as session:
        bundles.publish(session, bundle, "", AT)
        text = b"key,name\nacme,Acme\nzeta,Zeta\n"
        ingests.ingest(session, Kind.ACCOUNTS, [text], Format.CSV, bundle.catalog, AT)
        text = b"key,account\nann,acme\n"
        ingests.ingest(session, Kind.CONTACTS, [text], Format.CSV, bundle.catalog, AT)
        return members.new_key(session, "warehouse", AT)


@pytest.fixture
def sender(sqlite_store: Store, small_bundle: Bundle) -> Iterator[Sender]:
    key = prepared(sqlite_store, small_bundle)
    with TestClient(create_app(sqlite_store, Settings(), lambda: AT)) as client:
        yield Sender(client, key)


@pytest.fixture
def any_sender(store: Store, small_bundle: Bundle) -> Iterator[Sender]:
    key = prepared(store, small_bundle)
    with TestClient(create_app(store, Settings(), lambda: AT)) as client:
        yield Sender(client, key)


def stored(store: Store) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(PointRow)) or 0


def point(**changed: Any) -> dict[str, Any]:
    return {"account": "acme", "metric": "active_users", "day": "2026-03-01", "value": 7, **changed}


def refused(answer: Response, status: int) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["detail"]
    errors: list[dict[str, Any]] = body.get("errors", [])
    return errors


def test_points_are_stored_and_counted(any_sender: Sender, store: Store) -> None:
    body = {"points": [point(), point(day="2026-03-02"), point(metric="pulse", contact="ann")]}
    answer = any_sender.push(body)
    assert (answer.status_code, answer.json()) == (
        200,
        {"kind": "points", "rows": 3, "new": 3, "changed": 0, "same": 0},
    )
    assert any_sender.push(body).json()["same"] == 3
    assert stored(store) == 3


@pytest.mark.parametrize("form", [NDJSON, "application/jsonl", "text/csv", f"{NDJSON}; charset=utf-8"])
def test_lines_and_tables_are_taken_too(sender: Sender, sqlite_store: Store, form: str) -> None:
    lines = "account,metric,day,value\nacme,seats,2026-03-01,7\nzeta,seats,2026-03-01,8"
    if form != "text/csv":
        lines = "\n\n".join(json.dumps(point(account=key)) for key in ("acme", "zeta"))
    assert sender.push(lines, Content_Type=form).json()["new"] == 2
    packed = gzip.compress(lines.encode())
    assert sender.push(packed, Content_Type=form, Content_Encoding="gzip").json()["same"] == 2
    assert stored(sqlite_store) == 2


def test_accounts_contacts_and_events_are_taken(sender: Sender) -> None:
    goal = {"target": 100, "start": "2026-01-01", "end": "2026-12-31"}
    accounts = {"accounts": [{"key": "new", "arr": 5, "fields": {"region": "EU"}, "goals": {"orders": goal}}]}
    assert sender.push(accounts, "accounts").json()["new"] == 1
    contacts = {"contacts": [{"key": "cyd", "account": "new", "email": "cyd@new.com", "roles": ["champion"]}]}
    assert sender.push(contacts, "contacts").json()["new"] == 1
    event = {"account": "new", "event": "escalation", "at": "2026-03-01T10:00:00Z", "contact": "cyd", "severity": 2}
    assert sender.push({"events": [event]}, "events").json()["new"] == 1
    assert sender.push({"events": [event]}, "events").json()["same"] == 1


def test_every_bad_row_is_named_and_nothing_is_stored(sender: Sender, sqlite_store: Store) -> None:
    rows = [point(), point(account="acmee"), point(metric="active_user"), point(day="2027-01-01"), point(value="x")]
    found = refused(sender.push({"points": rows}), 422)
    assert [(each["pointer"], each["code"]) for each in found] == [
        ("/points/1/account", "unknown_account"),
        ("/points/2/metric", "unknown_metric"),
        ("/points/3/day", "bad_day"),
        ("/points/4/value", "bad_value"),
    ]
    assert 'did you mean "acme"' in found[0]["detail"]
    assert 'did you mean "active_users"' in found[1]["detail"]
    assert stored(sqlite_store) == 0


def test_of_very_many_bad_rows_the_first_fifty_are_named_and_all_counted(sender: Sender) -> None:
    answer = sender.push({"points": [point(value=None) for _ in range(200)]})
    assert len(refused(answer, 422)) == 50
    assert answer.json()["total"] == 200


@pytest.mark.parametrize(
    ("row", "pointer"),
    [
        ('{"account":"acme","metric":"seats","day":"2026-03-01"}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":1,"valu":2}', "/points/0/valu"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":1,"value":2}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":1,"\\u0076alue":2}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":true}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":null}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":"7,5"}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":[1]}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":1e300}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":NaN}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":-Infinity}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":1e999}', "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":' + "9" * 5_000 + "}", "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":"2026-03-01","value":' + "9" * 290 + "}", "/points/0/value"),
        ('{"account":"acme","metric":"seats","day":20260301,"value":1}', "/points/0/day"),
        ('{"account":"acme","metric":"seats","day":"1970-01-01","value":1}', "/points/0/day"),
        ('{"account":"acme","metric":"seats","day":"2026-02-30","value":1}', "/points/0/day"),
        ('{"account":"ac\\u0000me","metric":"seats","day":"2026-03-01","value":1}', "/points/0/account"),
        ('{"account":"\\ud800","metric":"seats","day":"2026-03-01","value":1}', "/points/0/account"),
        ('{"account":7,"metric":"seats","day":"2026-03-01","value":1}', "/points/0/account"),
        ('{"account":"acme","metric":"utilization","day":"2026-03-01","value":1}', "/points/0/metric"),
        ('{"account":"acme","metric":"people","day":"2026-03-01","value":1}', "/points/0/metric"),
        ("[1]", "/points/0"),
        ("7", "/points/0"),
    ],
)
def test_a_row_that_is_no_point_is_named(sender: Sender, sqlite_store: Store, row: str, pointer: str) -> None:
    found = refused(sender.push('{"points":[' + row + "]}"), 422)
    assert found[0]["pointer"] == pointer
    line = refused(sender.push(f"{json.dumps(point())}\n{row}\n", Content_Type=NDJSON), 422)[0]
    assert (line["line"], line["column"]) == (2, pointer.removeprefix("/points/0").removeprefix("/"))
    assert stored(sqlite_store) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"not json",
        b"\xff\xfe{\x00}\x00",
        b"null",
        b"[]",
        b'"points"',
        b"{}",
        b'{"points":{}}',
        b'{"points":[]}',
        b'{"points":[],"points":[]}',
        b'{"points":[],"more":1}',
        b'{"accounts":[]}',
        b'{"points":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"points":[{"account":"\xff","metric":"seats","day":"2026-03-01","value":1}]}',
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_cannot_be_read_says_where(sender: Sender, sqlite_store: Store, body: bytes) -> None:
    found = refused(sender.push(body), 400)
    assert found[0]["detail"]
    assert stored(sqlite_store) == 0


def test_a_bad_line_is_named_and_all_of_them(sender: Sender, sqlite_store: Store) -> None:
    good = json.dumps(point())
    found = refused(sender.push(f"{good}\n{{bad\n\n[1]\n{good[:-1]}\n", Content_Type=NDJSON), 422)
    assert [(each["line"], each["code"]) for each in found] == [(2, "not_json"), (4, "wrong_shape"), (5, "not_json")]
    assert "character" in found[0]["detail"]
    assert stored(sqlite_store) == 0


def test_what_is_too_large_is_refused(sender: Sender, sqlite_store: Store) -> None:
    refused(sender.push({"points": [point()] * 10_001}), 413)
    refused(sender.push(b'{"points":[' + b" " * 10_000_001 + b"]}"), 413)
    bomb = gzip.compress(b"[" * 200_000_000, compresslevel=1)
    refused(sender.push(bomb, Content_Encoding="gzip"), 413)
    found = refused(sender.push(b'{"account":"' + b"a" * 20_000_000, Content_Type=NDJSON), 400)
    assert (found[0]["line"], found[0]["code"]) == (1, "long_line")
    assert stored(sqlite_store) == 0


def test_damaged_gzip_is_refused(sender: Sender) -> None:
    packed = gzip.compress(json.dumps({"points": [point()]}).encode())
    for body, code in ((packed[:-9], "truncated_gzip"), (b"{}", "bad_gzip"), (b"", "truncated_gzip")):
        assert refused(sender.push(body, Content_Encoding="gzip"), 400)[0]["code"] == code


def test_only_known_formats_are_taken(sender: Sender) -> None:
    for header in ({"Content_Type": "text/plain"}, {"Content_Type": ""}, {"Content_Encoding": "br"}):
        refused(sender.push({"points": [point()]}, **header), 415)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic Zm9v", "Bearer \xff", "nonsense"])
def test_without_a_valid_key_nothing_is_read(sender: Sender, header: str) -> None:
    answer = sender.push({"points": [point()]}, Authorization=header)
    refused(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_is_refused(sender: Sender, sqlite_store: Store) -> None:
    with sqlite_store.begin() as session:
        members.revoke_key(session, "warehouse", AT)
    refused(sender.push({"points": [point()]}), 401)


def test_the_same_key_and_body_is_answered_as_before(any_sender: Sender, store: Store) -> None:
    body = {"points": [point()]}
    first = any_sender.push(body, Idempotency_Key="k-1")
    again = any_sender.push(body, Idempotency_Key="k-1")
    assert (first.status_code, first.json()) == (again.status_code, again.json()) == (200, first.json())
    assert again.json()["new"] == 1
    refused(any_sender.push({"points": [point(value=8)]}, Idempotency_Key="k-1"), 409)
    assert any_sender.push({"points": [point(value=8)]}, Idempotency_Key="k-2").json()["changed"] == 1
    assert stored(store) == 1


def test_a_refused_body_can_be_corrected_under_its_key(sender: Sender) -> None:
    refused(sender.push({"points": [point(value="x")]}, Idempotency_Key="k-1"), 422)
    assert sender.push({"points": [point()]}, Idempotency_Key="k-1").status_code == 200


@pytest.mark.parametrize("key", ["", "k" * 201, "\xff", "a\tb"])
def test_a_bad_idempotency_key_is_refused(sender: Sender, key: str) -> None:
    refused(sender.push({"points": [point()]}, Idempotency_Key=key), 400)


def test_without_definitions_no_data_is_taken(sqlite_store: Store) -> None:
    with sqlite_store.begin() as session:
        key = members.new_key(session, "warehouse", AT)
    with TestClient(create_app(sqlite_store, Settings(), lambda: AT)) as client:
        refused(Sender(client, key).push({"points": [point()]}), 503)


def test_the_day_of_tomorrow_is_still_taken_somewhere_on_earth(sender: Sender) -> None:
    assert sender.push({"points": [point(day="2026-03-11")]}).status_code == 200
    refused(sender.push({"points": [point(day="2026-03-12")]}), 422)


@pytest.mark.parametrize(
    ("kind", "row", "pointer"),
    [
        ("accounts", {"name": "x"}, "key"),
        ("accounts", {"key": ""}, "key"),
        ("accounts", {"key": ["a"]}, "key"),
        ("accounts", {"key": "n", "arr": "much"}, "arr"),
        ("accounts", {"key": "n", "arr": -1}, "arr"),
        ("accounts", {"key": "n", "arr": 10**400}, "arr"),
        ("accounts", {"key": "n", "arr": float("nan")}, "arr"),
        ("accounts", {"key": "n", "region": float("inf")}, "region"),
        ("accounts", {"key": "n", "parent": "nobody"}, "parent"),
        ("accounts", {"key": "n", "parent": "n"}, "parent"),
        ("accounts", {"key": "n", "products": [7]}, "products"),
        ("accounts", {"key": "n", "notice_on": "soon"}, "notice_on"),
        ("contacts", {"key": "n", "account": "acme", "joined_on": 7}, "joined_on"),
        ("contacts", {"key": "n", "account": "acme", "department": ["a"]}, "department"),
        ("contacts", {"key": "n", "account": "acme", "language": "German"}, "language"),
        ("contacts", {"key": "n", "account": "acme", "time_zone": "Berlin"}, "time_zone"),
        ("contacts", {"key": "n", "account": "acme", "time_zone": "../../etc/passwd"}, "time_zone"),
        ("accounts", {"key": "n", "stage": "adopton"}, "stage"),
        ("accounts", {"key": "n", "renewal_on": "31.12.2026"}, "renewal_on"),
        ("accounts", {"key": "n", "suppressed": "maybe"}, "suppressed"),
        ("accounts", {"key": "n", "owmer": "x"}, "owmer"),
        ("accounts", {"key": "n", "segment": "x"}, "segment"),
        ("accounts", {"key": "n", "region": ["EU"]}, "region"),
        ("accounts", {"key": "n", "goals": {"order": {"target": 1}}}, "goals/order"),
        ("accounts", {"key": "n", "goals": {"orders": {"target": 1, "start": "2026-01-01"}}}, "goals/orders/end"),
        ("accounts", {"key": "n", "goals": 7}, "goals"),
        ("accounts", {"key": "n" * 201}, "key"),
        ("accounts", {"key": "n\ud800"}, "key"),
        ("contacts", {"key": "n", "account": "nobody"}, "account"),
        ("contacts", {"key": "n", "account": "acme", "email": "a@b.com,c@d.com"}, "email"),
        ("contacts", {"key": "n", "account": "acme", "email": "a" * 65 + "@b.com"}, "email"),
        ("contacts", {"key": "n", "account": "acme", "roles": ["boss"]}, "roles"),
        ("contacts", {"key": "n", "account": "acme", "roles": [7]}, "roles"),
        ("contacts", {"key": "n", "account": "acme", "phone": "7"}, "phone"),
        ("events", {"account": "acme", "event": "logon", "at": "2026-03-01"}, "event"),
        ("events", {"account": "acme", "event": "login", "at": "2026-03-01T10:00:00"}, "at"),
        ("events", {"account": "acme", "event": "login", "at": "2027-03-01"}, "at"),
        ("events", {"account": "acme", "event": "login", "at": None}, "at"),
        ("events", {"account": "acme", "event": "login", "at": 7}, "at"),
        ("events", {"account": "acme", "event": "login", "at": "2026-03-01", "contact": "nobody"}, "contact"),
        ("events", {"account": "acme", "event": "login", "at": "2026-03-01", "severity": 1}, "severity"),
        ("events", {"account": "acme", "event": "escalation", "at": "2026-03-01", "severity": "high"}, "severity"),
        ("events", {"account": "acme", "event": "login", "at": "2026-03-01", "key": "k" * 81}, "key"),
    ],
)
def test_a_bad_account_contact_or_event_is_named(sender: Sender, kind: str, row: dict[str, Any], pointer: str) -> None:
    """S2-30."""
    answer = sender.push({kind: [row]}, kind)
    assert refused(answer, 422)[0]["pointer"] == f"/{kind}/0/{pointer}"


def test_the_same_account_twice_in_one_body_is_refused(sender: Sender) -> None:
    found = refused(sender.push({"accounts": [{"key": "n"}, {"key": "n"}]}, "accounts"), 422)
    assert found[0]["pointer"] == "/accounts/1/key"
    assert "/accounts/0" in found[0]["detail"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["acme", "seats"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["account", "metric", "day", "value", "key", "at", "goals", "event"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(json_values, max_size=3), kind=st.sampled_from(list(Kind)), form=st.sampled_from([JSON, NDJSON]))
def test_no_body_makes_the_server_fail(sender: Sender, rows: list[Any], kind: Kind, form: str) -> None:
    """P14: nothing that can be sent is answered with a 5xx."""
    body = json.dumps({kind.value: rows}) if form == JSON else "\n".join(json.dumps(row) for row in rows)
    answer = sender.push(body, kind.value, Content_Type=form)
    assert answer.status_code in {200, 400, 422}
    if answer.status_code != 200:
        assert refused(answer, answer.status_code)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), kind=st.sampled_from(list(Kind)), form=st.sampled_from([JSON, NDJSON, "text/csv"]))
def test_no_bytes_make_the_server_fail(sender: Sender, body: bytes, kind: Kind, form: str) -> None:
    answer = sender.push(body, kind.value, Content_Type=form)
    assert answer.status_code in {200, 400, 422}


def test_late_data_replaces_and_says_so(sender: Sender) -> None:
    assert sender.push({"points": [point()]}).json()["new"] == 1
    sender.client.app.state.clock = lambda: AT + timedelta(days=1)  # type: ignore[attr-defined]  # typed as ASGI app
    assert sender.push({"points": [point(value=9)]}).json()["changed"] == 1


def described(sender: Sender, kind: str) -> dict[str, Any]:
    document = sender.client.get("/v1/openapi.json").json()
    found: dict[str, Any] = document["paths"][f"/v1/{kind}"]["post"]
    assert document["components"]["securitySchemes"]["ingestKey"]["scheme"] == "bearer"
    assert found["security"] == [{"ingestKey": []}]
    return found


@pytest.mark.parametrize("kind", list(Kind))
def test_the_document_names_the_columns_a_table_may_have(sender: Sender, kind: Kind) -> None:
    schema = described(sender, kind)["requestBody"]["content"]["application/json"]["schema"]
    row = schema["properties"][kind.value]["items"]
    columns = [name for name in row["properties"] if name not in {"goals", "fields"}]
    answer = sender.push(",".join([*columns, "no_such"]) + "\n", kind.value, Content_Type="text/csv")
    found = refused(answer, 400)
    assert {each["column"] for each in found} <= {"no_such", ""}
    for missing in row["required"]:
        less = ",".join(name for name in columns if name != missing)
        (named,) = refused(sender.push(less + "\n", kind.value, Content_Type="text/csv"), 400)
        assert (named["code"], named["column"]) == ("missing_column", missing)
