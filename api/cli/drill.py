"""``drill``: make a fault on purpose, on real processes, and check what must hold afterwards."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

if TYPE_CHECKING:
    from api.drills.result import Report

_console = Console(soft_wrap=True, highlight=False, markup=False)


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(drill)


def drill(
    names: Annotated[list[str], typer.Argument(help="Numbers of drills (F02), `all`, or `list`.")],
    seed: Annotated[int, typer.Option(help="Repeats a drill with the same random moments.")] = 1,
    db: Annotated[Literal["sqlite", "postgres"], typer.Option(help="The database under it.")] = "sqlite",
    small: Annotated[bool, typer.Option("--small", help="The short form, with few runs.")] = False,
    scale: Annotated[float, typer.Option(help="Share of the full size.", min=0.01, max=1.0)] = 1.0,
    results: Annotated[Path, typer.Option(help="Folder for the results, one JSON file for each drill.")] = Path(
        "drills"
    ),
    as_json: Annotated[str, typer.Option("--json", help="Also write all results to this file (- prints them).")] = "",
    keep: Annotated[Path | None, typer.Option(help="A new folder in which everything stays, to look into.")] = None,
    page: Annotated[str, typer.Option(help="Write a page of all results in the folder to this file.")] = "",
) -> None:
    """Break Backcast on purpose on real processes, and check that nothing is lost and nothing sent twice."""
    from api.drills import registry
    from api.drills.page import write_page

    wanted = _wanted(names, list(registry.DRILLS))
    if not wanted:
        for number, known in registry.DRILLS.items():
            _console.print(f"{number}  {known.title}")
        return
    reports = []
    for number in wanted:
        report = registry.run(number, seed, db, small=small, scale=scale, kept=keep)
        reports.append(report)
        report.write(results)
        if as_json != "-":
            _say(report)
    _hand_out(as_json, reports)
    if page:
        write_page(results, Path(page))
    raise typer.Exit(int(not all(report.holds for report in reports)))


def _wanted(names: list[str], known: list[str]) -> list[str]:
    """The drills that are asked for, in order; none for `list`."""
    if names == ["list"]:
        return []
    asked = [name.upper() for name in names]
    unknown = [name for name in names if name.upper() not in {*known, "ALL"}]
    if unknown:
        raise typer.BadParameter(f'there is no drill "{unknown[0]}"; `backcast drill list` names them')
    return known if "ALL" in asked else asked


def _say(report: "Report") -> None:
    verdict = "holds" if report.holds else "BROKEN"
    _console.print(f"{report.drill}  {verdict}  {report.wall} s  {report.title}")
    _console.print(
        "     " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in report.found.counts.items())
    )
    for name, times in report.found.spreads.items():
        _console.print(f"     {name}: p50 {times.p50} s, p95 {times.p95} s, max {times.max} s (of {times.of})")
    for sentence in report.found.broken:
        _console.print(f"     ! {sentence}")


def _hand_out(target: str, reports: "list[Report]") -> None:
    if not target:
        return
    text = json.dumps({"holds": all(one.holds for one in reports), "drills": [one.as_json() for one in reports]})
    if target == "-":
        print(text)
    else:
        Path(target).write_text(text + "\n", encoding="utf-8")
