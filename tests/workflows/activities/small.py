"""A small portfolio with rules that remember, last, clear and compare; and everything a cycle leaves of it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle, read
from engine.store import bundles, points
from engine.store.sessions import Store
from engine.store.states import STATE
from engine.store.tables import AccountRow, SubjectRow

DAY = 20_700
ZERO = datetime(1970, 1, 1, tzinfo=UTC)
ACCOUNTS = 50
METRICS = ("usage", "value")

CATALOG = """format: 1
north_star: what is measured
metrics:
  usage: {title: Usage, source: adoption, evidence: do, type: number, better: higher, stale_after: 14d}
  value: {title: Value, source: outcomes, evidence: do, type: number, better: higher, stale_after: 14d}
stages: [adoption, churned]
segments:
  large: {">=": [{var: account.arr}, 50000]}
  small: {"<": [{var: account.arr}, 50000]}
"""
RULE = """format: 1
rule: %s
challenge:
  title: Something is low
  kind: risk
  why: An account that is low on anything is worth a call before it leaves us.
  owner: cs-ops
  review_by: 2030-01-01
  success: {metric: usage, at_least: 60, within: 5d}
actions:
  - playbook: call
    mode: manual
guard: {cooldown: 3d, max_new_runs: 40, hold_out: {share: 20%%}}
existing: enrol
signals:
%s
when: {any: [%s]}
examples:
  - name: unknown without data
    given: {}
    then: unknown
"""
CARD = """format: 1
scorecard: health
desired_outcome: The customer renews.
applies_to: {"!=": [{var: [account.stage, adoption]}, churned]}
dimensions:
  usage:
    weight: 50%
    metrics:
      usage: {linear: [0, 100]}
  results:
    weight: 50%
    metrics:
      value: {rank: {among: all}}
missing: exclude
min_coverage: 40%
tiers:
  by: score
  requires_attention: {from: 0, customer_wording: A}
  take_notice: {from: 45, customer_wording: B}
  doing_well: {from: 60, customer_wording: C}
  margin: 3
"""
PLAYBOOK = """format: 1
playbook: call
title: Call them
category: operational
exit: [goal_met, signal_cleared]
steps:
  - wait: {until: {">=": [{var: usage}, 70]}, at_most: 20d}
  - task: {title: "Call {{ account.name }}", to: owner, due: 3 working days}
"""


@cache
def small() -> Bundle:
    """One rule that lasts and clears, one that compares, one that reads tiers; a scorecard with a rank in it."""
    checked = read(
        {
            "rules/catalog.yaml": CATALOG,
            "rules/scorecards/health.yaml": CARD,
            "rules/low.yaml": RULE
            % ("low", "  low: {metric: usage, threshold: {below: 30}, lasting: 2d, clears: {above: 40}}", "low"),
            "rules/last.yaml": RULE
            % ("last", "  last: {metric: value, rank: {at_most: 10, among: all}, clears: {above: 20}}", "last"),
            "rules/tier.yaml": RULE
            % ("tier", '  bad: {condition: {"==": [{var: tier.health}, requires_attention]}}', "bad"),
            "playbooks/call.yaml": PLAYBOOK,
        }
    )
    assert checked.bundle is not None, checked.problems
    return checked.bundle


def at(day: int, hour: int = 20) -> datetime:
    """An hour of a day."""
    return ZERO + timedelta(days=day, hours=hour)


def fill(store: Store) -> None:
    """The accounts, without any data."""
    with store.begin() as session:
        bundles.publish(session, small(), "test", at(DAY - 100))
        for number in range(1, ACCOUNTS + 1):
            session.add(SubjectRow(id=number, kind="account"))
        session.flush()
        for number in range(1, ACCOUNTS + 1):
            row = AccountRow(id=number, key=f"a{number}", name=f"Account {number}", recorded_at=at(DAY - 100))
            row.arr, row.stage = 1_000.0 * number * 2, "adoption"
            session.add(row)


def send(session: Session, day: int, metric: str, values: Mapping[int, float]) -> None:
    """One day's values of a metric by account."""
    number = points.metric_ids(session, [metric])[metric]
    columns = points.PointColumns(
        subject_ids=np.array(list(values), dtype=np.int64),
        metric_ids=np.full(len(values), number, dtype=np.int64),
        days=np.full(len(values), day, dtype=np.int64),
        values=np.array(list(values.values()), dtype=np.float64),
    )
    points.add(session, columns, at(day))


def send_days(store: Store, seed: int, days: Iterable[int]) -> None:
    """Random values, with gaps, that wander up and down."""
    generator = np.random.default_rng(seed)
    levels = generator.uniform(10, 90, (len(METRICS), ACCOUNTS + 1))
    for day in days:
        levels = np.clip(levels + generator.normal(0, 12, levels.shape), 0, 100)
        with store.begin() as session:
            for metric, of_metric in zip(METRICS, levels, strict=True):
                known = generator.random(ACCOUNTS + 1) < 0.8
                sent = {one: round(of_metric[one]) * 1.0 for one in range(1, ACCOUNTS + 1) if known[one]}
                send(session, day, metric, sent)


def left(store: Store) -> dict[str, list[Any]]:
    """All that cycles have written, without the numbers that the database gives."""
    queries = {
        "scores": "SELECT day, scorecard, account_id, computed, effective, coverage, raw_tier, computed_tier, tier, "
        "last_tier, pending, packed, cause, bundle FROM scores ORDER BY day, scorecard, account_id",
        "episodes": "SELECT account_id, rule, opened_on, closed_on FROM episodes ORDER BY rule, account_id, opened_on",
        "decisions": "SELECT account_id, rule, playbook, kind, reason, arm, sentence, evidence FROM decisions "
        "ORDER BY rule, account_id, id",
        "runs": "SELECT account_id, rule, playbook, state FROM runs ORDER BY rule, account_id",
        "asks": "SELECT day, asks, rules FROM cycles ORDER BY id DESC LIMIT 1",
        "peers": "SELECT feature, among, cohort, day, packed FROM peers ORDER BY feature, among, cohort",
    }
    with store.read() as session:
        found = {name: [tuple(row) for row in session.execute(text(query))] for name, query in queries.items()}
        packed = session.execute(text("SELECT account_id, day, packed FROM signal_states ORDER BY account_id"))
        found["states"] = [(account, day, np.frombuffer(states, STATE).tolist()) for account, day, states in packed]
        found["accounts"] = list(session.scalars(select(AccountRow.id).order_by(AccountRow.id)))
    return {name: [repr(row) for row in rows] for name, rows in found.items()}
