"""Reading the shape of a goal's line: straight, one step at its end, or the author's own points."""

from itertools import pairwise
from typing import Final, Literal as Choice, TypeAlias

from engine.definitions.fields import Fields
from engine.definitions.quantities import parse_share
from engine.definitions.reading import Ledger, share, word
from engine.definitions.source import MapNode, Node

Shape: TypeAlias = Choice["linear", "step", "points"]
Points: TypeAlias = tuple[tuple[float, float], ...]
WORDS: Final[tuple[Choice["linear", "step"], ...]] = ("linear", "step")


def read_shape(fields: Fields) -> tuple[Shape, Points]:
    """``shape: linear`` or ``step``, or how much of the way is asked for when: ``{25%: 10%, 50%: 40%}``.

    The line begins at 0 % of the way and ends, with the time, at 100 % of it; between points it is straight.
    """
    node = fields.find("shape")
    if node is None:
        return "linear", ()
    if not isinstance(node, MapNode):
        return word(node, WORDS, fields.ledger, '"shape"'), ()
    found = [(_time(key, fields.ledger), share(value, fields.ledger, '"shape"')) for key, value in node.entries]
    points = [(when, done) for when, done in found if when is not None and done is not None]
    whole = [(0.0, 0.0), *points, (1.0, 1.0)]
    if any(after[0] <= before[0] or after[1] < before[1] for before, after in pairwise(whole)):
        message = "the points of a goal's line must go on in time and never go back"
        fields.ledger.problem(node, 9, message, "write shape: {25%: 10%, 50%: 40%}; it begins at 0% and ends at 100%")
        return "linear", ()
    return ("points", tuple(points)) if points else ("linear", ())


def _time(key: Node, ledger: Ledger) -> float | None:
    text = getattr(key, "text", "")
    found = parse_share(text)
    if found is None or not 0 < found < 1:
        ledger.problem(key, 9, f'"{text}" is no part of the time', "write shape: {25%: 10%, 50%: 40%}")
        return None
    return found
