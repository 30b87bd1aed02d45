"""Rows of accounts and contacts turned into columns."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from sqlalchemy import Row

from engine.evaluation.columns import Column, Ints, Numbers, Texts
from engine.evaluation.facts import Contacts, Subjects
from engine.store.tables import AccountRow

ACCOUNT_NUMBERS = ("arr", "stage_since", "onboarded_on", "renewal_on")
ACCOUNT_TEXTS = ("key", "name", "owner", "stage")


ContactTuple: TypeAlias = Row[int, str, int, list[Any], int | None]
"""A contact's id, key, account, roles and day of departure."""


def account_fields(accounts: Sequence[AccountRow]) -> dict[str, Column]:
    """The account's own columns, and whatever further fields the data people push, each of one type."""
    found: dict[str, Column] = {}
    for name in ACCOUNT_NUMBERS:
        found[name] = numbers([getattr(row, name) for row in accounts])
    for name in ACCOUNT_TEXTS:
        found[name] = texts([getattr(row, name) or None for row in accounts])
    for name in sorted({name for row in accounts for name in row.fields} - found.keys()):
        found[name] = column([row.fields.get(name) for row in accounts])
    return found


def column(values: Sequence[Any]) -> Column:
    """A column of pushed values: numeric when every known value is, else text."""
    if all(value is None or isinstance(value, int | float) for value in values):
        return numbers(values)
    return texts([None if value is None else str(value) for value in values])


def numbers(values: Sequence[float | None]) -> Numbers:
    """A numeric column; None is unknown."""
    return Numbers(np.array([np.nan if value is None else value for value in values], dtype=np.float64))


def texts(values: Sequence[str | None]) -> Texts:
    """A text column; None is unknown."""
    words = sorted({value for value in values if value is not None})
    code = {word: number for number, word in enumerate(words)}
    return Texts(np.array([-1 if value is None else code[value] for value in values], dtype=np.int64), tuple(words))


def contact_columns(contacts: Sequence[ContactTuple], subjects: Subjects, at: int) -> Contacts:
    """The contacts of the accounts in ``subjects``; departed as of day ``at``."""
    owners = rows_of(subjects.ids, np.array([owner for _, _, owner, _, _ in contacts], dtype=np.int64)).tolist()
    kept = [(row, owner) for row, owner in zip(contacts, owners, strict=True) if owner >= 0]
    return Contacts(
        ids=np.array([row[0] for row, _ in kept], dtype=np.int64),
        keys=tuple(row[1] for row, _ in kept),
        account_rows=np.array([owner for _, owner in kept], dtype=np.int64),
        roles=tuple(frozenset(row[3]) for row, _ in kept),
        departed=np.array([row[4] is not None and row[4] <= at for row, _ in kept], dtype=np.bool_),
    )


def rows_of(ids: Ints, wanted: Ints) -> Ints:
    """The row of each wanted id in ascending ``ids``; -1 where it is not among them."""
    if not len(ids):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, -1).astype(np.int64)
