"""The files on docs/authoring.md check clean together, and their examples come out as written."""

import re
from pathlib import Path
from typing import Final

from engine.definitions.bundle import read
from engine.definitions.problem import render
from engine.evaluation.examples import check_examples

PAGE: Final = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text()
BLOCKS: Final = re.findall(r"```yaml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
MESSAGES: Final = {
    f"playbooks/messages/{name}.md": "A subject\n\nHello {{ contact.name }}\n"
    for name in ("seat-activation/seats-waiting", "seat-activation/first-plan", "renewal-talk/renewal-ahead")
}


def test_the_files_on_the_page_check_clean_without_a_note() -> None:
    texts = {**dict(BLOCKS), **MESSAGES}
    checked = read(texts)
    assert [render(problem, texts) for problem in (*checked.problems, *checked.notes)] == []
    assert checked.bundle is not None
    assert len(checked.bundle.rules["seats-unused"].signals) == 8
    assert len(checked.bundle.rules["people-slip"].signals) == 13
    assert [render(problem, texts) for problem in check_examples(checked.bundle)] == []


def test_every_block_names_its_file() -> None:
    assert PAGE.count("```yaml") == len(BLOCKS) == 13


def test_what_is_read_but_not_done_yet_is_listed_with_the_code_of_its_note() -> None:
    """Each sentence "this version does not …" of the readers stands on the page by its code."""
    definitions = Path(__file__).parents[2] / "engine" / "definitions"
    noted = re.compile(r"\.note\((?:(?!\.note\().)*?\b(5[0-9])\b,(?:(?!\.note\().)*?(this version|NOT_YET)", re.DOTALL)
    numbers = {found[0] for path in definitions.glob("*.py") for found in noted.findall(path.read_text())}
    listed = PAGE.partition("noted as not done yet")[2].partition("**Codes")[0]
    assert numbers
    assert {number for number in numbers if f"0{number})" not in listed} == set()
