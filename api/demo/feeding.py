"""Sends the simulated portfolio's data in by the door that real data takes: CSV text, checked and stored whole."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.evaluation.incoming.rows import Format
from engine.simulation.exporting import accounts_csv, contacts_csv, events_csv, points_csv
from engine.simulation.portfolio import Portfolio
from engine.store.ingests import Kind, ingest

DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


def evening_of(day: int) -> datetime:
    """The moment of a simulated day (since 1970-01-01) at which it is looked at."""
    return DAY_ZERO + timedelta(days=day, hours=20)


def send_records(session: Session, catalog: Catalog, portfolio: Portfolio, day: int) -> None:
    """Send all accounts with their goals, and all contacts, as they are on ``day``."""
    _send(session, catalog, Kind.ACCOUNTS, accounts_csv(portfolio, day), day)
    _send(session, catalog, Kind.CONTACTS, contacts_csv(portfolio, day), day)


def send_days(session: Session, catalog: Catalog, portfolio: Portfolio, first: int, last: int) -> int:
    """Send everything that happened from ``first`` to ``last``; the number of points."""
    batch = portfolio.batch(first, last)
    if batch.accounts:
        _send(session, catalog, Kind.ACCOUNTS, accounts_csv(portfolio, last, batch.accounts), last)
    if batch.contacts:
        _send(session, catalog, Kind.CONTACTS, contacts_csv(portfolio, last, batch.contacts), last)
    if batch.events:
        _send(session, catalog, Kind.EVENTS, events_csv(portfolio, batch), last)
    if len(batch.points.values):
        _send(session, catalog, Kind.POINTS, points_csv(portfolio, batch), last)
    return len(batch.points.values)


def _send(session: Session, catalog: Catalog, kind: Kind, chunks: Iterable[bytes], day: int) -> None:
    ingest(session, kind, chunks, Format.CSV, catalog, evening_of(day))
