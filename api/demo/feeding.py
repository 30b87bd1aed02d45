"""Sends the simulated portfolio's data in by the door that real data takes: CSV text, checked and stored whole."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.evaluation.incoming.rows import Format
from engine.simulation.measuring import METRICS
from engine.simulation.portfolio import AccountRecord, Batch, ContactRecord, Portfolio
from engine.simulation.records import contact_key
from engine.store.ingests import Kind, ingest

DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
GOAL = "tickets_deflected"


class Feed:
    """One portfolio on its way into one store. Days are days since 1970-01-01."""

    def __init__(self, portfolio: Portfolio, catalog: Catalog) -> None:
        self.portfolio = portfolio
        self.catalog = catalog

    def records(self, session: Session, day: int) -> None:
        """Send all accounts with their goals, and all contacts, as they are on ``day``."""
        goals = self.portfolio.goals()
        agreed = [
            ("", "", "", "") if np.isnan(target) else (target, start_value, iso(int(start)), iso(int(end)))
            for target, start_value, start, end in zip(
                goals.target, goals.start_value, goals.start_day, goals.end_day, strict=True
            )
        ]
        rows = [
            (*_account(record), *goal)
            for record, goal in zip(self.portfolio.accounts(day), agreed, strict=True)
        ]
        parts = tuple(f"goals.{GOAL}.{part}" for part in ("target", "start_value", "start", "end"))
        self._send(session, Kind.ACCOUNTS, (*ACCOUNT, *parts), rows, day)
        self._send(session, Kind.CONTACTS, CONTACT, map(_contact, self.portfolio.contacts(day)), day)

    def batch(self, session: Session, first: int, last: int) -> int:
        """Send everything that happened from ``first`` to ``last``; the number of points."""
        batch = self.portfolio.batch(first, last)
        self._changes(session, batch, last)
        self._events(session, batch, last)
        self._points(session, batch, last)
        return len(batch.points.values)

    def _changes(self, session: Session, batch: Batch, day: int) -> None:
        if batch.accounts:
            records = self.portfolio.accounts(day)
            self._send(session, Kind.ACCOUNTS, ACCOUNT, [_account(records[row]) for row in batch.accounts], day)
        if batch.contacts:
            changed = {self.portfolio.keys[row] for row in batch.contacts}
            people = [_contact(one) for one in self.portfolio.contacts(day) if one.account_key in changed]
            self._send(session, Kind.CONTACTS, CONTACT, people, day)

    def _events(self, session: Session, batch: Batch, day: int) -> None:
        names = sorted({name for event in batch.events for name, _ in event.fields})
        keys = self.portfolio.keys
        rows = [
            (
                keys[event.account],
                event.name,
                iso(event.day),
                contact_key(keys[event.account], event.seat) if event.seat >= 0 else "",
                *(dict(event.fields).get(name, "") for name in names),
            )
            for event in batch.events
        ]
        self._send(session, Kind.EVENTS, ("account", "event", "at", "contact", *names), rows, day)

    def _points(self, session: Session, batch: Batch, day: int) -> None:
        points, keys = batch.points, self.portfolio.keys
        days = {each: iso(each) for each in np.unique(points.days).tolist()}
        rows = (
            (keys[account], METRICS[metric], days[when], f"{value:g}")
            for account, metric, when, value in zip(
                points.accounts.tolist(), points.metrics.tolist(), points.days.tolist(), points.values.tolist(),
                strict=True,
            )
        )
        self._send(session, Kind.POINTS, ("account", "metric", "day", "value"), rows, day)

    def _send(
        self, session: Session, kind: Kind, header: tuple[str, ...], rows: Iterable[tuple[object, ...]], day: int
    ) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        if text.tell() > len(",".join(header)) + 1:
            ingest(session, kind, [text.getvalue().encode()], Format.CSV, self.catalog, evening_of(day))


ACCOUNT = ("key", "name", "owner", "arr", "stage", "stage_since", "onboarded_on", "renewal_on")
CONTACT = ("key", "account", "name", "email", "roles", "departed_on")


def iso(day: int) -> str:
    """A day as a date text."""
    return (DAY_ZERO + timedelta(days=day)).date().isoformat()


def evening_of(day: int) -> datetime:
    """The moment of a simulated day at which it is looked at."""
    return DAY_ZERO + timedelta(days=day, hours=20)


def _account(record: AccountRecord) -> tuple[object, ...]:
    return (
        record.key,
        record.name,
        record.owner,
        f"{record.arr:.0f}",
        record.stage,
        iso(record.stage_since),
        iso(record.onboarded_on),
        iso(record.renewal_on),
    )


def _contact(record: ContactRecord) -> tuple[object, ...]:
    departed = "" if record.departed_on is None else iso(record.departed_on)
    return (record.key, record.account_key, record.name, record.email, ";".join(record.roles), departed)
