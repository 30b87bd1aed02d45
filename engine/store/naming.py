"""Naming very many rows in a query: their numbers go as one text, so the statement stays the same whoever is meant.

A thousand parameters cost more to bind than their rows to find, and a statement with numbers in it is compiled anew
each time.
"""

# ruff: noqa: S608  (constants around a place for a bound value)

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Listed(FunctionElement[int]):
    """The numbers of a text like ``1,2,3``, as rows."""

    name = "listed"
    inherit_cache = True


def one_of(column: ColumnElement[int] | InstrumentedAttribute[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """The condition that ``column`` is one of ``numbers``."""
    return column.op("IN", is_comparison=True)(_Listed(literal(",".join(map(str, numbers)), String)))


@compiles(_Listed, "sqlite")
def _sqlite(element: _Listed, compiler: SQLCompiler, **given: Any) -> str:
    return f"(SELECT value FROM json_each('[' || {compiler.process(element.clauses, **given)} || ']'))"


@compiles(_Listed, "postgresql")
def _postgresql(element: _Listed, compiler: SQLCompiler, **given: Any) -> str:
    listed = compiler.process(element.clauses, **given)
    return f"(SELECT unnest(CAST(string_to_array({listed}, ',') AS BIGINT[])))"
