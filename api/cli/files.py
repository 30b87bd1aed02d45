"""``check``, ``init`` and ``schema``: the files people write, and what editors and GitHub make of them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from api.cli.workspace import JsonOption, err, now, out, settings_for
from engine.definitions import schema
from engine.definitions.bundle import Checked
from engine.definitions.problem import Problem, render
from engine.errors import Refused
from engine.evaluation import hygiene
from engine.evaluation.examples import check_examples
from engine.store import files

SCHEMAS: Final = "schemas"
SETTINGS: Final = ".vscode/settings.json"
WORKFLOW: Final = ".github/workflows/backcast.yml"

FolderArgument = Annotated[str, typer.Argument(metavar="[DIR]", help="Folder with rules/ and playbooks/.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(check)
    app.command()(init)
    app.command(name="schema")(write_schema)


def check(folder: FolderArgument = "", as_json: JsonOption = False) -> None:
    """Read all files, run the examples in the rules, and show every problem at once."""
    try:
        checked, texts = files.check(folder or settings_for().files)
    except Refused as refused:
        if not as_json:
            raise
        nothing: dict[str, Any] = {"files": 0, "fingerprint": None, "problems": [], "notes": [], "error": str(refused)}
        print(json.dumps(nothing))
        raise typer.Exit(1) from None
    problems = checked.problems if checked.bundle is None else check_examples(checked.bundle)
    if checked.bundle is not None:
        checked = replace(checked, notes=(*checked.notes, *hygiene.notes(checked.bundle, now().date())))
    if as_json:
        print(json.dumps(_as_json(checked, problems, len(texts))))
    else:
        _show(checked, problems, texts)
    if problems:
        raise typer.Exit(1)


def init(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    github: Annotated[bool, typer.Option("--github", help="Also a workflow that checks pull requests.")] = False,
) -> None:
    """Lay down a workspace with the shipped rules and playbooks, and the schemas editors complete them by."""
    written = files.write_workspace(folder)
    generated = schema.texts(SCHEMAS)
    if github:
        generated |= {WORKFLOW: (Path(__file__).parent / "github.yml").read_text(encoding="utf-8")}
    files.write_texts(folder, generated)
    out.print(
        f'{len(written)} files are in "{folder}". Begin with rules/catalog.yaml; `backcast check` says what fits.'
    )
    if github:
        out.print(f"{WORKFLOW} checks pull requests; its first lines say what it needs.")


def write_schema(
    target: Annotated[str, typer.Option("--out", metavar="DIR", help="The workspace to write them to.")] = "",
) -> None:
    """Print the JSON Schema of every kind of file, or write them where an editor finds them."""
    if not target:
        print(json.dumps(schema.schemas(), indent=2, ensure_ascii=False))
        return
    generated = schema.texts(SCHEMAS)
    written = files.write_texts(target, generated)
    out.print(f'{len(written)} files are in "{target}": schemas in {SCHEMAS}/, what they are for in {SETTINGS}.')
    if SETTINGS not in written:
        out.print(f"{SETTINGS} was there and stays as it is. For completion, it needs:\n{generated[SETTINGS]}")


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
        "problems": [problem_json(problem) for problem in problems],
        "notes": [problem_json(note) for note in checked.notes],
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem or note, for programs."""
    place = problem.place
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
    }
