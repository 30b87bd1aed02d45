"""Comparing accounts with each other: percentile ranks inside a cohort.

``100 x count(v <= x) / N`` over the known values of the cohort (``>=`` where lower is better), so a mark of 10 means
the bottom tenth, ties share a mark, and who is unknown stays outside N. Ranks hide a fall of everybody at once: what
uses them has an absolute floor beside them. A cohort of fewer than `SMALLEST` known values says nothing.
"""

from collections.abc import Iterator, Mapping
from typing import Literal as Choice, TypeAlias

import numpy as np

from engine.definitions.feature import Feature
from engine.evaluation.columns import Flags, Floats, Ints, Texts
from engine.evaluation.features import Features, ranks
from engine.evaluation.seen import SMALLEST as SMALLEST

Among: TypeAlias = Choice["all", "segment", "stage"]


def gather(feature: Feature, among: Among, features: Features) -> Mapping[str, Floats]:
    """The known values of each cohort, ascending, by the cohort's word."""
    values, (codes, words) = features.value(feature), _cohorts(among, features)
    return {word: np.sort(values[(codes == code) & ~np.isnan(values)]) for code, word in enumerate(words)}


def rank(feature: Feature, among: Among, features: Features, *, lower_is_better: bool) -> Floats:
    """Each account's percentile mark among its peers, float64[N]; NaN where its value or its cohort is unknown."""
    values, marks = features.value(feature), np.full(features.size, np.nan)
    for mine, others in compared(feature, among, features):
        marks[mine] = ranks(values[mine], lower_is_better=lower_is_better, among=others)
    return marks


def compared(feature: Feature, among: Among, features: Features) -> Iterator[tuple[Flags, Floats]]:
    """Each cohort that is large enough: which rows are in it, bool[N], and its known values, ascending."""
    peers = features.facts.peers
    known = None if peers is None else peers.values.get((feature.name, among))
    cohorts = gather(feature, among, features) if known is None else known
    codes, words = _cohorts(among, features)
    for code, word in enumerate(words):
        others = cohorts.get(word, np.zeros(0))
        if len(others) >= SMALLEST:
            yield codes == code, others


def _cohorts(among: Among, features: Features) -> tuple[Ints, tuple[str, ...]]:
    if among == "all":
        return np.zeros(features.size, dtype=np.int64), ("",)
    column = features.get(f"account.{among}")
    if isinstance(column, Texts):
        return column.codes, column.words
    return np.full(features.size, -1, dtype=np.int64), ()
