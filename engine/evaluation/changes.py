"""Explaining a change of score: every micro-point of it, by metric and by what moved.

Value moved, data went missing or came back, weights shifted because of that, other accounts moved (ranks), the model
changed, a person's override. The parts are whole micro-points and sum to the change exactly; so do those of one metric
to what its contribution changed by.

Within one model the midpoint formula says how much of a change is the value's and how much the weight's. Where the
model itself changed, both days are scored by both models: the account's change is the mean of the two, and the rest is
the model's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor
from typing import TypeAlias

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Bounded, Rank, Scorecard, ScoredMetric, Spread
from engine.evaluation.change_sentences import headline, no_change, notes, override_sentence, part_sentence
from engine.evaluation.explaining import AccountScore, ScoreLine
from engine.terms import MICRO


class Moved(StrEnum):
    """What made a part of a change."""

    VALUE = "value"
    WENT_MISSING = "went_missing"
    CAME_BACK = "came_back"
    WEIGHTS = "weights"
    PEERS = "peers"
    MODEL = "model"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change in micro-points. ``metric`` is empty for an override."""

    metric: str
    moved: Moved
    micro: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Change:
    """A change between two days. ``micro`` (effective after minus before) is the sum of ``parts``, largest fall first.

    ``cause``: the metric that fell most, empty where none fell. Where one side has no score, ``micro`` is None and the
    headline says so. ``notes``: what else happened: the tier and why, marks at the end of their scale.
    """

    micro: int | None
    parts: tuple[Part, ...]
    cause: str
    headline: str
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it as lines to read aloud."""
        return "\n".join((self.headline, *(part.sentence for part in self.parts), *self.notes))


@dataclass(frozen=True, slots=True)
class Crossed:
    """The same account and days by the other model: the first day by the later one, the second by the earlier one."""

    before_by_later: AccountScore
    after_by_earlier: AccountScore


Lines: TypeAlias = Mapping[str, ScoreLine]
Pair: TypeAlias = tuple[ScoreLine | None, ScoreLine | None]


def explain_change(
    catalog: Catalog,
    before_card: Scorecard,
    before: AccountScore,
    card: Scorecard,
    after: AccountScore,
    crossed: Crossed | None = None,
) -> Change:
    """Decompose the change from ``before`` to ``after``; the two may be of different versions of the scorecard.

    ``crossed``: where those differ, the two days by the other version; without it what differs is all the model's.
    """
    said = notes(catalog, before_card, before, card, after)
    if before.computed is None or after.computed is None or before.effective is None or after.effective is None:
        return Change(None, (), "", no_change(before, after), said)
    cards = {metric.name: metric for metric in before_card.metrics} | {metric.name: metric for metric in card.metrics}
    earlier, later = _by_metric(before), _by_metric(after)
    days = [(earlier, later)]
    if crossed is not None:
        days = [(earlier, _by_metric(crossed.after_by_earlier)), (_by_metric(crossed.before_by_later), later)]
    elif _model(before_card) != _model(card):
        days = []
    found: list[Part] = []
    for name in dict.fromkeys([*later, *earlier]):
        pair = earlier.get(name), later.get(name)
        moved = _metric_parts(cards[name], pair, [(first.get(name), second.get(name)) for first, second in days])
        found += [
            Part(name, kind, micro, part_sentence(catalog, cards[name], kind.value, micro, *pair))
            for kind, micro in moved.items()
        ]
    person = (after.effective - after.computed) - (before.effective - before.computed)
    found.append(Part("", Moved.OVERRIDE, person, override_sentence(before, after, person)))
    parts = tuple(sorted((part for part in found if part.micro), key=lambda part: part.micro))
    micro, cause = after.effective - before.effective, _cause(parts)
    return Change(micro, parts, cause, headline(catalog, cards.get(cause), micro), said)


def _by_metric(score: AccountScore) -> Lines:
    return {line.metric: line for line in score.lines}


def _model(card: Scorecard) -> tuple[object, ...]:
    weighed = tuple((each.name, each.weight, each.metrics) for each in card.dimensions)
    return weighed, card.missing


def _metric_parts(metric: ScoredMetric, pair: Pair, pairs: list[Pair]) -> dict[Moved, int]:
    """What moved one metric's contribution: the mean over the models, the rest of it by the model itself."""
    total = _contribution(pair[1]) - _contribution(pair[0])
    exact: dict[Moved, float] = {}
    for before, after in pairs:
        for moved, micro in _moved(metric, before, after).items():
            exact[moved] = exact.get(moved, 0.0) + micro / len(pairs)
    rest = total - sum(exact.values())
    if len(pairs) != 1 and abs(rest) > 1e-3:
        exact[Moved.MODEL] = rest
    return _whole(exact, total)


def _moved(metric: ScoredMetric, before: ScoreLine | None, after: ScoreLine | None) -> dict[Moved, float]:
    """What moved a contribution inside one model, in micro-points; it sums to the change of the contribution."""
    total = float(_contribution(after) - _contribution(before))
    if before is None or after is None or not total:
        return {}
    is_silent = None in {before.normalised, after.normalised}
    if is_silent and isinstance(metric.normaliser, Bounded) and None not in {before.value, after.value}:
        return {Moved.VALUE: total}  # it went in or out of its bounds
    if before.normalised is None or after.normalised is None:
        if before.normalised is not None:
            return {Moved.WENT_MISSING: total}
        return {Moved.CAME_BACK if after.normalised is not None else Moved.WEIGHTS: total}
    by_peers = isinstance(metric.normaliser, Rank | Spread) and before.value == after.value
    kind = Moved.PEERS if by_peers else Moved.VALUE
    if abs(before.share - after.share) < 1e-12 and after.normalised != before.normalised:
        return {kind: total}  # what rounding left over belongs to the value that moved
    if after.normalised == before.normalised:
        return {Moved.WEIGHTS: total}
    value = (before.share + after.share) / 2 * (after.normalised - before.normalised) * MICRO
    return {kind: value, Moved.WEIGHTS: total - value}


def _contribution(line: ScoreLine | None) -> int:
    return line.contribution if line else 0


def _whole(exact: Mapping[Moved, float], total: int) -> dict[Moved, int]:
    """Whole numbers that sum to ``total``, each less than one from the exact one: by the largest remainder."""
    if not exact:
        return {Moved.MODEL: total} if total else {}
    found = {moved: floor(micro) for moved, micro in exact.items()}
    for moved in _by_remainder(exact, found)[: total - sum(found.values())]:
        found[moved] += 1
    return found


def _by_remainder(exact: Mapping[Moved, float], found: Mapping[Moved, int]) -> list[Moved]:
    return sorted(exact, key=lambda moved: (found[moved] - exact[moved], moved.value))


def _cause(parts: Iterable[Part]) -> str:
    sums: dict[str, int] = {}
    for part in parts:
        if part.metric:
            sums[part.metric] = sums.get(part.metric, 0) + part.micro
    lowest = min(sums, key=lambda name: (sums[name], name), default="")
    return lowest if lowest and sums[lowest] < 0 else ""
