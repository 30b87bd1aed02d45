"""Addresses that must not be written to, and the secrets that sign their way out."""

from engine.store import secrets, suppressions
from engine.store.sessions import Store
from tests.engine.store.letters import AT


def test_an_address_is_suppressed_however_it_is_written(store: Store) -> None:
    with store.begin() as session:
        suppressions.suppress(session, " Ann@Example.COM ", "news", "by the link", AT)
        suppressions.suppress(session, "ann@example.com", "news", "again", AT)
        assert suppressions.is_suppressed(session, "ANN@example.com", "news")
        assert not suppressions.is_suppressed(session, "ann@example.com", "education")
        assert not suppressions.is_suppressed(session, "bob@example.com", "news")


def test_the_category_all_means_every_category(store: Store) -> None:
    with store.begin() as session:
        suppressions.suppress(session, "ann@example.com", suppressions.ALL, "asked by phone", AT)
        assert suppressions.is_suppressed(session, "ann@example.com", "operational")


def test_a_secret_is_made_once_and_kept(store: Store) -> None:
    with store.begin() as session:
        first = secrets.get(session, "unsubscribe")
    with store.read() as session:
        assert secrets.get(session, "unsubscribe") == first
    assert len(first) == 32
    with store.begin() as session:
        assert secrets.get(session, "another") != first
