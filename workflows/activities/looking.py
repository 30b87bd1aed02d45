"""Evaluating a portfolio shard by shard: what a shard says is written at once, and only what deciding, judging and
waking need of it is kept.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence, Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.effect.outcome import DueOutcome, JudgedOutcome, judge
from engine.evaluation.evaluation import evaluate
from engine.evaluation.facts import Facts, Peers
from engine.evaluation.proposing import Proposal, propose
from engine.evaluation.reading import ranked
from engine.store import outcomes, peer_values, waking
from engine.store.accounts import shards
from engine.store.again import decided_again
from engine.store.columns import Columns
from engine.store.evaluations import refuse_past, save_evaluation
from engine.store.facts import load_facts
from engine.store.past import load_inside
from engine.store.peer_values import gathered, merged
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
    """What is open for all accounts that are looked at: who is inside (and decided on again), outcomes that are due,
    runs that wait."""

    inside: Mapping[str, AbstractSet[int]]
    again: Mapping[str, AbstractSet[int]]
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
            inside=load_inside(session, at, released, accounts),
            again=decided_again(session, at, accounts),
            due=[] if accounts is not None else outcomes.due(session, day),
            late=0 if accounts is not None else outcomes.lateness(session, day),
            waiting=[one for one in waking.waiting(session, accounts) if one.run.bundle == bundle.fingerprint],
        )
        parts = list(shards(session, shard, accounts))
    looking = _Shards(store, bundle, at, known, columns)
    peers = looking.peers(parts) if accounts is None and ranked(bundle) else None
    looked = Looked()
    for part in parts:
        looking.look(part, peers, looked)
    return looked


class _Shards:
    """Looks at one shard after the other; nothing of one stays in memory but what is kept of it."""

    def __init__(self, store: Store, bundle: Bundle, at: datetime, known: _Open, columns: Columns | None) -> None:
        self._store = store
        self._bundle = bundle
        self._at = at
        self._day = (at - _EPOCH).days
        self._known = known
        self._columns = columns

    def peers(self, parts: Sequence[Sequence[int]]) -> Peers:
        """What all accounts are compared with: a round of its own, as nobody can be compared before it is through."""
        found = merged((gathered(self._bundle, self._facts(part)) for part in parts), self._day)
        with self._writing() as session:
            peer_values.save(session, found)
        return found

    def look(self, part: Sequence[int], peers: Peers | None, looked: Looked) -> None:
        """Evaluate a shard, write what it says, and keep what is needed later. ``peers`` None: those that are kept."""
        facts, mine = self._facts(part), frozenset(part)
        evaluation = evaluate(self._bundle, facts if peers is None else replace(facts, peers=peers))
        with self._writing() as session:
            save_evaluation(session, self._bundle, evaluation)
        looked.proposals.append(propose(self._bundle, evaluation, self._known.inside, self._known.again))
        due = [one for one in self._known.due if one.account_id in mine]
        looked.judged += judge(self._bundle, evaluation, due)
        waiting = [one for one in self._known.waiting if one.run.account_id in mine]
        looked.seen |= waking.see(self._bundle, evaluation, waiting)

    def _facts(self, part: Sequence[int]) -> Facts:
        day, late = self._day, self._known.late
        with self._store.read() as session:
            return load_facts(session, self._bundle, day, part, moment=self._at, late=late, columns=self._columns)

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with self._store.begin() as session:
            queue(session, Queue.DECIDING)
            refuse_past(session, self._day)
            yield session
