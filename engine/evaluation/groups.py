"""The groups (dimensions) of a score: what each is worth by itself, what it weighs and what it adds.

A group's score is its points over its share of the whole, so that share x score of the groups sum to the score; its
points are the whole micro-points of its lines, so those sum exactly.
"""

from dataclasses import dataclass

from engine.definitions.scorecard import Scorecard
from engine.evaluation.explaining import AccountScore
from engine.evaluation.wording import points, share
from engine.terms import MICRO


@dataclass(frozen=True, slots=True)
class Group:
    """One dimension of one account's score. ``weight`` as the scorecard says, ``share`` as it was; ``score`` 0–100,
    None where nothing of the group has a say; ``micro``: its points; ``sentence`` to read aloud."""

    name: str
    weight: float
    share: float
    score: float | None
    micro: int
    sentence: str


def groups(card: Scorecard, score: AccountScore) -> tuple[Group, ...]:
    """The groups of a score in the order of the scorecard; their points sum to the computed score."""
    lines = {line.metric: line for line in score.lines}
    found = []
    for dimension in card.dimensions:
        mine = [lines[metric.name] for metric in dimension.metrics if metric.name in lines]
        part, micro = sum(line.share for line in mine), sum(line.contribution for line in mine)
        worth = micro / MICRO / part if part > 0 and score.computed is not None else None
        title = dimension.name.replace("_", " ").capitalize()
        sentence = f"{title}: {'nothing of it has a say' if score.computed is not None else 'no score'}"
        if worth is not None:
            mark = points(round(worth * MICRO))
            sentence = f"{title}: {mark} of 100 x {share(round(part, 6))} = {points(micro)} points"
        found.append(Group(dimension.name, dimension.weight, part, worth, micro, sentence))
    return tuple(found)
