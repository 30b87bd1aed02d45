"""Taking in a body or file of data: read, accepted and stored whole, or refused whole with every place named.

The caller's transaction is what makes it all or nothing: whatever is raised here must roll it back.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Self

from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.errors import BadRow, Refused
from engine.evaluation.incoming.faults import Unreadable
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.values import day_of
from engine.store.point_batches import PointBatch
from engine.store.queueing import Queue, queue
from engine.store.record_batches import Kind, RecordBatch
from engine.store.spill import Spill
from engine.store.tables import IngestRow

__all__ = ["Batch", "Body", "Ingested", "Kind", "earlier_answer", "ingest", "keep_answer", "kept_answer"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the rows: stored as new, as a change, or there already."""

    kind: str
    rows: int
    new: int
    changed: int
    same: int


@dataclass(frozen=True, slots=True)
class Body:
    """A body or file: what it holds, how it is written, and its bytes, unzipped."""

    kind: Kind
    form: Format
    chunks: Iterable[bytes]


class Batch:
    """One body on its way in. ``read`` it, in a reading transaction or a writing one; then ``write`` it.

    All rows are looked at before anything is written; between the two they are on disk and not in memory. Use it in
    a ``with``.
    """

    def __init__(self, body: Body, catalog: Catalog, at: datetime) -> None:
        self._body = body
        self._catalog = catalog
        self._at = at
        self._spill = Spill()
        self._points = PointBatch(catalog, day_of(at), self._spill)
        self._records = RecordBatch(body.kind, catalog, at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spill.close()
        self._records.close()

    def read(self, session: Session) -> None:
        """Judge all rows. Raises `BadData`, `Unreadable` or `TooLarge` with every place."""
        if self._body.kind is Kind.POINTS:
            self._points.read(session, self._body.chunks, self._body.form)
        else:
            self._records.read(self._body.chunks, self._body.form)

    def write(self, session: Session) -> Ingested:
        """Store all rows. Raises `BadData` for what only shows beside what is stored; then nothing must be kept."""
        queue(session, Queue.INGEST)
        if self._body.kind is Kind.POINTS:
            rows, added = self._points.rows, self._points.write(session, self._at)
        else:
            rows, added = self._records.rows, self._records.write(session)
        if not rows:
            raise Unreadable([BadRow("empty", f"there are no {self._body.kind.value} in it; send at least one row")])
        return Ingested(self._body.kind.value, rows, added.new, added.changed, added.same)


def ingest(
    session: Session, kind: Kind, chunks: Iterable[bytes], form: Format, catalog: Catalog, at: datetime
) -> Ingested:
    """Take in all rows. Raises `BadData`, `Unreadable` or `TooLarge` with every place; then nothing must be kept."""
    with Batch(Body(kind, form, chunks), catalog, at) as batch:
        batch.read(session)
        return batch.write(session)


def earlier_answer(session: Session, sender: str, key: str, body_hash: str) -> Ingested | None:
    """What the same request was answered before; None if this is the first.

    Requests with one key queue behind each other. Raises `Refused` where the key came with another body.
    """
    queue(session, int.from_bytes(sha256(_scoped(sender, key).encode()).digest()[:8], "big", signed=True))
    return kept_answer(session, sender, key, body_hash)


def kept_answer(session: Session, sender: str, key: str, body_hash: str) -> Ingested | None:
    """The same without queueing, to answer a repeated body before it is looked at."""
    row = session.get(IngestRow, _scoped(sender, key))
    if row is None:
        return None
    if row.body_hash != body_hash:
        raise Refused("this idempotency key came with another body before; every body needs a key of its own")
    return Ingested(**row.answer)


def keep_answer(session: Session, sender: str, key: str, body_hash: str, answer: Ingested, at: datetime) -> None:
    """Keep what was answered, in the transaction that stored the rows."""
    given: dict[str, Any] = asdict(answer)
    session.add(IngestRow(key=_scoped(sender, key), body_hash=body_hash, answer=given, recorded_at=at))
    session.flush()


def _scoped(sender: str, key: str) -> str:
    # One sender's keys mean nothing to another.
    return sha256(f"{sender}\0{key}".encode()).hexdigest()
