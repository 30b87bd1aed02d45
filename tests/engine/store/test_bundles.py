"""Bundles are kept for ever under their fingerprint; the one published last is in force."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.errors import EngineError, NotFound, Refused
from engine.store import bundles
from engine.store.bundles import Publication
from engine.store.sessions import Store
from engine.store.tables import BundleRow
from engine.terms import BundleAct

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has read nothing yet."""
    monkeypatch.setattr(bundles, "_cache", type(bundles._cache)())


@pytest.fixture
def other(catalog_text: str) -> Bundle:
    found = reading.read({"rules/catalog.yaml": catalog_text + "# changed\n"}).bundle
    assert found is not None
    return found


def publish(store: Store, bundle: Bundle, at: datetime = AT) -> None:
    with store.begin() as session:
        bundles.publish(session, bundle, "jo@example.com", at)


def in_force(store: Store) -> str:
    with store.read() as session:
        found = bundles.in_force(session)
    return found.fingerprint if found else ""


def test_before_the_first_nothing_is_in_force(store: Store) -> None:
    assert in_force(store) == ""


def test_the_bundle_published_last_is_in_force(store: Store, small_bundle: Bundle, other: Bundle) -> None:
    for bundle in (small_bundle, other, small_bundle):
        publish(store, bundle)  # at the same moment each time
        assert in_force(store) == bundle.fingerprint
    with store.read() as session:
        assert len(session.scalars(select(BundleRow)).all()) == 2


def test_publishing_what_is_in_force_changes_nothing(store: Store, small_bundle: Bundle) -> None:
    publish(store, small_bundle)
    publish(store, small_bundle, AT + timedelta(days=1))
    with store.read() as session:
        assert session.scalars(select(BundleRow.applied_at)).all() == [AT]


def test_an_older_bundle_is_read_again_from_its_texts(
    store: Store, small_bundle: Bundle, other: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, small_bundle)
    publish(store, other)
    monkeypatch.setattr(bundles, "_cache", type(bundles._cache)())
    with store.read() as session:
        found = bundles.by_fingerprint(session, small_bundle.fingerprint)
        assert bundles.by_fingerprint(session, small_bundle.fingerprint) is found
    assert found == small_bundle


def test_an_unknown_fingerprint_is_refused(store: Store) -> None:
    with store.read() as session, pytest.raises(NotFound, match="were ever published"):
        bundles.by_fingerprint(session, "0" * 64)


def test_no_more_than_a_few_bundles_stay_in_memory(
    sqlite_store: Store, small_bundle: Bundle, other: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "_KEPT", 1)
    publish(sqlite_store, small_bundle)
    publish(sqlite_store, other)
    assert list(bundles._cache) == [other.fingerprint]


def test_every_act_is_kept_with_what_it_replaced(store: Store, small_bundle: Bundle, other: Bundle) -> None:
    """S1-38: which definitions counted when is never overwritten."""
    publish(store, small_bundle)
    with store.begin() as session:
        assert not bundles.is_managed(session)
        wanted = Publication("ann", "A change", changes={"files": 1}, accepted=3)
        bundles.apply(session, other, wanted, small_bundle.fingerprint, AT)
    with store.read() as session:
        last, first = bundles.acts(session)
        assert bundles.is_managed(session)
        assert bundles.named(session, other.fingerprint[:8]) == other.fingerprint
    assert (first.kind, first.previous) == (BundleAct.LOADED, "")
    assert (last.kind, last.author, last.message, last.previous) == (
        BundleAct.APPLIED,
        "ann",
        "A change",
        small_bundle.fingerprint,
    )
    assert (last.changes, last.accepted) == ({"files": 1}, 3)


def test_whoever_looked_at_something_else_applies_nothing(store: Store, small_bundle: Bundle, other: Bundle) -> None:
    publish(store, small_bundle)
    with store.begin() as session, pytest.raises(Refused, match="Meanwhile other definitions"):
        bundles.apply(session, other, Publication("ann"), "0" * 64, AT)
    with store.begin() as session:
        bundles.apply(session, small_bundle, Publication("ann"), small_bundle.fingerprint, AT)
    with store.begin() as session, pytest.raises(Refused, match="in force already"):
        bundles.apply(session, small_bundle, Publication("bob"), small_bundle.fingerprint, AT)


def test_what_is_proposed_is_kept_and_not_in_force(store: Store, small_bundle: Bundle, other: Bundle) -> None:
    publish(store, small_bundle)
    with store.begin() as session:
        bundles.propose(session, other, Publication("ann", kind=BundleAct.PROPOSED), AT)
        assert bundles.fingerprint_in_force(session) == small_bundle.fingerprint
        assert bundles.by_fingerprint(session, other.fingerprint).texts == other.texts
    publish(store, other)
    assert in_force(store) == other.fingerprint


@pytest.mark.parametrize(
    ("beginning", "said"), [("abc", "too short"), ("a%_b00", "ever applied"), ("0" * 9, "ever applied")]
)
def test_a_name_that_is_none_is_refused_in_a_sentence(
    sqlite_store: Store, small_bundle: Bundle, beginning: str, said: str
) -> None:
    publish(sqlite_store, small_bundle)
    with sqlite_store.read() as session, pytest.raises(EngineError, match=said):
        bundles.named(session, beginning)
