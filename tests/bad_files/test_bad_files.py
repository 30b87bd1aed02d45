"""Every case in this folder: a mistake, and exactly what its author is told.

A case is a page that can be read: what is replaced in the small workspace under ``base`` (or which file is added), and
what the check says then, all of it. The words, the line, the column and the hint are part of the promise.
"""

import re
from pathlib import Path

import pytest

from tests.bad_files.pages import read_page
from tests.bad_files.workspace import BASE, said_of

CASES = sorted(Path(__file__).parent.glob("*.md"))


def test_the_workspace_under_the_cases_is_clean() -> None:
    assert said_of(BASE) == ""


@pytest.mark.parametrize("page", CASES, ids=lambda page: page.stem)
def test_a_bad_file_is_answered_with_the_place_the_reason_and_what_to_do(page: Path) -> None:
    case = read_page(page.read_text())
    assert said_of(case.texts) == case.said


def test_there_are_enough_cases_and_each_is_about_another_problem() -> None:
    codes = [tuple(sorted(re.findall(r": ([A-Z]\d{3}) ", read_page(page.read_text()).said))) for page in CASES]
    assert len(CASES) >= 60
    assert all(codes)
    assert len({code for found in codes for code in found}) >= 50
