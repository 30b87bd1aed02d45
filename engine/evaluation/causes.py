"""The metric behind an account's last drop: the one whose contribution fell most within the last seven days."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.definitions.scorecard import Scorecard
from engine.evaluation.columns import Column, Floats, Ints, Texts
from engine.evaluation.facts import Before
from engine.evaluation.scoring import Scored
from engine.terms import MICRO

DROP: Final = 1 * MICRO
"""A score that fell by less than one point in seven days has not dropped."""


def causes(card: Scorecard, scored: Scored, before: Before) -> Texts:
    """The cause of each account's last drop, as metric names; an older drop's cause stays until the next one.

    Computed scores are compared, so that an override that begins or ends is nobody's fault.
    """
    words = tuple(metric.name for metric in card.metrics)
    kept, words = _kept(before.causes.get(card.name), words, len(scored.computed))
    contributions = before.contributions_week_ago.get(card.name)
    if not contributions:
        return Texts(kept, words)
    week_ago = np.sum(list(contributions.values()), axis=0)
    changes = _changes(card, scored, contributions)
    dropped = (scored.computed >= 0) & (week_ago - scored.computed >= DROP) & (changes.min(axis=1) < 0)
    return Texts(np.where(dropped, changes.argmin(axis=1), kept), words)


def _changes(card: Scorecard, scored: Scored, week_ago: Mapping[str, Floats]) -> Floats:
    none = np.zeros(len(scored.computed))
    earlier = [np.nan_to_num(week_ago.get(metric.name, none)) for metric in card.metrics]
    return np.asarray(scored.contributions - np.stack(earlier, axis=1), dtype=np.float64)


def _kept(column: Column | None, words: tuple[str, ...], size: int) -> tuple[Ints, tuple[str, ...]]:
    if not isinstance(column, Texts):
        return np.full(size, -1, dtype=np.int64), words
    known = {word: code for code, word in enumerate(words)}
    table = [known.setdefault(word, len(known)) for word in column.words]
    return np.array([*table, -1], dtype=np.int64)[column.codes], tuple(known)
