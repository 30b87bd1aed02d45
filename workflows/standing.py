"""Where a run stands and what it has been told, as plain state: what may be done to it, and why it moves on.

No Temporal in here: `playbook_run` asks, waits and calls activities; every rule about acts, wakes and pauses is below.
"""

from dataclasses import dataclass, field
from datetime import datetime

from engine.running.lines import Line
from engine.terms import RunAct
from workflows.payloads import Act, Outcome, RunInput, StretchResult, Wake

RUN = ""
"""The key under which `Standing.kept` holds what concerns the run and not one of its steps."""


@dataclass
class Standing:
    """The state of one run between its activities.

    ``busy``: a stretch is being worked on, so ``cursor`` is the line it left. ``kept``: outcomes that have come for a
    step and are applied when the run stands there (and is not paused). ``changes`` grows with everything that is told.
    """

    lines: tuple[Line, ...]
    cursor: int = 0
    deadline: str = ""
    paused: bool = False
    skips: list[str] = field(default_factory=list)
    kept: dict[str, Outcome] = field(default_factory=dict)
    busy: bool = True
    ended: bool = False
    changes: int = 0

    @classmethod
    def of(cls, wanted: RunInput) -> "Standing":
        """The state a run begins or continues with."""
        return cls(
            lines=tuple(wanted.lines),
            cursor=wanted.cursor,
            deadline=wanted.deadline,
            paused=wanted.paused,
            skips=list(wanted.skips),
            kept=dict(wanted.kept),
            busy=not wanted.begun,
        )

    @property
    def line(self) -> Line:
        """The line the run stands at."""
        return self.lines[self.cursor]

    @property
    def cancelled(self) -> bool:
        """Whether a person has cancelled the run."""
        return self.kept.get(RUN) == "cancelled"

    @property
    def may_move(self) -> bool:
        """Whether the run may go on: a cancelled one must, a paused one may not."""
        return self.cancelled or not self.paused

    def arrive(self, result: StretchResult) -> None:
        """A stretch is done; the run stands where it stopped."""
        self.cursor, self.deadline = result.cursor, result.deadline
        self.busy, self.ended = False, result.stop == "end"

    def outcome(self, now: datetime) -> Outcome | None:
        """Why the run moves on now, or None while it waits."""
        if self.cancelled:
            return "cancelled"
        if self.paused:
            return None
        told = self.kept.get(RUN) or self.kept.get(self.line.step)
        if told:
            return told
        if self.line.step in self.skips:
            return "skipped"
        if not self.deadline or now < datetime.fromisoformat(self.deadline):
            return None
        return "expired" if self.line.kind == "gate" else "elapsed"

    def patience(self, now: datetime) -> float | None:
        """Seconds until the run moves on by itself; None: only when it is told something."""
        if self.paused or not self.deadline:
            return None
        return max((datetime.fromisoformat(self.deadline) - now).total_seconds(), 0.001)

    def wake(self, wake: Wake) -> None:
        """Keep what came; the first thing that comes for a step counts."""
        key, outcome = (RUN, "exit") if wake.outcome == "exit" else (wake.step, "satisfied")
        self.kept.setdefault(key, outcome)  # type: ignore[arg-type]  # mypy joins the two literals to str
        self.changes += 1

    def apply(self, act: Act) -> None:
        """Do what a person asked; the caller has made sure that `refusal` has nothing against it."""
        step = act.step or self.line.step
        if act.kind in {RunAct.PAUSE, RunAct.RESUME}:
            self.paused = act.kind == RunAct.PAUSE
        elif act.kind == RunAct.CANCEL:
            self.kept[RUN] = "cancelled"
        elif act.kind == RunAct.APPROVE:
            self.kept[step] = "approved"
        elif act.kind == RunAct.REJECT:
            self.kept[step] = "rejected"
        elif act.kind == RunAct.TASK_DONE:
            self.kept.setdefault(step, "satisfied")
        elif act.kind == RunAct.SKIP:
            self.skips.append(step)
        self.changes += 1

    def refusal(self, act: Act) -> str:
        """Why this act cannot take effect now; empty when it can.

        While a stretch is at work an approval may be ahead of the news that the run stands at its gate, so then only
        the existence of the gate is asked for; the handler asks again when the stretch is done.
        """
        if self.ended:
            return "the run has ended"
        if self.cancelled:
            return "the run is being cancelled"
        if act.kind in {RunAct.APPROVE, RunAct.REJECT}:
            return self._gate_refusal(act.step)
        if act.kind == RunAct.PAUSE:
            return "the run is already paused" if self.paused else ""
        if act.kind == RunAct.RESUME:
            return "" if self.paused else "the run is not paused"
        if act.kind == RunAct.SKIP:
            return self._skip_refusal(act.step)
        return "" if act.kind in {RunAct.CANCEL, RunAct.TASK_DONE} else f'there is no act "{act.kind}"'

    def _gate_refusal(self, step: str) -> str:
        if self.busy and any(line.kind == "gate" and line.step == step for line in self.lines):
            return ""
        if self.line.kind != "gate" or self.line.step != step:
            return f'the run does not stand at the approval "{step}"'
        return f'the approval "{step}" is already {self.kept[step]}' if step in self.kept else ""

    def _skip_refusal(self, step: str) -> str:
        if not step:
            return "the run is between two steps" if self.busy else ""
        if step in self.skips:
            return f'the step "{step}" is already skipped'
        ahead = any(line.step == step for line in self.lines[self.cursor :])
        return "" if ahead else f'the step "{step}" is not ahead of this run'
