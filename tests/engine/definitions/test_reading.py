"""What the readers of all kinds of files share: names that are not there, and what is said of them."""

import pytest

from engine.definitions.problem import Place, Problem
from engine.definitions.reading import Ledger, known
from engine.definitions.source import ScalarNode


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ([], "no playbook is declared"),
        (["one", "two", "three"], "there is one, two or three"),
        ([f"p{number}" for number in range(10)], "there is p0, p1, p2, p3, p4, p5, p6, p7 and 2 more"),
        (["seats-unused", "one"], 'did you mean "seats-unused"?'),
    ],
)
def test_a_name_that_is_not_there_gets_a_hint_that_is_true(options: list[str], hint: str) -> None:
    problems: list[Problem] = []
    place = Place("rules/a.yaml", 1, 1)
    assert not known(ScalarNode("seats-unusd", place), "seats-unusd", options, Ledger("R", problems, []), "playbook")
    assert [(problem.code, problem.hint) for problem in problems] == [("B001", hint)]
