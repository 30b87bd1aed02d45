"""YAML to nodes: every value has its place, and no text is too strange for a sentence."""

import time

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.problem import Place, Problem, render
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode, read_source

STRANGE = "abc:-{}[]\"'#&*!|>%@`?,\n \t\r012.~<\\xu\x85\u2028\ufeff\x00\ud800=/"


def parsed(text: str) -> Node:
    problems: list[Problem] = []
    node = read_source("a.yaml", text, problems)
    assert problems == []
    assert node is not None
    return node


def refused(text: str) -> list[str]:
    problems: list[Problem] = []
    read_source("a.yaml", text, problems)
    return [f"{problem.place.line}:{problem.place.column} {problem.code}" for problem in problems]


def test_every_node_knows_its_line_and_column() -> None:
    node = parsed("format: 1\nlist:\n  - a\n  - {b: 'c'}\n")
    assert isinstance(node, MapNode)
    (_, one), (key, items) = node.entries
    assert (one.place, key.place) == (Place("a.yaml", 1, 9), Place("a.yaml", 2, 1))
    assert isinstance(items, ListNode)
    inner = items.items[1]
    assert isinstance(inner, MapNode)
    assert inner.entries[0][1] == ScalarNode("c", Place("a.yaml", 4, 9), quoted=True)


@pytest.mark.parametrize(
    ("text", "number", "truth"),
    [
        ("5", 5.0, None),
        ("-0.5", -0.5, None),
        ("1e3", 1000.0, None),
        ("'5'", None, None),
        ("true", None, True),
        ("'true'", None, None),
        ("no", None, None),
        ("on", None, None),
        ("017", 17.0, None),
        ("0x1F", None, None),
        ("1_000", None, None),
        ("12:30", None, None),
        (".nan", None, None),
        (".inf", None, None),
        ("1e400", None, None),
        ("2027-01-01", None, None),
    ],
)
def test_yaml_1_2_values_are_what_they_look_like(text: str, number: float | None, truth: bool | None) -> None:
    node = parsed(f"x: {text}")
    assert isinstance(node, MapNode)
    value = node.get("x")
    assert isinstance(value, ScalarNode)
    assert (value.number, value.truth) == (number, truth)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("", ["1:1 Y001"]),
        ("  \n# only a comment\n", ["1:1 Y001"]),
        ("\ufeffa: 1", ["1:1 Y004"]),
        ("a: 1\nb: \x00", ["2:4 Y005"]),
        ("a: \ud800", ["1:4 Y005"]),
        ("a: 1\r\nb: \x07", ["2:4 Y005"]),
        ("a: b\n\tc: d", ["2:1 Y006"]),
        ("a: 'b", ["1:4 Y007"]),
        ("a: [b, c\nd: e", ["2:2 Y008"]),
        ("a: b: c", ["1:5 Y009"]),
        ("a: `b`", ["1:4 Y010"]),
        ("a: &x b\nc: *x", ["1:4 Y011", "2:4 Y012"]),
        ("a: 1\n---\nb: 2", ["2:1 Y013"]),
        ("a: !set {b, c}", ["1:4 Y016"]),
        ("1: a\n~: b\n? [x]\n: c", ["1:1 Y017", "2:1 Y017", "3:3 Y017"]),
        ("<<: {a: b}", ["1:1 Y018"]),
        ("a: 1\na: 2\na: 3", ["2:1 Y019", "3:1 Y019"]),
        ("%YAML 9.9\n---\na", ["1:1 Y002"]),
        ('a: "\\U99999999"', ["1:5 Y020"]),
    ],
)
def test_what_a_definition_must_not_use_is_refused_at_its_place(text: str, places: list[str]) -> None:
    assert refused(text) == places


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 200_000, "Y014"),
        ("{" * 200_000, "Y014"),
        ("- " * 100_000, "Y014"),
        ("a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 600)), "Y014"),
        ("[" + "1," * 100_000 + "]", "Y015"),
        ("".join(f"k{number}: 1\n" for number in range(20_000)), "Y015"),
        ("a: " + "x" * 300_000, "Y003"),
        ('a: "' + "b\n" * 100_000, "Y007"),
    ],
)
def test_a_hostile_file_costs_little(text: str, code: str) -> None:
    started = time.process_time()
    problems: list[Problem] = []
    read_source("a.yaml", text, problems)
    assert [problem.code for problem in problems] == [code]
    assert time.process_time() - started < 2


def test_what_is_repeated_from_a_file_stays_short_and_on_one_line() -> None:
    problems: list[Problem] = []
    read_source("a.yaml", "a: !" + "x" * 5_000 + " b", problems)
    (problem,) = problems
    assert len(problem.message) <= 400
    assert max(map(len, render(problem, {"a.yaml": "a: !" + "x" * 5_000 + " b"}).splitlines())) < 500


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(alphabet=st.sampled_from(list(STRANGE)), max_size=80), st.text(max_size=60)))
def test_no_text_is_answered_with_a_traceback(text: str) -> None:
    problems: list[Problem] = []
    node = read_source("a.yaml", text, problems)
    assert node is not None or problems
    for problem in problems:
        assert render(problem, {"a.yaml": text}).startswith("a.yaml:")
