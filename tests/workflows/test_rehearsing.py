"""A rehearsal does what a run does, on a clock of its own, and leaves nothing behind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from engine.running.lines import compile_lines, meanings
from engine.running.routes import Knowing, Position, visits
from engine.running.timeline import Entry, Timeline, counted, values_of, walk
from engine.store import bundles, holds, runs, suppressions
from engine.store.base import Base
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.terms import Mode
from tests.workflows.activities.scenery import AT, OWNER, Stage, playbook_file, read, stage
from workflows.activities.walking import BRANCHES
from workflows.rehearsing import Setting, rehearse

STEPS = """
- task: {title: "Call {{ account.name }}", to: owner, due: 2 working days, wait_for_done: 7d}
- email: {to: champion, message: hello}
- wait: {at_most: 5d}
- branch:
    if: {">=": [{var: active_users}, 10]}
    then:
      - email: {to: champion, message: third}
    else:
      - campaign: {to: {role: user}, every: 3d, lessons: [second, third]}
    unknown:
      - task: {title: "Look after {{ account.name }}", to: owner}
- approve:
    by: owner
    expires: 3 working days
    on_expiry: skip
    steps:
      - email: {to: sponsor, message: first}
"""


@pytest.fixture
def here(sqlite_store: Store) -> Stage:
    return stage(sqlite_store, read(playbook_file("try-it", STEPS)))


def _counts(store: Store) -> dict[str, int]:
    with store.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def _played(here: Stage, mode: Mode = Mode.AUTOMATIC) -> Timeline:
    return rehearse(here.store, Setting(here.bundle, 1, "try-it", mode, AT))


def _way(entry: Entry, name: str) -> tuple[Entry, ...]:
    return next(way.entries for way in entry.others if way.name == name)


def test_nothing_is_written_and_nothing_is_sent(store: Store) -> None:
    """On both databases, down to the last row."""
    here = stage(store, read(playbook_file("try-it", STEPS)))
    before = _counts(here.store)
    assert counted(_played(here, Mode.APPROVE))["messages"] > 0
    assert _counts(here.store) == before
    assert here.post.letters == []


def test_every_step_stands_at_its_moment_in_the_calendar(here: Stage) -> None:
    """Due in working days, done when due; then five days of waiting; then a yes after a working day."""
    here.point("active_users", 5)
    found = {entry.step: entry for entry in _played(here).entries}
    task = found["task"]
    assert task.todo is not None
    assert (task.at, task.todo.title, task.todo.assignee) == (AT, "Call Acme", OWNER)
    assert task.todo.due_at == AT + timedelta(days=2), "from Tuesday to Thursday"
    assert found["email-hello"].at == AT + timedelta(days=2)
    assert (found["wait"].at, found["wait"].until) == (AT + timedelta(days=2), AT + timedelta(days=7))
    assert found["email-first"].at == found["approve"].at + timedelta(days=3), "from Friday to Monday"


def test_a_message_is_the_one_that_would_go_out(here: Stage) -> None:
    """Rendered with the account's figures and the contact's name, for each person on their own."""
    here.point("active_users", 12)
    entries = {entry.step: entry for entry in _played(here).entries}
    (mail,) = entries["email-hello"].mails
    assert (mail.to, mail.subject) == ("Ana Lee", "Seats at Acme")
    assert "Hello Ana," in mail.text
    assert "12 people use it." in mail.text
    assert mail.address == "a…@acme.example", "nobody's address is printed"


@pytest.mark.parametrize(("users", "taken"), [(12.0, "then"), (5.0, "else"), (None, "unknown")])
def test_a_branch_goes_where_the_data_of_today_leads_and_shows_the_other_ways(
    here: Stage, users: float | None, taken: str
) -> None:
    if users is not None:
        here.point("active_users", users)
    timeline = _played(here)
    branch = next(entry for entry in timeline.entries if entry.kind == "branch")
    assert {way.name for way in branch.others} == {"then", "else", "unknown"} - {taken}
    if taken != "then":
        assert [mail.subject for entry in _way(branch, "then") for mail in entry.mails] == ["Lesson three"]
    if taken != "else":
        lessons = [entry for entry in _way(branch, "else") if entry.kind == "lesson"]
        assert [[mail.to for mail in entry.mails] for entry in lessons] == [["Bo Li", "Cy Ray"]] * 2
        assert lessons[1].at - lessons[0].at == timedelta(days=3)
    if taken != "unknown":
        (task,) = _way(branch, "unknown")
        assert task.todo is not None
        assert task.todo.title == "Look after Acme"


def test_a_rehearsal_tells_what_a_run_then_does(here: Stage) -> None:
    """The same letters in the same order, when people do what was assumed of them."""
    here.point("active_users", 12)
    told = [mail.subject for entry in _played(here).entries for mail in entry.mails]
    run_id = here.begin("try-it")
    here.go(run_id)
    for days, outcome in ((2, "satisfied"), (5, "elapsed")):
        here.later(days).go(run_id, outcome)  # type: ignore[arg-type]  # mypy joins the literals to str
    assert [letter.subject for letter in here.post.letters] == told[:2]


def test_who_has_unsubscribed_is_shown_with_the_reason(here: Stage) -> None:
    with here.store.begin() as session:
        suppressions.suppress(session, "ana@acme.example", "education", "asked", AT)
    entries = {entry.step: entry for entry in _played(here).entries}
    (mail,) = entries["email-hello"].mails
    assert "does not want messages" in mail.why_not
    assert counted(_played(here))["messages"] == 0


def test_an_open_run_is_named_and_stays_as_it_is(here: Stage) -> None:
    run_id = here.begin("try-it")
    here.go(run_id)
    before = here.run(run_id)
    assert any(f"Run {run_id} of this playbook is open" in sentence for sentence in _played(here).assumed)
    assert here.run(run_id) == before


def test_a_stopped_account_is_told_as_such(here: Stage) -> None:
    with here.store.begin() as session:
        session.get_one(AccountRow, 1).stage = runs.CHURNED
    timeline = _played(here)
    assert "churned" in timeline.ending
    assert not timeline.entries


def test_a_timeline_is_plain_values_for_programs(here: Stage) -> None:
    timeline = _played(here)
    values = values_of(timeline)
    assert values["began_at"] == AT.isoformat()
    assert [entry["step"] for entry in values["entries"]] == [entry.step for entry in timeline.entries]
    assert values["counts"]["tasks"] == counted(timeline)["tasks"]


def test_the_other_ways_of_a_branch_come_right_behind_it(here: Stage) -> None:
    shown = list(walk(_played(here).entries))
    number = next(at for at, (_, entry, _) in enumerate(shown) if entry.kind == "branch")
    depth, _, way = shown[number + 1]
    assert (depth, way and way.name) == (1, "then")
    assert replace(shown[number][1], others=()) != shown[number][1]


def test_the_fast_way_comes_to_every_step_when_a_rehearsal_does(here: Stage) -> None:
    """What a portfolio's forecast rests on; here without caps and hours, by which a run waits for its messages."""
    here.point("active_users", 5)
    bundle = here.bundle
    for name, mode in (
        ("try-it", Mode.APPROVE),
        ("seat-activation", Mode.MANUAL),
        ("new-champion", Mode.AUTOMATIC),
        ("usage-recovery", Mode.VETO),
    ):
        playbook = bundle.playbooks[name]
        lines, known = compile_lines(playbook, mode), meanings(playbook, mode)
        rehearsed = rehearse(here.store, Setting(bundle, 1, name, mode, AT))
        arms = {entry.number: BRANCHES.index(entry.sentence) for entry in rehearsed.entries if entry.kind == "branch"}
        fast = visits(lines, known, [Position(AT, 0)], Knowing(arms=arms))
        told = {entry.step: entry.at for entry in rehearsed.entries if entry.kind not in {"branch", "fork", "join"}}
        assert {lines[one.number].step: one.at for one in fast if lines[one.number].kind != "end"} == told


def test_a_call_is_shown_with_its_body_and_not_made(here: Stage) -> None:
    connections = "format: 1\nconnections:\n  crm: {kind: webhook, url: 'env:CRM_URL', secret: 'env:CRM_KEY'}\n"
    steps = '- webhook: {to: crm, body: {account: "{{ account.key }}", status: at-risk}}'
    bundle = read(playbook_file("calling", steps), {"rules/connections.yaml": connections})
    timeline = rehearse(here.store, Setting(bundle, 1, "calling", Mode.AUTOMATIC, AT))
    (call,) = timeline.entries[0].calls
    assert call.to == "crm"
    assert '"account":"acme"' in call.body
    assert counted(timeline)["calls"] == 1


def test_rows_beside_each_other_are_rehearsed_together(here: Stage) -> None:
    steps = """
- parallel:
    - [{wait: {at_most: 2d}}, {email: {to: champion, message: first}}]
    - [{wait: {at_most: 1d}}, {task: {title: Call, to: owner}}]
- email: {to: champion, message: second}
"""
    timeline = rehearse(here.store, Setting(read(playbook_file("beside", steps)), 1, "beside", Mode.AUTOMATIC, AT))
    found = {entry.step: entry.at - AT for entry in timeline.entries if entry.kind in {"email", "task"}}
    assert found == {
        "task": timedelta(days=1),
        "email-first": timedelta(days=2),
        "email-second": timedelta(days=2),
    }


def test_a_veto_window_opens_by_itself_when_its_time_is_over(here: Stage) -> None:
    steps = """
- approve:
    by: owner
    expires: 2 working days
    on_expiry: go
    steps: [{email: {to: champion, message: first}}]
"""
    timeline = rehearse(here.store, Setting(read(playbook_file("veto", steps)), 1, "veto", Mode.AUTOMATIC, AT))
    assert [(entry.kind, entry.at - AT) for entry in timeline.entries] == [
        ("gate", timedelta(0)),
        ("email", timedelta(days=2)),
    ]


def test_while_everything_is_on_hold_it_says_so_and_shows_what_goes_then(here: Stage) -> None:
    with here.store.begin() as session:
        holds.hold(session, account_id=None, cause="member", reason="checking", author=OWNER, at=AT)
    timeline = _played(here)
    assert any("Nothing goes out now (checking)" in sentence for sentence in timeline.assumed)
    assert counted(timeline)["messages"] >= 1
    with here.store.read() as session:
        assert holds.held(session, 1)


def test_what_would_come_on_a_weekend_waits_for_monday_and_what_comes_behind_it_too(here: Stage) -> None:
    """The contact policy as it is without a file: working hours, one message a day."""
    bundle = read(playbook_file("try-it", STEPS), {"rules/contact.yaml": "format: 1\n"})
    here.point("active_users", 5)
    wednesday = AT + timedelta(days=1)
    entries = rehearse(here.store, Setting(bundle, 1, "try-it", Mode.AUTOMATIC, wednesday)).entries
    first, second = (entry for entry in entries if entry.kind == "lesson")
    assert [len(entry.mails) for entry in (first, second)] == [2, 2]
    assert second.at.weekday() == 5
    assert second.until is not None
    assert second.until.weekday() == 0
    approve = next(entry for entry in entries if entry.kind == "gate")
    assert approve.at == second.until


def _left(here: Stage, run_id: int) -> Timeline:
    run = here.run(run_id)
    return rehearse(here.store, Setting(here.bundle, 1, run.playbook, run.mode, here.at, run=run_id))


def test_what_is_left_of_an_open_run_begins_where_it_stands(here: Stage) -> None:
    """The same as what a rehearsal of the whole run said of the rest, and the run stays where it is."""
    here.point("active_users", 5)
    whole = [(entry.step, entry.at) for entry in _played(here).entries]
    run_id = here.begin("try-it")
    here.go(run_id)
    here.later(2).go(run_id, "satisfied")
    before = here.run(run_id)
    rest = _left(here, run_id)
    assert rest.run == run_id
    steps = [entry.step for entry in rest.entries]
    assert "task" not in steps
    assert "email-hello" not in steps
    later = {step: at for step, at in whole if step in {"campaign/second", "campaign/third", "approve", "email-first"}}
    assert {entry.step: entry.at for entry in rest.entries if entry.step in later} == later
    assert here.run(run_id) == before
    assert len(here.post.letters) == 1


def test_what_is_left_of_rows_beside_each_other_joins_once(here: Stage) -> None:
    steps = """
- parallel:
    - [{wait: {at_most: 2d}}, {email: {to: champion, message: first}}]
    - [{wait: {at_most: 4d}}, {task: {title: Call, to: owner}}]
- email: {to: champion, message: second}
"""
    here.bundle = read(playbook_file("beside", steps))
    with here.store.begin() as session:
        bundles.publish(session, here.bundle, author="test", at=AT + timedelta(minutes=1))
    run_id = here.begin("beside")
    fork = here.go(run_id)
    for arm in here.run(run_id).lines[fork.cursor].arms:
        here.go(run_id, "begin", cursor=arm)
    found = {entry.step: entry.at - AT for entry in _left(here, run_id).entries if entry.kind in {"email", "task"}}
    assert found == {"email-first": timedelta(days=2), "task": timedelta(days=4), "email-second": timedelta(days=4)}
