"""Steps that people have a part in: tasks with codes, approvals, veto windows, waits for dates and events, fields."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.errors import Refused
from engine.evaluation.incoming.rows import Format
from engine.store import absences, approvals, awaited, followups, ingests, recovered, runs, suppressions, tasks, waking
from engine.store.awaited import Happened
from engine.store.decision_tables import EpisodeRow
from engine.store.ingests import Kind
from engine.store.member_tables import NoticeRow
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow, MemberRow
from engine.terms import Mode, RunState
from tests.workflows.activities.scenery import ANA, AT, BO, OWNER, TODAY, Stage, playbook_file, read, stage

BOSS, LEA = "boss@example.org", "lea@example.org"
POLICY = {"rules/contact.yaml": "format: 1\nper_day: 9\nper_week: 50\nwindow: always\n"}
RULE = "seats-unused"
AWAY = "away"
CALENDARS = {
    "rules/calendars.yaml": """format: 1
default: weekdays
calendars:
  weekdays: {working_days: [mon, tue, wed, thu, fri]}
  away: {working_days: [mon, tue, wed, thu, fri], holidays: [2026-09-07]}
"""
}

BUNDLE = read(
    POLICY,
    CALENDARS,
    playbook_file(
        "call",
        """
- id: call
  task:
    title: "Call {{ account.name }}"
    to: owner
    due: 3 working days
    wait_for_done: 10d
    outcomes: [reached, no-answer]
    causes: [needs_training, not_set_up]
    checklist: ["Look at {{ account.name }}", Note it]
    remind: 1 working day
    escalate: {after: 5 working days, to: manager}
""",
        "on_exit: {open_tasks: hand_over}",
    ),
    playbook_file(
        "asked",
        """
- id: gate
  approve:
    by: owner
    expires: 2 working days
    on_expiry: skip
    escalate: {after: 1 working day, to: manager}
    steps:
      - email: {to: champion, message: hello}
""",
        "superseded_by: [call]\nexit: [signal_cleared]",
    ),
    playbook_file(
        "stopped-by-nobody",
        """
- id: gate
  approve:
    by: owner
    expires: 1 working day
    on_expiry: go
    steps:
      - email: {to: champion, message: hello}
""",
    ),
    playbook_file("before-renewal", "- {id: near, wait: {until_date: account.renewal_on, before: 30d, at_most: 200d}}"),
    playbook_file(
        "answer",
        """
- id: said
  wait: {event: survey_answered, where: {"<=": [{var: event.nps}, 6]}, at_most: 20d}
""",
    ),
    playbook_file("stage", "- {id: later, set: {stage: renewal}}"),
    playbook_file(
        "polite",
        """
- email: {to: champion, message: hello}
- wait: {at_most: 7d}
""",
        "exit: [unsubscribed]",
    ),
)


@pytest.fixture
def scene(store: Store) -> Stage:
    made = stage(store, BUNDLE)
    with store.begin() as session:
        session.add(MemberRow(email=BOSS, name="Bea Boss", roles=["csm"]))
        session.add(MemberRow(email=LEA, name="Lea Away", roles=["csm"]))
        session.execute(update(MemberRow).where(MemberRow.email == OWNER).values(manager=BOSS))
    return made


def finish(scene: Stage, **said: Any) -> None:
    task = scene.tasks()[0]
    with scene.store.begin() as session:
        tasks.finish(session, task.id, version=1, member=OWNER, answers={}, note="", at=scene.at, **said)


def decide(scene: Stage, *, approve: bool = True) -> None:
    asked = scene.approval()
    with scene.store.begin() as session:
        approvals.decide(
            session, asked.id, version=asked.version, approve=approve, member=OWNER, reason="so", at=scene.at
        )


def account(scene: Stage, **values: Any) -> None:
    with scene.store.begin() as session:
        session.execute(update(AccountRow).values(**values))


def notices(scene: Stage) -> list[tuple[str, str]]:
    with scene.store.read() as session:
        return [(row.member, row.text) for row in session.scalars(select(NoticeRow).order_by(NoticeRow.id))]


def test_a_task_is_finished_with_what_came_of_it_its_cause_and_everything_ticked_off(scene: Stage) -> None:
    """S3-36, S4-25."""
    run = scene.begin("call")
    scene.go(run)
    with pytest.raises(Refused) as refused:
        finish(scene)
    assert str(refused.value) == (
        "The task cannot be finished: choose what came of it (reached, no-answer); say what the cause is "
        '(needs_training, not_set_up, or in your own words); "Look at Acme" is not ticked off; '
        '"Note it" is not ticked off.'
    )
    finish(scene, outcome="reached", cause="Nobody has an account yet", ticked=["Look at Acme", "Note it"])
    with scene.store.read() as session:
        left = session.scalars(select(EventRow)).one()
    assert (left.name, left.account_id, left.day) == ("task_finished", 1, TODAY)
    assert left.fields == {
        "playbook": "call",
        "step": "call",
        "outcome": "reached",
        "cause": "Nobody has an account yet",
    }
    assert scene.outbox("wake") == [{"outcome": "satisfied", "step": "call/wait"}]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"outcome": "won"}, '"won" is not an outcome it can have (reached, no-answer)'),
        ({"ticked": ["Dance"]}, '"Dance" is not on its checklist'),
        ({"cause": "x" * 501}, "longer than 500 characters"),
    ],
)
def test_a_task_is_not_finished_with_what_it_does_not_offer(scene: Stage, said: dict[str, Any], why: str) -> None:
    scene.go(scene.begin("call"))
    fine = {"outcome": "reached", "cause": "needs_training", "ticked": ["Look at Acme", "Note it"]}
    with pytest.raises(Refused) as refused:
        finish(scene, **{**fine, **said})
    assert why in str(refused.value)
    assert scene.tasks()[0].state == "open"


def test_a_task_goes_to_who_stands_in_and_counts_their_working_days(scene: Stage) -> None:
    with scene.store.begin() as session:
        absences.add(session, OWNER, LEA, starts_at=AT, ends_at=AT + timedelta(days=9), at=AT)
    scene.go(scene.begin("call"))
    given = scene.tasks()[0]
    assert given.assignee == LEA
    assert given.due_at == datetime(2026, 9, 4, 10, tzinfo=UTC)  # Tuesday and three working days


def test_who_has_not_done_a_task_is_reminded_once_and_then_their_manager_hears_of_it(scene: Stage) -> None:
    scene.go(scene.begin("call"))
    for days in (1, 2.1, 2.1, 6, 8):
        with scene.store.begin() as session:
            followups.follow_up(session, AT + timedelta(days=days))
    told = notices(scene)
    assert [member for member, _ in told] == [OWNER, BOSS]
    assert told[0][1] == "It is due on 2026-09-04 10:00 UTC."
    assert told[1][1].startswith(f"{OWNER} has not done this yet, so it comes to you.")
    assert scene.tasks()[0].escalate_to == BOSS


def test_nobody_is_reminded_of_what_is_done(scene: Stage) -> None:
    scene.go(scene.begin("call"))
    finish(scene, outcome="reached", cause="needs_training", ticked=["Look at Acme", "Note it"])
    with scene.store.begin() as session:
        assert followups.follow_up(session, AT + timedelta(days=30)) == 0
    assert notices(scene) == []


def test_open_tasks_go_to_whoever_owns_the_account_when_the_run_ends(scene: Stage) -> None:
    run = scene.begin("call")
    scene.go(run)
    account(scene, owner=LEA, stage="churned")
    scene.go(run, "exit")
    assert [(task.state, task.assignee) for task in scene.tasks()] == [("open", LEA)]


def test_an_approval_reminds_at_half_its_time_and_escalates_to_the_manager(scene: Stage) -> None:
    scene.go(scene.begin("asked"))
    asked = scene.approval()
    assert (asked.remind_at, asked.escalate_at) == (AT + timedelta(days=1), AT + timedelta(days=1))
    with scene.store.begin() as session:
        followups.follow_up(session, AT + timedelta(days=1))
    assert [member for member, _ in notices(scene)] == [OWNER, BOSS]


def test_an_approval_goes_to_the_delegate_of_who_is_away(scene: Stage) -> None:
    with scene.store.begin() as session:
        absences.add(session, OWNER, LEA, starts_at=AT, ends_at=AT + timedelta(days=9), at=AT)
    run = scene.begin("asked")
    scene.go(run)
    assert scene.approval().approver == LEA
    assert scene.run(run).sentence == f"Waits for the approval of {LEA}"


def test_what_nobody_stopped_goes_exactly_as_it_was_shown(scene: Stage) -> None:
    run = scene.begin("stopped-by-nobody")
    scene.point("active_users", 7)
    scene.go(run)
    shown = scene.approval()
    assert scene.run(run).sentence == f"Goes on by itself, unless {OWNER} stops it"
    scene.point("active_users", 99)
    assert scene.later(1).go(run, "expired").stop == "end"
    letter = scene.post.letters[0]
    assert (letter.subject, letter.text) == (shown.content[0]["subject"], shown.content[0]["text"])
    assert scene.approval().content_hash == shown.content_hash
    assert scene.steps(run)["gate"] == ("done", "Nobody stopped it until 2026-09-02 10:00 UTC, so it goes on.")


def test_what_somebody_stopped_in_a_veto_window_does_not_go(scene: Stage) -> None:
    run = scene.begin("stopped-by-nobody")
    scene.go(run)
    decide(scene, approve=False)
    assert scene.go(run, "rejected").stop == "end"
    assert scene.post.letters == []


def test_mode_veto_lets_the_whole_run_go_when_nobody_stops_it(scene: Stage) -> None:
    run = scene.begin("polite", Mode.VETO)
    assert scene.go(run).stop == "gate"
    assert scene.later(1).go(run, "expired").stop == "wait"
    assert scene.post.to == ["ana@acme.example"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"owner": LEA}, "who owns the account"),
        ({"stage": "renewal"}, "how the account stands"),
    ],
)
def test_what_was_approved_on_other_facts_is_asked_again(scene: Stage, change: dict[str, Any], what: str) -> None:
    """S2-11."""
    run = scene.begin("asked")
    scene.go(run)
    decide(scene)
    account(scene, **change)
    assert scene.go(run, "approved").stop == "gate"
    asked = scene.approval()
    assert (asked.state, asked.version) == ("pending", 2)
    assert (
        asked.reason == f"{OWNER} approved this, but this has changed since it was asked: {what}. So it is asked again."
    )
    assert notices(scene) == [(asked.approver, asked.reason)]
    assert scene.post.letters == []
    decide(scene)
    assert scene.go(run, "approved").stop == "end"
    assert scene.post.to == ["ana@acme.example"]


def test_another_champion_is_not_written_to_on_the_approval_for_the_last_one(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    decide(scene)
    with scene.store.begin() as session:
        session.execute(update(ContactRow).where(ContactRow.id == ANA).values(roles=["sponsor"]))
        session.execute(update(ContactRow).where(ContactRow.id == BO).values(roles=["champion"]))
    assert scene.go(run, "approved").stop == "gate"
    assert [item["to"] for item in scene.approval().content] == ["Bo Li"]


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        ("churned", "This cannot be approved any more: the account has churned."),
        ("unsubscribed", "This cannot be approved any more: Ana Lee has unsubscribed."),
        ("departed", "This cannot be approved any more: Ana Lee has left."),
        ("cancelled", "This cannot be approved any more: the run is cancelled."),
    ],
)
def test_nothing_is_approved_that_could_not_go_out_any_more(scene: Stage, gone: str, why: str) -> None:
    """F24."""
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        if gone == "churned":
            session.execute(update(AccountRow).values(stage="churned"))
        elif gone == "departed":
            session.execute(update(ContactRow).where(ContactRow.id == ANA).values(departed_on=TODAY))
        elif gone == "unsubscribed":
            suppressions.suppress(session, "ana@acme.example", "education", "asked to", AT)
        else:
            session.execute(update(RunRow).where(RunRow.id == run).values(state="cancelled"))
    with pytest.raises(Refused) as refused:
        decide(scene)
    assert str(refused.value) == why
    decide(scene, approve=False)


def test_a_wait_ends_so_long_before_a_date_of_the_account(scene: Stage) -> None:
    """S3-30."""
    account(scene, renewal_on=TODAY + 100)
    run = scene.begin("before-renewal")
    result = scene.go(run)
    assert result.deadline == (datetime(1970, 1, 1, 9, tzinfo=UTC) + timedelta(days=TODAY + 70)).isoformat()
    assert scene.run(run).sentence == f"Waits for 30 days before renewal_on ({day(TODAY + 100)})"
    assert scene.later(71).go(run, "elapsed").stop == "end"
    assert scene.steps(run)["near"] == ("done", f"It is time: 30 days before renewal_on ({day(TODAY + 100)}).")


def test_a_date_that_moves_moves_the_wait(scene: Stage) -> None:
    account(scene, renewal_on=TODAY + 100)
    run = scene.begin("before-renewal")
    scene.go(run)
    assert waking.wake(scene.store, TODAY, AT) == 0
    account(scene, renewal_on=TODAY + 60)
    assert waking.wake(scene.store, TODAY, AT) == 1
    assert scene.outbox("wake") == [{"outcome": "again", "step": "near"}]
    again = scene.go(run, "again")
    assert (again.stop, again.deadline[:10]) == ("wait", day(TODAY + 30).isoformat())
    assert waking.wake(scene.store, TODAY, AT) == 0
    account(scene, renewal_on=TODAY + 90)
    assert scene.later(31).go(run, "elapsed").deadline[:10] == day(TODAY + 60).isoformat()


def test_a_date_nobody_knows_is_waited_for_until_the_longest_time_is_over(scene: Stage) -> None:
    account(scene, renewal_on=None)
    run = scene.begin("before-renewal")
    assert scene.go(run).deadline == (AT + timedelta(days=200)).isoformat()
    assert scene.later(200).go(run, "elapsed").stop == "end"
    assert scene.steps(run)["near"] == ("done", "It did not come about in 200 days.")


def test_an_event_wakes_the_run_that_waits_for_it_as_soon_as_it_is_stored(scene: Stage) -> None:
    """S2-52."""
    run = scene.begin("answer")
    scene.go(run)
    assert scene.run(run).sentence == "Waits for the event survey_answered"
    arrive(scene, Happened("survey_answered", 1, TODAY, {"nps": 9.0}))
    arrive(scene, Happened("survey_answered", 1, TODAY - 1, {"nps": 3.0}))
    arrive(scene, Happened("survey_answered", 2, TODAY, {"nps": 3.0}))
    arrive(scene, Happened("survey_answered", 1, TODAY, {}))
    assert scene.outbox("wake") == []
    for _ in range(2):
        with scene.store.begin() as session:
            sent = b"account,event,at,nps\nacme,survey_answered,2026-09-01,3\n"
            ingests.ingest(session, Kind("events"), [sent], Format.CSV, BUNDLE.catalog, scene.at)
    assert scene.outbox("wake") == [{"outcome": "satisfied", "step": "said"}]
    assert scene.go(run, "satisfied").stop == "end"
    assert scene.steps(run)["said"] == ("done", "It has come about.")


def test_a_step_sets_the_stage_and_since_when(scene: Stage) -> None:
    run = scene.begin("stage")
    assert scene.go(run).stop == "end"
    with scene.store.read() as session:
        row = session.get_one(AccountRow, 1)
        assert (row.stage, row.stage_since) == ("renewal", TODAY)
    assert scene.steps(run)["later"] == ("done", "Stage is renewal now, before: adoption.")


def test_a_run_ends_when_everybody_it_wrote_to_has_unsubscribed(scene: Stage) -> None:
    run = scene.begin("polite")
    scene.go(run)
    assert waking.wake(scene.store, TODAY, AT) == 0
    with scene.store.begin() as session:
        suppressions.suppress(session, "ana@acme.example", "education", "asked to", AT)
    assert waking.wake(scene.store, TODAY, AT) == 1
    assert scene.go(run, "exit").stop == "end"
    assert scene.run(run).sentence == "Ended early: everybody it wrote to has unsubscribed."


def test_a_run_ends_when_a_playbook_that_supersedes_it_starts(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    assert waking.wake(scene.store, TODAY, AT) == 0
    scene.begin("call")
    assert scene.outbox("wake") == [{"outcome": "exit"}]
    assert waking.wake(scene.store, TODAY, AT) == 0
    assert scene.go(run, "exit").stop == "end"
    assert scene.run(run).sentence == "Ended early: call has taken its place."
    assert scene.run(run).state is RunState.DONE


def day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def arrive(scene: Stage, event: Happened) -> None:
    with scene.store.begin() as session:
        awaited.arrived(session, [event], scene.at)


def test_who_recovers_before_anything_was_done_is_never_counted_as_saved(scene: Stage) -> None:
    """The outcome stays met, for held-out accounts recover as well; but no point says that the playbook did it."""
    alone, written = scene.begin("call", rule=RULE), scene.begin("polite", rule="other")
    scene.go(alone)
    scene.go(written)
    with scene.store.read() as session:
        decisions = [runs.find(session, run).decision_id for run in (alone, written)]
        assert recovered.untouched(session, [one for one in decisions if one]) == {decisions[0]}
    finish(scene, outcome="reached", cause="needs_training", ticked=["Look at Acme", "Note it"])
    with scene.store.read() as session:
        assert recovered.untouched(session, [one for one in decisions if one]) == frozenset()


def test_a_run_that_ends_before_anything_was_done_says_that_it_recovered_by_itself(scene: Stage) -> None:
    run = scene.begin("asked", rule=RULE)
    scene.go(run)
    with scene.store.begin() as session:
        session.execute(update(EpisodeRow).values(closed_on=TODAY))
    assert waking.wake(scene.store, TODAY, AT) == 1
    scene.go(run, "exit")
    assert scene.run(run).sentence == (f"Ended early: the signal that started it has cleared; {recovered.BY_ITSELF}.")


def test_nothing_goes_to_a_member_who_has_left(scene: Stage) -> None:
    with scene.store.begin() as session:
        session.execute(update(MemberRow).where(MemberRow.email == OWNER).values(active=False))
    scene.go(scene.begin("call"))
    scene.go(scene.begin("asked"))
    assert scene.tasks()[0].assignee == BOSS
    assert scene.approval().approver == BOSS


def test_a_task_is_due_by_the_calendar_of_whoever_has_it(scene: Stage) -> None:
    with scene.store.begin() as session:
        session.execute(update(MemberRow).where(MemberRow.email == OWNER).values(calendar=AWAY))
    scene.later(2)  # Thursday
    scene.go(scene.begin("call"))
    due = scene.tasks()[0].due_at
    assert due is not None
    assert due.date() == date(2026, 9, 9)
