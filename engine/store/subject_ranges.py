"""Naming the accounts a query is about: few of them one by one, very many as the range they lie in."""

from typing import Final, TypeVarTuple

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from engine.evaluation.columns import Ints
from engine.store.naming import one_of

Ts = TypeVarTuple("Ts")
FEW: Final = 5_000
"""So many are named one by one. A range may hold others as well, so who asks looks at the ids that come back."""


def of_subjects(query: Select[*Ts], column: InstrumentedAttribute[int], ids: Ints) -> Select[*Ts]:
    """The query for the subjects of ascending ``ids``; where they are many, of the whole range they lie in."""
    if len(ids) <= FEW:
        return query.where(one_of(column, ids.tolist()))
    return query.where(column.between(int(ids[0]), int(ids[-1])))
