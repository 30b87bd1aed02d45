"""Literals in conditions: what a value as written means beside a value of a known type."""

from collections.abc import Collection
from typing import NamedTuple

from engine.definitions.condition import Literal, Scalar
from engine.definitions.feature import ValueType
from engine.definitions.quantities import parse_date, parse_share
from engine.definitions.reading import listed, suggest
from engine.definitions.source import Node, ScalarNode


class Wrong(NamedTuple):
    """Why a literal cannot stand where it stands: code, sentence, hint."""

    code: str
    message: str
    hint: str


def read_literal(
    node: Node, expected: ValueType | None, owner: str, words: Collection[str] | None, *, strict: bool
) -> Literal | Wrong:
    """Read a literal that stands beside a value of the type ``expected`` (None: nothing is known of the other side).

    ``owner`` is the name it is compared with, ``words`` the only texts that name can be equal to. ``strict``: a share
    beside a number (or the reverse) is a slip; where the other side is a calculation it may be meant.
    """
    if not isinstance(node, ScalarNode) or node.is_empty:
        return Wrong("J007", "a value must be written here", 'use "missing" to ask whether a value is absent')
    value, type_ = literal_value(node, expected, strict=strict)
    if value is None:
        whose = f'"{owner}" is {spoken(type_)}, but' if owner else f"{spoken(type_)} is needed here, but"
        return Wrong("J007", f"{whose} {node.text[:60]} is not", literal_hint(node, type_))
    if words is not None and value not in words:
        hint = suggest(node.text, words) or f"it is {listed(sorted(words)) or 'always missing'}"
        return Wrong("J009", f'"{owner}" is never "{node.text[:60]}"', hint)
    return Literal(value, type_)


def literal_value(node: ScalarNode, expected: ValueType | None, *, strict: bool) -> tuple[Scalar | None, ValueType]:
    """A literal's value and type. ``strict``: a share beside a number (or the reverse) is a slip, not a ratio."""
    percent, plain = parse_share(node.text), node.number
    match expected:
        case ValueType.TEXT:
            return (node.text if node.quoted or (plain is None and node.truth is None) else None), expected
        case ValueType.BOOLEAN:
            return node.truth, expected
        case ValueType.DATE:
            return (node.text if parse_date(node.text) else None), expected
        case ValueType.SHARE:
            return (
                percent if percent is not None else plain if plain is not None and abs(plain) <= 1 else None
            ), expected
        case ValueType.NUMBER:
            return (plain if plain is not None or strict else percent), expected
    if node.truth is not None:
        return node.truth, ValueType.BOOLEAN
    if plain is not None:
        return plain, ValueType.NUMBER
    if percent is not None:
        return percent, ValueType.SHARE
    return node.text, ValueType.DATE if parse_date(node.text) else ValueType.TEXT


def literal_hint(node: ScalarNode, type_: ValueType) -> str:
    """How a literal of the type would be written."""
    match type_:
        case ValueType.SHARE:
            return f'write "{node.text}%"' if node.number is not None else 'write it as "40%"'
        case ValueType.NUMBER:
            return f'write "{node.text.rstrip("% ")}"' if parse_share(node.text) is not None else ""
        case ValueType.TEXT:
            return f'write "{node.text}" in quotes'
        case ValueType.DATE:
            return "write it as 2027-03-01"
        case ValueType.BOOLEAN:
            return "write true or false"


def spoken(type_: ValueType) -> str:
    """A type as a person says it."""
    words = {ValueType.BOOLEAN: "a yes or no"}
    return words.get(type_, f"a {type_.value}")
