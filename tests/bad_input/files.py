"""Bad definitions and bad conditions, and what their authors are told: read from this folder, checked as files are.

A file of ``yaml/`` stands for the rule of a small workspace, byte for byte; ``@@"x" 100@@`` in it is a hundred times
x. A file of ``condition/`` is one condition, one of ``template/`` a message. Beside each lies ``NNN-name.problem``, all
that is said about it. The pages of ``rule/`` and ``playbook/`` say what is changed in the workspace, and what the check
says then.

    python -m tests.bad_input.files

checks all of them in this process and prints the memory that took and the slowest case.
"""

import json
import re
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Final

from engine.definitions.condition import Condition
from engine.definitions.condition_reading import parse
from engine.definitions.folder import read_folder
from engine.definitions.problem import Problem, render
from engine.definitions.reading import Ledger
from engine.definitions.scope import Outline, Scope, account_scope
from engine.definitions.source import read_source
from engine.store import files
from tests.bad_files.pages import read_page
from tests.bad_files.workspace import BASE, MESSAGE, RULE, said_of

HERE: Final = Path(__file__).parent
ENTRIES: Final = {"yaml": "*.yaml", "condition": "*.json", "rule": "*.md", "playbook": "*.md", "template": "*.txt"}
OUTLINE: Final = Outline({"seats-unused": ("seats_unused", "unhappy")}, {"health": ("utilization", "happy")})
_FILL: Final = re.compile(rb'@@("(?:[^"\\]|\\.)*") ([0-9]+)@@')


def cases(entry: str) -> list[Path]:
    """All bad files of one folder."""
    return sorted((HERE / entry).glob(ENTRIES[entry]))


def content_of(path: Path) -> bytes:
    """The bytes of a case, with what stands for very much of the same written out."""
    return _FILL.sub(lambda found: str(json.loads(found[1])).encode() * int(found[2]), path.read_bytes())


def lay_down(folder: Path) -> Path:
    """Write the small workspace under all cases into a folder; the path of its rule."""
    for name, text in BASE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / RULE


def said_of_file(path: Path, folder: Path) -> str:
    """What is said about a workspace whose rule is this file."""
    (folder / RULE).write_bytes(content_of(path))
    checked, texts = files.check(str(folder))
    return "".join(render(problem, texts) + "\n" for problem in checked.problems)


def scope_of() -> Scope:
    """What conditions may name: the small workspace's metrics, segments, scores and signals."""
    return account_scope(read_folder(BASE).catalog, OUTLINE)


def read_condition(text: str, scope: Scope) -> tuple[Condition | None, list[Problem]]:
    """One condition as it would stand in a file of its own."""
    problems: list[Problem] = []
    node = read_source("condition", text, problems)
    return (parse(node, scope, Ledger("J", problems, [])) if node else None), problems


def said_of_condition(path: Path, scope: Scope) -> str:
    """What is said about a condition."""
    text = content_of(path).decode()
    _, problems = read_condition(text, scope)
    return "".join(render(problem, {"condition": text}) + "\n" for problem in sorted(problems))


def said_of_template(path: Path) -> str:
    """What is said about a workspace one of whose messages is this file."""
    return said_of({**BASE, MESSAGE: content_of(path).decode("utf-8", "surrogatepass")})


def _measure() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, scope = Path(name), scope_of()
        lay_down(folder)
        say: dict[str, Callable[[Path], str]] = {
            "yaml": lambda path: said_of_file(path, folder),
            "condition": lambda path: said_of_condition(path, scope),
            "rule": lambda path: said_of(read_page(path.read_text()).texts),
            "playbook": lambda path: said_of(read_page(path.read_text()).texts),
            "template": said_of_template,
        }
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        slowest, count = (0.0, ""), 0
        for entry, said in say.items():
            for path in cases(entry):
                begun = process_time()
                said(path)
                slowest = max(slowest, (process_time() - begun, path.stem))
                count += 1
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    told = {"files": count, "megabytes": grown, "seconds": round(slowest[0], 2), "slowest": slowest[1]}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    _measure()
