"""The portfolio that nightly cycles are measured on: twenty daily metrics, ten rules, one scorecard of eight metrics.

Written into the database in bulk, since the history is not what is measured. Most accounts stand still within a noise
of their own; each night a few rise or fall, so that a cycle finds something to decide.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle, read
from engine.store import bundles, models, points
from engine.store.base import Base
from engine.store.points import PointColumns
from engine.store.sessions import Store, connect

__all__ = ["models"]

DAYS: Final = 90
METRICS: Final = 20
LAST_DAY: Final = 20_700
"""The last day of the history; the night that is measured is the one after it."""
GAPS: Final = 0.05
_PRESENT: Final = 1.0 - GAPS
_ROWS: Final = 200_000
_TOGETHER: Final = 2_500
"""Accounts whose points come in one batch."""
_MOMENT: Final = "2026-09-01 00:00:00.000000"
_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)

_METRIC = (
    "  m{0}: {{title: Metric {0}, source: adoption, evidence: do, type: number, decimals: 0,"
    " better: higher, stale_after: 14d}}"
)
_RULE = """format: 1
rule: rule-{0}
challenge:
  title: Challenge {0}
  kind: risk
  why: An account that is low on anything is worth a call before it leaves us.
  owner: cs-ops
  review_by: 2030-01-01
  success: {{metric: m{0}, at_least: 60, within: 30d}}
actions:
  - playbook: call
    mode: manual
guard: {{cooldown: 30d, hold_out: {{share: 10%}}}}
existing: ignore
signals:
{1}
when: {{any: [{2}]}}
examples:
  - name: unknown without data
    given: {{}}
    then: unknown
"""
_SIGNALS: Final = (
    "  low: {{metric: m{0}, threshold: {{below: 20}}, lasting: 3d, clears: {{above: 30}}}}",
    "  falling: {{metric: m{1}, trend: {{change: -40%, over: 14d, min_base: 5}}}}",
    "  weak: {{metric: m{2}.mean_30d, threshold: {{below: 15}}}}",
)
_CARD = """format: 1
scorecard: health
desired_outcome: The customer renews.
dimensions:
  usage:
    weight: 60%
    metrics:
      m0: {linear: [0, 100], weight: 25%}
      m1.mean_7d: {linear: [0, 100], weight: 25%}
      m2.mean_30d: {linear: [0, 100], weight: 25%}
      m3: {threshold: {good: 60, poor: 20}, weight: 25%}
  results:
    weight: 40%
    metrics:
      m4: {linear: [0, 100], weight: 25%}
      m5.mean_30d: {linear: [0, 100], weight: 25%}
      m6: {linear: [0, 100], weight: 25%}
      m7.mean_7d: {linear: [0, 100], weight: 25%}
missing: exclude
min_coverage: 60%
tiers:
  by: score
  requires_attention: {from: 0, customer_wording: A}
  take_notice: {from: 45, customer_wording: B}
  doing_well: {from: 60, customer_wording: C}
  margin: 3
"""
_PLAYBOOK = """format: 1
playbook: call
title: Call them
category: operational
steps:
  - task: {title: "Call {{ account.name }}", to: owner, due: 3 working days}
"""


def definitions() -> Bundle:
    """The bundle: thresholds that last and clear, trends, means over a month."""
    catalog = ["format: 1", "north_star: what is measured", "metrics:", *(_METRIC.format(at) for at in range(METRICS))]
    catalog += ["stages: [adoption, churned]", "segments:", '  large: {">=": [{var: account.arr}, 50000]}']
    texts = {
        "rules/catalog.yaml": "\n".join(catalog) + "\n",
        "rules/scorecards/health.yaml": _CARD,
        "playbooks/call.yaml": _PLAYBOOK,
    }
    for at in range(10):
        signals = [one.format(at, at + 5, at + 10) for one in _SIGNALS]
        texts[f"rules/rule-{at}.yaml"] = _RULE.format(at, "\n".join(signals), "low, falling, weak")
    checked = read(texts)
    if checked.bundle is None:
        raise SystemExit("\n".join(map(str, checked.problems)))
    return checked.bundle


def make(folder: Path, accounts: int) -> Store:
    """A database of ``accounts`` with their history up to `LAST_DAY`."""
    store = connect(f"sqlite:///{folder}/backcast.db")
    Base.metadata.create_all(store.engine)
    bundle = definitions()
    with store.begin() as session:
        bundles.publish(session, bundle, "benchmark", moment(LAST_DAY - 100))
        numbers = points.metric_ids(session, [f"m{at}" for at in range(METRICS)])
        _insert_accounts(session, accounts)
    generator = np.random.default_rng(7)
    levels = generator.uniform(15, 95, (accounts, METRICS))
    for day in range(LAST_DAY - DAYS + 1, LAST_DAY):
        drift(levels, generator)
        with store.begin() as session:
            for rows in _rows(day, levels, [numbers[f"m{at}"] for at in range(METRICS)], generator):
                session.connection().exec_driver_sql("INSERT INTO points VALUES (?, ?, ?, ?, ?)", rows)
    send(store, LAST_DAY, levels, np.arange(1, accounts + 1))
    np.save(folder / "levels.npy", levels)
    return store


def drift(levels: NDArray[np.float64], generator: np.random.Generator) -> None:
    """A day goes by: one value in two hundred moves for good."""
    moved = generator.random(levels.shape) < 0.005
    levels[moved] = generator.uniform(5, 95, int(moved.sum()))


def send(store: Store, day: int, levels: NDArray[np.float64], accounts: NDArray[np.int64]) -> None:
    """Send in one day of some accounts (ids from 1, ascending), as ingest does: this is not what is measured."""
    for start in range(0, len(accounts), _TOGETHER):
        with store.begin() as session:
            _send(session, day, levels, accounts[start : start + _TOGETHER])


def _send(session: Session, day: int, levels: NDArray[np.float64], accounts: NDArray[np.int64]) -> None:
    numbers = points.metric_ids(session, [f"m{at}" for at in range(METRICS)])
    metrics = np.array([numbers[f"m{at}"] for at in range(METRICS)], dtype=np.int64)
    columns = PointColumns(
        subject_ids=np.repeat(accounts, METRICS),
        metric_ids=np.tile(metrics, len(accounts)),
        days=np.full(len(accounts) * METRICS, day, dtype=np.int64),
        values=np.rint(levels[accounts - 1]).ravel(),
    )
    points.add(session, columns, moment(day))


def moment(day: int) -> datetime:
    """Three o'clock in the night after a day has begun, when cycles run."""
    return _ZERO + timedelta(days=day, hours=3)


def _insert_accounts(session: Session, accounts: int) -> None:
    connection = session.connection()
    ids = range(1, accounts + 1)
    connection.exec_driver_sql("INSERT INTO subjects (id, kind) VALUES (?, 'account')", [(one,) for one in ids])
    rows = [(one, f"a{one}", f"Account {one}", 1_000.0 * (one % 100), _MOMENT) for one in ids]
    connection.exec_driver_sql(
        "INSERT INTO accounts (id, key, name, owner, arr, stage, fields, stopped_reason, suppressed, recorded_at)"
        " VALUES (?, ?, ?, 'owner@example.org', ?, 'adoption', '{}', '', 0, ?)",
        rows,
    )


def _rows(
    day: int, levels: NDArray[np.float64], numbers: list[int], generator: np.random.Generator
) -> Iterator[list[tuple[int, int, int, float, str]]]:
    values = np.clip(np.rint(levels + generator.normal(0, 2, levels.shape)), 0, None)
    accounts, metrics = np.nonzero(generator.random(levels.shape) < _PRESENT)
    chosen = np.array(numbers)[metrics]
    for start in range(0, len(accounts), _ROWS):
        part = slice(start, start + _ROWS)
        columns = ((accounts[part] + 1).tolist(), chosen[part].tolist(), values[accounts[part], metrics[part]].tolist())
        yield [(day, *row, _MOMENT) for row in zip(*columns, strict=True)]
