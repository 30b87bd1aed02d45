"""The whole loop as a user starts it: `demo --once` on a small portfolio, a real Temporal server and real pages."""

import json
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


@cache
def demo(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the demo to its end: 300 accounts, and a day in a second."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    size = ("--accounts", "300", "--day-seconds", "1", "--port", str(port), "--data", str(folder))
    command = [sys.executable, str(ROOT / "backcast.py"), "demo", "--once", *size, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)


@pytest.mark.temporal
@pytest.mark.timeout(300)
def test_a_metric_that_falls_becomes_a_measured_effect_in_the_score(folder: Path) -> None:
    """S0-60, S2-51: fall, cause, campaign, a CSM's edit and yes, letters, the customer's answer, outcome, score."""
    ended = demo(folder)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told = ended.stdout.split("One account, followed:")[1]
    for line in (
        "Licence utilisation is 38.75 %, below 40 % for 7 days",
        "The cause is named: ",
        "Licence utilisation went from",
        "seat-activation starts, and what it sends waits for a person's yes",
        "edited by the CSM, then approved by the CSM",
        "the first “Some of your seats are still waiting”",
        "The sponsor opened the shared report.",
        "was answered with 5 of 5",
        "Outcome met: ",
        "The score's explanation cites it: ",
    ):
        assert line in told
    assert "Traceback" not in ended.stderr


@pytest.mark.temporal
@pytest.mark.timeout(300)
def test_the_demo_prints_one_object_for_programs(folder: Path) -> None:
    ended = demo(folder, "--json")
    assert ended.returncode == 0, ended.stderr[-2000:]
    seen = json.loads(ended.stdout)
    assert seen["accounts"] == 300
    assert seen["points"] > 90_000
    assert seen["decisions"].keys() == {"start", "refuse", "hold_out"}
    assert (seen["runs"]["open"], seen["runs"]["failed"]) == (0, 0)
    assert seen["runs"]["done"] > 0
    letters = [letter.read_text() for letter in (folder / "outgoing").glob("*.eml")]
    to_customers = [letter for letter in letters if "<csm@backcast.example>" not in letter.partition("Subject:")[0]]
    assert seen["deliveries"]["sent"] == len(to_customers) > 0
    assert seen["deliveries"]["ambiguous"] == 0
    assert seen["reports"] >= 1
    effect = {"rule", "playbook", "treated", "held_out", "uplift", "low", "high", "true_uplift"}
    assert all(each.keys() == effect for each in seen["effects"])
    assert {each["playbook"]: each["true_uplift"] for each in seen["effects"]}["check-in"] == 0
    assert seen["address"].startswith("http://127.0.0.1:")


def test_the_demo_never_replaces_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    ended = demo(tmp_path)
    assert ended.returncode != 0
    assert "choose another folder with --data" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "precious.txt").read_text() == "mine"
