"""Definitions are looked at, put in force and taken back: ``plan``, ``apply``, ``bundles``, ``rollback``."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.cli import build
from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.errors import EngineError, Refused
from engine.store import bundles
from engine.store.bundles import Publication
from engine.store.files import read_files
from engine.store.run_tables import RunRow
from engine.store.sessions import connect
from engine.store.tables import BundleActRow, BundleRow
from engine.terms import BundleAct
from tests.api.cli.desk import Desk

RULE = "rules/adoption/seats-unused.yaml"
AT = datetime(2026, 3, 1, tzinfo=UTC)
BY = ("--author", "jo@example.com")


def edit(small: Desk, old: str, new: str, path: str = RULE) -> None:
    file = small.folder / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def without_examples(small: Desk) -> None:
    """So that a test may move the limit the examples are about."""
    file = small.folder / RULE
    file.write_text(file.read_text(encoding="utf-8").partition("examples:")[0], encoding="utf-8")


def applied(small: Desk, *more: str) -> Any:
    return small.json("apply", "--yes", "--json", *BY, *more)


def test_plan_shows_the_text_that_differs_and_whom_it_touches(small: Desk) -> None:
    """Nobody has to guess what a changed threshold does: the line, and the account, stand there."""
    without_examples(small)
    applied(small)
    edit(small, "threshold: {below: 40%}", "threshold: {below: 20%}")
    done = small.run("plan")
    assert done.exit_code == 0, done.output
    assert f"{RULE}: changed, 1 line added, 1 removed" in done.stdout
    assert "\n-  seats_unused: {metric: license_utilization, threshold: {below: 40%}" in done.stdout
    assert "\n+  seats_unused: {metric: license_utilization, threshold: {below: 20%}" in done.stdout
    assert "would no longer fire for 1: Empty (empty)" in done.stdout
    planned = small.json("plan", "--json")
    assert planned["effect"]["rules"]["seats-unused"]["stops"] == ["empty"]
    assert [file["path"] for file in planned["files"]] == [RULE]
    assert planned["in_force"] != planned["fingerprint"]


def test_before_the_first_apply_everything_is_new(small: Desk) -> None:
    planned = small.json("plan", "--json")
    assert planned["in_force"] is None
    assert {file["kind"] for file in planned["files"]} == {"added"}
    assert planned["effect"]["rules"]["seats-unused"]["new"] is True
    assert "Nothing is in force yet" in small.run("plan").stdout


def test_a_plan_says_alike_things_once(small: Desk) -> None:
    """Ten accounts refused for one reason are a line; new rules that touch nobody, and what is unknown, one each."""
    accounts = ["key,owner,arr,stage", *(f"idle{number},ann@example.com,1,adoption" for number in range(12))]
    small.run("ingest", "accounts", small.write("a.csv", accounts))
    day = datetime.now(UTC).date()
    rows = [
        f"idle{number},{metric},{day - timedelta(days=age)},{value}"
        for number in range(12)
        for metric, value in (("seats_sold", 100), ("active_users", 5))
        for age in range(9)
    ]
    small.run("ingest", "points", small.write("p.csv", ["account,metric,day,value", *rows]))
    edit(small, "existing: enrol", "existing: ask")
    quiet = (small.folder / RULE).read_text(encoding="utf-8").partition("examples:")[0]
    for name in ("one", "two"):
        text = quiet.replace("seats-unused", name).replace("below: 40%", "below: -1").replace("above: 45%", "above: 0")
        small.write(f"rules/{name}.yaml", [text])
    shown = small.run("plan").stdout
    assert shown.count("the account was already inside") == 1, shown
    assert "refuse 13 accounts" in shown
    assert "new, and they touch nobody now: one, two" in shown
    assert "`backcast apply` puts this in force." in shown


def test_a_plan_without_accounts_says_what_brings_them(small: Desk, tmp_path: Path) -> None:
    shown = CliRunner().invoke(build(), ["plan", "--data", str(tmp_path / "empty")]).stdout
    assert "There are no accounts yet: `backcast ingest accounts FILE` brings them" in shown


def test_plan_compares_with_another_folder(small: Desk, tmp_path: Path) -> None:
    assert small.run("plan", "--against", str(small.folder)).stdout.startswith("The files are those in force")


def test_plan_as_it_was_known_leaves_out_what_came_later(small: Desk) -> None:
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    assert small.json("plan", "--at", yesterday, "--json")["effect"]["rules"]["seats-unused"]["fires"] == ["empty"]
    then = small.json("plan", "--at", yesterday, "--known", "--json")
    assert then["effect"]["rules"]["seats-unused"]["fires"] == [], "the points came in today"


def test_applying_keeps_who_did_what_and_why(small: Desk) -> None:
    """S1-38: definitions have an author, a reason and the moment from which they count."""
    first = applied(small, "--message", "We begin")
    edit(small, "share: 10%", "share: 20%")
    second = applied(small, "--message", "A larger hold-out")
    assert second["previous"] == first["applied"]
    listed = small.json("bundles", "--json")
    assert listed["in_force"] == second["applied"]
    assert [(act["message"], act["author"], act["previous"]) for act in listed["acts"]] == [
        ("A larger hold-out", "jo@example.com", first["applied"]),
        ("We begin", "jo@example.com", ""),
    ]
    assert listed["acts"][0]["changes"]["files"] == 1
    shown = small.run("bundles").stdout.splitlines()
    assert shown[0].startswith(second["applied"][:12])
    assert shown[0].endswith("applied by jo@example.com  (in force)")
    assert [line.strip() for line in shown[1:3]] == ["A larger hold-out", "files 1, held out 1"]
    assert all(len(line) <= 80 for line in shown), "a narrow terminal cuts nothing off"


def test_what_was_in_force_comes_back(small: Desk) -> None:
    first = applied(small)["applied"]
    edit(small, "share: 10%", "share: 20%")
    applied(small)
    done = small.run("rollback", first[:8], "--reason", "It was too much", "--yes", *BY)
    assert done.exit_code == 0, done.output
    listed = small.json("bundles", "--json")
    assert (listed["in_force"], listed["acts"][0]["kind"]) == (first, "rolled_back")
    assert listed["acts"][0]["message"] == "It was too much"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("rollback", "abcdef12"), "needs a --reason"),
        (("apply", "--accept-blast", "5", "--yes"), "needs a --reason"),
    ],
)
def test_what_changes_much_needs_a_reason(small: Desk, arguments: tuple[str, ...], told: str) -> None:
    done = small.run(*arguments, *BY)
    assert (done.exit_code, told in done.stderr) == (2, True)


def test_nothing_is_applied_without_a_yes(small: Desk) -> None:
    done = small.run("apply", *BY)
    assert done.exit_code == 1
    assert "repeat with --yes" in done.stderr
    assert small.count(BundleRow) == 0


def test_what_is_proposed_waits_for_a_member(small: Desk) -> None:
    applied(small)
    edit(small, "share: 10%", "share: 20%")
    proposed = small.json("apply", "--propose", "--json", *BY)["proposed"]
    listed = small.json("bundles", "--json")
    assert listed["in_force"] != proposed
    assert (listed["acts"][0]["kind"], listed["acts"][0]["fingerprint"]) == ("proposed", proposed)


def test_what_its_own_examples_contradict_is_not_applied(small: Desk) -> None:
    """The examples of a rule are its tests: a change that breaks one stays where it is."""
    edit(small, "threshold: {below: 40%}", "threshold: {below: 20%}")
    done = small.run("apply", "--yes", *BY)
    assert done.exit_code == 1
    assert "R050" in done.stderr
    assert small.count(BundleRow) == 0


def test_the_same_again_is_refused_in_a_sentence(small: Desk) -> None:
    applied(small)
    done = small.run("apply", "--yes", *BY)
    assert isinstance(done.exception, Refused)
    assert "in force already" in str(done.exception)


def test_after_the_first_apply_the_files_are_only_compared(small: Desk) -> None:
    """A worker that starts in a folder somebody is editing must not put half a change in force."""
    in_force = applied(small)["applied"]
    edit(small, "share: 10%", "share: 20%")
    done = small.run("evaluate")
    assert done.exit_code == 0, done.output
    assert f"are not what is in force ({in_force[:12]})" in done.stderr
    assert small.json("bundles", "--json")["in_force"] == in_force
    (small.folder / RULE).write_text("rule: [", encoding="utf-8")
    assert small.run("evaluate").exit_code == 0, "files that do not check cannot stop what is in force"


def test_without_an_apply_the_files_a_process_starts_with_count(small: Desk) -> None:
    assert small.run("evaluate").exit_code == 0
    edit(small, "share: 10%", "share: 20%")
    assert small.run("evaluate").exit_code == 0
    acts = small.json("bundles", "--json")["acts"]
    assert [act["kind"] for act in acts] == ["loaded", "loaded"]


def test_open_runs_keep_the_definitions_they_began_with(small: Desk) -> None:
    first = applied(small)["applied"]
    assert small.json("evaluate", "--json")["starts"] >= 1
    edit(small, "share: 10%", "share: 20%")
    applied(small)
    store = connect(f"sqlite:///{small.folder}/data/backcast.db")
    with store.read() as session:
        assert set(session.scalars(select(RunRow.bundle))) == {first}
    store.close()


def test_a_change_that_moves_many_stops_until_somebody_accepts_it(small: Desk) -> None:
    """Beyond its own limit a rule starts nothing, and definitions that would do so are not applied in passing."""
    keys = [f"more{number}" for number in range(30)]
    accounts = small.write("more.csv", ["key,name", *(f"{key},{key}" for key in keys)])
    small.run("ingest", "accounts", accounts)
    days = sorted({row.split(",")[2] for row in (small.folder / "points.csv").read_text().splitlines()[1:]})
    points = [f"{key},active_users,{day},30" for key in keys for day in days]
    points += [f"{key},seats_sold,{days[0]},100" for key in keys]
    small.run("ingest", "points", small.write("many.csv", ["account,metric,day,value", *points]))
    without_examples(small)
    edit(small, "threshold: {below: 40%}", "threshold: {below: 10%}")
    applied(small)
    small.run("evaluate")
    edit(small, "threshold: {below: 10%}", "threshold: {below: 40%}")
    edit(small, "guard: {cooldown: 60d", "guard: {max_new_runs: 5, cooldown: 60d")
    before = small.json("bundles", "--json")["in_force"]
    done = small.run("apply", "--yes", *BY)
    assert done.exit_code == 1
    assert "rule seats-unused would go beyond its limit for 31 accounts" in done.stderr
    assert "--accept-blast 31 --reason" in done.stderr
    assert small.json("bundles", "--json")["in_force"] == before
    assert small.run("apply", "--yes", *BY, "--accept-blast", "30", "--reason", "No").exit_code == 1
    assert small.run("apply", "--yes", *BY, "--accept-blast", "31", "--reason", "Wanted").exit_code == 0
    act = small.json("bundles", "--json")["acts"][0]
    assert (act["accepted"], act["message"]) == (31, "Wanted")


def test_of_two_who_apply_at_once_one_wins_and_the_other_is_told(small: Desk, tmp_path: Path) -> None:
    first = reading.read(read_files(str(small.folder))).bundle
    edit(small, "share: 10%", "share: 20%")
    second = reading.read(read_files(str(small.folder))).bundle
    store = connect(f"sqlite:///{small.folder}/data/backcast.db")
    at_once, refused = Barrier(2), list[EngineError]()

    def one(bundle: Bundle | None, author: str) -> None:
        assert bundle is not None
        at_once.wait()
        try:
            with store.begin() as session:
                bundles.apply(session, bundle, Publication(author), "", AT)
        except EngineError as error:
            refused.append(error)

    threads = [Thread(target=one, args=pair) for pair in ((first, "ann"), (second, "bob"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as session:
        kept = session.scalars(select(BundleActRow)).all()
    store.close()
    assert len(refused) == len(kept) == 1
    assert f"put in force by {kept[0].author}" in str(refused[0])
    assert kept[0].kind == BundleAct.APPLIED.value
