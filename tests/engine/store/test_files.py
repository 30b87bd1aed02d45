"""Reading and laying down the files of a workspace."""

import os
from pathlib import Path

import pytest

from engine.definitions.problem import BadDefinition, Problem
from engine.errors import Refused
from engine.store import files


def write(root: Path, name: str, content: bytes | str = "format: 1\n") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def only_problem(root: Path) -> Problem:
    (problem,) = files.read_folder(str(root)).problems
    with pytest.raises(BadDefinition):
        files.read_files(str(root))
    return problem


def test_every_yaml_and_markdown_file_of_the_two_folders_is_read(tmp_path: Path) -> None:
    for name in ("rules/catalog.yaml", "rules/a/b.yaml", "playbooks/p.yaml", "playbooks/messages/p/hello.md"):
        write(tmp_path, name, name)
    for name in ("rules/.hidden.yaml", "rules/notes.txt", "README.md", "other/x.yaml", "rules/.git/x.yaml"):
        write(tmp_path, name)
    found = files.read_files(str(tmp_path))
    assert found == {
        name: name
        for name in ("rules/a/b.yaml", "rules/catalog.yaml", "playbooks/messages/p/hello.md", "playbooks/p.yaml")
    }


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    write(tmp_path, "rules/a.yaml", b"\xef\xbb\xbfformat: 1\n")
    assert files.read_files(str(tmp_path)) == {"rules/a.yaml": "format: 1\n"}


def test_a_file_that_is_not_utf8_is_a_problem_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, "rules/a.yaml", "format: 1\nwhy: Schön\n".encode("latin-1"))
    problem = only_problem(tmp_path)
    assert str(problem.place) == "rules/a.yaml:2:9"
    assert problem.code == "Y030"
    assert "UTF-8" in problem.hint


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "rules/a.yaml", b"#" * (256 * 1024 + 1))
    assert only_problem(tmp_path).code == "Y031"


def test_links_that_lead_out_of_the_folder_are_problems(tmp_path: Path) -> None:
    outside = write(tmp_path, "secret.yaml")
    write(tmp_path, "workspace/rules/catalog.yaml")
    (tmp_path / "workspace/rules/linked.yaml").symlink_to(outside)
    assert only_problem(tmp_path / "workspace").code == "Y032"


@pytest.mark.parametrize("link", ["workspace/playbooks", "workspace/rules/more"])
def test_a_linked_folder_is_a_problem(tmp_path: Path, link: str) -> None:
    write(tmp_path, "elsewhere/x.yaml")
    write(tmp_path, "workspace/rules/catalog.yaml")
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    assert only_problem(tmp_path / "workspace").code == "Y032"


def test_what_is_no_regular_file_is_a_problem(tmp_path: Path) -> None:
    write(tmp_path, "rules/catalog.yaml")
    os.mkfifo(tmp_path / "rules/pipe.yaml")
    assert only_problem(tmp_path).code == "Y033"


def test_a_file_with_the_other_ending_is_not_overlooked(tmp_path: Path) -> None:
    write(tmp_path, "rules/a.yml")
    assert only_problem(tmp_path).hint == 'call it "a.yaml"'


def test_a_folder_without_files_of_ours_is_refused_with_what_to_do(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "missing"):
        with pytest.raises(Refused, match="backcast init"):
            files.read_folder(str(root))


def test_a_fresh_workspace_holds_what_is_shipped(tmp_path: Path) -> None:
    target = tmp_path / "new" / "workspace"
    written = files.write_workspace(str(target))
    shipped = Path(files.__file__).parents[2]
    assert files.read_files(str(target)) == files.read_files(str(shipped))
    assert "rules/catalog.yaml" in written


def test_a_folder_that_holds_anything_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "mine.txt", "mine")
    with pytest.raises(Refused, match=r'not empty \(it holds "mine.txt"\)'):
        files.write_workspace(str(tmp_path))
    with pytest.raises(Refused, match="is a file"):
        files.write_workspace(str(tmp_path / "mine.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
