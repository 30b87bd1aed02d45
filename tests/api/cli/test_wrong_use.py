"""Wrong use of the command line, as a shell sees it: one sentence that says what to do, and never a traceback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def backcast(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from api.cli import main; main()", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BACKCAST_")}
    environment = {**kept, "PYTHONPATH": str(ROOT), "BACKCAST_FILES": str(ROOT), **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_data_folder_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refused(backcast(tmp_path, "plan", "--data", "file"))
    assert said == (
        'the folder "file" cannot be made (File exists): choose another data folder with --data or BACKCAST_DATA'
    )


def test_a_workspace_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refused(backcast(tmp_path, "init", "file/there")).endswith("name another folder")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BACKCAST_DATABASE_URL", "nonsense", "BACKCAST_DATABASE_URL names no database that can be used"),
        ("BACKCAST_DATABASE_URL", "mysql://there/it", "Backcast runs on SQLite and PostgreSQL, not on mysql"),
        ("BACKCAST_DAY_SECONDS", "abc", "BACKCAST_DAY_SECONDS is not usable: Input should be a valid number"),
        ("BACKCAST_CHANNEL", "pigeon", "BACKCAST_CHANNEL is not usable: Input should be 'file' or 'smtp'"),
    ],
)
def test_a_setting_that_is_no_good_is_named(tmp_path: Path, name: str, value: str, said: str) -> None:
    assert refused(backcast(tmp_path, "plan", **{name: value})).startswith(said)


def test_a_rule_that_is_not_there_cannot_be_released(tmp_path: Path) -> None:
    assert refused(backcast(tmp_path, "evaluate", "--release", "seats-unusd")).startswith(
        'no rule "seats-unusd"; did you mean "seats-unused"?'
    )
    assert refused(backcast(tmp_path, "evaluate", "--release", "nosuch")).startswith('no rule "nosuch"; there are: ')


def test_a_taken_port_is_said_before_the_demo_lays_anything_down(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = refused(backcast(tmp_path, "demo", "--port", port, "--data", str(tmp_path / "demo")))
    assert said.endswith(f"Nothing can listen at 127.0.0.1:{port} (Address already in use): choose another --port.")
    assert not (tmp_path / "demo").exists()
