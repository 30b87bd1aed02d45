"""Evaluating a portfolio shard by shard: what a shard says is written at once, and only what deciding, judging and
waking need of it is kept.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from engine.definitions.bundle import Bundle
from engine.effect.outcome import DueOutcome, JudgedOutcome, judge
from engine.evaluation.evaluation import evaluate
from engine.evaluation.past import Past
from engine.evaluation.proposing import Proposal, propose
from engine.store import outcomes, waking
from engine.store.accounts import shards
from engine.store.columns import Columns
from engine.store.evaluations import refuse_past, save_evaluation
from engine.store.facts import load_facts
from engine.store.past import load_past
from engine.store.queueing import Queue, queue
from engine.store.sessions import Store
from engine.store.waking import Seen, Waiting

_log = logging.getLogger(__name__)

SHARD: Final = 8_192
"""Accounts that are evaluated together: what they need of 20 metrics over 90 days is about a hundred megabytes."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Looked:
    """What the shards left behind, in their order."""

    proposals: list[Proposal] = field(default_factory=list)
    judged: list[JudgedOutcome] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)


@dataclass(frozen=True, slots=True)
class _Open:
    """What is open for all accounts that are looked at: who is inside, outcomes that are due, runs that wait."""

    past: Past
    due: Sequence[DueOutcome]
    late: int
    waiting: Sequence[Waiting]


def look(
    store: Store,
    bundle: Bundle,
    at: datetime,
    *,
    accounts: Collection[int] | None = None,
    released: frozenset[str] = frozenset(),
    columns: Columns | None = None,
    shard: int = SHARD,
) -> Looked:
    """Evaluate all accounts, or those named, and write their states and scores. Raises `Refused` on a past day."""
    day = (at - _EPOCH).days
    with store.read() as session:
        if columns is not None:
            columns.catch_up(session)
            if accounts is None and columns.mend(session):
                _log.warning("the packed columns did not say what the database says; they were made anew")
        known = _Open(
            past=load_past(session, bundle, at, released),
            due=[] if accounts is not None else outcomes.due(session, day),
            late=0 if accounts is not None else outcomes.lateness(session, day),
            waiting=[one for one in waking.waiting(session, accounts) if one.run.bundle == bundle.fingerprint],
        )
        parts = list(shards(session, shard, accounts))
    looked = Looked()
    for part in parts:
        _look(store, bundle, at, part, known, columns, looked)
    return looked


def _look(
    store: Store,
    bundle: Bundle,
    at: datetime,
    part: Sequence[int],
    known: _Open,
    columns: Columns | None,
    looked: Looked,
) -> None:
    day, mine = (at - _EPOCH).days, frozenset(part)
    with store.read() as session:
        facts = load_facts(session, bundle, day, part, moment=at, late=known.late, columns=columns)
    evaluation = evaluate(bundle, facts)
    with store.begin() as session:
        queue(session, Queue.DECIDING)
        refuse_past(session, day)
        save_evaluation(session, bundle, evaluation)
    looked.proposals.append(propose(bundle, evaluation, known.past.inside))
    looked.judged += judge(bundle, evaluation, [one for one in known.due if one.account_id in mine])
    waiting = [one for one in known.waiting if one.run.account_id in mine]
    looked.seen |= waking.see(bundle, evaluation, waiting)
