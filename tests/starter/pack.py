"""The shipped starter pack as the tests beside this module read it."""

from pathlib import Path
from typing import Final

from engine.definitions.bundle import Bundle, Checked, read
from engine.definitions.problem import BadDefinition, render

ROOT: Final = Path(__file__).parents[2]
TEXTS: Final = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for folder in ("rules", "playbooks")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".yaml", ".md"}
}
CHECKED: Final[Checked] = read(TEXTS)


def _pack() -> Bundle:
    if CHECKED.bundle is None:
        shown = "\n".join(render(problem, TEXTS) for problem in CHECKED.problems)
        raise AssertionError(shown) from BadDefinition(CHECKED.problems)
    return CHECKED.bundle


PACK: Final = _pack()
"""The bundle. A pack with problems fails here, with their text."""
