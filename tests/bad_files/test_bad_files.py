"""Every case in this folder: a mistake, and exactly what its author is told.

A case is a page that can be read: what is replaced in the small workspace under ``base`` (or which file is added), and
what the check says then, all of it. The words, the line, the column and the hint are part of the promise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bad_files.workspace import BASE, said_of

CASES = sorted(Path(__file__).parent.glob("*.md"))

_BLOCK = r"```(?P<kind>\w*)\n(?P<text>.*?)```"
_STEP = re.compile(rf"(?:(?P<intro>[^\n`]*?)`(?P<path>[^`]+)`[^\n]*\n+)?(?:write\n+)?{_BLOCK}", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """The files of one case, and what is said about them."""

    texts: Mapping[str, str]
    said: str


def read_case(page: str) -> Case:
    """After a path in backticks comes a whole file, or *instead of* and *write*; last comes what is said."""
    texts, path, instead = dict(BASE), "", None
    blocks = list(_STEP.finditer(page))
    for block in blocks[:-1]:
        if block["path"]:
            path = block["path"]
            if block["intro"].strip().startswith("The file"):
                texts[path] = block["text"]
                continue
        if instead is None:
            instead = block["text"].rstrip("\n")
            assert texts[path].count(instead) == 1, f"{instead!r} must stand in {path} exactly once"
        else:
            texts[path] = texts[path].replace(instead, block["text"].rstrip("\n"))
            instead = None
    return Case(texts, blocks[-1]["text"])


def test_the_workspace_under_the_cases_is_clean() -> None:
    assert said_of(BASE) == ""


@pytest.mark.parametrize("page", CASES, ids=lambda page: page.stem)
def test_a_bad_file_is_answered_with_the_place_the_reason_and_what_to_do(page: Path) -> None:
    case = read_case(page.read_text())
    assert said_of(case.texts) == case.said


def test_there_are_enough_cases_and_each_is_about_another_problem() -> None:
    codes = [tuple(sorted(re.findall(r": ([A-Z]\d{3}) ", read_case(page.read_text()).said))) for page in CASES]
    assert len(CASES) >= 60
    assert all(codes)
    assert len({code for found in codes for code in found}) >= 50
