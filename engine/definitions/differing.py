"""What differs between two sets of files, as people read it in a review: file by file, line by line."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal as Choice


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file that differs. ``lines``: a unified diff with its two head lines, without line ends."""

    path: str
    kind: Choice["added", "removed", "changed"]
    lines: tuple[str, ...]

    @property
    def added(self) -> int:
        """Lines that are new."""
        return sum(line.startswith("+") for line in self.lines[2:])

    @property
    def removed(self) -> int:
        """Lines that are gone."""
        return sum(line.startswith("-") for line in self.lines[2:])


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[FileDiff, ...]:
    """Every file (path → text) that was added, removed or changed, by path."""
    return tuple(_differences(before, after))


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[FileDiff]:
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old == new:
            continue
        lines = difflib.unified_diff(
            _lines(old),
            _lines(new),
            f"a/{path}" if old is not None else "/dev/null",
            f"b/{path}" if new is not None else "/dev/null",
            lineterm="",
        )
        yield FileDiff(path, "added" if old is None else "removed" if new is None else "changed", tuple(lines))


def _lines(text: str | None) -> list[str]:
    """Lines without their ends; an end that differs (or is missing) would else be a change nobody sees."""
    if text is None:
        return []
    found = text.split("\n")
    if found[-1] == "":
        found.pop()
    else:
        found[-1] += "  (no newline at the end)"
    return [line.removesuffix("\r") + ("␍" if line.endswith("\r") else "") for line in found]
