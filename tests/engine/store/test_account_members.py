"""Who does what for an account beside its owner, as pushed with the account."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from engine.definitions.bundle import Bundle
from engine.errors import BadData
from engine.evaluation.incoming.rows import Format
from engine.store import assignees, bundles, ingests, members
from engine.store.member_tables import AccountMemberRow
from engine.store.record_batches import Kind
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.terms import Role

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DANA, OMAR = "dana@vendor.example", "omar@vendor.example"


def push(store: Store, bundle: Bundle, **said: Any) -> None:
    body = json.dumps({"accounts": [{"key": "acme", "owner": DANA, **said}]}).encode()
    with store.begin() as session:
        bundles.publish(session, bundle, "", AT)
        ingests.ingest(session, Kind.ACCOUNTS, [body], Format.JSON, bundle.catalog, AT)


def roles(store: Store) -> dict[str, str]:
    with store.read() as session:
        return {row.role: row.member for row in session.scalars(select(AccountMemberRow))}


def test_a_colleague_has_a_role_at_an_account_from_a_push_on(store: Store, small_bundle: Bundle) -> None:
    """D.8: the renewal owner is asked before the owner, once there is one."""
    push(store, small_bundle)
    assert roles(store) == {}
    push(store, small_bundle, renewal_owner="Omar@vendor.example")
    assert roles(store) == {"renewal_owner": OMAR}
    push(store, small_bundle, arr=5)
    assert roles(store) == {"renewal_owner": OMAR}
    push(store, small_bundle, renewal_owner=DANA)
    assert roles(store) == {"renewal_owner": DANA}
    push(store, small_bundle, renewal_owner=None)
    assert roles(store) == {}


def test_a_role_is_no_field_of_the_account(store: Store, small_bundle: Bundle) -> None:
    push(store, small_bundle, renewal_owner=OMAR, region="EU")
    with store.read() as session:
        assert session.scalars(select(AccountRow)).one().fields == {"region": "EU"}


def test_who_has_the_role_is_found_for_a_task(store: Store, small_bundle: Bundle) -> None:
    push(store, small_bundle, renewal_owner=OMAR)
    with store.begin() as session:
        for address in (DANA, OMAR):
            members.add(session, address, address.partition("@")[0].title(), [Role.CSM])
        account = session.scalars(select(AccountRow.id)).one()
        assert assignees.resolve(session, account, ["renewal_owner", "owner"], AT) == OMAR


def test_what_is_no_address_is_refused(sqlite_store: Store, small_bundle: Bundle) -> None:
    with pytest.raises(BadData) as refused:
        push(sqlite_store, small_bundle, renewal_owner="Omar")
    assert [row.message for row in refused.value.rows] == [
        '"Omar" is no address of a colleague; write an e-mail address'
    ]
