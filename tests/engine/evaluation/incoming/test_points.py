"""The quick ways of reading points and the exact ones say the same."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.errors import BadData
from engine.evaluation.incoming import delimited, points
from engine.evaluation.incoming.faults import Faults
from engine.evaluation.incoming.points import PointBlock, read_points
from engine.evaluation.incoming.rows import Format

Said = tuple[list[tuple[Any, ...]], list[tuple[str, int, str]]]
words = st.sampled_from(["acme", "a b", " zeta ", "käse", "1", "-2.5", "1e3", "", "true", "1_0", "nan", "2026-03-01"])


def rows(block: PointBlock) -> list[tuple[Any, ...]]:
    nobody = [""] * len(block)
    named = [[each or "" for each in column or nobody] for column in (block.contacts, block.products)]
    columns = (block.accounts, block.metrics, block.days, block.values, *named)
    return list(zip(*columns, map(block.place, range(len(block))), strict=True))


def said(body: str, form: Format) -> Said:
    faults = Faults()
    try:
        found = [row for block in read_points([body.encode()], form, faults) for row in rows(block)]
    except BadData as error:
        return [], [(row.code, row.line, row.column) for row in error.rows]
    return found, [(row.code, row.line, row.column) for row in faults.rows]


@given(cells=st.lists(st.lists(words, min_size=3, max_size=5), max_size=6))
def test_plain_csv_is_cut_as_the_csv_reader_would(cells: list[list[str]]) -> None:
    plain = "account,metric,day,value\n" + "".join(",".join(line) + "\n" for line in cells)
    wide = [line for line in cells if len(line) == 4]
    found, faults = said(plain, Format.CSV)
    assert [list(row[:4]) for row in found] == wide
    assert len(faults) == len(cells) - len(wide)
    assert [row[6].line for row in found] == [n for n, line in enumerate(cells, 2) if len(line) == 4]


@given(cells=st.lists(st.lists(words, min_size=4, max_size=4), min_size=1, max_size=6))
def test_quotes_change_nothing_but_the_way_it_is_read(cells: list[list[str]]) -> None:
    head = "account,metric,day,value\n"
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(cells)
    plain = head + "".join(",".join(line) + "\n" for line in cells)
    assert delimited._plain(2, plain.removeprefix(head), 4) is not None
    assert delimited._plain(2, written.getvalue(), 4) is None
    assert _floats(said(plain, Format.CSV)) == _floats(said(head + written.getvalue(), Format.CSV))


def test_a_line_end_inside_quotes_keeps_the_line_numbers_right() -> None:
    body = 'account,metric,day,value\n"ac\nme",seats,2026-03-01,1\nzeta,seats,2026-03-01,2\n'
    found, _ = said(body, Format.CSV)
    assert [(row[0], row[6].line) for row in found] == [("ac\nme", 3), ("zeta", 4)]


keys = st.sampled_from(["account", "metric", "day", "value", "contact", "product", "more"])
values = st.one_of(words, st.none(), st.booleans(), st.integers(-5, 5), st.floats(-9, 9), st.just([1]))
full = st.fixed_dictionaries(dict.fromkeys(("account", "metric", "day"), words) | {"value": values})
objects = st.one_of(full, st.dictionaries(keys, values, max_size=5), st.integers())


@given(lines=st.lists(objects, min_size=1, max_size=6))
@pytest.mark.parametrize("form", [Format.NDJSON, Format.JSON])
def test_the_quick_json_reader_says_what_the_exact_one_says(form: Format, lines: list[Any]) -> None:
    body = "\n".join(map(json.dumps, lines)) if form is Format.NDJSON else json.dumps({"points": lines})
    quick = said(body, form)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(points, "_quickly", lambda block, form, numbers: None)
        assert _floats(quick) == _floats(said(body, form))


def _floats(found: Said) -> tuple[Sequence[Any], Sequence[Any]]:
    """Numbers as texts, so that 1 and 1.0 and not-a-number are what they were written as."""
    kept, faults = found
    return [tuple(map(_as_text, row)) for row in kept], faults


def _as_text(value: Any) -> Any:
    return str(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value
