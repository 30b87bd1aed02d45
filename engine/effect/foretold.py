"""Verdicts and what followed them: how a rule would have done as a warning.

A cell is one account on one cutoff. An *alert* is the cutoff on which a rule begins to fire for an account: so often
would somebody have been told. An outcome is *caught* when the rule fired on some cutoff in the ``within`` days before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.effect.clusters import NONE, Share, share
from engine.evaluation.columns import Bytes, Flags, Ints
from engine.terms import Verdict

WEEK: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class Happened:
    """The outcomes of N accounts: ``rows`` and ``days`` int64[K], by row, then day. ``until``: the last day that has
    been seen whole; what happens later is not known."""

    rows: Ints
    days: Ints
    until: int

    def next_after(self, days: Ints, size: int) -> NDArray[np.float64]:
        """For each of T days and N accounts the day of the next outcome after it, float64[T, N], NaN none."""
        found = np.full((len(days), size), np.nan)
        for row, day in zip(self.rows[::-1].tolist(), self.days[::-1].tolist(), strict=True):
            found[days < day, row] = day
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What followed each cell, bool[T, N]: ``happened`` within the horizon; ``known``: that it did or did not."""

    days: Ints
    within: int
    happened: Flags
    known: Flags


def follow(outcomes: Happened, days: Ints, here: Flags, within: int) -> Cells:
    """What followed each cell where the account was a customer (``here`` bool[T, N])."""
    coming = outcomes.next_after(days, here.shape[1])
    happened = here & (coming - days[:, None] <= within)
    return Cells(days, within, happened, here & (happened | (days[:, None] + within <= outcomes.until)))


@dataclass(frozen=True, slots=True, eq=False)
class Warned:
    """How one rule would have warned.

    ``precision``: alerts that were followed; ``recall``: outcomes that were caught; ``false_positive_rate``: cells
    without a following outcome in which it fired all the same; ``base_rate``: cells that were followed at all.
    ``leads`` int64[caught]: days from the first firing in the horizon to the outcome. ``late`` int64[L]: of outcomes
    that were not caught, days by which the first alert came after them (within the horizon), as negative numbers.
    ``caught_rows`` int64[caught]: the account of each lead; ``caught`` the same, each once. ``missed``: rows of
    accounts that had an outcome and were never caught. ``hits``: rows with an alert that was followed.
    """

    alerts: int
    unjudged: int
    precision: Share
    recall: Share
    false_positive_rate: Share
    base_rate: Share
    unknown: Share
    leads: Ints
    late: Ints
    caught_rows: Ints
    caught: Ints
    missed: Ints
    hits: Ints

    @property
    def false_alarms(self) -> int:
        """Alerts that nothing followed."""
        return self.precision.known - self.precision.met


def warned(verdicts: NDArray[np.int8], cells: Cells, here: Flags, outcomes: Happened) -> Warned:
    """The figures of one rule, whose ``verdicts`` are int8[T, N]."""
    firing = here & (verdicts == Verdict.HOLDS)
    starts = alerts(verdicts, here)
    caught, leads, late, missed = _outcomes(firing, starts, here, outcomes, cells)
    size = here.shape[1]
    total = np.bincount(np.concatenate([caught, missed]), minlength=size).astype(np.float64)
    silent = cells.known & ~cells.happened & (verdicts != Verdict.UNKNOWN)
    return Warned(
        alerts=int(starts.sum()),
        unjudged=int((starts & ~cells.known).sum()),
        precision=_per_account(starts & cells.happened, starts & cells.known),
        recall=share(np.bincount(caught, minlength=size).astype(np.float64), total),
        false_positive_rate=_per_account(firing & silent, silent),
        base_rate=_per_account(cells.happened, cells.known),
        unknown=_per_account(here & (verdicts == Verdict.UNKNOWN), here),
        leads=leads,
        late=late,
        caught_rows=caught,
        caught=np.unique(caught),
        missed=np.setdiff1d(missed, caught),
        hits=np.flatnonzero((starts & cells.happened).any(axis=0)),
    )


def alerts(verdicts: NDArray[np.int8], here: Flags) -> Flags:
    """The cells on which a rule begins to fire, bool[T, N]; unknown in between is no end."""
    started = np.zeros(verdicts.shape, dtype=np.bool_)
    known: Bytes = np.zeros(verdicts.shape[1], dtype=np.int8)
    for at, (now, there) in enumerate(zip(verdicts, here, strict=True)):
        started[at] = there & (now == Verdict.HOLDS) & (known != Verdict.HOLDS)
        known = np.where(there, np.where(now == Verdict.UNKNOWN, known, now), 0).astype(np.int8)
    return started


def _per_account(met: Flags, known: Flags) -> Share:
    if not known.any():
        return NONE
    return share(met.sum(axis=0).astype(np.float64), known.sum(axis=0).astype(np.float64))


def _outcomes(
    firing: Flags, starts: Flags, here: Flags, outcomes: Happened, cells: Cells
) -> tuple[Ints, Ints, Ints, Ints]:
    """Rows caught, their leads, the delays of late alerts, and rows missed; of outcomes that could be warned of."""
    caught, leads, late, missed = list[int](), list[int](), list[int](), list[int]()
    for row, day in zip(outcomes.rows.tolist(), outcomes.days.tolist(), strict=True):
        before = (cells.days < day) & (cells.days >= day - cells.within)
        if not (before & here[:, row]).any():
            continue
        fired = np.flatnonzero(before & firing[:, row])
        if len(fired):
            caught.append(row)
            leads.append(day - int(cells.days[fired[0]]))
            continue
        missed.append(row)
        after = np.flatnonzero((cells.days >= day) & (cells.days <= day + cells.within) & starts[:, row])
        if len(after):
            late.append(day - int(cells.days[after[0]]))
    return _ints(caught), _ints(leads), _ints(late), _ints(missed)


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int64)
