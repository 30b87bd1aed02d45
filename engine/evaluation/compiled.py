"""Many conditions at once: compiled into one program with shared nodes, and run over columns or for one row.

`compile_conditions` takes checked trees; the `Program` it gives answers for millions of rows (NumPy, in chunks that
stay in the cache), for a handful, and for a single record. It says cell for cell what
`engine.evaluation.program.evaluate_condition` says of each tree alone.

A program specialises itself on which columns have anything missing: complete ones need no second plane. The few
variants that come up are kept; buffers are kept as well and lent to one caller at a time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import nan
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from engine.definitions.condition import Tree, names_of, typed_names
from engine.definitions.feature import ValueType
from engine.evaluation.columns import Bytes, Column, Flags, Numbers, Planes, Texts
from engine.evaluation.program import evaluate_condition, same_words
from engine.evaluation.program_lowering import Lowering
from engine.evaluation.program_nodes import FALSE, TRUE, Graph, Input
from engine.evaluation.program_presence import Presence, has_gaps, kind_of
from engine.evaluation.program_scalars import Value, compile_scalars
from engine.evaluation.program_vectors import BLOCK, GapFound, Vectors, compile_vectors

Packed: TypeAlias = NDArray[np.uint8]

CHUNK: Final = 131_072
"""Rows at a time: 16 KiB a plane, so that hundreds of planes stay in the cache and a call costs less than its work."""
FEW: Final = 50
"""Below so many rows the Python function is quicker."""

_VARIANTS: Final = 16


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """What K conditions say of N rows: two bits a verdict, uint8[K, ceil(N / 8)] a plane, highest bit first."""

    size: int
    holds: Packed
    possible: Packed

    def planes(self, condition: int) -> Planes:
        """One condition's verdicts as bool[N] twice."""
        return Planes(_bits(self.holds[condition], self.size), _bits(self.possible[condition], self.size))

    def of(self, condition: int) -> Bytes:
        """One condition's verdicts, int8[N] of `engine.terms.Verdict`."""
        return self.planes(condition).verdicts


class Program:
    """Conditions as one program; made by `compile_conditions`. What it answers depends on the columns alone."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.trees = tuple(trees)
        self.names = tuple(sorted(frozenset[str]().union(*(names_of(tree) for tree in self.trees))))
        texts = {name for tree in self.trees for name, kind in typed_names(tree) if kind is ValueType.TEXT}
        self._declared = tuple(Presence.SOME_TEXTS if name in texts else Presence.SOME_NUMBERS for name in self.names)
        self._variants: dict[tuple[Presence, ...], _Variant] = {}

    def verdicts(self, columns: Mapping[str, Column], size: int) -> Verdicts:
        """What every condition says of ``size`` rows; a name without a column is unknown for all of them."""
        found = {name: column for name in self.names if (column := columns.get(name)) is not None}
        try:
            if size < FEW:
                kinds = tuple(kind_of(found.get(name)) for name in self.names)
                return _packed(self._variant(kinds).rows(found, size), len(self.trees), size)
            return self._over(found, size)
        except FloatingPointError:  # a number grew beyond every bound: rare, and the plain way knows what to say
            return self._plainly(found, size)

    def verdicts_of(self, record: Mapping[str, Value]) -> tuple[int, ...]:
        """What every condition says of one record: 1 holds, -1 fails, 0 unknown. Leave out what is missing.

        Numbers, yes or no and dates (days since 1970-01-01) are floats, texts are words.
        """
        try:
            return self._variant(self._declared).one(record)
        except FloatingPointError:
            columns = {name: _single(value) for name, value in record.items() if name in self.names}
            return tuple(int(evaluate_condition(tree, columns, 1).verdicts[0]) for tree in self.trees)

    def _over(self, columns: Mapping[str, Column], size: int) -> Verdicts:
        """Chunk by chunk, as if the columns had no gaps until one is seen: looking is cheapest just before use."""
        out = np.empty((2 * len(self.trees), -(-size // 8)), dtype=np.uint8)
        present = [kind_of(columns.get(name)).complete for name in self.names]
        variant, judge = None, None
        with np.errstate(all="ignore", over="raise"):
            for start in range(0, size, CHUNK):
                stop = min(start + CHUNK, size)
                bits = out[:, start // 8 : -(-stop // 8)]
                # What a variant watches itself needs no look before.
                if self._gaps(present, columns, start, stop, but=variant.watched if variant else frozenset()):
                    # A second surprise would mean a third variant: the rest is looked through at once.
                    self._gaps(present, columns, stop, size if start else stop)
                    variant = None
                if variant is None or judge is None:
                    variant = self._variant(self._kept(present))
                    judge = variant.chunks(columns)
                try:
                    judge(start, stop, bits)
                except GapFound:
                    self._gaps(present, columns, start, size)
                    variant = self._variant(self._kept(present))
                    judge = variant.chunks(columns)
                    judge(start, stop, bits)
        return Verdicts(size, out[: len(self.trees)], out[len(self.trees) :])

    def _gaps(
        self,
        present: list[Presence],
        columns: Mapping[str, Column],
        start: int,
        stop: int,
        but: frozenset[str] = frozenset(),
    ) -> bool:
        """Mark the columns that turn out to have gaps in these rows; whether there were any."""
        found = False
        for i, name in enumerate(self.names):
            complete = present[i] is not present[i].partial and name not in but
            if complete and has_gaps(columns[name], start, stop):
                present[i], found = present[i].partial, True
        return found

    def _kept(self, present: Sequence[Presence]) -> tuple[Presence, ...]:
        asked = tuple(present)
        if asked in self._variants or len(self._variants) < _VARIANTS:
            return asked
        return tuple(presence.partial for presence in present)

    def _variant(self, present: tuple[Presence, ...]) -> "_Variant":
        found = self._variants.get(present)
        if found is None:
            found = self._variants[present] = _Variant(self.trees, dict(zip(self.names, present, strict=True)))
        return found

    def _plainly(self, columns: Mapping[str, Column], size: int) -> Verdicts:
        every = [evaluate_condition(tree, columns, size) for tree in self.trees]
        holds, possible = ([getattr(one, plane) for one in every] for plane in ("holds", "possible"))
        return Verdicts(size, np.packbits(holds, axis=1), np.packbits(possible, axis=1))


def compile_conditions(trees: Sequence[Tree]) -> Program:
    """One program for all of these boolean trees, which answers them in their order."""
    return Program(trees)


class _Variant:
    """A program for columns of which it is known what can be missing. Functions are generated when first needed."""

    def __init__(self, trees: Sequence[Tree], present: Mapping[str, Presence]) -> None:
        self._graph = Graph()
        lowering = Lowering(self._graph, present)
        self._pairs = tuple(lowering.truth(tree) for tree in trees)
        self._missing: tuple[Value, ...] = tuple(None if each.text else nan for each in self._graph.inputs)
        self._lent: list[_Buffers] = []

    @cached_property
    def _scalars(self) -> Callable[[Sequence[Value]], tuple[int, ...]]:
        return compile_scalars(self._graph, self._pairs)

    @cached_property
    def _vectors(self) -> Vectors:
        return compile_vectors(self._graph, self._roots)

    @cached_property
    def watched(self) -> frozenset[str]:
        """The columns in which a gap would be noticed while they are judged."""
        return frozenset(self._graph.inputs[source].name for source in self._vectors.watched)

    @property
    def _roots(self) -> list[int]:
        return [pair.holds for pair in self._pairs] + [pair.possible for pair in self._pairs]

    def one(self, record: Mapping[str, Value]) -> tuple[int, ...]:
        """The verdicts of one record."""
        given = zip(self._graph.inputs, self._missing, strict=True)
        return self._scalars([record.get(each.name, missing) for each, missing in given])

    def rows(self, columns: Mapping[str, Column], size: int) -> list[tuple[int, ...]]:
        """The verdicts of every row of a few."""
        values = [_values(columns[each.name]) for each in self._graph.inputs]
        return [self._scalars(row) for row in (zip(*values, strict=True) if values else [()] * size)]

    def chunks(self, columns: Mapping[str, Column]) -> Callable[[int, int, Packed], None]:
        """A function that judges the rows from ``start`` to ``stop`` into bits: all certain planes, all possible ones.

        FloatingPointError where a number overflows.
        """
        arrays = [_array(each, columns) for each in self._graph.inputs]
        words = [_code(word, self._graph.inputs[source], columns) for source, word in self._vectors.words]
        constants = [(row, 255 if root == TRUE else 0) for row, root in enumerate(self._roots) if root in {TRUE, FALSE}]

        def judge(start: int, stop: int, out: Packed) -> None:
            buffers = self._lent.pop() if self._lent else _Buffers(self._vectors)
            given = [array[start:stop] for array in arrays]
            self._vectors.run(given, words, *buffers.of(stop - start), stop - start, out)
            for row, bits in constants:
                out[row] = bits
            self._lent.append(buffers)

        return judge


class _Buffers:
    """The memory of one call: floats, flags and bits of a chunk, made for the largest chunk seen so far."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._rows = 0
        self._given: tuple[Any, ...] = ()

    def of(self, rows: int) -> tuple[Any, ...]:
        """What the function of ``vectors`` is given for a chunk of ``rows``: floats to scratch."""
        if rows > self._rows:
            self._rows, bits, needed = rows, -(-rows // 8), self._vectors
            self._given = (
                [np.empty(rows) for _ in range(needed.floats)],
                [np.empty(rows, dtype=np.bool_) for _ in range(needed.plains)],
                [np.empty(bits, dtype=np.uint8) for _ in range(needed.packed)],
                [np.empty((count, bits), dtype=np.uint8) for count in needed.groups],
                np.empty((max(needed.groups, default=0), min(rows, BLOCK)), dtype=np.bool_),
                np.empty(rows, dtype=np.bool_),
            )
        floats, plains, packed, groups, block, scratch = self._given
        bits = -(-rows // 8)
        return (
            [each[:rows] for each in floats],
            [each[:rows] for each in plains],
            [each[:bits] for each in packed],
            [each[:, :bits] for each in groups],
            block,
            scratch[:rows],
        )


def _array(asked: Input, columns: Mapping[str, Column]) -> NDArray[Any]:
    column = columns[asked.name]
    if isinstance(column, Texts):
        into = columns.get(asked.into)
        return same_words(into, column)[1] if isinstance(into, Texts) else column.codes
    return column.values


def _code(word: str | None, asked: Input, columns: Mapping[str, Column]) -> NDArray[Any]:
    """The code of a word in the words of its column, as wide as these codes; -2 for one that is not among them."""
    column = columns[asked.name]
    codes, words = (column.codes, column.words) if isinstance(column, Texts) else (np.zeros(0, dtype=np.int8), ())
    code = 0 if word is None else words.index(word) if word in words else -2
    return np.array(code, dtype=codes.dtype)


def _values(column: Column) -> list[Value]:
    if isinstance(column, Texts):
        words = (*column.words, None)  # the last one answers code -1
        return [words[code] for code in column.codes.tolist()]
    values: list[Value] = column.values.tolist()
    return values


def _single(value: Value) -> Column:
    if isinstance(value, str):
        return Texts(np.zeros(1, dtype=np.int64), (value,))
    return Numbers(np.array([nan if value is None else value]))


def _packed(rows: list[tuple[int, ...]], count: int, size: int) -> Verdicts:
    verdicts = np.array(rows, dtype=np.int8).reshape(size, count).T
    return Verdicts(size, np.packbits(verdicts > 0, axis=1), np.packbits(verdicts >= 0, axis=1))


def _bits(packed: Packed, size: int) -> Flags:
    return np.unpackbits(packed, count=size).view(np.bool_)
