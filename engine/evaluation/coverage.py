"""Whom we reach at an account: departments, seniority, the roles that matter, and newcomers who got going in time."""

from typing import Final

import numpy as np

from engine.definitions.catalog import Catalog, FromEvents
from engine.evaluation.columns import Column, Flags, Floats, Ints, Numbers, Texts
from engine.evaluation.facts import Facts
from engine.evaluation.happened import Entries, distinct, gathered

NONE_MISSING: Final = "none"
"""What a text of missing roles says where every role is reached."""


def reached(source: FromEvents, catalog: Catalog, facts: Facts, entries: Entries, size: int) -> Column:
    """What the events of a span reached at each account; contacts who have departed since do not count.

    Nobody reached is a true zero; somebody of whom the department (or seniority) is not known is unknown, unless
    somebody else's is.
    """
    here = entries.who >= 0
    here[here] = ~facts.contacts.departed[entries.who[here]]
    rows, who = entries.rows[here], entries.who[here]
    match source.count:
        case "roles":
            return Numbers(_roles(source.with_roles, facts, rows, who, size).mean(axis=0))
        case "missing roles":
            return _missing(source.with_roles, _roles(source.with_roles, facts, rows, who, size))
        case "departments":
            codes = _codes(facts, "department")[who]
            return Numbers(_known_or_none(distinct(rows, codes, size), rows, codes, size))
    codes = _ranks(catalog, facts)[who]
    highest = np.zeros(size, dtype=np.int64)
    np.maximum.at(highest, rows, codes + 1)
    return Numbers(_known_or_none(highest.astype(np.float64), rows, codes, size))


def share_in_time(source: FromEvents, facts: Facts, day: int) -> Floats:
    """The share of an account's contacts who had the event within ``within`` days of joining, float64[N].

    Judged are those whose time is up, who joined in the last ``over`` days (0: ever) and have not departed.
    """
    joined, people = facts.contacts.fields.get("joined_on"), facts.contacts
    if not isinstance(joined, Numbers):
        return np.full(len(facts.accounts), np.nan)
    entries = gathered(source, facts).between(0, day)
    named = entries.who >= 0
    first = np.full(len(people.ids), np.inf)
    np.minimum.at(first, entries.who[named], entries.days[named].astype(np.float64))
    judged = ~people.departed & holding(facts, source.with_roles) & (joined.values + source.within <= day)
    if source.over:
        judged &= joined.values > day - source.over
    done = judged & (first <= joined.values + source.within)
    size = len(facts.accounts)
    whole = np.bincount(people.account_rows[judged], minlength=size).astype(np.float64)
    return np.bincount(people.account_rows[done], minlength=size) / np.where(whole == 0, np.nan, whole)


def holding(facts: Facts, roles: tuple[str, ...]) -> Flags:
    """Which contacts hold one of ``roles``, bool[C]; all of them where no role is named."""
    held = facts.contacts.roles
    if not roles:
        return np.ones(len(held), dtype=np.bool_)
    kinds = {each: not each.isdisjoint(roles) for each in set(held)}
    return np.array([kinds[each] for each in held], dtype=np.bool_)


def _roles(roles: tuple[str, ...], facts: Facts, rows: Ints, who: Ints, size: int) -> Flags:
    """Which of the roles were reached at each account, bool[roles, size]."""
    found = np.zeros((len(roles), size), dtype=np.bool_)
    for place, role in enumerate(roles):
        found[place, rows[holding(facts, (role,))[who]]] = True
    return found


def _missing(roles: tuple[str, ...], found: Flags) -> Column:
    bits = (~found * (1 << np.arange(len(roles)))[:, None]).sum(axis=0)
    masks, codes = np.unique(bits, return_inverse=True)
    named = [[role for place, role in enumerate(roles) if mask >> place & 1] for mask in masks.tolist()]
    return Texts(codes.astype(np.int64), tuple(", ".join(each) or NONE_MISSING for each in named))


def _codes(facts: Facts, name: str) -> Ints:
    column = facts.contacts.fields.get(name)
    if isinstance(column, Texts):
        return column.codes
    return np.full(len(facts.contacts.ids), -1, dtype=np.int64)


def _ranks(catalog: Catalog, facts: Facts) -> Ints:
    """Each contact's seniority as its place in the catalog's list, the lowest 0; -1 where it is not known."""
    column = facts.contacts.fields.get("seniority")
    if not isinstance(column, Texts):
        return np.full(len(facts.contacts.ids), -1, dtype=np.int64)
    places = [catalog.seniority.index(word) if word in catalog.seniority else -1 for word in column.words]
    return np.array([*places, -1], dtype=np.int64)[column.codes]


def _known_or_none(found: Floats, rows: Ints, codes: Ints, size: int) -> Floats:
    unknown, known = (np.bincount(rows[part], minlength=size) > 0 for part in (codes < 0, codes >= 0))
    return np.where(unknown & ~known, np.nan, found)
