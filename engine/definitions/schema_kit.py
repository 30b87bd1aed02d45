"""The parts JSON Schemas are made of: what an editor may be told about a value before the readers see it.

A schema lets an editor complete keys and words and underline slips while somebody types. It says less than `check`,
never more: names, types of metrics and what must go together are known to the readers alone. Closed lists of words
come from the readers themselves.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from engine.definitions.operators import OPERANDS

Schema: TypeAlias = dict[str, Any]

TEXT: Final[Schema] = {"type": "string"}
NAME: Final[Schema] = {"type": "string", "pattern": "^[a-z][a-z0-9_]*(-[a-z0-9_]+)*$", "maxLength": 60}
FEATURE: Final[Schema] = {"type": "string", "description": "a metric, or one seen through a window: logins.mean_30d"}
NUMBER: Final[Schema] = {"type": "number"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
TRUTH: Final[Schema] = {"type": "boolean"}
DAY: Final[Schema] = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
SHARE: Final[Schema] = {"type": "string", "pattern": "^ *[-+]?[0-9]+(\\.[0-9]+)? ?% *$"}
AMOUNT: Final[Schema] = {"anyOf": [NUMBER, SHARE]}
LENGTH: Final[Schema] = {
    "type": "string",
    "pattern": "^ *[0-9]+(\\.[0-9]+)? ?(d|h|days?|hours?|working days?|working hours?) *$",
    "description": "7d, 36h, 3 working days or 4 working hours",
}
HOURS: Final[Schema] = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]$"}
SCALE: Final[Schema] = {"type": "string", "pattern": "^[0-9]+-[0-9]+$", "description": "lowest to highest: 1-5"}
CONDITION: Final[Schema] = {"$ref": "#/$defs/condition"}
FORMAT: Final[Schema] = {"const": 1}


def mapping(required: Iterable[str] = (), /, **properties: Schema) -> Schema:
    """A mapping with these keys and no others. A key that is a word of Python is written with ``_`` at its end."""
    named = {key.removesuffix("_"): value for key, value in properties.items()}
    return {"type": "object", "properties": named, "required": list(required), "additionalProperties": False}


def names(value: Schema) -> Schema:
    """A mapping whose keys are names the author chose."""
    return {"type": "object", "additionalProperties": value}


def words(options: Iterable[str]) -> Schema:
    """One of a closed list of words."""
    return {"enum": [str(option) for option in options]}


def lists(item: Schema) -> Schema:
    """A list; a single text may stand alone."""
    return {"anyOf": [{"type": "array", "items": item}, item]}


def items(item: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": item}


def either(*ways: Schema) -> Schema:
    """One of several shapes."""
    return {"anyOf": list(ways)}


def told(schema: Schema, description: str) -> Schema:
    """The same, with a sentence that editors show."""
    return {**schema, "description": description}


def document(title: str, schema: Schema, definitions: Mapping[str, Schema] | None = None) -> Schema:
    """A whole file of one kind."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **schema,
        "$defs": {**_CONDITION, **(definitions or {})},
    }


_CONDITION: Final[dict[str, Schema]] = {
    "condition": {
        "description": 'JsonLogic: {"<": [{var: active_users}, 10]}',
        "type": "object",
        "properties": {operator: {"$ref": "#/$defs/operands"} for operator in OPERANDS},
        "additionalProperties": False,
        "minProperties": 1,
        "maxProperties": 1,
    },
    "operand": {"anyOf": [{"$ref": "#/$defs/condition"}, {"type": ["string", "number", "boolean"]}]},
    "operands": {
        "anyOf": [
            {"$ref": "#/$defs/operand"},
            {"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/operand"}, items(TEXT)]}},
        ]
    },
}
