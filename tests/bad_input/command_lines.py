"""Command lines that are wrong, and the folder they are run in.

A case is what one would see: the command after ``$``, ``exit`` with its code, then standard output and standard error.
"""

import contextlib
import io
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api import cli
from tests.bad_input.files import HERE, lay_down

DATA: Final = "data"


@dataclass(frozen=True)
class Case:
    """One command line, its exit code and what is said."""

    path: Path
    line: str
    code: int
    said: str

    @property
    def arguments(self) -> list[str]:
        """The words after ``backcast``."""
        return shlex.split(self.line)[1:]


def cases() -> list[Case]:
    """All command lines of the folder."""
    return [_case(path) for path in sorted((HERE / "cli").glob("*.txt"))]


def _case(path: Path) -> Case:
    line, code, *said = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return Case(path, line.removeprefix("$ ").strip(), int(code.removeprefix("exit ")), "".join(said))


def lay_down_folder(folder: Path, database: Path) -> None:
    """A clean workspace with an empty database, a broken one beside it, and files that cannot be taken in."""
    lay_down(folder)
    (folder / DATA).mkdir()
    (folder / DATA / "backcast.db").write_bytes(database.read_bytes())
    (folder / "broken/rules").mkdir(parents=True)
    (folder / "broken/rules/catalog.yaml").write_text("format: 2\n", encoding="utf-8")
    (folder / "nothing").mkdir()
    (folder / "noise").mkdir()
    (folder / "noise/backcast.db").write_bytes(b"this is no database" * 200)
    (folder / "bad.csv").write_text("account,metric,day,value\nacme,seats,soon,many\n", encoding="utf-8")
    (folder / "empty.csv").write_text("", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")


def run(arguments: list[str], typed: io.BytesIO | None = None) -> tuple[int, str, str]:
    """Run one command in this process as a shell would: exit code, standard output and standard error."""
    out, err, before = io.StringIO(), io.StringIO(), (sys.argv, sys.stdin)
    sys.argv, sys.stdin = ["backcast", *arguments], io.TextIOWrapper(typed or io.BytesIO())
    code: object = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main()
    except SystemExit as ended:
        code = ended.code
    finally:
        sys.argv, sys.stdin = before
    return int(code) if isinstance(code, int) else 1, out.getvalue(), err.getvalue()


def said_of(arguments: list[str]) -> tuple[int, str]:
    """Exit code and everything that is said, the folder's own path left out."""
    code, out, err = run(arguments)
    return code, (out + err).replace(str(Path.cwd()), "…")
