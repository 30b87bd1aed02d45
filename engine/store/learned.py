"""Read models: what history teaches about an outcome, and whether it is for product or CS to do something about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.effect.backtest import sign_of
from engine.effect.foretold import follow
from engine.effect.patterns import Pattern, Suggested, patterns, ranking, suggest_goals
from engine.effect.ranked import Bearing, bearing
from engine.evaluation.columns import Numbers
from engine.store.backtests import Asked, live
from engine.store.book import read_book
from engine.store.from_above import standings

PRODUCT: Final = ("adoption", "feedback", "outcomes")
"""Metrics of these sources fall where the product does not do its part; those of the others where care does not."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What came before an outcome, which metrics tell it, and goals that history suggests. ``untested``: rules and
    scorecards that read what only today is known of."""

    outcome: str
    cutoffs: int
    customers: int
    happened: int
    patterns: tuple[Pattern, ...]
    metrics: tuple[tuple[str, Bearing], ...]
    goals: tuple[Suggested, ...]
    untested: tuple[str, ...]


def learn(session: Session, bundle: Bundle, asked: Asked, progress: Callable[[int], None] | None = None) -> Learned:
    """Replay history and see what stood out before the outcome. Raises Refused where nothing can be tested."""
    lived = live(session, bundle, asked, progress)
    past = lived.past
    cells = follow(lived.outcomes, past.days, past.here, asked.within)
    arr = lived.facts.fields.get("arr")
    money = arr.values if isinstance(arr, Numbers) else np.full(len(past.keys), np.nan)
    signs = {name: sign_of(bundle, name) for name in past.metrics}
    tested = {name: one for name, one in past.signals.items() if name.rpartition(".")[0] in lived.rules}
    return Learned(
        outcome=asked.outcome,
        cutoffs=len(past.days),
        customers=int(past.here.any(axis=0).sum()),
        happened=int((cells.happened & cells.known).any(axis=0).sum()),
        patterns=patterns(tested, cells),
        metrics=ranking({name: bearing(values, signs[name], cells, money) for name, values in past.metrics.items()}),
        goals=suggest_goals(past.metrics, signs, cells),
        untested=tuple(lived.untested),
    )


@dataclass(frozen=True, slots=True)
class Focus:
    """One metric behind falling scores: whose it is to do something (``side``: product or cs), how many accounts it
    pulled down, and what they pay in a year as far as that is known."""

    side: str
    metric: str
    title: str
    accounts: int
    arr: float


def focus(session: Session, bundle: Bundle, owner: str | None = None) -> Sequence[Focus]:
    """The causes of the scores that fell in the last 30 days, by side, those with the most revenue first."""
    book = read_book(session)
    known = standings(session, bundle, book)
    found: dict[str, list[float]] = {}
    for row in book.rows(owner):
        if known[book.keys[row]].falls and book.causes[row]:
            found.setdefault(book.causes[row], []).append(float(np.nan_to_num(book.arr[row])))
    metrics = bundle.catalog.metrics
    rows = [
        Focus(
            side="product" if metrics[name].source in PRODUCT else "cs",
            metric=name,
            title=metrics[name].title,
            accounts=len(paid),
            arr=sum(paid),
        )
        for name, paid in found.items()
        if name in metrics
    ]
    return sorted(rows, key=lambda one: (-one.arr, -one.accounts, one.metric))
