"""The benchmark command: what a goal is, what a page says of figures, and a whole small run."""

from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.measuring import ROOT
from benchmarks.reporting import BEGIN, END, filled, goal_lines

RESULT = {
    "figures": {
        "million_verdicts_per_cpu_second": {
            "json-logic-qubit": {"median": 0.1, "best": 0.12},
            "backcast": {"median": 1200.0, "best": 1300.0},
        }
    },
    "goals": [
        {"figure": "times_json_logic", "goal": ">= 10,000", "value": 12000, "met": True},
        {"figure": "peak_mb", "goal": "<= 300", "value": 312.5, "met": False},
        {"figure": "one_account_us", "goal": "<= 30", "value": None, "met": False},
    ],
    "seconds": 3.0,
}
REPORT = {
    "machine": {"cores": 2, "cpu": "a processor", "versions": {"python": "3.11", "numpy": "2.4"}},
    "benchmarks": {"conditions": RESULT},
}


def test_a_line_says_whether_a_goal_is_met_and_what_was_not_measured() -> None:
    met, missed, unknown = goal_lines("conditions", RESULT)
    assert met.startswith("met ")
    assert "12,000" in met
    assert missed.startswith("missed")
    assert "not measured" in unknown


def test_a_page_gets_its_figures_between_its_markers_and_keeps_the_rest() -> None:
    page = f"# Speed\n\n{BEGIN}\nold\n{END}\n\nThe end.\n"
    found = filled(page, REPORT)
    assert "old" not in found
    assert "| conditions | peak_mb | 312 | <= 300 | **missed** |" in found
    assert "| backcast | 1,200 | 1,300 | 12,000 |" in found
    assert found.startswith("# Speed")
    assert found.endswith("The end.\n")
    assert filled(found, REPORT) == found


def test_a_page_without_a_place_for_figures_says_what_it_needs() -> None:
    with pytest.raises(SystemExit, match="needs the lines"):
        filled("# Speed\n", REPORT)


def test_a_benchmark_nobody_knows_is_named_with_those_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["benchmarks", "condition"])
    with pytest.raises(SystemExit, match="no benchmark condition; there are: conditions, why"):
        command.main()


def test_every_benchmark_has_goals_for_figures() -> None:
    for name in command.NAMES:
        if (Path(command.__file__).parent / f"{name}.py").exists():
            assert import_module(f"benchmarks.{name}").goals


def test_the_page_in_the_documentation_has_a_place_for_figures() -> None:
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert filled(page, REPORT) != page
