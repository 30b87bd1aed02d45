"""``check`` and ``init``: the files people write."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli import build
from engine.errors import Refused


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), [*arguments])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    assert run("init", str(tmp_path / "workspace")).exit_code == 0
    return tmp_path / "workspace"


def test_a_fresh_workspace_checks_clean(workspace: Path) -> None:
    """S2-37."""
    done = run("check", str(workspace))
    assert done.exit_code == 0, done.stderr
    assert "files check clean" in done.output
    found = json.loads(run("check", str(workspace), "--json").output)
    assert found["problems"] == []
    assert len(found["fingerprint"]) == 64


def test_the_working_folder_is_checked_without_a_name(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    assert run("check").exit_code == 0


def test_every_problem_is_shown_with_its_line_and_exit_code_1(workspace: Path) -> None:
    catalog = workspace / "rules" / "catalog.yaml"
    catalog.write_text(catalog.read_text() + "\nmetriks: 7\n")
    (workspace / "rules" / "latin.yaml").write_bytes(b"why: Sch\xf6n\n")
    done = run("check", str(workspace))
    assert done.exit_code == 1
    line = len(catalog.read_text().splitlines())
    assert f"rules/catalog.yaml:{line}:1:" in done.stderr
    assert f"{line} | metriks: 7" in done.stderr
    assert "rules/latin.yaml:1:9: Y030" in done.stderr
    assert "2 problems in 2 of" in done.stderr
    found = json.loads(run("check", str(workspace), "--json").stdout)
    assert [problem["path"] for problem in found["problems"]] == ["rules/catalog.yaml", "rules/latin.yaml"]
    assert found["fingerprint"] is None


def test_an_example_that_comes_out_otherwise_is_a_problem(workspace: Path) -> None:
    rule = next(path for path in (workspace / "rules").rglob("*.yaml") if "then: fires" in path.read_text())
    rule.write_text(rule.read_text().replace("then: fires", "then: clear", 1))
    done = run("check", str(workspace))
    assert done.exit_code == 1
    assert "R050" in done.stderr


def test_nothing_is_laid_down_over_somebodys_files(workspace: Path) -> None:
    with pytest.raises(Refused, match="is not empty"):
        CliRunner().invoke(build(), ["init", str(workspace)], catch_exceptions=False)


def test_a_folder_without_files_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="backcast init"):
        CliRunner().invoke(build(), ["check", str(tmp_path)], catch_exceptions=False)
