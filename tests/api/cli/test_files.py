"""``check`` and ``init``: the files people write."""

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML
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


def test_programs_are_told_in_json_that_there_is_nothing_to_check(tmp_path: Path) -> None:
    done = run("check", str(tmp_path), "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert "backcast init" in found["error"]
    assert found["fingerprint"] is None


def test_a_workspace_comes_with_schemas_for_editors(workspace: Path) -> None:
    mapped = json.loads((workspace / ".vscode/settings.json").read_text())["yaml.schemas"]
    for path, patterns in mapped.items():
        schema = json.loads((workspace / path).read_text())
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert patterns
    assert not (workspace / ".github").exists()


def test_schemas_are_written_again_and_somebodys_settings_stay(workspace: Path) -> None:
    settings, rule = workspace / ".vscode/settings.json", workspace / "schemas/rule.json"
    settings.write_text("{}")
    rule.write_text("old")
    done = run("schema", "--out", str(workspace))
    assert done.exit_code == 0
    assert settings.read_text() == "{}"
    assert '"./schemas/rule.json"' in done.output
    assert json.loads(rule.read_text())["title"] == "rules/**/*.yaml"
    assert set(json.loads(run("schema").output)) >= {"rule", "playbook", "scorecard", "catalog", "report"}


def test_the_workflow_for_pull_requests_runs_commands_that_exist(tmp_path: Path) -> None:
    assert run("init", str(tmp_path / "w"), "--github").exit_code == 0
    text = (tmp_path / "w/.github/workflows/backcast.yml").read_text()
    workflow = YAML(typ="safe", pure=True).load(text)
    steps = workflow["jobs"]["check"]["steps"]
    commands = [line.split() for step in steps for line in step.get("run", "").splitlines() if "backcast " in line]
    ours = [words[words.index("backcast") + 1 :] for words in commands if "backcast" in words]
    assert [words[0] for words in ours] == ["check", "plan"]
    for words in ours:
        said = run(words[0], "--help")
        assert said.exit_code == 0
        assert all(option in said.output for option in words if option.startswith("--"))
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}


def test_a_folder_without_files_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="backcast init"):
        CliRunner().invoke(build(), ["check", str(tmp_path)], catch_exceptions=False)
