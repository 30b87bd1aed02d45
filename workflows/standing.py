"""Where a run stands and what it has been told, as plain state: why it moves on, and what a stretch leads to.

A run is a set of strands: its own, and one for each row of an open fork. Stretches are done one at a time, whichever
strand is due; so however many rows there are, nothing in a run ever happens beside something else. No Temporal in
here: `playbook_run` asks, waits and calls activities; which acts are possible stands in `acting`.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from engine.running.lines import Line
from engine.running.ways import Jump, again, is_outward
from workflows.payloads import Outcome, RunInput, Strand, StretchResult, Wake

RUN: Final = ""
"""The key under which `Standing.kept` holds what concerns the run and not one of its steps."""

CLOSING: Final[frozenset[Outcome]] = frozenset({"exit", "overdue", "cancelled", "failed"})
"""Outcomes that close a run, wherever it stands."""

_LOOKING: Final[frozenset[Outcome]] = frozenset({"again", "resumed"})
"""Outcomes that only look once more: whatever the run has been told comes first."""


_HERE: Final[frozenset[Outcome]] = CLOSING | _LOOKING | {"stuck"}
_STANDING: Final[frozenset[Outcome]] = frozenset({"begin", "jumped"})


class Move(NamedTuple):
    """The strand that moves on now, and why."""

    strand: Strand
    outcome: Outcome


@dataclass
class Standing:
    """The state of one run between its activities.

    ``compiled`` are its lines, ``lines`` the same under the names they have after its ``jumps``. ``strands``: the run's
    own first. ``expires`` (ISO, or empty): when its longest time is over; ``paused``: since when. ``kept``: outcomes
    that have come for a step and are applied when the run stands there. ``busy``: a stretch is being worked on.
    """

    compiled: tuple[Line, ...]
    lines: tuple[Line, ...]
    strands: list[Strand]
    expires: str = ""
    paused: str = ""
    skips: list[str] = field(default_factory=list)
    kept: dict[str, Outcome] = field(default_factory=dict)
    jumps: list[Jump] = field(default_factory=list)
    busy: bool = False
    ended: bool = False

    @classmethod
    def of(cls, wanted: RunInput, now: datetime) -> "Standing":
        """The state a run begins or continues with."""
        lines = tuple(wanted.lines)
        longest = timedelta(seconds=lines[-1].days * wanted.day_seconds)
        return cls(
            compiled=lines,
            lines=again(lines, wanted.jumps),
            strands=list(wanted.strands) or [Strand()],
            expires=wanted.expires or ((now + longest).isoformat() if longest else ""),
            paused=wanted.paused,
            skips=list(wanted.skips),
            kept=dict(wanted.kept),
            jumps=list(wanted.jumps),
        )

    def carried(self, wanted: RunInput) -> RunInput:
        """The input with which the run continues as new."""
        return replace(
            wanted,
            strands=self.strands,
            expires=self.expires,
            paused=self.paused,
            skips=self.skips,
            kept=self.kept,
            jumps=self.jumps,
        )

    @property
    def trunk(self) -> Strand:
        """The run's own strand."""
        return self.strands[0]

    @property
    def cursor(self) -> int:
        """The line at which the run as a whole stands."""
        return self.trunk.cursor

    @property
    def cancelled(self) -> bool:
        """Whether a person has cancelled the run."""
        return self.kept.get(RUN) == "cancelled"

    @property
    def open_fork(self) -> int:
        """The outermost fork that is open; -1: none is."""
        return self.cursor if self.trunk.stop == "fork" else -1

    @property
    def is_moving(self) -> bool:
        """Whether a stretch is at work or still to be done, so that a strand's cursor is a line it has left."""
        return self.busy or any(one.leaving not in {"", *_LOOKING} and one.stop != "stuck" for one in self.strands)

    def line(self, strand: Strand) -> Line:
        """The line a strand stands at, or left."""
        return self.lines[strand.cursor]

    def due(self, now: datetime) -> Move | None:
        """Which strand moves on now, and why; None while the run waits."""
        if closing := self._closing(now):
            return Move(self.trunk, closing)
        if self.paused:
            return None
        for strand in self.strands:
            if outcome := self._outcome(strand, now):
                return Move(strand, outcome)
        return None

    def is_outward(self, cursor: int, outcome: Outcome) -> bool:
        """Whether the stretch may send something out. One that only stands at a stop does not; should it find that it
        need not stand there, it hands back what is to be sent."""
        stands = outcome in _STANDING and self.lines[cursor].stops
        return not stands and outcome not in _HERE and is_outward(self.lines, cursor)

    def leave(self, move: Move) -> None:
        """A stretch begins; when it is interrupted, it is still to be done."""
        self.busy = True
        if move.outcome not in CLOSING:
            move.strand.leaving = move.outcome

    def arrive(self, move: Move, result: StretchResult) -> None:
        """A stretch is done; its strand stands where it stopped."""
        strand = move.strand
        step = self.line(strand).step
        if result.cursor == strand.cursor and self.kept.get(step) == move.outcome:
            del self.kept[step]  # it was acted upon, and the run stands there anew: an approval is asked again
        strand.cursor, strand.stop, strand.deadline = result.cursor, result.stop, result.deadline
        strand.leaving = move.outcome if result.stop == "stuck" else ""
        self.ended = result.stop == "end"
        if result.stop == "fork":
            self.strands += [Strand(cursor=first, fork=result.cursor) for first in self.line(strand).arms]
        elif result.stop == "join":
            self.strands.remove(strand)
            self._join(strand.fork)

    @property
    def next_time(self) -> str:
        """When the run moves on by itself (ISO); empty: only when it is told something."""
        times = [self.expires, *([] if self.paused else [strand.deadline for strand in self.strands])]
        return min(filter(None, times), key=datetime.fromisoformat, default="")

    def patience(self, now: datetime) -> float | None:
        """Seconds until the run moves on by itself; None: only when it is told something."""
        if not self.next_time:
            return None
        return max((datetime.fromisoformat(self.next_time) - now).total_seconds(), 0.001)

    def wake(self, wake: Wake) -> None:
        """Keep what came; the first thing that comes for a step counts."""
        if wake.outcome == "again":
            self._look_again("again", wake.step)
        elif wake.outcome == "exit":
            self.kept.setdefault(RUN, "exit")
        else:
            self.kept.setdefault(wake.step, "satisfied")

    def pause(self, now: datetime) -> None:
        """Stand still. What comes meanwhile is kept."""
        self.paused = now.isoformat()

    def resume(self, now: datetime, *, stretch: bool) -> None:
        """Go on; every stop is looked at once more, for the reason to stand there may be gone. ``stretch``: waits get
        the time back that has passed."""
        passed = now - datetime.fromisoformat(self.paused)
        self.paused = ""
        for strand in self.strands:
            if stretch and strand.deadline:
                strand.deadline = (datetime.fromisoformat(strand.deadline) + passed).isoformat()
        self._look_again("resumed")

    def jump(self, strand: Strand, jump: Jump) -> None:
        """Go back to a line; what the strand opened beside itself is given up."""
        self.jumps.append(jump)
        self.lines = again(self.compiled, self.jumps)
        self.strands = [one for one in self.strands if one is strand or not jump.first <= one.cursor <= jump.last]
        strand.cursor, strand.leaving, strand.stop, strand.deadline = jump.first, "jumped", "", ""

    def _closing(self, now: datetime) -> Outcome | None:
        if self.cancelled:
            return "cancelled"
        if _over(self.expires, now):
            return "overdue"
        return "exit" if self.kept.get(RUN) == "exit" and not self.paused else None

    def _outcome(self, strand: Strand, now: datetime) -> Outcome | None:
        if strand.stop == "stuck":
            return "failed" if _over(strand.deadline, now) else None
        if strand.leaving and (strand.leaving not in _LOOKING or not strand.stop):
            return strand.leaving
        step = self.line(strand).step
        if strand.stop not in {"wait", "gate"}:
            return None
        if told := self.kept.get(step):
            return told
        if step in self.skips:
            return "skipped"
        if strand.leaving:
            return strand.leaving
        if not _over(strand.deadline, now):
            return None
        return "expired" if strand.stop == "gate" else "elapsed"

    def _join(self, fork: int) -> None:
        if any(one.fork == fork for one in self.strands):
            return
        for strand in self.strands:
            if strand.cursor == fork and strand.stop == "fork":
                strand.cursor, strand.leaving, strand.stop = self.lines[fork].target, "joined", ""

    def _look_again(self, outcome: Outcome, step: str = "") -> None:
        for strand in self.strands:
            stands = strand.stop in {"wait", "gate"} and not strand.leaving
            if stands and (not step or self.line(strand).step == step):
                strand.leaving = outcome


def _over(moment: str, now: datetime) -> bool:
    return bool(moment) and now >= datetime.fromisoformat(moment)
