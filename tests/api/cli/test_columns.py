"""`backcast columns`: what a worker reads is compared with the database, and mended."""

import json

from sqlalchemy import update

from engine.store.columns import columns_in
from engine.store.sessions import connect
from engine.store.tables import PointRow
from tests.api.cli.desk import Desk


def test_columns_and_database_are_compared_point_by_point(desk: Desk) -> None:
    first = desk.run("columns")
    assert first.exit_code == 0, first.output
    assert "26 points in the columns, 26 of them read from the database just now" in first.output
    assert "say the same" in first.output
    again = desk.run("columns", "--json")
    assert json.loads(again.stdout) == {"points": 26, "read": 0, "differing": 0}
    assert json.loads(desk.run("columns", "--anew", "--json").stdout)["read"] == 26


def test_a_difference_is_said_and_mended(desk: Desk) -> None:
    assert desk.run("columns").exit_code == 0
    store = connect(f"sqlite:///{desk.folder}/data/backcast.db")
    with store.begin() as session:
        session.execute(update(PointRow).where(PointRow.value == 85).values(value=84))
    store.close()
    told = desk.run("columns")
    assert told.exit_code == 1
    assert "12 points differed" in told.output
    assert desk.run("columns").exit_code == 0


def test_columns_that_a_worker_has_are_left_alone(desk: Desk) -> None:
    store = connect(f"sqlite:///{desk.folder}/data/backcast.db")
    with columns_in(store, str(desk.folder / "data" / "columns")) as held:
        assert held is not None
        told = desk.run("columns")
    store.close()
    assert told.exit_code == 1
    assert "stop it first" in str(told.exception)
