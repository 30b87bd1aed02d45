"""Everything that crosses Temporal: small dataclasses of ids and enums, never names or addresses.

Fields are only ever added, with defaults, so that open runs keep replaying.
"""

from dataclasses import dataclass, field
from typing import Literal

from engine.running.lines import Line

Outcome = Literal[
    "begin", "elapsed", "satisfied", "approved", "rejected", "expired", "skipped", "exit", "cancelled", "failed"
]
"""Why a run moves on from the line it stands at. ``cancelled`` and ``failed`` close it, wherever it stands."""


@dataclass(frozen=True)
class RunInput:
    """The whole input of `PlaybookRun`. ``day_seconds`` is the length of a day on this run's clock; ``begun`` and what
    follows it are only set when a run continues as new: ``kept`` are outcomes that came for a step (``""``: for the
    run) before it could act on them; ``longest_history`` is the number of events after which that happens."""

    run_id: int
    lines: list[Line]
    day_seconds: float = 86_400.0
    priority: int = 3
    cursor: int = 0
    begun: bool = False
    deadline: str = ""
    paused: bool = False
    skips: list[str] = field(default_factory=list)
    kept: dict[str, Outcome] = field(default_factory=dict)
    longest_history: int = 2_000


@dataclass(frozen=True)
class StretchInput:
    """Leave line ``cursor`` with ``outcome``, then do the instant lines up to the next stop. ``now`` is the run's own
    clock (ISO); ``skips`` are steps a person wants left out."""

    run_id: int
    cursor: int
    outcome: Outcome
    now: str
    skips: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class StretchResult:
    """Where the run stands now: the line it stopped at, and until when (ISO; empty at the end)."""

    cursor: int
    stop: Literal["wait", "gate", "end"]
    deadline: str = ""


@dataclass(frozen=True)
class Act:
    """A person's act on a run, carried as a Temporal update whose id is ``act-<act_id>``. The row decides, not this."""

    act_id: int
    kind: str
    step: str = ""


@dataclass(frozen=True)
class ActResult:
    """Whether the act took effect, and at which line the run stood."""

    applied: bool
    cursor: int


@dataclass(frozen=True)
class RecordActInput:
    """Write that an act took effect in the run (and the run's state, when the act pauses or resumes it)."""

    run_id: int
    act_id: int
    kind: str
    cursor: int
    now: str


@dataclass(frozen=True)
class Wake:
    """The one Temporal signal there is: what step ``step`` waits for has come (``satisfied``), or the run's exit
    condition holds (``exit``)."""

    outcome: Literal["satisfied", "exit"]
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
