"""Every bad file, page and condition in this folder is answered with its place, the reason and what to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.bundle import read
from engine.definitions.problem import MAX_SENTENCE, MAX_WIDTH
from engine.definitions.scope import Scope
from engine.errors import Refused
from engine.store import files
from tests.bad_files.pages import read_page
from tests.bad_files.workspace import BASE, RULE, notes_of, said_of, with_edit
from tests.bad_input.bodies import MEGABYTES, SECONDS
from tests.bad_input.files import (
    ENTRIES,
    HERE,
    cases,
    lay_down,
    read_condition,
    said_of_condition,
    said_of_file,
    said_of_template,
    scope_of,
)

FLOORS = {"yaml": 60, "condition": 60, "rule": 50, "playbook": 60, "template": 60}
FIRST = re.compile(r"[^\s:]+:[0-9]+:[0-9]+: [A-Z][0-9]{3} \S")
TRACE = re.compile(r"Traceback|ruamel|Error\b|Exception|<class|object at 0x")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("workspace")
    lay_down(found)
    return found


@pytest.fixture(scope="module")
def scope() -> Scope:
    return scope_of()


def check(said: str, expected: str) -> None:
    assert said == expected
    assert FIRST.match(said), "no place, no code or no sentence"
    assert not TRACE.search(said)
    assert all(len(line) <= MAX_SENTENCE + MAX_WIDTH for line in said.splitlines())


@pytest.mark.parametrize("path", cases("yaml"), ids=lambda path: path.stem)
def test_a_bad_file_is_answered_with_its_line_and_column(path: Path, folder: Path) -> None:
    """P14."""
    check(said_of_file(path, folder), path.with_suffix(".problem").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", cases("condition"), ids=lambda path: path.stem)
def test_a_bad_condition_is_answered_with_its_line_and_column(path: Path, scope: Scope) -> None:
    """P14."""
    check(said_of_condition(path, scope), path.with_suffix(".problem").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", cases("template"), ids=lambda path: path.stem)
def test_a_bad_or_hostile_template_is_answered_with_its_line_and_column(path: Path) -> None:
    """P14."""
    check(said_of_template(path), path.with_suffix(".problem").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", cases("rule") + cases("playbook"), ids=lambda path: path.stem)
def test_a_mistake_in_a_rule_or_playbook_is_answered_with_its_place_and_what_to_do(path: Path) -> None:
    """P14."""
    case = read_page(path.read_text(encoding="utf-8"))
    check(said_of(case.texts), case.said)


def test_there_are_enough_cases_and_none_is_there_twice() -> None:
    for entry, floor in FLOORS.items():
        found = cases(entry)
        assert len(found) >= floor
        assert len({path.read_bytes() for path in found}) == len(found)
        beside = 0 if ENTRIES[entry] == "*.md" else len(found)
        assert len(list((HERE / entry).iterdir())) == len(found) + beside


def test_all_of_them_together_take_little_time_and_memory() -> None:
    """P14: in a process of their own, so that nobody else's memory counts."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bad_input.files"]
    told = json.loads(subprocess.run(command, cwd=HERE.parents[1], capture_output=True, check=True).stdout)
    assert told["files"] == sum(len(cases(entry)) for entry in ENTRIES)
    assert told["megabytes"] < MEGABYTES
    assert told["seconds"] < SECONDS


def test_a_condition_that_is_always_the_same_is_noted() -> None:
    texts = with_edit(RULE, "when: {any: [seats_unused, unhappy]}", "when: true")
    assert "this reads no value, so it is always the same" in notes_of(texts)


def test_more_rules_than_500_are_refused() -> None:
    many = {f"rules/r{i}.yaml": BASE[RULE].replace("rule: seats-unused", f"rule: r{i}") for i in range(500)}
    assert [problem.code for problem in read({**BASE, **many}).problems] == ["B007"]


def laid(place: Path) -> list[str]:
    checked, _ = files.check(str(place))
    return [f"{problem.place} {problem.code} {problem.message}; {problem.hint}" for problem in checked.problems]


def test_what_is_no_regular_file_is_refused_and_never_opened(tmp_path: Path) -> None:
    """P14: a pipe nobody writes to would keep the reader waiting for ever."""
    lay_down(tmp_path)
    os.mkfifo(tmp_path / "rules/pipe.yaml")
    (tmp_path / "rules/device.yaml").symlink_to("/dev/zero")
    (tmp_path / "rules/gone.yaml").symlink_to(tmp_path / "nowhere.yaml")
    (tmp_path / "rules/folder.yaml").mkdir()
    assert laid(tmp_path) == [
        "rules/device.yaml:1:1 Y032 this is a link that leads elsewhere; put the files themselves here",
        "rules/gone.yaml:1:1 Y033 this is not a regular file; remove it",
        "rules/pipe.yaml:1:1 Y033 this is not a regular file; remove it",
    ]


def test_links_out_of_the_workspace_are_not_followed(tmp_path: Path) -> None:
    """P14."""
    work, secret = tmp_path / "work", tmp_path / "secret.yaml"
    lay_down(work)
    secret.write_text("password: swordfish\n")
    (work / "rules/secret.yaml").symlink_to("../../secret.yaml")
    (work / "rules/more").symlink_to(tmp_path, target_is_directory=True)
    said = laid(work)
    assert [line.partition(":")[0] for line in said] == ["rules/more", "rules/secret.yaml"]
    assert "swordfish" not in " ".join(said)


def test_a_folder_that_is_a_file_or_not_there_is_refused(tmp_path: Path) -> None:
    """P14."""
    (tmp_path / "file").write_text("")
    for name in ("file", "nowhere", "file/../nowhere", "\0"):
        with pytest.raises(Refused, match="name another folder"):
            files.check(str(tmp_path / name))


def test_a_file_without_permission_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """P14. The administrator may read everything, so the refusal is the test's."""
    rule = lay_down(tmp_path)
    real = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == rule:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert laid(tmp_path) == [f"{RULE}:1:1 Y033 this file cannot be read (Permission denied); check its permissions"]


def test_more_files_than_2000_are_refused(tmp_path: Path) -> None:
    """P14."""
    lay_down(tmp_path)
    for number in range(files.MAX_FILES):
        (tmp_path / "rules" / f"x{number}.yml").write_text("")
    assert any("Y034 there are more than 2,000 files here" in line for line in laid(tmp_path))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["active_users", "utilization.mean_30d", "account.stage", "40%", "2027-03-01", "score.health"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["<", ">", "==", "in", "and", "or", "!", "if", "var", "missing", "+", "/", "%", "max", "map"]
            )
            | st.text(max_size=4),
            inner,
            max_size=2,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(value=json_values)
def test_no_json_as_a_condition_raises_anything_but_problems(value: Any) -> None:
    """P14: what comes of it is a condition or a problem; both only where the YAML itself has one key too many."""
    condition, problems = read_condition(json.dumps(value), SCOPE)
    assert condition is not None or problems
    assert condition is None or all(problem.code.startswith("Y") for problem in problems)


SCOPE = scope_of()


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60) | st.text(alphabet="{}[]:,-&*!|>'\"%@`#? \n\tab1", max_size=60))
def test_no_text_as_a_rule_raises_anything_but_problems(text: str) -> None:
    """P14."""
    assert read({**BASE, RULE: text}).problems


@settings(max_examples=100, deadline=None)
@given(where=st.floats(0, 1), cut=st.integers(0, 9), put=st.text(max_size=3) | st.sampled_from(["*", "&a ", "!", "{"]))
def test_no_change_to_a_good_rule_raises_anything_but_problems(where: float, cut: int, put: str) -> None:
    """P14: text taken out of a good rule and other text put in."""
    place = int(where * len(BASE[RULE]))
    checked = read({**BASE, RULE: BASE[RULE][:place] + put + BASE[RULE][place + cut :]})
    assert (checked.bundle is None) == bool(checked.problems)


@settings(max_examples=100, deadline=None)
@given(content=st.binary(max_size=80))
def test_no_bytes_as_a_rule_raise_anything_but_problems(content: bytes, folder: Path) -> None:
    """P14."""
    (folder / RULE).write_bytes(content)
    checked, _ = files.check(str(folder))
    assert checked.problems
