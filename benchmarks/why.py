"""Why a rule says what it says of one account, where there are 10,000 accounts and 500 rules.

    python -m benchmarks.why [--quick]

Milliseconds on the clock and of CPU for `engine.store.why.why`, which is what a page, the API and ``backcast why`` ask:
it reads the account, evaluates what the rule needs, and words it. Before that the traces of some rules are compared
with those that an evaluation of everything gives.
"""

import argparse
import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np

from engine.definitions.bundle import Bundle, read
from engine.evaluation.evaluation import evaluate
from engine.evaluation.tracing import why_rule
from engine.store.facts import load_facts
from engine.store.migrating import migrate
from engine.store.past import load_past
from engine.store.sessions import Store, connect
from engine.store.why import why
from workflows.activities.cycle import run_cycle

AT: Final = datetime(2026, 11, 20, 23, 59, tzinfo=UTC)
DAY: Final = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
METRICS: Final = tuple(f"metric_{i}" for i in range(20))
DAYS: Final = 60

goals: Final[Mapping[str, tuple[str, float]]] = {"p95_cpu_ms": ("<", 100)}


def run(*, quick: bool = False) -> dict[str, Any]:
    """Fill an installation, run a cycle, compare some traces, then time 200 of them."""
    accounts, rules = (300, 25) if quick else (10_000, 500)
    with TemporaryDirectory() as folder:
        store = filled(Path(folder), accounts)
        try:
            definitions = bundle(rules)
            for back in (1, 0):
                run_cycle(store, definitions, AT - timedelta(days=back), day_seconds=None)
            compared = check(store, definitions, 5)
            taken = [_timed(store, definitions, i, accounts, rules) for i in range(40 if quick else 200)]
        finally:
            store.close()
    wall, cpu = ([pair[i] * 1000 for pair in taken] for i in (0, 1))
    return {
        "accounts": accounts,
        "rules": rules,
        "traces_compared": compared,
        "median_ms": round(median(wall), 1),
        "median_cpu_ms": round(median(cpu), 1),
        "p95_cpu_ms": round(float(np.percentile(cpu, 95)), 1),
    }


def bundle(rules: int) -> Bundle:
    """``rules`` rules over 20 metrics, each with a threshold, a trend and a condition."""
    texts = {"rules/catalog.yaml": _CATALOG, "playbooks/look.yaml": _PLAYBOOK}
    metrics = [_METRIC.format(name=name) for name in METRICS]
    texts["rules/catalog.yaml"] += "\n".join(["metrics:", *metrics, ""])
    rng = np.random.default_rng(5)
    for i in range(rules):
        one, other, third = (METRICS[int(drawn)] for drawn in rng.choice(len(METRICS), 3, replace=False))
        limit = int(rng.integers(10, 25))
        texts[f"rules/some/rule-{i}.yaml"] = _RULE.format(i=i, one=one, other=other, third=third, limit=limit)
    checked = read(texts)
    if checked.bundle is None:
        raise SystemExit(f"the benchmark's rules do not check: {checked.problems[0]}")
    return checked.bundle


def filled(folder: Path, accounts: int) -> Store:
    """A new SQLite database with accounts and 60 days of 20 metrics each."""
    path = folder / "backcast.db"
    store = connect(f"sqlite:///{path}")
    migrate(store)
    rng = np.random.default_rng(3)
    numbers = range(1, accounts + 1)
    recorded = AT.replace(tzinfo=None).isoformat(sep=" ")
    with sqlite3.connect(path) as raw:
        raw.executemany("INSERT INTO subjects (id, kind) VALUES (?, 'account')", [(i,) for i in numbers])
        raw.executemany(
            "INSERT INTO accounts (id, key, name, owner, fields, stopped_reason, suppressed, arr, recorded_at)"
            " VALUES (?, ?, ?, '', '{}', '', 0, ?, ?)",
            [(i, f"account-{i}", f"Account {i}", 1000.0 * (i % 50), recorded) for i in numbers],
        )
        raw.executemany("INSERT INTO metrics (id, name) VALUES (?, ?)", list(enumerate(METRICS, 1)))
        for day in range(DAY - DAYS, DAY + 1):
            values = np.round(rng.normal(60, 15, (accounts, len(METRICS))), 1).tolist()
            raw.executemany(
                "INSERT INTO points (day, subject_id, metric_id, value, recorded_at) VALUES (?, ?, ?, ?, ?)",
                [
                    (day, i, k, value, recorded)
                    for i, row in zip(numbers, values, strict=True)
                    for k, value in enumerate(row, 1)
                ],
            )
    return store


def check(store: Store, definitions: Bundle, some: int) -> int:
    """Compare traces with those of an evaluation of everything; how many. SystemExit where one differs."""
    with store.read() as session:
        facts = load_facts(session, definitions, DAY)
        whole, past = evaluate(definitions, facts), load_past(session, definitions, AT)
        rules: Sequence[str] = list(definitions.rules)[:some]
        for row, rule in enumerate(rules):
            alone = why(session, definitions, facts.accounts.keys[row], rule, DAY, AT)
            if alone is None or alone.trace != why_rule(definitions, whole, past, row, rule):
                raise SystemExit(f"{rule}: the trace of one account differs from that of all; nothing is timed")
    return len(rules)


def _timed(store: Store, definitions: Bundle, i: int, accounts: int, rules: int) -> tuple[float, float]:
    account, rule = f"account-{1 + i * 97 % accounts}", f"rule-{i * 31 % rules}"
    wall, cpu = perf_counter(), process_time()
    with store.read() as session:
        why(session, definitions, account, rule, DAY, AT)
    return perf_counter() - wall, process_time() - cpu


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(run(quick=parser.parse_args().quick), indent=2))


_CATALOG: Final = """\
format: 1
north_star: metric_0
stages: [adoption, churned]
"""
_METRIC: Final = (
    "  {name}: {{title: The {name}, source: adoption, evidence: do, type: number, decimals: 1, better: higher,"
    " bears_on_value: They use it.}}"
)
_PLAYBOOK: Final = """\
format: 1
playbook: look
title: Look at it
category: operational
steps:
  - task: {title: Look at the account, to: owner, due: 2 working days}
"""
_RULE: Final = """\
format: 1
rule: rule-{i}
challenge:
  title: Something falls, number {i}
  kind: risk
  why: It is what this benchmark asks about.
  owner: cs-ops
  review_by: 2027-06-01
  success: {{metric: {one}, at_least: 50, within: 45d}}
actions:
  - {{playbook: look, mode: automatic}}
existing: ignore
signals:
  low: {{metric: {one}, threshold: {{below: {limit}}}}}
  falling: {{metric: {other}, trend: {{change: -5%, over: 14d}}}}
  rich: {{condition: {{">": [{{var: {third}.mean_30d}}, 55]}}}}
when: {{all: [{{any: [low, falling]}}, rich]}}
examples:
  - name: fires when it is low
    given: {{{one}: 3, {other}: 60, {third}.mean_30d: 60}}
    then: fires
"""

if __name__ == "__main__":
    main()
