"""From contacts and products to their account: how many, what share, the sum, the mean, the largest, the smallest."""

import numpy as np

from engine.definitions.catalog import Across, FromContacts
from engine.evaluation.columns import Flags, Floats, Ints, Numbers
from engine.evaluation.coverage import holding
from engine.evaluation.facts import Facts


def rolled(how: Across, owners: Ints, values: Floats, size: int) -> Floats:
    """The known values of each owner's subjects put together, float64[size]; NaN where none is known."""
    known = ~np.isnan(values)
    owners, values = owners[known], values[known]
    count = np.bincount(owners, minlength=size)
    if how in {"sum", "mean"}:
        total = np.bincount(owners, weights=values, minlength=size)
        return np.where(count == 0, np.nan, total if how == "sum" else total / np.maximum(count, 1))
    found = np.full(size, -np.inf if how == "max" else np.inf)
    (np.maximum if how == "max" else np.minimum).at(found, owners, values)
    return np.where(count == 0, np.nan, found)


def from_contacts(source: FromContacts, facts: Facts, values: Floats | None, day: int) -> Floats:
    """A metric made of contacts, per account. ``values``: the metric of each contact, float64[C]; None: none is
    looked at."""
    there, owners, size = counted(source, facts, day), facts.contacts.account_rows, len(facts.accounts)
    if values is None:
        return np.bincount(owners[there], minlength=size).astype(np.float64)
    there &= ~np.isnan(values)
    match = there & matching(source, values)
    number = np.bincount(owners[match], minlength=size).astype(np.float64)
    if source.give == "number":
        return number
    if source.give == "share":
        whole = np.bincount(owners[there], minlength=size)
        return number / np.where(whole == 0, np.nan, whole)
    found = rolled(source.give, owners[match], values[match], size)
    return np.nan_to_num(found) if source.give == "sum" else found


def counted(source: FromContacts, facts: Facts, day: int) -> Flags:
    """Which contacts are looked at as of ``day``, bool[C]: not departed, of the roles, and there already."""
    there = holding(facts, source.with_roles) & ~facts.contacts.departed
    joined = facts.contacts.fields.get("joined_on")
    return there & ~(joined.values > day) if isinstance(joined, Numbers) else there


def matching(source: FromContacts, values: Floats) -> Flags:
    """Of which contacts the metric is as the definition asks, bool[C]; this is what a *power user* is, for example."""
    match: Flags = ~np.isnan(values)
    if source.at_least is not None:
        match &= values >= source.at_least
    if source.below is not None:
        match &= values < source.below
    return match
