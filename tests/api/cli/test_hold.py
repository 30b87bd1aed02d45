"""``hold`` and ``release`` at the command line."""

from engine.store import holds
from engine.store.sessions import connect
from tests.api.cli.desk import Desk


def _held(desk: Desk) -> list[str]:
    store = connect(f"sqlite:///{desk.folder}/data/backcast.db")
    with store.read() as session:
        found = [one.account or "everything" for one in holds.listed(session)]
    store.close()
    return found


def test_everything_is_held_and_let_go_after_it_is_said_what_goes(small: Desk) -> None:
    done = small.run("hold", "--reason", "wrong prices", "--author", "ada@vendor.example")
    assert (done.exit_code, done.output) == (0, "On hold: everything. `backcast release` lets it go.\n")
    assert _held(small) == ["everything"]
    asked = small.run("release", "--author", "ada@vendor.example")
    assert asked.exit_code == 1
    assert "A release sends what is due: nothing is overdue." in asked.output
    assert "ada@vendor.example put everything on hold" in asked.output
    assert _held(small) == ["everything"]
    assert small.run("release", "--yes", "--author", "ada@vendor.example").exit_code == 0
    assert _held(small) == []


def test_one_account_is_held_by_its_key(small: Desk) -> None:
    assert small.run("hold", "--account", "empty", "--reason", "they merge", "--author", "a@b.example").exit_code == 0
    assert _held(small) == ["Empty"]
    wrong = small.run("release", "--yes")
    assert wrong.exit_code == 1
    assert str(wrong.exception) == "Not everything is on hold: that is Empty."
    released = small.json("release", "--account", "empty", "--yes", "--json", "--author", "a@b.example")
    assert (released["messages"], released["people"]) == (0, 0)
    assert _held(small) == []


def test_a_hold_without_a_reason_is_refused(small: Desk) -> None:
    done = small.run("hold", "--author", "a@b.example")
    assert done.exit_code == 1
    assert "Say why it is put on hold" in str(done.exception)
