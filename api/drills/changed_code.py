"""F26: a worker with changed workflow code comes to open runs; and mistakes in that code are noticed before it does."""

import shutil
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import account_for, done, look_over
from api.drills.processes import ROOT, require, until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import Site
from engine.errors import Refused
from engine.store.run_tables import RunRow
from engine.terms import RunState

_PATIENCE: Final = 240.0
_CODE: Final = "workflows/playbook_run.py"
_RIGHT: Final = "await self._wait()"
_WRONG: Final = "await workflow.sleep(1)\n            " + _RIGHT
"""The mistake: a pause before every move, and no `workflow.patched` around it."""
_LOUD: Final = "TMPRL1100"
"""What Temporal calls a history that the code does not lead to."""
_HISTORIES: Final = 30
_GATE: Final = "tests/workflows/test_replay.py"


def mistaken(ground: Ground) -> Found:
    """F26: runs wait, a worker with a mistake takes over, and the earlier one comes back. Then the gate."""
    runs, found = ground.pick(40, 3), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port, day_seconds=ground.pick(30, 12))
    steps = "  - email: {to: champion, message: hello}\n  - wait: {at_most: 1d}\n"
    site.publish(texts.workspace(texts.playbook("later", steps * 2)))
    site.people(runs, each=1)
    site.begin("later")
    right = site.worker()
    require(lambda: _in_wait(site) == runs, _PATIENCE, "the runs did not come to their wait")
    right.end()
    before = len(sink.taken)
    wrong = site.worker(PYTHONPATH=str(_copy(ground)))
    loud = until(lambda: _LOUD in wrong.said(), 60.0)
    wrong.end()
    meanwhile, open_runs = len(sink.taken) - before, site.open_runs()
    site.worker()
    until(site.is_over, _PATIENCE)
    account_for(found, site, sink.delivered, runs * 2)
    look_over(found, site)
    found.counts |= {"runs": runs, "runs_done": done(site), "letters_by_the_wrong_one": meanwhile}
    found.require(loud, "the worker with the mistake did not say so")
    found.require(meanwhile == 0, f"the worker with the mistake sent {meanwhile} letters")
    found.require(open_runs == runs, f"{runs - open_runs} runs were lost under the worker with the mistake")
    found.require(done(site) == runs, f"{runs - done(site)} runs did not end as done")
    _gate(ground, found)
    return found


def _in_wait(site: Site) -> int:
    with site.store.read() as session:
        waiting = RunRow.state == RunState.WAITING.value
        return session.scalar(select(func.count()).select_from(RunRow).where(waiting)) or 0


def _copy(ground: Ground) -> Path:
    """The code with the mistake in it, as somebody could deploy it."""
    copy = ground.folder / "changed"
    for package in ("api", "engine", "workflows"):
        shutil.copytree(Path(ROOT) / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    changed = copy / _CODE
    text = changed.read_text(encoding="utf-8")
    if text.count(_RIGHT) != 1:
        raise Refused(f"{_CODE} does not hold `{_RIGHT}` once: give the drill another mistake to make")
    changed.write_text(text.replace(_RIGHT, _WRONG), encoding="utf-8")
    return copy


def _gate(ground: Ground, found: Found) -> None:
    """What stops such a change from being released: the mutants over the recorded histories, where tests are."""
    if ground.small:
        found.counts["gate"] = "not asked in the short form: the tests ask it themselves"
        return
    if not (Path(ROOT) / _GATE).exists():
        found.counts["gate"] = "not asked: there are no tests beside this installation"
        return
    report, root = ground.folder / "gate.xml", Path(ROOT)
    where = ["-c", str(root / "pyproject.toml"), f"--rootdir={root}", str(root / _GATE), f"--junitxml={report}"]
    words = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", *where]
    asked = ground.start(words, {}, ground.folder / "gate.log")
    require(lambda: not asked.is_alive, 600.0, "the tests of the histories did not end")
    cases = ET.parse(report).getroot().findall(".//testcase") if report.exists() else []  # noqa: S314 # our own
    failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
    mutants = sum("test_a_mistake" in (case.get("name") or "") for case in cases)
    histories = sum("recorded_history" in (case.get("name") or "") for case in cases)
    found.counts |= {"mutants": mutants, "histories": histories, "not_noticed_or_not_replayed": failed}
    found.require(
        mutants > 0 and histories >= _HISTORIES, f"the gate looked at {mutants} mistakes and {histories} histories"
    )
    found.require(failed == 0, f"{failed} mistakes were not noticed, or histories not replayed")
