"""What a command line that was used wrongly is told: one line, and with ``--json`` one JSON value of the same words."""

import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Final, TextIO

import typer

from engine.definitions.reading import suggest

WRONG_USE: Final[type[Exception]] = typer.BadParameter.__mro__[2]
"""The parser's refusals. Typer brings the parser along under one name or another, but hands out this much of it."""

LONGEST: Final = 400


def wrong_use(error: Exception) -> tuple[str, int]:
    """The line for a refusal of the parser and its exit code; no line where the help is what was asked for."""
    code = int(getattr(error, "exit_code", 2))
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        shown = getattr(error, "format_message", str)()
        return shown.strip() or "", code
    said = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    said = said if len(said) <= LONGEST else f"{said[: LONGEST - 1]}…"
    where = getattr(context, "command_path", "backcast")
    said += _meant(said, context)
    end = "" if said.endswith(("?", ".", "…")) else "."
    return f"{said[:1].upper()}{said[1:]}{end} `{where} --help` says what there is.".replace("'", '"'), code


def _meant(said: str, context: Any) -> str:
    """The command that was meant where only the case of its letters differs, which the parser does not look for."""
    commands = getattr(getattr(context, "command", None), "commands", {})
    found = re.fullmatch(r"No such command '(.*)'\.", said)
    hint = suggest(found[1].lower(), commands) if found else ""
    return f" {hint[:1].upper()}{hint[1:]}" if hint else ""


class _Heard(io.TextIOBase):
    """Passes on what is written to a stream, and remembers it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.text = ""

    def write(self, text: str) -> int:
        """Write on, and remember."""
        self.text += text
        return self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream behind."""
        self._stream.flush()

    def isatty(self) -> bool:
        """As the stream behind."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """As the stream behind."""
        return self._stream.fileno()


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the output is meant for a program."""
    return "--json" in arguments or "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


@contextmanager
def as_json() -> Iterator[None]:
    """Whatever ends with a code but has printed no value, prints ``{"error": …}``: what was said on standard error."""
    out, err = sys.stdout, sys.stderr
    values, said = _Heard(out), _Heard(err)
    sys.stdout, sys.stderr = values, said
    try:
        yield
    except SystemExit as ended:
        if ended.code not in {None, 0} and not values.text.strip():
            out.write(json.dumps({"error": said.text.strip()}) + "\n")
            out.flush()
        raise
    finally:
        sys.stdout, sys.stderr = out, err
