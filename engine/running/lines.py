"""A playbook compiled to numbered lines, so that where a run is is one number.

Nested steps become lines with targets: a branch has three, a gate (an approval) knows the line after what it covers,
a campaign becomes a row of lessons with waits between. A *stretch* is the row of instant lines from one stop (wait,
gate, end) to the next. The lines travel in the workflow's input; what a step says stands in the run's own bundle.
"""

from dataclasses import dataclass
from typing import Literal

from engine.definitions.playbook import Playbook
from engine.terms import Mode


@dataclass(frozen=True, slots=True)
class Line:
    """One line. ``step`` is unique in the run (``seat-campaign/first-plan`` for a lesson).

    ``kind``: ``task ask email lesson report webhook`` are instant; ``wait`` and ``gate`` stop; ``branch`` and ``jump``
    move; ``end`` ends. ``target`` is where a jump goes, and where a gate goes when it is not approved; ``arms`` are a
    branch's lines for then, otherwise, unknown. ``days`` (working days when ``working``) is a wait's or gate's longest
    time. ``outward``: sends something out of the building.
    """

    kind: Literal["task", "ask", "email", "lesson", "report", "webhook", "wait", "gate", "branch", "jump", "end"]
    step: str
    target: int = -1
    arms: tuple[int, int, int] = (-1, -1, -1)
    days: float = 0.0
    working: bool = False
    outward: bool = False

    @property
    def stops(self) -> bool:
        """Whether a stretch ends at this line."""
        return self.kind in {"wait", "gate", "end"}


def compile_lines(playbook: Playbook, mode: Mode) -> tuple[Line, ...]:
    """Compile a playbook. Mode ``approve`` puts one gate (step ``approve-run``) in front of everything, ``manual``
    one task (``start-by-hand``) with a wait until it is done."""
    raise NotImplementedError


def is_outward(lines: tuple[Line, ...], cursor: int) -> bool:
    """Whether the stretch that begins at ``cursor`` can send something out, whichever way its branches go."""
    raise NotImplementedError
