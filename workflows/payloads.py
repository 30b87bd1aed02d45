"""Everything that crosses Temporal: small dataclasses of ids and enums, never names or addresses.

Fields are only ever added, with defaults, so that open runs keep replaying.
"""

from dataclasses import dataclass, field
from typing import Literal

from engine.running.lines import Line
from engine.running.ways import Jump

Outcome = Literal[
    "begin",
    "elapsed",
    "satisfied",
    "approved",
    "rejected",
    "expired",
    "skipped",
    "joined",
    "again",
    "resumed",
    "jumped",
    "stuck",
    "exit",
    "overdue",
    "cancelled",
    "failed",
]
"""Why a run moves on from the line it stands at.

``begin`` and ``jumped`` begin at the line, ``joined`` leaves a join when all rows beside each other are through.
``again`` and ``resumed`` look at the line once more and may stay there: a date has moved, a person let the run go on.
``stuck`` writes down that the stretch cannot be done; the run then stands there until somebody tries again. ``exit``,
``overdue`` (its longest time is over), ``cancelled`` and ``failed`` close the run, wherever it stands.
"""

Stop = Literal["wait", "gate", "fork", "join", "stuck", "end"]
"""What a run stands at after a stretch. A line of any kind may be a ``wait``: its messages may only go out later."""


@dataclass
class Strand:
    """One row of steps that goes on by itself; a run has one, and one more for every row of an open fork.

    It stands at line ``cursor`` until ``deadline`` (ISO). ``leaving``: why it leaves as soon as it may (empty: it
    stands). ``fork``: the line of the fork it belongs to, -1 for the run's own row.
    """

    cursor: int = 0
    leaving: Outcome | Literal[""] = "begin"
    stop: Stop | Literal[""] = ""
    deadline: str = ""
    fork: int = -1


@dataclass(frozen=True)
class RunInput:
    """The whole input of `PlaybookRun`. ``day_seconds`` is the length of a day on this run's clock; what follows
    ``priority`` is only set when a run continues as new: where it stands, what it has been told and not acted upon
    (`workflows.standing.Standing` says how). ``longest_history`` is the number of events after which that happens."""

    run_id: int
    lines: list[Line]
    day_seconds: float = 86_400.0
    priority: int = 3
    longest_history: int = 2_000
    strands: list[Strand] = field(default_factory=list)
    expires: str = ""
    paused: str = ""
    skips: list[str] = field(default_factory=list)
    kept: dict[str, Outcome] = field(default_factory=dict)
    jumps: list[Jump] = field(default_factory=list)


@dataclass(frozen=True)
class StretchInput:
    """Leave line ``cursor`` with ``outcome``, then do the instant lines up to the next stop. ``now`` is the run's own
    clock (ISO); ``skips`` are steps a person wants left out. ``until``: the time the wait or gate at ``cursor`` has
    (ISO), where the outcome is to look at it once more. ``fork``: the outermost fork the run stands at while one of
    its rows is at work (-1: none), which is where the run as a whole is."""

    run_id: int
    cursor: int
    outcome: Outcome
    now: str
    skips: list[str] = field(default_factory=list)
    until: str = ""
    fork: int = -1


@dataclass(frozen=True)
class StretchResult:
    """Where the run stands now: the line it stopped at, and until when (ISO; empty at a fork, a join, the end)."""

    cursor: int
    stop: Stop
    deadline: str = ""


@dataclass(frozen=True)
class Act:
    """A person's act on a run, carried as a Temporal update whose id is ``act-<act_id>``. The row decides, not this.

    ``sends``: a jump back also sends again what had been sent. ``stretch``: after a pause, waits go on for as long as
    they had left when it began; otherwise their time has gone by.
    """

    act_id: int
    kind: str
    step: str = ""
    sends: bool = False
    stretch: bool = False


@dataclass(frozen=True)
class ActResult:
    """Whether the act took effect, and at which line the run stood."""

    applied: bool
    cursor: int


@dataclass(frozen=True)
class RecordActInput:
    """Write that an act took effect in the run (and the run's state, when the act pauses or resumes it). ``cursor`` is
    the line the run stands at then; ``jumps`` are all there have been, where the act is one."""

    run_id: int
    act_id: int
    kind: str
    cursor: int
    now: str
    jumps: list[Jump] = field(default_factory=list)


@dataclass(frozen=True)
class Wake:
    """The one Temporal signal there is: what step ``step`` waits for has come (``satisfied``), its time may have moved
    (``again``), or the run's exit condition holds (``exit``)."""

    outcome: Literal["satisfied", "again", "exit"]
    step: str = ""


@dataclass(frozen=True)
class CycleInput:
    """One evaluation cycle. ``at`` (ISO moment) empty: the moment the activity runs."""

    at: str = ""


@dataclass(frozen=True)
class CycleResult:
    """Counts only."""

    accounts: int = 0
    starts: int = 0
    refusals: int = 0
    hold_outs: int = 0
    judged: int = 0
    woken: int = 0
