"""Rows of accounts and contacts turned into columns."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from engine.evaluation.columns import Column, Ints, Numbers, Texts
from engine.evaluation.facts import Contacts, Subjects

ACCOUNT_NUMBERS = ("arr", "stage_since", "onboarded_on", "renewal_on", "notice_on")
ACCOUNT_TEXTS = ("key", "name", "owner", "stage")

_NO_PARENTS: Final[Mapping[int, str]] = MappingProxyType({})


def account_fields(accounts: Sequence[Any], parents: Mapping[int, str] = _NO_PARENTS) -> dict[str, Column]:
    """The columns of accounts (rows of `AccountRow`, or of the columns named here), and whatever further fields the
    data people push, each of one type. ``parents``: keys of parent accounts by id."""
    found: dict[str, Column] = {}
    for name in ACCOUNT_NUMBERS:
        found[name] = numbers([getattr(row, name) for row in accounts])
    for name in ACCOUNT_TEXTS:
        found[name] = texts([getattr(row, name) or None for row in accounts])
    found["parent"] = texts([None if row.parent_id is None else parents.get(row.parent_id) for row in accounts])
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


def contact_columns(contacts: Sequence[Any], subjects: Subjects, at: int) -> Contacts:
    """The contacts of the accounts in ``subjects``, given as rows of their columns (``roles`` as JSON text); departed
    as of day ``at``."""
    owners = rows_of(subjects.ids, np.array([row.account_id for row in contacts], dtype=np.int64))
    kept = [row for row, owner in zip(contacts, owners.tolist(), strict=True) if owner >= 0]
    held = {text: frozenset(json.loads(text)) for text in {row.roles for row in kept}}
    departed = np.array([np.inf if row.departed_on is None else row.departed_on for row in kept], dtype=np.float64)
    return Contacts(
        ids=np.array([row.id for row in kept], dtype=np.int64),
        keys=tuple(row.key for row in kept),
        account_rows=owners[owners >= 0],
        roles=tuple(held[row.roles] for row in kept),
        departed=departed <= at,
        fields={
            "seniority": texts([row.seniority for row in kept]),
            "department": texts([row.department for row in kept]),
            "joined_on": numbers([row.joined_on for row in kept]),
        },
    )


def parsed(texts: Sequence[str]) -> list[Any]:
    """JSON texts as what they say, the same object for the same text: among many there are few different ones."""
    known: dict[str, Any] = {}
    for text in texts:
        if text not in known:
            known[text] = json.loads(text)
    return [known[text] for text in texts]


def rows_of(ids: Ints, wanted: Ints) -> Ints:
    """The row of each wanted id in ascending ``ids``; -1 where it is not among them."""
    if not len(ids):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, place, -1).astype(np.int64)
