"""One thing the author of a file has to change, where it is, and how it is shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.errors import EngineError

MAX_WIDTH: Final = 160
MAX_SENTENCE: Final = 400
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LINE_END: Final = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # where YAML ends a line


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a file. ``line`` and ``column`` count from 1, as editors do."""

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One problem. ``code`` is stable and searchable: C catalog, S scorecard, R rule, P playbook, M message,
    D report, K calendars, N connections, T contact policy, J condition, B between files, Y the YAML itself; R050 is an
    example that does not hold."""

    place: Place
    code: str
    message: str
    hint: str = ""


class BadDefinition(EngineError):
    """Files that do not check. Carries every problem of every file, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        many = "problem" if len(self.problems) == 1 else "problems"
        super().__init__(f"{len(self.problems)} {many} in the files; `backcast check` shows them")


def one_line(text: str) -> str:
    """A sentence that repeats what somebody wrote: on one line, and never longer than a person would read."""
    plain = _CONTROL.sub(" ", text)
    return plain if len(plain) <= MAX_SENTENCE else f"{plain[: MAX_SENTENCE - 1]}…"


def render(problem: Problem, texts: Mapping[str, str]) -> str:
    """Show a problem as ``path:line:col: CODE sentence``, its source line, a caret, and the hint.

    ``texts`` maps a path to the file's text; a path that is not in it is shown without the source line. Of a very long
    line only the part around the caret is shown.
    """
    shown = [f"{problem.place}: {problem.code} {problem.message}"]
    lines = _LINE_END.split(texts.get(problem.place.path, ""))
    if problem.place.path in texts and 0 < problem.place.line <= len(lines):
        number = str(problem.place.line)
        source, column = _around(lines[problem.place.line - 1].replace("\t", " "), problem.place.column)
        shown.append(f"  {number} | {source}".rstrip())
        shown.append(f"{' ' * (len(number) + 3)}| {' ' * (column - 1)}^")
    if problem.hint:
        shown.append(f"    = {problem.hint}")
    return "\n".join(shown)


def _around(source: str, column: int) -> tuple[str, int]:
    if len(source) <= MAX_WIDTH:
        return source, column
    start = max(0, column - MAX_WIDTH // 2)
    part = source[start : start + MAX_WIDTH]
    return ("…" + part, column - start + 1) if start else (part + "…", column)
