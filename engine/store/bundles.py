"""Bundles: immutable sets of definitions by fingerprint; the one put in force last is in force.

Every time one is put in force, an act says who did it, why, and what was in force before. Whoever applies names what
they saw in force: of two who apply at the same time, the second is told and looks again.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, defer

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, Metric
from engine.definitions.problem import BadDefinition
from engine.errors import NotFound, Refused
from engine.store import counting
from engine.store.queueing import Queue, queue
from engine.store.tables import BundleActRow, BundleRow
from engine.terms import BundleAct

_KEPT = 32
SHORTEST = 6
"""The least of a fingerprint that names a bundle."""
_APPLIED = (BundleAct.APPLIED.value, BundleAct.ROLLED_BACK.value)
_cache: "OrderedDict[str, Bundle]" = OrderedDict()
_lock = Lock()
_NEWEST = (
    select(BundleRow)
    .where(BundleRow.applied_at.is_not(None))
    .order_by(BundleRow.applied_at.desc())
    .limit(1)
    .options(defer(BundleRow.texts))
)


@dataclass(frozen=True, slots=True)
class Publication:
    """Who puts a bundle in force and what they say about it. ``changes``: counts; ``accepted``: the blast, if any."""

    author: str
    message: str = ""
    kind: BundleAct = BundleAct.APPLIED
    changes: Mapping[str, int] = field(default_factory=dict)
    accepted: int | None = None


@dataclass(frozen=True, slots=True)
class Act:
    """One line of the history of bundles. ``previous`` is empty for the first."""

    fingerprint: str
    kind: BundleAct
    author: str
    message: str
    previous: str
    changes: Mapping[str, int]
    accepted: int | None
    at: datetime


def publish(session: Session, checked_bundle: Bundle, author: str, at: datetime) -> None:
    """Put a bundle in force from ``at`` on, without looking at what was; one that was in force before comes back.

    In force already: no change. `apply` is for people, this for processes that start and for tests.
    """
    _put(session, checked_bundle, Publication(author, kind=BundleAct.LOADED), at)


def apply(session: Session, checked_bundle: Bundle, publication: Publication, previous: str, at: datetime) -> None:
    """Put a bundle in force, if ``previous`` (a fingerprint, empty for none) still is what is in force.

    Raises `Refused` where something else is, or where this bundle is in force and somebody applied it already.
    """
    queue(session, Queue.BUNDLES)
    now = fingerprint_in_force(session)
    if now != previous:
        by = next((act for act in acts(session) if act.kind is not BundleAct.PROPOSED), None)
        who = f" by {by.author}" if by and by.author else ""
        raise Refused(
            f"Meanwhile other definitions were put in force{who} ({now[:12]}): nothing was applied. "
            "Look at `backcast plan` again, then apply."
        )
    if now == checked_bundle.fingerprint and is_managed(session):
        raise Refused(f"These definitions ({now[:12]}) are in force already; there is nothing to apply.")
    _put(session, checked_bundle, publication, at)


def propose(session: Session, checked_bundle: Bundle, publication: Publication, at: datetime) -> None:
    """Keep a bundle that another member has to accept before it is in force."""
    _row(session, checked_bundle)
    _act(session, checked_bundle.fingerprint, publication, fingerprint_in_force(session), at)


def _put(session: Session, checked_bundle: Bundle, publication: Publication, at: datetime) -> None:
    """Metrics that are counted from events in a new way are counted again, from all events there are."""
    newest = session.scalar(_NEWEST)
    previous = newest.fingerprint if newest else ""
    if previous == checked_bundle.fingerprint:
        if publication.kind is not BundleAct.LOADED:  # what a process loaded is now what a person wants
            _act(session, previous, publication, previous, at)
        return
    if newest is not None and newest.applied_at is not None and newest.applied_at >= at:
        at = newest.applied_at + timedelta(microseconds=1)  # two at one moment: the later call wins
    before = _catalog(session, previous) if previous else None
    row = _row(session, checked_bundle)
    row.author, row.applied_at = publication.author, at
    _act(session, row.fingerprint, publication, previous, at)
    counting.recount_metrics(session, checked_bundle.catalog, _counted_anew(before, checked_bundle.catalog), at)
    keep(checked_bundle)


def _row(session: Session, checked_bundle: Bundle) -> BundleRow:
    row = session.get(BundleRow, checked_bundle.fingerprint)
    if row is None:
        row = BundleRow(fingerprint=checked_bundle.fingerprint, texts=dict(checked_bundle.texts), author="")
        session.add(row)
    session.flush()
    return row


def _act(session: Session, fingerprint: str, publication: Publication, previous: str, at: datetime) -> None:
    session.add(
        BundleActRow(
            fingerprint=fingerprint,
            kind=publication.kind.value,
            author=publication.author,
            message=publication.message,
            previous=previous,
            changes=dict(publication.changes),
            accepted=publication.accepted,
            at=at,
        )
    )
    session.flush()


def acts(session: Session, limit: int = 50) -> tuple[Act, ...]:
    """Who did what with bundles, the newest first."""
    rows = session.scalars(select(BundleActRow).order_by(BundleActRow.id.desc()).limit(limit))
    return tuple(
        Act(
            row.fingerprint,
            BundleAct(row.kind),
            row.author,
            row.message,
            row.previous,
            row.changes,
            row.accepted,
            row.at,
        )
        for row in rows
    )


def is_managed(session: Session) -> bool:
    """Whether somebody has ever applied a bundle: from then on processes do not load the files of a folder."""
    return bool(session.scalar(select(exists().where(BundleActRow.kind.in_(_APPLIED)))))


def fingerprint_in_force(session: Session) -> str:
    """The fingerprint of the bundle in force; empty before the first."""
    newest = session.scalar(_NEWEST)
    return newest.fingerprint if newest else ""


def named(session: Session, beginning: str) -> str:
    """The whole fingerprint that begins so. Raises `NotFound` for none, `Refused` where it is too short or several."""
    if len(beginning) < SHORTEST:
        raise Refused(f'"{beginning}" is too short for a fingerprint: write at least {SHORTEST} characters of it')
    wanted = BundleRow.fingerprint.startswith(beginning, autoescape=True)
    found = session.scalars(select(BundleRow.fingerprint).where(wanted)).all()
    if not found:
        raise NotFound(f'no definitions were ever applied here as "{beginning}"; `backcast bundles` lists them')
    if len(found) > 1:
        raise Refused(f'"{beginning}" begins {len(found)} fingerprints: write more of it')
    return found[0]


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
    return keep(checked.bundle)


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


def keep(bundle: Bundle) -> Bundle:
    """Have a bundle at hand that was just read, so that it need not be read again from its texts."""
    with _lock:
        _cache[bundle.fingerprint] = bundle
        while len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return bundle
