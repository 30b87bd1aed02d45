"""A seeded set of conditions and columns: 100 conditions over 20 numbers, 6 texts and 4 flags, 12 of them with gaps.

The conditions look like those of a large rule set: two to five clauses under and / or, some of them negated, three
quarters comparing numbers with limits, some with arithmetic, the others about words and flags. The columns hold no
names: they are drawn, so every run of a seed is the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.random import Generator

from engine.definitions.condition import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    In,
    Literal,
    Missing,
    Not,
    Tree,
    Var,
)
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Column, Numbers, Texts

NUMBER, TEXT, FLAG = ValueType.NUMBER, ValueType.TEXT, ValueType.BOOLEAN
NUMBERS: Final = tuple(f"number_{i}" for i in range(20))
TEXTS: Final = tuple(f"text_{i}" for i in range(6))
FLAGS: Final = tuple(f"flag_{i}" for i in range(4))
PARTIAL: Final = frozenset((*NUMBERS[:8], *TEXTS[:3], FLAGS[0]))
WORDS: Final = tuple(f"word {i}" for i in range(8))
GAPS: Final = 0.15
"""The share of the values of a column with gaps that are missing."""


def conditions(count: int = 100, seed: int = 7) -> list[Tree]:
    """``count`` different conditions."""
    rng = np.random.default_rng(seed)
    return [_condition(rng) for _ in range(count)]


def columns(size: int, seed: int = 11) -> dict[str, Column]:
    """The 30 columns for ``size`` accounts: float64, and int16 codes of 8 words."""
    rng = np.random.default_rng(seed)
    found: dict[str, Column] = {}
    for name in (*NUMBERS, *FLAGS):
        drawn = rng.integers(0, 2, size).astype(np.float64) if name in FLAGS else np.round(rng.normal(100, 30, size), 1)
        if name in PARTIAL:
            drawn[rng.random(size) < GAPS] = np.nan
        found[name] = Numbers(drawn)
    for name in TEXTS:
        codes: Any = rng.integers(0, len(WORDS), size, dtype=np.int16)  # any signed width will do
        if name in PARTIAL:
            codes[rng.random(size) < GAPS] = -1
        found[name] = Texts(codes, WORDS)
    return found


def records(of: Mapping[str, Column], rows: range) -> list[dict[str, float | bool | str]]:
    """Rows of columns as records; what is missing is left out."""
    return [{name: value for name in of if (value := _value(of[name], name, row)) is not None} for row in rows]


def _value(column: Column, name: str, row: int) -> float | bool | str | None:
    if isinstance(column, Texts):
        code = int(column.codes[row])
        return None if code < 0 else column.words[code]
    value = float(column.values[row])
    if np.isnan(value):
        return None
    return bool(value) if name in FLAGS else value


def _condition(rng: Generator) -> Tree:
    clauses = tuple(_clause(rng) for _ in range(rng.integers(2, 5)))
    if len(clauses) > 3:
        clauses = (AnyOf(clauses[:2]) if rng.random() < 0.5 else All(clauses[:2]), *clauses[2:])
    return All(clauses) if rng.random() < 0.7 else AnyOf(clauses)


def _clause(rng: Generator) -> Tree:
    kinds: list[tuple[float, Callable[[Generator], Tree]]] = [
        (0.56, _limit),
        (0.07, _reckoned),
        (0.17, _word),
        (0.11, lambda rng: Var(_one(rng, FLAGS), FLAG)),
        (0.06, lambda rng: Not(_limit(rng))),
        (0.03, lambda rng: Missing((_one(rng, sorted(PARTIAL)),))),
    ]
    drawn = rng.random()
    for share, made in kinds:
        if drawn < share:
            return made(rng)
        drawn -= share
    return _limit(rng)


def _limit(rng: Generator) -> Tree:
    name = _one(rng, NUMBERS)
    default = Literal(0.0, NUMBER) if name in PARTIAL and rng.random() < 0.1 else None
    return _compared(rng, Var(name, NUMBER, default), 100.0, 30.0)


def _reckoned(rng: Generator) -> Tree:
    one, other = Var(_one(rng, NUMBERS), NUMBER), Var(_one(rng, NUMBERS), NUMBER)
    match rng.integers(0, 4):
        case 0:
            return _compared(rng, Arithmetic("-", (one, other), NUMBER), 0.0, 42.0)
        case 1:
            return _compared(rng, Arithmetic("/", (one, Literal(7.0, NUMBER)), NUMBER), 14.0, 4.0)
        case 2:
            return _compared(rng, Arithmetic("max", (one, other), NUMBER), 115.0, 25.0)
    return _compared(rng, Arithmetic("/", (one, other), NUMBER), 1.0, 0.4)


def _compared(rng: Generator, left: Tree, center: float, spread: float) -> Tree:
    limit = round(float(rng.normal(center, spread * 0.8)), 1)
    return Compare(_one(rng, ("<", "<=", ">", ">=")), left, Literal(limit, NUMBER))


def _word(rng: Generator) -> Tree:
    text = Var(_one(rng, TEXTS), TEXT)
    if rng.random() < 0.5:
        return Compare(_one(rng, ("==", "!=")), text, Literal(_one(rng, WORDS), TEXT))
    chosen = rng.choice(len(WORDS), rng.integers(2, 4), replace=False)
    return In(text, tuple(Literal(WORDS[i], TEXT) for i in sorted(chosen)))


def _one(rng: Generator, of: Sequence[str]) -> str:
    return of[int(rng.integers(0, len(of)))]
