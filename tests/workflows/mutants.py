"""Mistakes somebody could make in the workflow's code, and the code as it is with one of them in it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

from hypothesis import is_hypothesis_test

_CODE: Final = ("workflows.standing", "workflows.acting", "workflows.playbook_run")
_TESTS: Final = ("tests.workflows.standings", "tests.workflows.test_standing", "tests.workflows.test_acting")


class Mutant(NamedTuple):
    """In ``module``, ``new`` stands where ``old`` should."""

    module: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.module}: {' '.join(self.old.split())} → {' '.join(self.new.split()) or 'nothing'}"


MUTANTS: Final = [
    Mutant("playbook_run", "await self._wait()", "pass"),
    Mutant(
        "playbook_run",
        "if result is not None:\n            at.arrive",
        "if result:\n            at.leave(move)\n            at.arrive",
    ),
    Mutant("playbook_run", "not at.is_outward(cursor, outcome)", "at.is_outward(cursor, outcome)"),
    Mutant("playbook_run", 'else "stuck")', 'else "failed")'),
    Mutant("playbook_run", "            apply(at, act, now)\n", ""),
    Mutant("playbook_run", "act.kind in INTERRUPTING", "act.kind not in INTERRUPTING"),
    Mutant(
        "playbook_run", "            return None\n            if outcome", "            raise\n            if outcome"
    ),
    Mutant("playbook_run", "> self._wanted.longest_history", "> 10 * self._wanted.longest_history"),
    Mutant("playbook_run", "self._at.next_time != time", "self._at.next_time == time"),
    Mutant("standing", "if self.paused:\n            return None", "if not self.paused:\n            return None"),
    Mutant("standing", "            strands=self.strands,\n", ""),
    Mutant("standing", "            jumps=self.jumps,\n", ""),
    Mutant("standing", 'return "expired" if', 'return "elapsed" if'),
    Mutant("standing", "self.strands.remove(strand)", "pass"),
    Mutant("standing", 'strand.leaving = move.outcome if result.stop == "stuck" else ""', 'strand.leaving = ""'),
    Mutant("standing", "self.kept.setdefault(wake.step", "self.kept.setdefault(RUN"),
    Mutant("standing", "_over(self.expires, now)", "False"),
    Mutant("standing", "if stretch and strand.deadline", "if strand.deadline"),
    Mutant("standing", 'self._look_again("resumed")', "pass"),
    Mutant("standing", "self.lines = again(self.compiled, self.jumps)", "pass"),
    Mutant("standing", "if any(one.fork == fork for one in self.strands):", "if False:"),
    Mutant("standing", "if one is strand or not jump.first <= one.cursor <= jump.last", ""),
    Mutant("acting", "if act.step in at.kept else", "if act.step in at.skips else"),
    Mutant("acting", "at.kept.setdefault(step", "at.kept.setdefault(RUN"),
    Mutant("acting", "if number > strand.cursor", "if number >= strand.cursor"),
    Mutant("acting", "if act.sends and is_covered", "if is_covered"),
    Mutant("acting", 'if strand.stop == "fork" else strand.cursor', "if False else strand.cursor"),
    Mutant("acting", "return not is_open and", "return"),
]


@contextmanager
def living(mutant: Mutant | None) -> Iterator[tuple[ModuleType, list[ModuleType]]]:
    """The module of the workflow with the mutant in it, and the tests of its state that have read it; the modules
    everybody else has are put back afterwards. None: the code as it is, read in the same way."""
    kept = {name: sys.modules.pop(name, None) for name in (*_CODE, *_TESTS)}
    try:
        for name in _CODE:
            sys.modules[name] = _module(name, mutant)
        yield sys.modules["workflows.playbook_run"], [import_module(name) for name in _TESTS[1:]]
    finally:
        for name, module in kept.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def fails_a_test(modules: list[ModuleType]) -> bool:
    """Whether one of the tests that need no input fails. The laws do not run: they would take too long."""
    for module in modules:
        for name, test in vars(module).items():
            if name.startswith("test_") and not is_hypothesis_test(test) and not test.__code__.co_argcount:
                try:
                    test()
                except Exception:  # noqa: BLE001 # any failure at all is what is asked for
                    return True
    return False


def _module(name: str, mutant: Mutant | None) -> ModuleType:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    if mutant is not None and name.endswith(f".{mutant.module}"):
        assert text.count(mutant.old) == 1, f"{mutant} does not stand in the code once"
        text = text.replace(mutant.old, mutant.new)
    module = ModuleType(name)
    module.__spec__, module.__file__ = spec, spec.origin
    sys.modules[name] = module
    exec(compile(text, spec.origin, "exec"), vars(module))  # noqa: S102 # our own code with one mistake in it
    return module
