"""Tests name the requirements they prove; where the list of requirements lies beside the checkout, they are counted."""

import re
from pathlib import Path
from typing import Final

TESTS: Final = Path(__file__).parents[1]
LIST: Final = TESTS.parents[1] / "shared" / "design" / "requirements.md"
ID: Final = re.compile(r"\bS[0-4]-[0-9]{2}\b")


def named() -> dict[str, set[str]]:
    """Each requirement that a test module names, with the modules that do."""
    found: dict[str, set[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for wanted in ID.findall(path.read_text(encoding="utf-8")):
            found.setdefault(wanted, set()).add(path.relative_to(TESTS).as_posix())
    return found


def test_every_requirement_that_a_test_names_exists() -> None:
    proved = named()
    assert len(proved) >= 72
    if not LIST.is_file():
        print(f"\n{len(proved)} requirements are named by tests; their list is not here")  # noqa: T201 # for people
        return
    known = re.findall(r"^\| (S[0-4]-[0-9]{2}) \|", LIST.read_text(encoding="utf-8"), re.MULTILINE)
    print(f"\n{len(proved)} of {len(known)} requirements are named by tests")  # noqa: T201 # for people
    assert len(known) == len(set(known))
    assert {wanted: sorted(where) for wanted, where in proved.items() if wanted not in known} == {}
