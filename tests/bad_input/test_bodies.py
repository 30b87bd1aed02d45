"""Every body in this folder is answered with each place that is wrong, why, and what to do; and nothing is stored."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from engine.store.sessions import connect
from tests.bad_input.bodies import HERE, MEGABYTES, SECONDS, TYPES, Case, Door, cases, said

FLOORS = {"metric_json": 60, "ndjson": 30, "csv": 40}
ADVICE = re.compile(
    r"did you mean|\b(write|save|send|fill|take|leave|push|name|say|declare|close|put|pack|call|is the|is written)\b"
    r"|\b(belongs?|expected|there are|there must|must be|needs|it has|a point has|a row has|has 1 to 200|says what)\b"
    r"|is a line end missing|has happened|a longer text is|a row holds",
    re.IGNORECASE,
)
TRACE = re.compile(r"Traceback|File \"|sqlalchemy|sqlite3|Exception|msgspec")


@pytest.fixture(scope="module")
def door(sqlite_template: Path, catalog_text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    path = tmp_path_factory.mktemp("door") / "backcast.db"
    shutil.copyfile(sqlite_template, path)
    store = connect(f"sqlite:///{path}")
    yield Door(store, catalog_text)
    store.close()


def check(door: Door, case: Case) -> None:
    before = door.stored()
    answer, seconds = door.send_case(case)
    wanted = {name: case.expected[name] for name in ("status", "errors", "total", "detail") if name in case.expected}
    assert said(answer) == wanted
    assert answer.headers["content-type"] == "application/problem+json"
    assert 400 <= answer.status_code < 500
    assert seconds < SECONDS
    assert not TRACE.search(answer.text)
    for error in answer.json().get("errors", []) or [{"detail": answer.json()["detail"]}]:
        assert ADVICE.search(error["detail"]), f"what is to be done? {error['detail']}"
    assert door.stored() == before


@pytest.mark.parametrize("case", cases("metric_json"), ids=lambda case: case.name)
def test_a_bad_json_body_is_answered_with_pointers(door: Door, case: Case) -> None:
    """P14."""
    check(door, case)
    for error in case.expected.get("errors", []) if case.expected["status"] == 422 else []:
        assert error["pointer"].startswith("/")


@pytest.mark.parametrize("case", cases("ndjson"), ids=lambda case: case.name)
def test_a_bad_ndjson_body_is_answered_with_lines(door: Door, case: Case) -> None:
    """P14."""
    check(door, case)
    for error in case.expected["errors"] if case.expected["status"] == 422 else []:
        assert error["line"] >= 1


@pytest.mark.parametrize("case", cases("csv"), ids=lambda case: case.name)
def test_a_bad_csv_body_is_answered_with_lines_and_columns(door: Door, case: Case) -> None:
    """P14."""
    check(door, case)
    for error in case.expected["errors"] if case.expected["status"] == 422 else []:
        assert error["line"] >= 1


def test_there_are_enough_bodies_and_none_is_there_twice() -> None:
    for entry, floor in FLOORS.items():
        found = cases(entry)
        assert len(found) >= floor
        sent = {(case.path.read_bytes(), json.dumps(case.expected, sort_keys=True)) for case in found}
        assert len(sent) == len(found)
        assert len(list((HERE / entry).iterdir())) == 2 * len(found)


def test_all_of_them_together_take_little_memory() -> None:
    """P14: in a process of their own, so that nobody else's memory counts."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bad_input.bodies"]
    told = json.loads(subprocess.run(command, cwd=HERE.parents[1], capture_output=True, check=True).stdout)
    assert told["bodies"] == sum(len(cases(entry)) for entry in TYPES)
    assert told["megabytes"] < MEGABYTES
    assert told["worst_status"] < 500


GOOD = {
    "metric_json": b'{"points": [{"account":"acme","metric":"seats","day":"2026-03-01","value":7},'
    b'{"account":"ann","metric":"pulse","day":"2026-03-01","value":4.5}]}',
    "ndjson": b'{"account":"acme","metric":"seats","day":"2026-03-01","value":7}\n'
    b'{"account":"acme","metric":"plan","day":"2026-03-01","value":"gold"}\n',
    "csv": b'account,metric,day,value\nacme,seats,2026-03-01,7\n"acme",done,2026-03-01,40%\n',
}
edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 6),
        st.one_of(st.binary(max_size=3), st.sampled_from([b'"', b"{", b",", b"\n", b"\xff", b"\0", b"e9"])),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=120, deadline=None)
@given(entry=st.sampled_from(sorted(GOOD)), changes=edits)
def test_no_change_to_a_good_body_makes_the_server_fail(
    door: Door, entry: str, changes: list[tuple[float, int, bytes]]
) -> None:
    """P14: bytes taken out of good bodies and others put in."""
    body = GOOD[entry]
    for where, cut, put in changes:
        place = int(where * len(body))
        body = body[:place] + put + body[place + cut :]
    answer = door.send(entry, body)
    assert answer.status_code in {200, 400, 422}, answer.text
    if answer.status_code != 200:
        assert answer.json()["errors"]


@settings(max_examples=40, deadline=None)
@given(entry=st.sampled_from(sorted(GOOD)), body=st.binary(max_size=300), zipped=st.booleans())
def test_no_bytes_make_the_server_fail_packed_or_not(door: Door, entry: str, body: bytes, zipped: bool) -> None:
    """P14."""
    answer = door.send(entry, body, headers={"content-encoding": "gzip"} if zipped else None)
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"]
