"""The trail that writing points leaves: which days of which subjects changed, in the order of the changes.

Whoever writes points leaves it in the same transaction, and writers of points queue, so the numbers of the trail
ascend in the order in which what they stand for can be seen. `engine.store.columns` reads it to catch up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

import numpy as np
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from engine.evaluation.columns import Floats, Ints
from engine.store import changed
from engine.store.number_rows import number_rows
from engine.store.tables import PointChangeRow, PointRow

KEPT: Final = 200_000
"""So many changes are kept at least; columns that are further behind are made anew."""

PASSED: Final = 10_000
"""So many marks are remembered, to tell a session that looks at a slightly older state from another database."""

_NEAR: Final = 8  # rows of subjects nobody changed that are read rather than asking once more
_AT_ONCE: Final = 200
_STEP: Final = 65_536
_METRIC_BITS: Final = 15

Range = tuple[int, int]
"""First and last subject id, both included."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the trail: a change's number and moment. Another database, or an older copy of this one, has another
    change there, or none."""

    number: int
    recorded_at: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed after a mark: per day the ranges of subjects, ascending, apart; and the marks that were passed, the
    last of them being where it ended."""

    days: Mapping[int, tuple[Range, ...]]
    passed: tuple[Mark, ...] = ()

    @property
    def mark(self) -> Mark | None:
        """The mark after it all."""
        return self.passed[-1] if self.passed else None


class Cells:
    """Points of one day: ``len`` of them, handed out metric by metric."""

    def __init__(self, rows: Floats) -> None:
        keys = rows[:, 0].astype(np.int64)
        metrics = (keys & ((1 << _METRIC_BITS) - 1)).astype(np.int16)
        # Rows come by subject, so a stable sort leaves subjects ascending; PostgreSQL may hand out ranges in any order.
        if len(keys) and (np.diff(keys) < 0).any():
            order = np.lexsort((keys, metrics))
        else:
            order = np.argsort(metrics, kind="stable")
        self._metrics, self._subjects = metrics[order], keys[order] >> _METRIC_BITS
        self._values = rows[order, 1]

    def __len__(self) -> int:
        return len(self._metrics)

    def by_metric(self) -> Iterator[tuple[int, Ints, Floats]]:
        """Each metric's number, its subjects ascending, and their values."""
        bounds = [0, *(np.flatnonzero(np.diff(self._metrics)) + 1).tolist(), len(self)]
        for start, end in pairwise(bounds):
            if start < end:
                yield int(self._metrics[start]), self._subjects[start:end], self._values[start:end]


def leave(session: Session, days: Ints, subjects: Ints, recorded_at: datetime) -> None:
    """Say that points on these days of these subjects (in the order of day, then subject) were written or removed; and
    that something new is known about their accounts."""
    if not len(days):
        return
    begins = np.flatnonzero(np.concatenate([[True], (np.diff(days) != 0) | (np.diff(subjects) > _NEAR)]))
    ends = np.concatenate([begins[1:], [len(days)]]) - 1
    columns = days[begins].tolist(), subjects[begins].tolist(), subjects[ends].tolist()
    rows = [
        {"day": day, "first": first, "last": last, "recorded_at": recorded_at}
        for day, first, last in zip(*columns, strict=True)
    ]
    session.execute(insert(PointChangeRow), rows)
    changed.mark(session, np.unique(subjects).tolist())
    last = session.scalar(select(func.max(PointChangeRow.id))) or 0
    if last // KEPT != (last - len(rows)) // KEPT:
        session.execute(delete(PointChangeRow).where(PointChangeRow.id < last - KEPT))


def after(session: Session, mark: Mark | None) -> Changes | None:
    """What changed after ``mark`` (None: after nothing was ever written); None where the trail does not say any more,
    or is not the one the mark was in."""
    query = select(PointChangeRow).order_by(PointChangeRow.id)
    if mark is None:
        return Changes({}) if newest(session) is None else None
    rows = session.scalars(query.where(PointChangeRow.id >= mark.number)).all()
    if not rows or _mark(rows[0]) != mark:
        return None
    days: dict[int, list[Range]] = {}
    for row in rows[1:]:
        days.setdefault(row.day, []).append((row.first, row.last))
    return Changes(
        {day: merged(ranges) for day, ranges in sorted(days.items())}, tuple(_mark(row) for row in rows[-PASSED:])
    )


def newest(session: Session) -> Mark | None:
    """The mark of the last change that the session sees."""
    row = session.scalars(select(PointChangeRow).order_by(PointChangeRow.id.desc()).limit(1)).first()
    return None if row is None else _mark(row)


def everything(session: Session) -> Changes:
    """All points there are, as if they had changed just now."""
    last = session.scalars(select(PointChangeRow).order_by(PointChangeRow.id.desc()).limit(PASSED)).all()
    days = {day: ((0, highest),) for day, highest in session.execute(_DAYS)}
    return Changes(days, tuple(_mark(row) for row in reversed(last)))


_DAYS: Final = text(
    "WITH RECURSIVE days (day) AS (SELECT min(day) FROM points UNION ALL "
    "SELECT (SELECT min(day) FROM points WHERE points.day > days.day) FROM days WHERE days.day IS NOT NULL) "
    "SELECT day, (SELECT max(subject_id) FROM points WHERE points.day = days.day) FROM days WHERE day IS NOT NULL"
)
"""Each day with points and the highest subject on it: two look-ups a day, however many points there are."""


def highest(session: Session, day: int) -> int:
    """The highest id of a subject with a point on a day; 0 where there is none."""
    return session.scalar(select(func.max(PointRow.subject_id)).where(PointRow.day == day)) or 0


def cells(session: Session, day: int, ranges: Iterable[Range]) -> Iterator[Cells]:
    """The points of one day of the subjects in ``ranges``, in parts."""
    for some in _portions(ranges):
        listed = ", ".join(f"({first}, {last})" for first, last in some)
        # The few ranges lead and the key is searched for each; CROSS JOIN makes SQLite keep that order. Subject and
        # metric come as one number: of millions of rows, each one less costs a sixth.
        yield Cells(
            number_rows(
                session,
                "WITH wanted (first, last) AS "  # noqa: S608  (numbers only)
                f"(VALUES {listed}) SELECT subject_id * {1 << _METRIC_BITS} + metric_id, value "
                f"FROM wanted CROSS JOIN points WHERE day = {day} AND subject_id BETWEEN first AND last",
                2,
            )
        )


def _portions(ranges: Iterable[Range]) -> Iterator[list[Range]]:
    """Ranges in portions, none with more subjects than memory should hold at once."""
    portion: list[Range] = []
    room = _STEP
    for first, last in ranges:
        for start in range(first, last + 1, _STEP):
            end = min(start + _STEP - 1, last)
            if portion and (end - start >= room or len(portion) == _AT_ONCE):
                yield portion
                portion, room = [], _STEP
            portion.append((start, end))
            room -= end - start + 1
    if portion:
        yield portion


def merged(ranges: Iterable[Range]) -> tuple[Range, ...]:
    """Ranges in ascending order, those that overlap or touch as one."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)


def _mark(row: PointChangeRow) -> Mark:
    return Mark(row.id, row.recorded_at.isoformat())
