"""Where lines lead: what can follow a line, which lines lie beside each other, and lines that are done once more.

Lines only ever lead forward, so every run ends; back goes only a person (`Jump`). What lies between the line one jumps
to and the line one left is then done again under a new name (``call#2``), for the ledger knows every step by its name.
What was sent keeps its name, and with it is not sent a second time, unless the person wants exactly that.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.running.lines import Line

_OCCURRENCE: Final = re.compile(r"#\d+$")


@dataclass(frozen=True, slots=True)
class Jump:
    """A person jumped back: the lines from ``first`` to ``last`` are done once more. ``sends``: also what was sent."""

    first: int
    last: int
    sends: bool = False


def exits(lines: Sequence[Line], number: int) -> tuple[int, ...]:
    """The numbers of the lines that can follow line ``number``."""
    line = lines[number]
    match line.kind:
        case "end":
            return ()
        case "jump":
            return (line.target,)
        case "branch" | "fork":
            return line.arms
        case "gate":
            return (number + 1, line.target)
    return (number + 1,)


def is_outward(lines: Sequence[Line], cursor: int) -> bool:
    """Whether the stretch that begins at ``cursor`` can send something out, whichever way its branches go.

    A stop at ``cursor`` is left, whichever way it is left; any other line is itself part of the stretch.
    """
    open_lines = list(exits(lines, cursor)) if lines[cursor].stops else [cursor]
    seen: set[int] = set()
    while open_lines:
        number = open_lines.pop()
        if number in seen or lines[number].stops:
            continue
        seen.add(number)
        if lines[number].outward:
            return True
        open_lines += exits(lines, number)
    return False


def row_of(lines: Sequence[Line], number: int) -> tuple[int, int]:
    """The row of steps in which line ``number`` lies: its first line, and the line behind it (a join, or past the end).

    A fork and its join belong to the row around them.
    """
    found = (0, len(lines))
    for line in lines[:number]:
        if line.kind == "fork" and number < line.target:
            found = (
                max(arm for arm in line.arms if arm <= number),
                min((arm for arm in line.arms if arm > number), default=line.target),
            )
    return found


def is_covered(lines: Sequence[Line], number: int) -> bool:
    """Whether line ``number`` lies inside what an approval covers."""
    return any(line.kind == "gate" and gate < number < line.target for gate, line in enumerate(lines[:number]))


def again(lines: Sequence[Line], jumps: Sequence[Jump]) -> tuple[Line, ...]:
    """The lines under the names they have after so many jumps."""
    if not jumps:
        return tuple(lines)
    return tuple(_named(line, number, jumps) for number, line in enumerate(lines))


def origin(step: str) -> str:
    """The step a line had before any jump: what the playbook knows it by."""
    return _OCCURRENCE.sub("", step)


def _named(line: Line, number: int, jumps: Sequence[Jump]) -> Line:
    times = sum(jump.first <= number <= jump.last and (jump.sends or not line.outward) for jump in jumps)
    return replace(line, step=f"{line.step}#{times + 1}") if times else line
