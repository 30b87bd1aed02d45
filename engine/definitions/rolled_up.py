"""The metric of an account that a scorecard of contacts or products brings along: ``score.<scorecard>``, rolled up.

Like the metrics of playbooks it is known from the file's names alone, before any definition is read, so that a
scorecard of accounts can score it and a condition can read it. Nobody can push it: its formula is the score itself.
"""

from typing import Final

from engine.definitions.catalog import Metric
from engine.definitions.condition import Condition, Var
from engine.definitions.feature import ValueType
from engine.definitions.source import MapNode, Node, ScalarNode

PREFIX: Final = "score."


def is_of_accounts(node: Node) -> bool:
    """Whether the file of a scorecard says nothing else than that it scores accounts."""
    return _text(node, "of") in {"", "account"}


def rolled_up_metric(node: Node) -> Metric | None:
    """The metric a scorecard's file brings along; None where its scores are not rolled up."""
    card, of = node.get("scorecard") if isinstance(node, MapNode) else None, _text(node, "of")
    way = node.get("roll_up") if isinstance(node, MapNode) else None
    if way is None or of not in {"contact", "product"} or not isinstance(card, ScalarNode):
        return None
    name = f"{PREFIX}{card.text}"
    return Metric(
        name=name,
        title=f"{card.text.replace('_', ' ').replace('-', ' ').capitalize()}, {_how(way)} of its {of}s",
        source="adoption",
        evidence="do",
        type=ValueType.NUMBER,
        better="higher",
        place=card.place,
        decimals=1,
        bears_on_value=_text(node, "desired_outcome"),
        formula=Condition({"var": name}, Var(name, ValueType.NUMBER), frozenset(), card.place),
    )


def _how(way: Node) -> str:
    if isinstance(way, MapNode):
        return f"the mean by {_text(way, 'weighted_by')}"
    return f"the {way.text}" if isinstance(way, ScalarNode) else "the scores"


def _text(node: Node, key: str) -> str:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found.text if isinstance(found, ScalarNode) else ""
