"""Accounts, contacts and events of one body: judged some at a time, kept on disk, and written in one transaction.

What only shows beside what is stored (a contact that is not there, a key that is taken) is found while writing.
"""

import pickle
from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from tempfile import SpooledTemporaryFile
from typing import Any, Final

from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.evaluation.incoming.accounts import NumericColumns, read_accounts
from engine.evaluation.incoming.contacts import read_contacts
from engine.evaluation.incoming.events import read_events
from engine.evaluation.incoming.faults import Faults
from engine.evaluation.incoming.rows import Format
from engine.store import accounts, contacts, counting, events
from engine.store.events import Unsettled
from engine.store.points import Added

_IN_MEMORY: Final = 1 << 22


class Kind(StrEnum):
    """What can be pushed."""

    POINTS = "points"
    ACCOUNTS = "accounts"
    CONTACTS = "contacts"
    EVENTS = "events"


class RecordBatch:
    """Records of one kind on their way in. ``read``, then ``write``."""

    def __init__(self, kind: Kind, catalog: Catalog, at: datetime) -> None:
        self.rows = 0
        self._kind = kind
        self._catalog = catalog
        self._at = at
        self._faults = Faults()
        self._numeric = NumericColumns(Format.JSON)
        self._unsettled = Unsettled()
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (closed with the batch)

    def close(self) -> None:
        """Give the disk back."""
        self._file.close()

    def read(self, chunks: Iterable[bytes], form: Format) -> None:
        """Judge all rows. Raises `BadData`, `Unreadable` or `TooLarge` with every place."""
        self._numeric = NumericColumns(form)
        for block in self._blocks(chunks, form):
            self.rows += len(block)
            if not self._faults.total:
                pickle.dump(block, self._file)
        self._faults.refuse()

    def write(self, session: Session) -> Added:
        """Store what was read. Raises `BadData`; then nothing must be kept."""
        made: set[str] = set()
        if self._kind is Kind.ACCOUNTS:
            for block in self._kept():
                made |= accounts.add_new(session, block, self._at)
        added = Added()
        for block in self._kept():
            added += self._push(session, block, made)
        self._faults.refuse()
        events.settle(session, self._catalog, self._unsettled, self._at)
        return added

    def _push(self, session: Session, block: list[Any], made: set[str]) -> Added:
        if self._kind is Kind.ACCOUNTS:
            typed = [self._numeric.typed(account) for account in block]
            return accounts.push(session, typed, made, self._at, self._faults)
        if self._kind is Kind.CONTACTS:
            added, moved = contacts.push(session, block, self._at, self._faults)
            counting.recount_contacts(session, self._catalog, sorted(moved), self._at)
            return added
        return events.push(session, block, self._unsettled, self._at, self._faults)

    def _kept(self) -> Iterator[list[Any]]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301  (a file of our own that has no name)
            except EOFError:
                return

    def _blocks(self, chunks: Iterable[bytes], form: Format) -> Iterator[list[Any]]:
        if self._kind is Kind.ACCOUNTS:
            yield from read_accounts(chunks, form, self._catalog, self._faults, self._numeric)
        elif self._kind is Kind.CONTACTS:
            yield from read_contacts(chunks, form, self._catalog, self._faults)
        else:
            yield from read_events(chunks, form, self._catalog, self._at, self._faults)
