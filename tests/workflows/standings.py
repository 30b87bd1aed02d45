"""Runs as plain state, for tests: lines, and a driver that answers as the activities would."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from engine.running.lines import Line
from engine.running.ways import exits, row_of
from workflows.acting import apply, refusal
from workflows.payloads import Act, Outcome, RunInput, StretchResult, Wake
from workflows.standing import CLOSING, Move, Standing

AT = datetime(2026, 3, 2, tzinfo=UTC)
TWO_ROWS = [
    Line("task", "before"),
    Line("wait", "first", days=1),
    Line("fork", "both", arms=(3, 6), target=9),
    Line("task", "call"),
    Line("wait", "call/wait", days=5),
    Line("jump", "both/after-1", target=9),
    Line("gate", "yes", target=8, days=2),
    Line("email", "mail", outward=True),
    Line("jump", "both/after-2", target=9),
    Line("join", "both/joined"),
    Line("wait", "last", days=3),
    Line("end", "end", days=90),
]


@dataclass
class Played:
    """A run whose stretches are answered at once. ``done`` are the steps of the lines it has gone over, in order."""

    state: Standing
    now: datetime = AT
    done: list[str] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @classmethod
    def of(cls, lines: list[Line]) -> "Played":
        """A run that has begun and stands at its first stop."""
        played = cls(Standing.of(RunInput(run_id=1, lines=lines), AT))
        played.go()
        return played

    @property
    def stands(self) -> set[str]:
        """The steps it stands at."""
        return {self.state.line(one).step for one in self.state.strands}

    def go(self) -> None:
        """Do stretches until nothing is due."""
        while not self.state.ended and (move := self.state.due(self.now)) is not None:
            self.outcomes.append(move.outcome)
            self.state.leave(move)
            result = self.stretch(move)
            self.state.busy = False
            self.state.arrive(move, result)

    def later(self, days: float) -> None:
        """Let time pass."""
        self.now += timedelta(days=days)
        self.go()

    def tell(self, word: Act | Wake) -> str:
        """Tell the run something; why it refuses, or nothing."""
        if isinstance(word, Wake):
            self.state.wake(word)
        elif why := refusal(self.state, word):
            return why
        else:
            apply(self.state, word, self.now)
        self.go()
        return ""

    def stretch(self, move: Move) -> StretchResult:
        """What the activity of a stretch answers; a branch goes its first way."""
        lines, number = self.state.lines, move.strand.cursor
        if move.outcome in CLOSING:
            return StretchResult(len(lines) - 1, "end")
        if lines[number].stops and move.outcome not in {"begin", "again", "resumed", "jumped"}:
            is_left_out = lines[number].kind == "gate" and move.outcome not in {"approved", "satisfied"}
            number = lines[number].target if is_left_out else number + 1
        while not lines[number].stops:
            self.done.append(lines[number].step)
            number = exits(lines, number)[0]
        return self._stop(move, number)

    def _stop(self, move: Move, number: int) -> StretchResult:
        line = self.state.lines[number]
        assert row_of(self.state.lines, number)[0] <= number
        if line.kind in {"fork", "join", "end"}:
            return StretchResult(number, line.kind)
        until = (self.now + timedelta(days=line.days)).isoformat()
        if move.outcome in {"again", "resumed"} and number == move.strand.cursor:
            until = move.strand.deadline
        return StretchResult(number, "gate" if line.kind == "gate" else "wait", until)
