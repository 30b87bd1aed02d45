"""Bundles: immutable sets of definitions by fingerprint; the one published last is in force."""

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, Metric
from engine.definitions.problem import BadDefinition
from engine.errors import NotFound
from engine.store import counting
from engine.store.tables import BundleRow

_KEPT = 32
_cache: "OrderedDict[str, Bundle]" = OrderedDict()
_lock = Lock()
_NEWEST = select(BundleRow).order_by(BundleRow.applied_at.desc()).limit(1).options(defer(BundleRow.texts))


def publish(session: Session, checked_bundle: Bundle, author: str, at: datetime) -> None:
    """Put a bundle in force from ``at`` on; one that was in force before comes back. In force already: no change.

    Metrics that are counted from events in a new way are counted again, from all events there are.
    """
    newest = session.scalar(_NEWEST)
    if newest is not None and newest.fingerprint == checked_bundle.fingerprint:
        return
    if newest is not None and newest.applied_at >= at:
        at = newest.applied_at + timedelta(microseconds=1)  # two at one moment: the later call wins
    before = None if newest is None else _catalog(session, newest.fingerprint)
    row = session.get(BundleRow, checked_bundle.fingerprint)
    if row is None:
        row = BundleRow(fingerprint=checked_bundle.fingerprint, texts=dict(checked_bundle.texts))
        session.add(row)
    row.author, row.applied_at = author, at
    session.flush()
    counting.recount_metrics(session, checked_bundle.catalog, _counted_anew(before, checked_bundle.catalog), at)
    _keep(checked_bundle)


def in_force(session: Session) -> Bundle | None:
    """The bundle published last; None before the first."""
    newest = session.scalar(_NEWEST)
    return None if newest is None else by_fingerprint(session, newest.fingerprint)


def by_fingerprint(session: Session, fingerprint: str) -> Bundle:
    """The bundle of that name, read again from its texts at most once per process.

    Raises `NotFound` for an unknown name, and `BadDefinition` where this version no longer reads the old files.
    """
    with _lock:
        known = _cache.get(fingerprint)
        if known is not None:
            _cache.move_to_end(fingerprint)
            return known
    row = session.get(BundleRow, fingerprint)
    if row is None:
        raise NotFound(f"no definitions with the fingerprint {fingerprint[:12]} were ever published here")
    checked = reading.read(row.texts)
    if checked.bundle is None:
        raise BadDefinition(checked.problems)
    return _keep(checked.bundle)


def _catalog(session: Session, fingerprint: str) -> Catalog | None:
    try:
        return by_fingerprint(session, fingerprint).catalog
    except BadDefinition:  # of an older version of ours: nothing to compare with
        return None


def _counted_anew(before: Catalog | None, catalog: Catalog) -> list[Metric]:
    known = before.metrics if before else {}
    counted = [metric for metric in catalog.metrics.values() if metric.from_events]
    return [
        m
        for m in counted
        if m.name not in known or (known[m.name].from_events, known[m.name].of) != (m.from_events, m.of)
    ]


def _keep(bundle: Bundle) -> Bundle:
    with _lock:
        _cache[bundle.fingerprint] = bundle
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return bundle
