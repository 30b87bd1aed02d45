"""Rows of accounts and contacts turned into columns."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from engine.evaluation.columns import Column, Ints, Numbers, Texts
from engine.evaluation.facts import Contacts, Subjects

ACCOUNT_NUMBERS = ("arr", "stage_since", "onboarded_on", "renewal_on", "notice_on")
ACCOUNT_TEXTS = ("key", "name", "owner", "stage")

AccountColumns: TypeAlias = Mapping[str, Sequence[Any]]
"""Accounts by column: ``id``, ``parent_id``, ``fields``, `ACCOUNT_NUMBERS`, `ACCOUNT_TEXTS`."""

_NO_PARENTS: Final[Mapping[int, str]] = MappingProxyType({})


def account_fields(accounts: AccountColumns, parents: Mapping[int, str] = _NO_PARENTS) -> dict[str, Column]:
    """The account's own columns, and whatever further fields the data people push, each of one type. ``parents``: keys
    of parent accounts by id."""
    found: dict[str, Column] = {name: numbers(accounts[name]) for name in ACCOUNT_NUMBERS}
    found |= {name: texts([text or None for text in accounts[name]]) for name in ACCOUNT_TEXTS}
    found["parent"] = texts([None if parent is None else parents.get(parent) for parent in accounts["parent_id"]])
    pushed = accounts["fields"]
    for name in sorted({name for fields in pushed if fields for name in fields} - found.keys()):
        found[name] = column([fields.get(name) for fields in pushed])
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
