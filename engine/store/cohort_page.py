"""Read model: a metric of accounts beside those like them: is light use one account's trouble, or everybody's?"""

from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.cohorts import Cohort, Use, compare, describe
from engine.evaluation.columns import Texts
from engine.evaluation.replaying import customers
from engine.store.grouping import all_features, category, numbers_of


@dataclass(frozen=True, slots=True)
class Compared:
    """One account beside its cohort; ``value`` None where it is unknown."""

    key: str
    cohort: str
    value: float | None
    use: Use


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Every cohort of a metric, and how each customer's value is beside its own, lowest first, unknown last."""

    metric: str
    by: str
    light_below: float
    cohorts: tuple[Cohort, ...]
    accounts: tuple[Compared, ...]


def cohorts(
    session: Session,
    bundle: Bundle,
    day: int,
    metric: str,
    light_below: float,
    by: str = "segment",
    owner: str | None = None,
) -> Cohorts:
    """Compare all customers by ``metric`` among those of one ``by``; one owner's, or all, are listed.

    ``by``: a category of `engine.store.grouping`. Raises Refused for a metric or category that is not there.
    """
    features = all_features(session, bundle, day, [metric])
    here = np.flatnonzero(customers(features.facts))
    values, groups = numbers_of(features, metric)[here], category(features, by)
    groups = Texts(groups.codes[here], groups.words)
    uses = compare(values, groups, light_below)
    owners = features.get("account.owner")
    listed = []
    for at, row in enumerate(here.tolist()):
        mine = isinstance(owners, Texts) and owners.codes[row] >= 0 and owners.words[owners.codes[row]] == owner
        if owner is None or mine:
            code, value = int(groups.codes[at]), float(values[at])
            word = groups.words[code] if code >= 0 else ""
            known = None if np.isnan(value) else value
            listed.append(Compared(features.facts.accounts.keys[row], word, known, uses[at]))
    listed.sort(key=lambda one: (one.value is None, one.value or 0.0, one.key))
    return Cohorts(metric, by, light_below, describe(values, groups, light_below), tuple(listed))
