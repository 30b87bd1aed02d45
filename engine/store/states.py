"""Signal states: what every signal says of an account, and what it said before the day it was looked at last.

They are packed, one row per account. The states of before stay in the row, so that a day can be evaluated any number
of times: each time it continues from the day before, never from what it said itself a moment ago. That is why a cycle
over what has changed comes to the same as a cycle over everything.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.evaluation.evaluation import Evaluation
from engine.evaluation.facts import Before, Subjects
from engine.evaluation.remembering import last_known, lengthened, since
from engine.store.account_columns import rows_of
from engine.store.bulk import upsert
from engine.store.decision_tables import SignalStatesRow
from engine.store.name_lists import names_of, number_of
from engine.store.packing import rows_of_bytes
from engine.store.plain_rows import plain_rows
from engine.store.subject_ranges import of_subjects

_PAST: Final = [("was_verdict", "i1"), ("was_known", "i1"), ("was_since", "<i4"), ("was_history", "<i4")]
STATE: Final = np.dtype(
    [("verdict", "i1"), ("known", "i1"), ("since", "<i4"), ("history", "<i4"), ("value", "<f8"), *_PAST]
)
"""One signal of one account. ``known``: the last verdict that was not unknown; ``value``: what was measured."""

States: TypeAlias = NDArray[np.void]


@dataclass(frozen=True, slots=True)
class State:
    """One signal of one account, for people to read. ``value`` is None where it was not measured."""

    account_id: int
    rule: str
    signal: str
    verdict: int
    known: int
    since: int
    value: float | None


def save(session: Session, evaluation: Evaluation) -> None:
    """Write the states of the evaluated accounts; the same day again replaces them."""
    before, day, ids = evaluation.facts.before, evaluation.facts.at, evaluation.facts.accounts.ids
    table: States = np.zeros((len(ids), len(evaluation.signals)), dtype=STATE)
    for at, (name, observed) in enumerate(evaluation.signals.items()):
        column, verdicts = table[:, at], observed.verdicts
        column["verdict"], column["value"] = verdicts, observed.values
        column["known"] = last_known(verdicts, before.firing.get(name))
        column["since"] = since(verdicts, before, name, day)
        column["history"] = lengthened(before.history.get(name), observed.remembered)
        column["was_verdict"], column["was_known"] = before.verdicts.get(name, 0), before.firing.get(name, 0)
        column["was_since"], column["was_history"] = before.since.get(name, -1), before.history.get(name, 1)
    number = number_of(session, list(evaluation.signals))
    columns = {
        "account_id": ids.tolist(),
        "day": [day] * len(ids),
        "names_id": [number] * len(ids),
        "packed": rows_of_bytes(table),
    }
    upsert(session, SignalStatesRow, columns)


def load(session: Session, names: Sequence[str], subjects: Subjects, at: int) -> Before:
    """What the signals of these names said before day ``at``; never observed where they were not."""
    size = (len(names), len(subjects))
    nothing = {"verdict": (np.int8, 0), "known": (np.int8, 0), "since": (np.int64, -1), "history": (np.int64, 1)}
    tables: dict[str, NDArray[Any]] = {name: np.full(size, empty, dtype) for name, (dtype, empty) in nothing.items()}
    for listed, days, ids, packed in _stored(session, subjects):
        rows = rows_of(subjects.ids, ids)
        kept = (rows >= 0) & (days <= at)
        places = [(at, names.index(name)) for at, name in enumerate(listed) if name in names]
        for field, table in tables.items():
            past = _past(packed[kept], field, days[kept] == at)
            for place, name in places:
                table[name, rows[kept]] = past[:, place]
    by_name = {field: dict(zip(names, table, strict=True)) for field, table in tables.items()}
    return Before(by_name["known"], by_name["verdict"], by_name["since"], by_name["history"])


def _past(packed: States, field: str, again: NDArray[np.bool_]) -> NDArray[Any]:
    """A field as it was before the day; where the day is looked at ``again`` that is kept beside what it said."""
    now = np.ascontiguousarray(packed[field])
    if again.any():
        now[again] = packed[f"was_{field}"][again]
    return now


def of_accounts(session: Session, account_ids: Collection[int]) -> list[State]:
    """The present states of some accounts, by account and in the order of the definitions."""
    subjects = Subjects(np.array(sorted(account_ids), dtype=np.int64), ())
    found: list[State] = []
    for names, _, ids, packed in _stored(session, subjects):
        for place, name in enumerate(names):
            rule, _, signal = name.rpartition(".")
            for account, one in zip(ids.tolist(), packed[:, place].tolist(), strict=True):
                verdict, known, began, _, value, *_ = one
                measured = None if np.isnan(value) else value
                found.append(State(account, rule, signal, verdict, known, began, measured))
    return found


def firing(session: Session, account_ids: Collection[int]) -> Mapping[str, frozenset[int]]:
    """``<rule>.<signal>`` → which of these accounts it fires for now."""
    found: dict[str, frozenset[int]] = {}
    for names, _, ids, packed in _stored(session, Subjects(np.array(sorted(account_ids), dtype=np.int64), ())):
        for place, name in enumerate(names):
            now = ids[packed["verdict"][:, place] > 0].tolist()
            found[name] = found.get(name, frozenset()) | frozenset(now)
    return found


def _stored(session: Session, subjects: Subjects) -> list[tuple[tuple[str, ...], Any, Any, States]]:
    """Per list of names: the names, days int64[K], accounts int64[K] and states [K, S] of rows that have it."""
    query = select(SignalStatesRow.names_id, SignalStatesRow.day, SignalStatesRow.account_id, SignalStatesRow.packed)
    by_list: dict[int, list[Any]] = {}
    for row in plain_rows(session, of_subjects(query, SignalStatesRow.account_id, subjects.ids)):
        by_list.setdefault(row[0], []).append(row)
    found = []
    for number, rows in sorted(by_list.items()):
        names = names_of(session, number)
        packed = np.frombuffer(b"".join(row[3] for row in rows), dtype=STATE).reshape(len(rows), len(names))
        days = np.array([row[1] for row in rows], dtype=np.int64)
        found.append((names, days, np.array([row[2] for row in rows], dtype=np.int64), packed))
    return found
