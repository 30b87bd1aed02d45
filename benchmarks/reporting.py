"""What benchmarks found, as lines for a terminal and as a table between the markers of a page."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

BEGIN: Final = "<!-- figures: written by python -m benchmarks --table -->"
END: Final = "<!-- end of figures -->"


def goal_lines(name: str, result: Mapping[str, Any]) -> Iterator[str]:
    """One line for each goal: met or missed, the figure, the goal."""
    for goal in result["goals"]:
        verdict = "met   " if goal["met"] else "missed"
        yield f"{verdict} {name:<16} {goal['figure']:<28} {_figure(goal['value']):>12}   goal {goal['goal']}"
    if not result["goals"]:
        yield f"       {name:<16} no goals; {result['seconds']} s"


def filled(page: str, report: Mapping[str, Any]) -> str:
    """The page with its figures replaced by those of the report. SystemExit where it has no markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"the page has no place for figures: it needs the lines\n{BEGIN}\n{END}")
    return "\n\n".join([before + BEGIN, "\n".join(_page(report)), END + after])


def _page(report: Mapping[str, Any]) -> Iterator[str]:
    machine = report["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    yield f"{machine['cores']} cores of {machine['cpu']}; {versions}."
    yield ""
    yield "| benchmark | figure | measured | goal | |"
    yield "|---|---|---|---|---|"
    for name, result in report["benchmarks"].items():
        for goal in result["goals"]:
            verdict = "met" if goal["met"] else "**missed**"
            yield f"| {name} | {goal['figure']} | {_figure(goal['value'])} | {goal['goal']} | {verdict} |"
    rates = report["benchmarks"].get("conditions", {}).get("figures", {}).get("million_verdicts_per_cpu_second")
    if rates:
        yield ""
        yield from _rates(rates)
    sizes = report["benchmarks"].get("nightly", {}).get("figures", {}).get("sizes")
    if sizes:
        yield ""
        yield from _sizes(sizes)


def _sizes(sizes: Iterable[Mapping[str, float]]) -> Iterator[str]:
    yield "| nightly, accounts | CPU s | peak MB | after 1 % changed, CPU s | share of the whole |"
    yield "|---|---|---|---|---|"
    for one in sizes:
        figures = (one["accounts"], one["cycle_cpu_s"], one["peak_mb"], one["part_cpu_s"])
        yield f"| {' | '.join(_figure(figure) for figure in figures)} | {one['part_share']:.2%} |"


def _rates(rates: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    anchor = rates["json-logic-qubit"]["median"]
    yield "| conditions | million verdicts per CPU second, median | best | x json-logic-qubit |"
    yield "|---|---|---|---|"
    for name, rate in sorted(rates.items(), key=lambda item: -item[1]["median"]):
        median, best = _figure(rate["median"]), _figure(rate["best"])
        yield f"| {name} | {median} | {best} | {_figure(rate['median'] / anchor)} |"


def _figure(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
