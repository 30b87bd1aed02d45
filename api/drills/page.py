"""The page of all drills, made from their results; nobody writes it by hand."""

import json
from pathlib import Path
from typing import Any, Final

_HEAD: Final = """# Drills

Backcast broken on purpose: real processes, real faults, and an account of everything afterwards. Made by `backcast
drill all --page docs/drills.md`; `backcast drill NUMBER --seed N` repeats one, with `--db postgres` on PostgreSQL.
Small is the short form, with few runs (`--small`); without it a drill has its full size.

After every drill: no Message-ID arrived more than once per attempt that was asked for (I1); every delivery is sent, not
sent or ambiguous (I2); the receiving side says the same (I3); no run is stuck (I5); no decision is doubled (I6); the
database is whole (I8); no log holds an address, and failed activities name their run (I9). I7 where points come in. Not
looked at: {not_checked}.
"""


def write_page(results: Path, target: Path) -> None:
    """Write the page from the results in a folder."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("F*.json"))]
    if not found:
        return
    parts = [_HEAD.format(not_checked=found[0]["not_checked"]), _machine(found[0]), _totals(found), _overview(found)]
    parts += [_drill(one) for one in found]
    target.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")


def _machine(one: dict[str, Any]) -> str:
    on, ran = one["machine"], ", ".join(f"{name} {version}" for name, version in one["versions"].items())
    return f"Machine: {on['cpus']} CPUs, {on['gib']} GiB, {on['system']}. {ran}.\n"


def _totals(found: list[dict[str, Any]]) -> str:
    names = ("deliveries", "twice", "lost", "ambiguous")
    sums = {name: sum(int(one["counts"].get(name, 0)) for one in found) for name in names}
    shown = [
        one["spreads"]["ambiguous until on the page"]["max"]
        for one in found
        if "ambiguous until on the page" in one["spreads"]
    ]
    drills = len({one["drill"] for one in found})
    holds = sum(one["verdict"] == "holds" for one in found)
    return (
        f"**{holds} of {len(found)} results of {drills} drills hold. "
        f"Of {sums['deliveries']} deliveries {sums['twice']} came twice and "
        f"{sums['lost']} are lost; {sums['ambiguous']} are ambiguous and wait for a person"
        + (f", the last of them on the page after {max(shown)} s" if shown else "")
        + ".**\n"
    )


def _overview(found: list[dict[str, Any]]) -> str:
    lines = ["| drill | what is done | database | seed | seconds | verdict |", "|---|---|---|---|---|---|"]
    for one in found:
        size = ", small" if one["small"] else f", {one.get('scale', 1.0):.0%} size"
        lines.append(
            f"| {one['drill']} | {one['title']} | {one['database']}{size} | {one['seed']} | {one['seconds']} "
            f"| {one['verdict']} |"
        )
    return "\n".join(lines) + "\n"


def _drill(one: dict[str, Any]) -> str:
    where = "" if one["database"] == "sqlite" else f", on {one['database']}"
    lines = [f"## {one['drill']}: {one['title']}{where}", ""]
    lines += [", ".join(f"{name.replace('_', ' ')} {value}" for name, value in one["counts"].items()) + ".", ""]
    if one["spreads"]:
        lines += ["| seconds | of | p50 | p95 | max |", "|---|---|---|---|---|"]
        for name, times in one["spreads"].items():
            lines.append(f"| {name} | {times['of']} | {times['p50']} | {times['p95']} | {times['max']} |")
        lines.append("")
    if one["rows"]:
        names = list(one["rows"][0])
        lines += [f"| {' | '.join(name.replace('_', ' ') for name in names)} |", "|---" * len(names) + "|"]
        lines += [
            "| " + " | ".join(str(row.get(name, "")).replace("_", " ") for name in names) + " |" for row in one["rows"]
        ]
        lines.append("")
    lines += [f"- not held: {sentence}" for sentence in one["broken"]]
    return "\n".join(lines).rstrip() + "\n"
