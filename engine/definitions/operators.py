"""The operators of JsonLogic that conditions may use, and what to say about those they may not."""

from collections.abc import Sequence
from typing import Final

from engine.definitions.reading import suggest
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode

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
    "<>": 'did you mean "!="?',
    "&&": 'did you mean "and"?',
    "||": 'did you mean "or"?',
    "between": 'write {"<=": [1, {var: name}, 5]}',
    **dict.fromkeys(("**", "^", "pow"), 'powers are written out with "*"'),
    **dict.fromkeys(("match", "regex", "contains", "starts_with"), 'texts are compared whole, with "==" or "in"'),
}
FORMULA: Final = 'for example {"/": [{var: one}, {var: other}]}'
EXAMPLE: Final = 'for example {">": [{var: name}, 5]}'


def wrong_count(operator: str, count: int) -> tuple[str, str] | None:
    """What is wrong with the number of operands, and a hint; None where the number fits."""
    low, high = OPERANDS[operator]
    if low <= count <= high and (operator != "if" or count % 2):
        return None
    wanted = f"{low}" if low == high else f"{low} or {high}" if high - low == 1 else f"at least {low}"
    if operator == "if":
        wanted = "a condition, then and otherwise: 3, 5 or more"
    if count > high > 3:
        wanted = f"at most {high}"
    hint = 'turn it round: "<" takes three' if operator in {">", ">="} and count == 3 else _example(operator)
    return (
        f'"{operator}" takes {wanted} operand{"" if wanted.endswith(" 1") or wanted == "1" else "s"}, not {count}',
        hint,
    )


def _example(operator: str) -> str:
    if operator in COMPARISONS:
        return f'for example {{"{operator}": [{{var: name}}, 5]}}'
    return f'for example {{"{operator}": [a, b]}}' if operator in {*ARITHMETIC, "and", "or"} else ""


def hint_for(operator: str) -> str:
    """What the author of an operator that is not there may have meant."""
    near = REFUSED.get(operator) or REFUSED.get(operator.lower()) or suggest(operator.strip().lower(), OPERANDS)
    return near or f"operators: {' '.join(OPERANDS)}"


def hint_for_list(node: ListNode) -> str:
    """What the author of a list that stands where a condition belongs may have meant."""
    first = node.items[0] if node.items else None
    if isinstance(first, ScalarNode) and first.text in OPERANDS:
        return f'write {{"{first.text}": [a, b]}}'
    if len(node.items) > 1 and isinstance(first, MapNode):
        return "join conditions with and / or: {and: [a, b]}"
    return "only `in` and operands are lists"


def operands_of(value: Node) -> Sequence[Node]:
    """The operands of an operator: a single one may stand without a list around it."""
    return value.items if isinstance(value, ListNode) else (value,)
