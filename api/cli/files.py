"""``check`` and ``init``: the files people write."""

import json
from typing import Annotated, Any

import typer

from api.cli.workspace import JsonOption, err, out, settings_for
from engine.definitions.bundle import Checked
from engine.definitions.problem import Problem, render
from engine.evaluation.examples import check_examples
from engine.store import files

FolderArgument = Annotated[str, typer.Argument(metavar="[DIR]", help="Folder with rules/ and playbooks/.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(check)
    app.command()(init)


def check(folder: FolderArgument = "", as_json: JsonOption = False) -> None:
    """Read all files, run the examples in the rules, and show every problem at once."""
    checked, texts = files.check(folder or settings_for().files)
    problems = checked.problems if checked.bundle is None else check_examples(checked.bundle)
    if as_json:
        print(json.dumps(_as_json(checked, problems, len(texts))))
    else:
        _show(checked, problems, texts)
    if problems:
        raise typer.Exit(1)


def init(folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder that is new or empty.")]) -> None:
    """Lay down a workspace with the shipped rules and playbooks."""
    written = files.write_workspace(folder)
    out.print(
        f'{len(written)} files are in "{folder}". Begin with rules/catalog.yaml; `backcast check` says what fits.'
    )


def _show(checked: Checked, problems: tuple[Problem, ...], texts: dict[str, str]) -> None:
    for note in checked.notes:
        out.print(f"note: {render(note, {})}")
    for problem in problems:
        err.print(render(problem, texts), end="\n\n")
    if problems:
        many = "problem" if len(problems) == 1 else "problems"
        err.print(
            f"{len(problems)} {many} in {len({problem.place.path for problem in problems})} of {len(texts)} files."
        )
        return
    examples = 0 if checked.bundle is None else sum(len(rule.examples) for rule in checked.bundle.rules.values())
    out.print(f"{len(texts)} files check clean; {examples} examples come out as written.")


def _as_json(checked: Checked, problems: tuple[Problem, ...], count: int) -> dict[str, Any]:
    return {
        "files": count,
        "fingerprint": checked.bundle.fingerprint if checked.bundle else None,
        "problems": [_problem(problem) for problem in problems],
        "notes": [_problem(note) for note in checked.notes],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    place = problem.place
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
