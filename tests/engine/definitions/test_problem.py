"""How a problem is shown."""

from engine.definitions.problem import BadDefinition, Place, Problem, render

PROBLEM = Problem(Place("rules/a.yaml", 2, 5), "R004", 'unknown key "playbok"', 'did you mean "playbook"?')


def test_a_problem_shows_place_line_caret_and_hint() -> None:
    text = "format: 1\n  - playbok: seat-activation\n"
    assert render(PROBLEM, {"rules/a.yaml": text}) == (
        'rules/a.yaml:2:5: R004 unknown key "playbok"\n'
        "  2 |   - playbok: seat-activation\n"
        "    |     ^\n"
        '    = did you mean "playbook"?'
    )


def test_a_problem_of_an_unknown_file_is_shown_without_its_line() -> None:
    assert render(PROBLEM, {}).splitlines() == [
        'rules/a.yaml:2:5: R004 unknown key "playbok"',
        '    = did you mean "playbook"?',
    ]


def test_of_a_long_line_only_what_is_around_the_caret_is_shown() -> None:
    text = "x" * 500 + "HERE" + "y" * 500
    shown = render(Problem(Place("a", 1, 501), "R001", "here"), {"a": text}).splitlines()
    assert len(shown[1]) < 200
    assert shown[1][shown[2].index("^")] == "H"


def test_a_tab_does_not_move_the_caret() -> None:
    shown = render(Problem(Place("a", 1, 3), "R001", "here"), {"a": "\t\tX"}).splitlines()
    assert shown[1][shown[2].index("^")] == "X"


def test_the_error_counts_its_problems() -> None:
    assert str(BadDefinition([PROBLEM])).startswith("1 problem in the files")
    assert str(BadDefinition([PROBLEM, PROBLEM])).startswith("2 problems in the files")
