"""Scores of contacts and products rolled up into one number of their account, and which scorecard leads an account.

``worst`` is the lowest effective score among the account's subjects, ``mean`` their plain mean, ``weighted`` the mean
weighted by a metric of the same subjects (its ARR, its users). A subject without a score, or with an unknown or no
positive weight, has no say; an account none of whose subjects has one is unknown.

Of several scorecards of accounts, the one with the lowest priority that certainly applies leads: its score is *the*
score of the account. The others stay visible beside it.
"""

from collections.abc import Mapping

import numpy as np

from engine.definitions.feature import Feature, parse_feature
from engine.definitions.scorecard import Scorecard
from engine.evaluation.columns import Floats, Ints
from engine.evaluation.features import Features
from engine.evaluation.scoring import Scored
from engine.terms import MICRO


def roll_up(card: Scorecard, scored: Scored, features: Features) -> Floats:
    """One number per account, 0–100, float64[N], NaN unknown. ``features`` are over the subjects of ``card``."""
    how = card.roll_up
    accounts = features.over("account").size
    facts = features.facts
    owners = (facts.contacts if card.of == "contact" else facts.products).account_rows
    weights = np.ones(features.size)
    if how is not None and how.how == "weighted":
        weights = features.value(parse_feature(how.by) or Feature(how.by))
    says = (scored.effective >= 0) & (weights > 0)
    owners, points, weights = owners[says], scored.effective[says] / MICRO, weights[says]
    if how is not None and how.how == "worst":
        lowest = np.full(accounts, np.inf)
        np.minimum.at(lowest, owners, points)
        return np.where(np.isinf(lowest), np.nan, lowest)
    whole = np.bincount(owners, weights=weights, minlength=accounts)
    total = np.bincount(owners, weights=weights * points, minlength=accounts)
    return np.where(whole > 0, np.round(total / np.where(whole > 0, whole, 1.0), 12), np.nan)


def by_priority(cards: Mapping[str, Scorecard]) -> tuple[str, ...]:
    """The scorecards of accounts in the order in which they are asked: by priority, those without one last, by name."""
    own = [card for card in cards.values() if card.of == "account"]
    last = max((card.priority or 0 for card in own), default=0) + 1
    return tuple(card.name for card in sorted(own, key=lambda card: (_or(card.priority, last), card.name)))


def leading(cards: Mapping[str, Scorecard], scores: Mapping[str, Scored], size: int) -> Ints:
    """Which scorecard leads each account, int64[N] as an index into `by_priority`; -1 where none applies."""
    found = np.full(size, -1, dtype=np.int64)
    for at, name in enumerate(by_priority(cards)):
        found[(found < 0) & scores[name].applies] = at
    return found


def _or(priority: int | None, last: int) -> int:
    return last if priority is None else priority
