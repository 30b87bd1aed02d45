"""The operators of JsonLogic that conditions may use, and what to say about those they may not."""

from collections.abc import Sequence
from typing import Final

from engine.definitions.source import ListNode, Node

COMPARISONS: Final = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "==": "==", "===": "==", "!=": "!=", "!==": "!="}
ARITHMETIC: Final = ("+", "-", "*", "/", "%", "min", "max")
OPERANDS: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys(("<", "<="), (2, 3)),
    **dict.fromkeys((">", ">=", "==", "===", "!=", "!==", "in", "/", "%"), (2, 2)),
    **dict.fromkeys(("+", "*", "min", "max"), (2, 100)),
    **dict.fromkeys(("and", "or", "missing"), (1, 100)),
    **dict.fromkeys(("!", "!!"), (1, 1)),
    **dict.fromkeys(("var", "-"), (1, 2)),
    "if": (3, 99),
}
REFUSED: Final = {
    "log": "conditions cannot write logs",
    "method": "conditions cannot call methods",
    **dict.fromkeys(("map", "filter", "reduce", "all", "some", "none"), "use a feature such as .mean_30d, or a signal"),
    **dict.fromkeys(("cat", "substr", "merge"), "conditions compare values; they do not build texts or lists"),
    "missing_some": 'write "missing" with "or"',
    "gt": 'did you mean ">"?',
    "gte": 'did you mean ">="?',
    "lt": 'did you mean "<"?',
    "lte": 'did you mean "<="?',
    "eq": 'did you mean "=="?',
    "=": 'did you mean "=="?',
    "not": 'did you mean "!"?',
}


def wrong_count(operator: str, count: int) -> tuple[str, str] | None:
    """What is wrong with the number of operands, and a hint; None where the number fits."""
    low, high = OPERANDS[operator]
    if low <= count <= high and (operator != "if" or count % 2):
        return None
    wanted = f"{low}" if low == high else f"{low} or {high}" if high - low == 1 else f"at least {low}"
    if operator == "if":
        wanted = "a condition, then and otherwise: 3, 5 or more"
    hint = 'turn it round: "<" takes three' if operator in {">", ">="} and count == 3 else ""
    return f'"{operator}" takes {wanted} operand{"" if wanted == "1" else "s"}, not {count}', hint


def operands_of(value: Node) -> Sequence[Node]:
    """The operands of an operator: a single one may stand without a list around it."""
    return value.items if isinstance(value, ListNode) else (value,)
