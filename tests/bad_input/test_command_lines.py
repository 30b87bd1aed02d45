"""Every wrong command line in this folder is answered in one line, with an exit code, and never with a traceback."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from api import cli
from tests.bad_input.command_lines import Case, cases, lay_down_folder, run, said_of
from tests.bad_input.files import HERE

WIDE = "400"


@pytest.fixture(scope="module")
def folder(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("work")
    lay_down_folder(found, sqlite_template)
    return found


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", WIDE)
    for name in [name for name in os.environ if name.startswith("BACKCAST_")]:
        monkeypatch.delenv(name)


def is_for_a_program(case: Case) -> bool:
    return "--json" in case.arguments or "json" in case.arguments


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.path.stem)
def test_a_wrong_command_line_is_answered_with_what_to_do(case: Case) -> None:
    """P14."""
    code, said = said_of(case.arguments)
    assert (code, said) == (case.code, case.said)
    assert code in {1, 2}
    assert "Traceback" not in said
    if code == 2 and not is_for_a_program(case):
        assert len(said.splitlines()) == 1


@pytest.mark.parametrize("case", [case for case in cases() if is_for_a_program(case)], ids=lambda case: case.path.stem)
def test_a_program_is_told_in_json_what_is_wrong(case: Case) -> None:
    """P14: standard output is one JSON value, whatever happens."""
    _, out, _ = run(case.arguments)
    told = json.loads(out)
    assert told.get("error") or told.get("errors") or told.get("problems")


def test_there_are_enough_command_lines_and_none_is_there_twice() -> None:
    found = cases()
    assert len(found) >= 30
    assert len({case.line for case in found}) == len(found) == len(list((HERE / "cli").iterdir()))


words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(first=words.filter(lambda word: not word.isidentifier() and word != "--help"), rest=st.lists(words, max_size=3))
def test_no_text_as_a_command_line_is_answered_with_more_than_one_line(first: str, rest: list[str]) -> None:
    """P14: no command has a name that is not made of letters."""
    code, out, err = run([first, *rest])
    assert (code, out) == (2, "") or "--json" in rest
    assert len(err.splitlines()) == 1


@settings(max_examples=60, deadline=None)
@given(option=words.filter(lambda word: word not in {"json", "help"}))
def test_no_text_as_an_option_is_answered_with_more_than_one_line(option: str) -> None:
    """P14."""
    code, out, err = run(["check", f"--{option}"])
    assert (code, out, len(err.splitlines())) in {(2, "", 1), (1, "", 1)}


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "ignore", "-c", "from api.cli import main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1])}
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_who_stops_reading_the_output_is_not_told_of_it(folder: Path) -> None:
    """P14: `backcast schema | head -1`."""
    with started(folder, "schema") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) in {0, 1}


def test_ctrl_c_ends_a_command_without_a_traceback() -> None:
    """P14: somebody presses it while a command waits for standard input."""

    def press(self: io.BytesIO, size: int = -1) -> bytes:
        raise KeyboardInterrupt

    typed = type("Keyboard", (io.BytesIO,), {"read": press})
    assert run(["ingest", "points", "-", "--data", "data"], typed()) == (130, "", "")


def test_ctrl_c_before_a_command_has_begun_is_no_traceback_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """P14."""

    def press() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build", press)
    assert run(["check"]) == (130, "", "Stopped.\n")


def test_a_file_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """P14. The administrator may read everything, so the refusal is the test's."""
    real = Path.open

    def refuse(path: Path, *rest: object, **more: object) -> object:
        if path.name == "bad.csv":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *rest, **more)  # type: ignore[call-overload]  # passed on as it came

    monkeypatch.setattr(Path, "open", refuse)
    assert run(["ingest", "points", "bad.csv", "--data", "data"]) == (
        2,
        "",
        '"bad.csv" cannot be read: Permission denied\n',
    )


def test_where_nobody_can_be_asked_nothing_is_applied() -> None:
    """P14: no terminal, and nothing to read."""
    code, _, err = run(["apply", "--data", "data"])
    assert (code, err) == (1, "\nNobody is here to be asked: repeat with --yes. Nothing was applied.\n")


def test_every_command_says_what_it_takes() -> None:
    """P14: `--help` is what every refusal of a command line points at."""
    names = [
        command.name or command.callback.__name__ for command in cli.build().registered_commands if command.callback
    ]
    assert len(names) >= 15
    for name in names:
        code, out, err = run([name, "--help"])
        assert (code, err) == (0, "")
        assert name in out
