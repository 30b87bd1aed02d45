"""The shipped starter pack, as the simulation's customers meet it."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.definitions.bundle import Bundle, read
from engine.simulation.history import History, run_history, with_hold_out
from engine.simulation.truth import CHALLENGES

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    files = [path for folder in ("rules", "playbooks") for path in (ROOT / folder).rglob("*") if path.is_file()]
    checked = read({path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files})
    assert checked.bundle is not None, checked.problems
    return checked.bundle


@pytest.fixture(scope="session")
def measuring(shipped: Bundle) -> Bundle:
    """With a 30 % hold-out, and with the rules that the simulated customers get into; without scorecards, which none of
    these rules reads."""
    known = {each.rule for each in CHALLENGES}
    rules = {name: rule for name, rule in shipped.rules.items() if name in known}
    return replace(with_hold_out(replace(shipped, rules=rules), 0.3), scorecards={})


@pytest.fixture(scope="session")
def history(measuring: Bundle) -> History:
    return run_history(measuring, seed=5, accounts=1500)
