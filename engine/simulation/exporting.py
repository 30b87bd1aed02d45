"""The portfolio as the CSV files that `backcast ingest` and the HTTP doors read: the demo goes in by the front door."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from io import StringIO
from typing import Final

import numpy as np

from engine.simulation.batches import Batch
from engine.simulation.measuring import METRICS
from engine.simulation.portfolio import Portfolio
from engine.simulation.records import contact_key

_EPOCH: Final = date(1970, 1, 1).toordinal()
_BLOCK: Final = 50_000
_GOAL: Final = "goals.tickets_deflected"


def accounts_csv(portfolio: Portfolio, day: int, rows: Sequence[int] | None = None) -> Iterator[bytes]:
    """Accounts as they are on ``day``, with their goals: all of them, or those of a batch (`Batch.accounts`)."""
    header = ["key", "name", "owner", "arr", "stage", "stage_since", "onboarded_on", "renewal_on"]
    goals, chosen = portfolio.goals(), range(len(portfolio.keys)) if rows is None else rows
    table: list[list[object]] = []
    for row, each in zip(chosen, portfolio.accounts(day, chosen), strict=True):
        agreed = ["", "", ""]
        if not np.isnan(goals.target[row]):
            agreed = [f"{goals.target[row]:.0f}", _date(goals.start_day[row]), _date(goals.end_day[row])]
        dates = [_date(each.stage_since), _date(each.onboarded_on), _date(each.renewal_on)]
        table.append([each.key, each.name, each.owner, f"{each.arr:.0f}", each.stage, *dates, *agreed])
    return _table([*header, f"{_GOAL}.target", f"{_GOAL}.start", f"{_GOAL}.end"], table)


def contacts_csv(portfolio: Portfolio, day: int, rows: Sequence[int] | None = None) -> Iterator[bytes]:
    """Contacts as they are on ``day``: of all accounts, or of those of a batch (`Batch.contacts`)."""
    table = (
        [
            each.key,
            each.account_key,
            each.name,
            each.email,
            ";".join(each.roles),
            "" if each.departed_on is None else _date(each.departed_on),
        ]
        for each in portfolio.contacts(day, rows)
    )
    return _table(["key", "account", "name", "email", "roles", "departed_on"], table)


def points_csv(portfolio: Portfolio, batch: Batch) -> Iterator[bytes]:
    """The points of a batch, in blocks of some megabytes."""
    columns = batch.points
    dates = {day: _date(day) for day in np.unique(columns.days).tolist()}
    yield b"account,metric,day,value\n"
    for start in range(0, len(columns.days), _BLOCK):
        part = slice(start, start + _BLOCK)
        rows = zip(
            columns.accounts[part].tolist(),
            columns.metrics[part].tolist(),
            columns.days[part].tolist(),
            columns.values[part].tolist(),
            strict=True,
        )
        lines = [
            f"{portfolio.keys[row]},{METRICS[metric]},{dates[day]},{value:.12g}\n" for row, metric, day, value in rows
        ]
        yield "".join(lines).encode()


def events_csv(portfolio: Portfolio, batch: Batch) -> Iterator[bytes]:
    """The events of a batch, each at noon of its day."""
    fields = sorted({name for event in batch.events for name, _ in event.fields})
    table = (
        [
            portfolio.keys[event.account],
            event.name,
            f"{_date(event.day)}T12:00:00Z",
            contact_key(portfolio.keys[event.account], event.seat) if event.seat >= 0 else "",
            *_cells(event.fields, fields),
        ]
        for event in batch.events
    )
    return _table(["account", "event", "at", "contact", *fields], table)


def _cells(fields: Iterable[tuple[str, float]], names: Sequence[str]) -> list[str]:
    found = dict(fields)
    return [f"{found[name]:g}" if name in found else "" for name in names]


def _date(day: float) -> str:
    return date.fromordinal(_EPOCH + int(day)).isoformat()


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(row)
        if text.tell() > 1 << 20:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
