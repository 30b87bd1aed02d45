"""The result of a measured history as Markdown tables."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

TIERS: Final = ("requires_attention", "take_notice", "doing_well", "insufficient_data")


def render(result: dict[str, Any]) -> str:
    """All tables, each under a heading."""
    parts = (
        ("Ingest", _ingest(result["ingest"])),
        ("Evaluations", _evaluations(result)),
        ("Scores", _scores(result["tenths"])),
        ("Decisions", _decisions(result["decisions"])),
        ("Counted a second time", table(tuple(result["recounted"]), [tuple(result["recounted"].values())])),
        ("Entries by quarter", _quarters(result["by_quarter"])),
        ("Runs", _runs(result["runs"])),
        ("Outcomes and effects", _effects(result["effects"], result["outcomes"])),
        ("Arms drawn again", false_alarms(result["redrawn"])),
        ("Before and after", _afterwards(result["afterwards"])),
        ("Projects", _projects(result["by_project"])),
    )
    return "\n".join(f"## {title}\n\n{table}" for title, table in parts)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; columns of numbers go to the right."""
    found = list(rows)
    numeric = [all(isinstance(row[at], int | float | None) for row in found) for at in range(len(header))]
    rule = ["---:" if right and found else "---" for right in numeric]
    written = [[_cell(cell) for cell in row] for row in found]
    return "".join(f"| {' | '.join(row)} |\n" for row in (list(header), rule, *written))


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _ingest(taken: dict[str, Any]) -> str:
    rows = [
        (
            kind,
            one["new"],
            one["wall"],
            one["cpu"],
            round(one["new"] / one["wall"]),
            round(one["new"] / one["cpu"]),
            one["peak_mb"],
        )
        for kind, one in taken.items()
    ]
    return table(
        ("what", "rows", "seconds", "CPU seconds", "rows per second", "rows per CPU second", "most MB so far"), rows
    )


def _evaluations(result: dict[str, Any]) -> str:
    cycles = {cycle["day"]: cycle for cycle in result["cycles"]}
    rows = []
    for one in result["evaluations"]:
        cycle = cycles[one["day"]]
        tiers = [cycle["tiers"].get(tier, 0) for tier in TIERS]
        unknown = max(cycle["unknown"].values(), default=0)
        counts = [one["starts"], one["hold_outs"], one["refusals"], one["judged"]]
        rows.append((one["day"], *tiers, cycle["median_score"], *counts, unknown, one["wall"], one["cpu"]))
    header = ("day", "attention", "notice", "well", "too little data", "median", "starts", "held out", "refused")
    return table((*header, "judged", "unknown", "seconds", "CPU seconds"), rows)


def _scores(tenths: Sequence[int]) -> str:
    total = sum(tenths)
    return table(
        ("score", "share"),
        [(f"{10 * at} to {10 * at + 10}", f"{count / total:.1%}") for at, count in enumerate(tenths)],
    )


def _decisions(found: Iterable[dict[str, Any]]) -> str:
    kinds: dict[str, Counter[str]] = {}
    for row in found:
        kinds.setdefault(row["rule"], Counter())[row["reason"] or row["kind"]] += row["count"]
    names = sorted({name for counts in kinds.values() for name in counts}, key=lambda name: (name != "start", name))
    return table(("rule", *names), [(rule, *(counts[name] for name in names)) for rule, counts in kinds.items()])


def _quarters(found: Sequence[dict[str, Any]]) -> str:
    rules = sorted({row["rule"] for row in found})
    counts = {(row["quarter"], row["rule"]): row["entries"] for row in found}
    quarters = sorted({row["quarter"] for row in found})
    return table(("quarter", *rules), [(at, *(counts.get((at, rule), 0) for rule in rules)) for at in quarters])


def _runs(found: dict[str, Any]) -> str:
    runs = table(
        ("playbook", "state", "what it says", "runs"),
        [(row["playbook"], row["state"], row["sentence"], row["count"]) for row in found["runs"]],
    )
    single = {name: value for name, value in found.items() if name != "runs"}
    return f"{runs}\n{table(('what', 'count'), [(name, str(value)) for name, value in single.items()])}"


def _effects(effects: Iterable[dict[str, Any]], outcomes: Iterable[dict[str, Any]]) -> str:
    due = Counter({row["rule"]: row["count"] for row in outcomes if row["state"] == "due"})
    rows = [
        (
            f"{row['rule']} / {row['playbook']}",
            _of(row["treated_met"], row["treated"] - row["treated_unknown"]),
            _of(row["held_out_met"], row["held_out"] - row["held_out_unknown"]),
            row["treated_unknown"] + row["held_out_unknown"],
            due[row["rule"]],
            _interval(row),
        )
        for row in effects
    ]
    return table(("experiment", "treated met", "held out met", "unknown", "not yet due", "difference in points"), rows)


def _of(met: int, known: int) -> str:
    return f"{met} of {known} ({met / known:.0%})" if known else "0 of 0"


def _interval(row: dict[str, Any]) -> str:
    if row["uplift"] is None:
        return "not enough data"
    return f"{100 * row['uplift']:+.1f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def false_alarms(found: Iterable[dict[str, Any]]) -> str:
    """How often an interval excluded the zero that is true."""
    rows = [
        (row["rule"], row["drawings"], row["above"], row["below"], f"{row['mean']:+.1f}", _share(row)) for row in found
    ]
    header = ("rule", "drawings with an interval", "wholly above zero", "wholly below", "mean difference in points")
    return table((*header, "false alarms"), rows)


def _share(row: dict[str, Any]) -> str:
    return f"{(row['above'] + row['below']) / row['drawings']:.1%}"


def _afterwards(found: Iterable[dict[str, Any]]) -> str:
    rows = [
        (row["rule"], row["arm"], row["accounts"], f"{row['mean']:+.1f}", f"{row['higher'] / row['accounts']:.0%}")
        for row in found
    ]
    return table(("rule", "arm", "decisions", "mean change of the score in 56 days", "higher than before"), rows)


def _projects(found: Iterable[dict[str, Any]]) -> str:
    return table(
        ("rule", "project", "met the criterion"),
        [(row["rule"], row["project"], _of(row["met"], row["judged"])) for row in found],
    )
