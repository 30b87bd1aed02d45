"""Points of one body: judged block by block while they come, kept on disk, and written in one transaction at the end.

Judging only reads, so nobody who writes waits for it; memory is bounded by one block and one chunk.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.definitions.feature import ValueType
from engine.evaluation.accepting import Accepted, PointJudge, combined, find_metrics_of
from engine.evaluation.columns import Flags, Floats
from engine.evaluation.incoming.faults import Faults, Report
from engine.evaluation.incoming.points import PointBlock, read_points
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.subjects import Directory, find_subjects
from engine.store import accounts, points
from engine.store.points import Added, PointColumns
from engine.store.spill import Spill
from engine.store.tables import ContactRow, ProductRow

_PEOPLE: Final = 200_000


class PointBatch:
    """The points of one body on their way in. ``read``, then ``write``."""

    def __init__(self, catalog: Catalog, at_day: int, spill: Spill) -> None:
        self.rows = 0
        self._catalog = catalog
        self._faults = Faults()
        self._judge = PointJudge(catalog, at_day)
        self._directory = Directory()
        self._spill = spill

    def read(self, session: Session, chunks: Iterable[bytes], form: Format) -> None:
        """Judge all rows. Raises `BadData`, `Unreadable` or `TooLarge` with every place."""
        for block in read_points(chunks, form, self._faults):
            if not len(block):
                continue
            codes = self._judge.codes(block)
            others = find_metrics_of(self._catalog, self._judge.names)
            _look_up(session, self._directory, block, set(others.values()))
            report = Report(block.place, self._faults)
            subjects = find_subjects(block, codes, others, self._directory, report)
            accepted = self._judge.accept(block, codes, subjects, report)
            report.close()
            self.rows += len(block)
            if not self._faults.total:
                self._spill.add(accepted)
        self._faults.refuse()

    def write(self, session: Session, recorded_at: datetime) -> Added:
        """Store what was read."""
        names = self._judge.names
        if not names:
            return Added()
        numbers = points.metric_ids(session, names)
        metrics = np.array([numbers[name] for name in names], dtype=np.int64)
        texts = np.array([self._catalog.metrics[name].type is ValueType.TEXT for name in names], dtype=np.bool_)
        words = points.word_ids(session, self._judge.words)
        added = Added()
        for chunk in self._spill.chunks():
            found = combined(self._catalog, names, chunk)
            values = _worded(found, texts[found.metrics], words)
            added += points.add(
                session, PointColumns(found.subjects, metrics[found.metrics], found.days, values), recorded_at
            )
        return added


def _worded(found: Accepted, is_text: Flags, words: Sequence[int]) -> Floats:
    if not is_text.any():
        return found.values
    values = found.values.copy()
    values[is_text] = np.array(words, dtype=np.float64)[values[is_text].astype(np.int64)]
    return values


def _look_up(session: Session, directory: Directory, block: PointBlock, others: set[str]) -> None:
    """Add to the directory what a block names and is not in it yet, if it is there."""
    if wanted := set(block.accounts) - directory.accounts.keys():
        _look_up_accounts(session, directory, {text: text.strip() for text in wanted})
    if "contact" in others:
        _look_up_people(session, directory, block)
    if "product" in others and block.products is not None:
        _look_up_products(session, directory, block)


def _look_up_accounts(session: Session, directory: Directory, wanted: Mapping[str, str]) -> None:
    keys = set(wanted.values())
    known: Mapping[str, int] = directory.accounts
    if not directory.complete:
        known = accounts.ids(session, keys)
        directory.complete = len(known) != len(keys) or len(keys) > accounts.FEW
        if directory.complete:
            directory.accounts.update(known)
    directory.accounts.update({text: known[key] for text, key in wanted.items() if key in known})


def _look_up_people(session: Session, directory: Directory, block: PointBlock) -> None:
    named = (
        block.accounts
        if block.contacts is None
        else [contact or account for contact, account in zip(block.contacts, block.accounts, strict=True)]
    )
    if len(directory.contacts) > _PEOPLE:
        directory.contacts.clear()
    wanted = sorted({text.strip() for text in set(named)} - directory.contacts.keys())
    for some in accounts.parts(wanted):
        query = select(ContactRow.key, ContactRow.id, ContactRow.account_id).where(ContactRow.key.in_(some))
        directory.contacts.update({row.key: (row.id, row.account_id) for row in session.execute(query)})


def _look_up_products(session: Session, directory: Directory, block: PointBlock) -> None:
    wanted = {directory.accounts[text] for text in set(block.accounts)} - directory.products.keys()
    for some in accounts.parts(sorted(wanted)):
        query = select(ProductRow.account_id, ProductRow.name, ProductRow.id).where(ProductRow.account_id.in_(some))
        directory.products.update({number: {} for number in some})
        for row in session.execute(query):
            directory.products[row.account_id][row.name] = row.id
