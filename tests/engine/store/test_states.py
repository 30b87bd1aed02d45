"""Signal states: packed, per account, and always continuing from the day before."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sqlalchemy import select

from engine.evaluation.facts import Subjects
from engine.store import states
from engine.store.decision_tables import ScoreRow, SignalStatesRow
from engine.store.name_lists import names_of, number_of
from engine.store.packing import lines_table, pack_lines, unpack_lines
from engine.store.sessions import Store
from tests.workflows.activities.small import ACCOUNTS, DAY, at, fill, send, small
from workflows.activities.cycle import run_cycle

LOW = "low.low"
NOBODY = Subjects(np.array([1, 2, 3], dtype=np.int64), ("a1", "a2", "a3"))


def lived(store: Store, values: dict[int, float], days: range) -> None:
    """The same use of every account on each of the days, one value per day, with a cycle each evening."""
    fill(store)
    for day, value in zip(days, values.values(), strict=True):
        with store.begin() as session:
            send(session, day, "usage", dict.fromkeys(range(1, ACCOUNTS + 1), value))
        run_cycle(store, small(), at(day), day_seconds=None)


def test_what_was_said_before_a_day_is_not_what_was_said_on_it(store: Store) -> None:
    """Two low days make it fire; the next day continues from that, and the same day again from the day before."""
    lived(store, {0: 10.0, 1: 10.0, 2: 90.0}, range(DAY - 2, DAY + 1))
    with store.read() as session:
        today = states.load(session, [LOW], NOBODY, DAY)
        tomorrow = states.load(session, [LOW], NOBODY, DAY + 1)
        [now] = [one for one in states.of_accounts(session, [2]) if one.signal == "low"]
    assert today.firing[LOW].tolist() == [1, 1, 1]
    assert today.since[LOW].tolist() == [DAY - 1] * 3
    assert tomorrow.firing[LOW].tolist() == [-1, -1, -1]
    assert tomorrow.since[LOW].tolist() == [DAY] * 3
    assert (now.verdict, now.known, now.since, now.value) == (-1, -1, DAY, 90.0)


def test_a_day_before_the_last_that_was_looked_at_begins_without_states(store: Store) -> None:
    lived(store, {0: 10.0, 1: 10.0}, range(DAY - 1, DAY + 1))
    with store.read() as session:
        before = states.load(session, [LOW], NOBODY, DAY - 3)
    assert before.firing[LOW].tolist() == [0, 0, 0]
    assert before.since[LOW].tolist() == [-1, -1, -1]


def test_a_signal_that_is_new_has_never_been_observed_and_the_others_go_on(store: Store) -> None:
    """Another list of names in the same rows: what is named in both is kept."""
    lived(store, {0: 10.0, 1: 10.0}, range(DAY - 1, DAY + 1))
    with store.read() as session:
        before = states.load(session, ["new.one", LOW], NOBODY, DAY + 1)
    assert before.since["new.one"].tolist() == [-1, -1, -1]
    assert before.firing[LOW].tolist() == [1, 1, 1]


def test_an_account_has_one_row_of_states_however_many_signals_there_are(store: Store) -> None:
    lived(store, {0: 10.0}, range(DAY, DAY + 1))
    with store.read() as session:
        rows = session.scalars(select(SignalStatesRow)).all()
        assert len(rows) == ACCOUNTS
        assert {len(row.packed) for row in rows} == {len(names_of(session, rows[0].names_id)) * states.STATE.itemsize}
        assert states.firing(session, [1, 2])["tier.bad"] == frozenset({1, 2})


def test_a_list_of_names_has_one_number(store: Store) -> None:
    with store.begin() as session:
        numbers = [number_of(session, names) for names in (["a", "b"], ["b", "a"], ["a", "b"], [])]
        assert numbers[0] == numbers[2]
        assert len(set(numbers)) == 3
        assert names_of(session, numbers[1]) == ("b", "a")


KNOWN = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(KNOWN | st.none(), KNOWN | st.none(), KNOWN, st.integers(0, 100_000_000)), max_size=9))
def test_lines_come_back_as_they_were(lines: list[tuple[float | None, float | None, float, int]]) -> None:
    names = [f"m{at}" for at in range(len(lines))]
    packed = pack_lines(np.array(lines, dtype=np.float64).reshape(1, len(lines), 4))[0]
    assert unpack_lines(names, packed) == [(name, *line) for name, line in zip(names, lines, strict=True)]
    assert lines_table([packed, packed]).shape == (2, len(lines), 4)


@pytest.mark.parametrize("day", [DAY, DAY - 1])
def test_a_stored_score_says_its_lines(store: Store, day: int) -> None:
    """S0-50: the parts of a day's score are there as they were on it."""
    lived(store, {0: 10.0, 1: 40.0}, range(DAY - 1, DAY + 1))
    with store.read() as session:
        row = session.get_one(ScoreRow, (day, "health", 3))
        [usage, value] = row.lines
    assert usage[:3] == ("usage", 40.0 if day == DAY else 10.0, 40.0 if day == DAY else 10.0)
    assert value[:3] == ("value", None, None)
    assert sum(line[4] for line in (usage, value)) == row.computed
