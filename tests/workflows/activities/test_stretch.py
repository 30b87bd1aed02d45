"""One stretch of a run, called as the worker calls it, on both databases."""

import socket
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from engine.errors import NotFound, Refused
from engine.store import acts, approvals, bundles, reports, runs, tasks
from engine.store.decision_tables import EpisodeRow
from engine.store.run_tables import DeliveryRow, RunRow, StepRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow
from engine.terms import ActState, DeliveryState, Mode, RunAct, RunState
from tests.workflows.activities.scenery import ANA, AT, BO, OWNER, Post, Stage, playbook_file, read, stage
from workflows.activities.stretch import Stretches
from workflows.channels.file import FileChannel
from workflows.channels.letter import Letter, Verdict
from workflows.channels.smtp import SmtpChannel
from workflows.payloads import RecordActInput, StretchInput

BUNDLE = read(
    {"rules/contact.yaml": "format: 1\nper_day: 9\nper_week: 50\nwindow: always\n"},
    playbook_file(
        "plain",
        """
- task: {title: "Call {{ account.name }}", to: owner, due: 3 working days}
- email: {to: champion, message: hello}
- wait: {at_most: 7d}
- {id: last, email: {to: user, message: first}}
""",
    ),
    playbook_file(
        "fork",
        """
- wait: {until: {">=": [{var: license_utilization}, 50%]}, at_most: 7d}
- id: enough
  branch:
    if: {">=": [{var: license_utilization}, 50%]}
    then: [{email: {to: champion, message: hello}}]
    else: [{id: other, email: {to: user, message: first}}]
- task: {title: After, to: owner}
""",
        "exit: [goal_met, signal_cleared]",
    ),
    playbook_file(
        "lessons",
        """
- id: course
  campaign:
    to: {role: user, idle_for: 14d}
    every: 3d
    lessons: [first, second, third]
    stop_when: {">=": [{var: contact.logins.sum_7d}, 1]}
""",
    ),
    playbook_file(
        "asked",
        """
- id: gate
  approve:
    by: owner
    expires: 2 working days
    on_expiry: skip
    steps:
      - email: {to: champion, message: hello}
      - report: {use: quarterly, share_with: sponsor, expires: 30d}
- task: {title: After, to: owner}
""",
    ),
    playbook_file(
        "lessons-asked",
        """
- approve:
    by: owner
    expires: 2d
    on_expiry: cancel
    steps:
      - id: course
        campaign: {to: {role: user, idle_for: 14d}, every: 3d, lessons: [first, second]}
""",
    ),
    playbook_file(
        "patient",
        """
- ask: {to: owner, questions: [engaged_on_calls], wait_for_done: 5d}
- email: {to: champion, message: hello}
""",
    ),
)


@pytest.fixture
def scene(store: Store) -> Stage:
    return stage(store, BUNDLE)


def test_a_stretch_does_instant_lines_up_to_the_next_stop(scene: Stage) -> None:
    run = scene.begin("plain")
    result = scene.go(run)
    assert (result.cursor, result.stop, result.deadline) == (2, "wait", "2026-09-08T10:00:00+00:00")
    assert scene.post.to == ["ana@acme.example"]
    assert scene.run(run).state is RunState.WAITING
    assert scene.tasks()[0].title == "Call Acme"
    assert scene.tasks()[0].assignee == OWNER
    assert scene.steps(run)["email-hello"] == ("done", "“Seats at Acme” went to 1 of 1 people.")


def test_a_run_that_has_done_its_last_line_is_done(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    assert scene.later(7).go(run, "elapsed").stop == "end"
    assert scene.run(run).state is RunState.DONE
    assert scene.run(run).ended_at is not None
    assert scene.post.to == ["ana@acme.example", "bo@acme.example", "cy@acme.example"]
    assert scene.tasks()[0].state == "open"


def test_a_message_holds_the_accounts_data_and_an_unsubscribe_link(scene: Stage) -> None:
    scene.point("active_users", 7)
    scene.go(scene.begin("plain"))
    letter = scene.post.letters[0]
    assert letter.subject == "Seats at Acme"
    assert "Hello Ana," in letter.text
    assert "7 people use it" in letter.text
    assert letter.unsubscribe_url.startswith("https://cs.example/u/")


def test_a_stretch_that_is_tried_again_does_nothing_twice(scene: Stage) -> None:
    run = scene.begin("plain")
    first = scene.go(run)
    assert scene.go(run, cursor=0) == first
    assert len(scene.post.letters) == 1
    assert len(scene.tasks()) == 1


def test_a_relay_that_is_down_makes_the_stretch_worth_another_try_without_sending_twice(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    scene.post.verdicts["cy@acme.example"] = Verdict(DeliveryState.NOT_SENT, "the relay is down")
    with pytest.raises(ApplicationError, match="could not send yet") as caught:
        scene.later(7).go(run, "elapsed")
    assert not caught.value.non_retryable
    assert "the relay is down" in scene.run(run).sentence
    scene.post.verdicts.clear()
    assert scene.go(run, "elapsed", cursor=2).stop == "end"
    assert scene.post.to == ["ana@acme.example", "bo@acme.example", "cy@acme.example"]


def test_an_address_that_is_refused_for_good_fails_the_step_and_tells_the_owner(scene: Stage) -> None:
    scene.post.verdicts["ana@acme.example"] = Verdict(DeliveryState.NOT_SENT, "no such mailbox", permanent=True)
    run = scene.begin("plain")
    assert scene.go(run).stop == "wait"
    failed = [step for step, (state, _) in scene.steps(run).items() if state == "failed"]
    assert len(failed) == 1
    assert "no such mailbox" in scene.tasks()[-1].title


def test_a_delivery_in_doubt_is_recorded_and_the_run_goes_on(scene: Stage) -> None:
    scene.post.verdicts["ana@acme.example"] = Verdict(DeliveryState.AMBIGUOUS, "the connection was lost")
    run = scene.begin("plain")
    assert scene.go(run).stop == "wait"
    assert any("may or may not have arrived" in sentence for _, sentence in scene.steps(run).values())
    scene.go(run, cursor=0)
    assert len(scene.post.letters) == 1


def test_nobody_to_write_to_skips_the_step_and_gives_the_owner_a_task(scene: Stage) -> None:
    with scene.store.begin() as session:
        session.get_one(ContactRow, ANA).departed_on = 1
    run = scene.begin("plain")
    assert scene.go(run).stop == "wait"
    assert any(state == "skipped" and "champion" in said for state, said in scene.steps(run).values())
    assert "nobody to write to" in scene.tasks()[-1].title


def test_a_person_without_an_address_is_nobody_to_write_to(scene: Stage) -> None:
    with scene.store.begin() as session:
        session.get_one(ContactRow, ANA).email = ""
    run = scene.begin("plain")
    scene.go(run)
    assert scene.post.letters == []
    assert any(state == "skipped" for state, _ in scene.steps(run).values())


@pytest.mark.parametrize(("utilisation", "to"), [(0.6, "ana@acme.example"), (0.4, "bo@acme.example")])
def test_a_branch_goes_by_the_latest_facts(scene: Stage, utilisation: float, to: str) -> None:
    run = scene.begin("fork")
    scene.go(run)
    scene.later(7)
    scene.point("seats_sold", 100)
    scene.point("active_users", 100 * utilisation)
    scene.go(run, "elapsed")
    assert scene.post.to[0] == to


def test_an_unknown_branch_without_an_arm_for_it_gives_the_owner_a_task(scene: Stage) -> None:
    run = scene.begin("fork")
    scene.go(run)
    scene.later(7).go(run, "elapsed")
    assert scene.post.letters == []
    assert "because data is missing (license_utilization)" in scene.tasks()[0].title
    assert scene.tasks()[-1].title == "After"


def test_a_branch_once_taken_is_taken_again_when_the_stretch_is_tried_again(scene: Stage) -> None:
    run = scene.begin("fork")
    scene.go(run)
    scene.later(7)
    scene.point("seats_sold", 100)
    scene.point("active_users", 40)
    scene.post.verdicts["bo@acme.example"] = Verdict(DeliveryState.NOT_SENT, "the relay is down")
    with pytest.raises(ApplicationError):
        scene.go(run, "elapsed")
    scene.point("active_users", 90)
    scene.post.verdicts.clear()
    scene.go(run, "elapsed", cursor=0)
    assert sorted(scene.post.to) == ["bo@acme.example", "cy@acme.example"]


def test_a_wait_for_what_is_so_already_does_not_stop(scene: Stage) -> None:
    scene.point("seats_sold", 100)
    scene.point("active_users", 55)
    run = scene.begin("fork")
    assert scene.go(run).stop == "end"
    assert scene.post.to == ["ana@acme.example"]


def test_a_wait_says_what_it_waits_for_and_nothing_when_the_run_has_left(scene: Stage) -> None:
    run = scene.begin("fork")
    scene.go(run)
    assert scene.waits()[0].condition == {">=": [{"var": "license_utilization"}, 0.5]}
    scene.later(7).go(run, "elapsed")
    assert scene.waits() == []


def test_lessons_go_to_idle_users_and_stop_for_whoever_comes_back(scene: Stage) -> None:
    """S3-42."""
    scene.login(BO, days_ago=20)
    run = scene.begin("lessons")
    scene.go(run)
    assert scene.post.to == ["bo@acme.example", "cy@acme.example"]
    scene.later(3).login(BO)
    scene.go(run, "elapsed")
    assert scene.post.to[2:] == ["cy@acme.example"]
    # Bo's login is older than a week now, but he has had enough lessons: he stopped at the second.
    scene.later(10).go(run, "elapsed")
    assert scene.post.to[3:] == ["cy@acme.example"]


def test_a_course_that_everybody_has_finished_ends_without_a_word(scene: Stage) -> None:
    run = scene.begin("lessons")
    scene.go(run)
    scene.later(3)
    scene.login(BO)
    scene.login(13)
    scene.go(run, "elapsed")
    assert len(scene.post.letters) == 2
    assert scene.tasks() == []


def test_users_who_logged_in_lately_get_no_lesson(scene: Stage) -> None:
    scene.login(BO, days_ago=3)
    scene.login(13, days_ago=13)
    run = scene.begin("lessons")
    scene.go(run)
    assert scene.post.letters == []


def test_a_gate_shows_what_would_be_sent_and_sends_nothing(scene: Stage) -> None:
    """S2-11."""
    run = scene.begin("asked")
    result = scene.go(run)
    asked = scene.approval()
    assert (result.stop, asked.approver, asked.state) == ("gate", OWNER, "pending")
    assert [(item["kind"], item["to"], item["address"]) for item in asked.content] == [
        ("email", "Ana Lee", "a…@acme.example"),
        ("report", "Ana Lee", ""),
    ]
    assert asked.content[0]["subject"] == "Seats at Acme"
    assert scene.post.letters == []


def test_what_was_approved_is_what_is_sent_even_when_the_data_changes(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    asked = scene.approval()
    with scene.store.begin() as session:
        approvals.edit(
            session,
            asked.id,
            version=1,
            item=0,
            subject="Your seats",
            text="Hi {{ you }}, **read** this.",
            member=OWNER,
            at=AT,
        )
        approvals.decide(session, asked.id, version=2, approve=True, member=OWNER, reason="", at=AT)
    scene.point("active_users", 99)
    assert scene.go(run, "approved").stop == "end"
    assert scene.post.letters[0].subject == "Your seats"
    assert scene.post.letters[0].text == "Hi {{ you }}, **read** this."
    assert "<strong>read</strong>" in scene.post.letters[0].html
    assert "{{ you }}" in scene.post.letters[0].html


def test_a_rejected_gate_leaves_out_what_it_covers_and_nothing_else(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        approvals.decide(session, scene.approval().id, version=1, approve=False, member=OWNER, reason="not now", at=AT)
    assert scene.go(run, "rejected").stop == "end"
    assert scene.post.letters == []
    assert scene.steps(run)["gate"] == ("skipped", f"{OWNER} rejected it: not now")
    assert [task.title for task in scene.tasks()] == ["After"]


def test_a_gate_that_expires_is_skipped_and_never_sent_silently(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    assert scene.later(3).go(run, "expired").stop == "end"
    assert scene.approval().state == "expired"
    assert scene.post.letters == []


def test_a_decision_in_the_moment_of_expiry_wins_because_the_row_decides(scene: Stage) -> None:
    """F24."""
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        act = approvals.decide(session, scene.approval().id, version=1, approve=True, member=OWNER, reason="", at=AT)
    scene.later(3).go(run, "expired")
    assert scene.post.letters
    with scene.store.begin() as session:
        acts.mark(session, act, ActState.NOT_APPLIED, "too late", AT)
        assert [one.state.value for one in acts.of_run(session, run)] == ["applied"]


def test_an_approved_report_goes_out_as_a_link_that_opens_it(scene: Stage) -> None:
    """S2-46."""
    run = scene.begin("asked")
    scene.go(run)
    approve(scene)
    scene.go(run, "approved")
    letter = scene.post.letters[1]
    token = letter.text.split("https://cs.example/r/")[1].split()[0]
    assert letter.unsubscribe_url
    with scene.store.begin() as session:
        opened = reports.open_by_token(session, token, AT)
    assert opened.content["account"] == "Acme"
    assert scene.reports()[0].approved_by == OWNER


def test_a_report_mail_that_has_to_be_tried_again_carries_the_same_link(scene: Stage) -> None:
    with scene.store.begin() as session:
        session.get_one(ContactRow, BO).roles = ["user", "sponsor"]
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        approvals.decide(session, scene.approval().id, version=1, approve=True, member=OWNER, reason="", at=AT)
    scene.post.verdicts["bo@acme.example"] = Verdict(DeliveryState.NOT_SENT, "the relay is down")
    with pytest.raises(ApplicationError):
        scene.go(run, "approved")
    scene.post.verdicts.clear()
    scene.go(run, "approved", cursor=0)
    links = {letter.text.split("/r/")[1].split()[0] for letter in scene.post.letters[1:]}
    assert len(scene.post.letters) == 3
    assert len(links) == 1


def test_mode_approve_shows_the_whole_run_and_a_no_ends_it(scene: Stage) -> None:
    """S2-13."""
    run = scene.begin("plain", Mode.APPROVE)
    assert scene.go(run).stop == "gate"
    assert [item["kind"] for item in scene.approval().content] == ["task", "email", "email", "email"]
    with scene.store.begin() as session:
        approvals.decide(session, scene.approval().id, version=1, approve=False, member=OWNER, reason="no", at=AT)
    assert scene.go(run, "rejected").stop == "end"
    assert scene.run(run).state is RunState.CANCELLED
    assert scene.post.letters == []


def test_mode_manual_waits_for_a_person_to_start_it(scene: Stage) -> None:
    """S2-11, S2-17: the task names the challenge and the response."""
    run = scene.begin("plain", Mode.MANUAL, rule="seats-unused")
    assert scene.go(run).stop == "wait"
    assert scene.tasks()[0].title == "Acme: Seats are paid for and not used: start “Try it” when the time is right"
    with scene.store.begin() as session:
        tasks.finish(session, scene.tasks()[0].id, version=1, member=OWNER, answers={}, note="", at=AT)
    assert scene.outbox("wake") == [{"outcome": "satisfied", "step": "start-by-hand/wait"}]
    scene.go(run, "satisfied")
    assert scene.post.to == ["ana@acme.example"]


def test_a_run_that_nobody_starts_by_hand_ends_and_sends_nothing(scene: Stage) -> None:
    run = scene.begin("plain", Mode.MANUAL)
    scene.go(run)
    assert scene.later(30).go(run, "elapsed").stop == "end"
    assert scene.run(run).state is RunState.CANCELLED
    assert scene.post.letters == []


def test_a_run_waits_for_answers_and_they_become_points(scene: Stage) -> None:
    """S1-29."""
    run = scene.begin("patient")
    assert scene.go(run).stop == "wait"
    task = scene.tasks()[0]
    assert list(task.questions) == ["engaged_on_calls"]
    with scene.store.begin() as session:
        tasks.finish(session, task.id, version=1, member=OWNER, answers={"engaged_on_calls": 4}, note="", at=AT)
    assert [message["outcome"] for message in scene.outbox("wake")] == ["satisfied"]
    assert scene.go(run, "satisfied").stop == "end"


def test_a_task_that_is_done_before_the_run_waits_for_it_does_not_hold_it_up(scene: Stage) -> None:
    run = scene.begin("patient")
    scene.go(run)
    with scene.store.begin() as session:
        tasks.finish(
            session, scene.tasks()[0].id, version=1, member=OWNER, answers={"engaged_on_calls": 4}, note="", at=AT
        )
        # As if the activity had died before it came to the wait.
        session.execute(update(StepRow).where(StepRow.kind == "wait").values(state="pending"))
    assert scene.go(run, cursor=0).stop == "end"


def test_a_goal_that_is_met_ends_the_run_and_cancels_its_tasks(scene: Stage) -> None:
    run = scene.begin("fork", rule="seats-unused")
    scene.go(run)
    scene.later(2)
    scene.point("seats_sold", 100)
    scene.point("active_users", 80)
    assert scene.go(run, "satisfied").stop == "end"
    assert scene.run(run).state is RunState.DONE
    assert "the goal is met" in scene.run(run).sentence
    assert scene.post.letters == []
    assert "waiting" not in {state for state, _ in scene.steps(run).values()}
    assert scene.steps(run)["wait"] == ("skipped", "The run ended before this was over.")


def test_a_signal_that_has_cleared_ends_the_run(scene: Stage) -> None:
    run = scene.begin("fork", rule="seats-unused")
    scene.go(run)
    with scene.store.begin() as session:
        session.execute(update(EpisodeRow).values(closed_on=30_000))
    scene.later(2).go(run, "elapsed")
    assert scene.run(run).sentence == (
        "Ended early: the signal that started it has cleared; nothing had been done by then, so it recovered by itself "
        "and does not count as saved."
    )


@pytest.mark.parametrize(
    ("field", "value"), [("stopped_reason", "in a lawsuit"), ("stage", "churned"), ("suppressed", True)]
)
def test_an_account_that_is_stopped_or_churned_ends_its_runs(scene: Stage, field: str, value: object) -> None:
    """F24: the account is looked at again after an approval."""
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        approvals.decide(session, scene.approval().id, version=1, approve=True, member=OWNER, reason="", at=AT)
        setattr(session.get_one(AccountRow, 1), field, value)
    assert scene.go(run, "approved").stop == "end"
    assert scene.run(run).state is RunState.CANCELLED
    assert scene.post.letters == []


def test_cancelling_ends_the_run_with_who_and_why_and_withdraws_what_was_asked(scene: Stage) -> None:
    """S1-50."""
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        acts.request(session, run, RunAct.CANCEL, member=OWNER, reason="they called us", at=AT)
    assert scene.go(run, "cancelled").stop == "end"
    assert scene.run(run).state is RunState.CANCELLED
    assert scene.run(run).sentence == f"{OWNER} cancelled the run: they called us"
    assert scene.approval().state == "withdrawn"


def test_a_stretch_that_cannot_be_done_closes_the_run_as_failed_and_tells_the_owner(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    assert scene.go(run, "failed").stop == "end"
    assert scene.run(run).state is RunState.FAILED
    assert "failed" in scene.tasks()[-1].title


def test_a_run_that_has_ended_does_nothing_more(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    scene.go(run, "cancelled")
    assert scene.go(run, "elapsed", cursor=2).stop == "end"
    assert len(scene.post.letters) == 1


def test_a_step_that_a_person_leaves_out_is_recorded_with_the_reason(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    with scene.store.begin() as session:
        acts.request(session, run, RunAct.SKIP, member=OWNER, reason="they know", at=AT, step="last")
    scene.later(7).go(run, "elapsed", skips=("last",))
    assert scene.steps(run)["last"] == ("skipped", f"{OWNER} left this out: they know")
    assert len(scene.post.letters) == 1


def test_a_skipped_branch_does_none_of_its_arms(scene: Stage) -> None:
    run = scene.begin("fork")
    scene.go(run)
    scene.later(7).go(run, "elapsed", skips=("enough",))
    assert scene.post.letters == []
    assert [task.title for task in scene.tasks()] == ["After"]


def test_pausing_and_resuming_change_what_the_run_says_of_itself(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    before = scene.run(run).sentence
    for kind, state in ((RunAct.PAUSE, RunState.PAUSED), (RunAct.RESUME, RunState.WAITING)):
        with scene.store.begin() as session:
            act = acts.request(session, run, kind, member=OWNER, reason="", at=AT)
        scene.stretches.record_act(RecordActInput(run, act, kind.value, 2, AT.isoformat()))
        assert scene.run(run).state is state
    assert scene.run(run).sentence == before


def test_a_scaled_day_is_as_long_as_the_run_says(scene: Stage) -> None:
    run = scene.begin("plain", day_seconds=2)
    assert scene.go(run).deadline == "2026-09-01T10:00:14+00:00"


def test_an_old_run_keeps_the_definitions_it_began_with(scene: Stage) -> None:
    """S2-38."""
    run = scene.begin("plain")
    scene.go(run)
    with scene.store.begin() as session:
        bundles.publish(session, read(playbook_file("plain", "- task: {title: New, to: owner}")), "test", AT)
    scene.later(7).go(run, "elapsed")
    assert scene.post.letters[-1].subject == "Lesson one"


def test_every_message_is_one_row_of_the_ledger(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    scene.later(7).go(run, "elapsed")
    with scene.store.read() as session:
        assert len(session.scalars(select(DeliveryRow).where(DeliveryRow.state == "sent")).all()) == 3


def test_a_member_starts_a_run_by_hand_and_an_account_has_one_at_a_time(scene: Stage) -> None:
    """S2-40."""
    with scene.store.begin() as session:
        run = runs.start_by_hand(session, scene.bundle, 1, "plain", OWNER, "a feeling", AT, 86_400)
    scene.go(run)
    assert scene.post.to == ["ana@acme.example"]
    with scene.store.begin() as session, pytest.raises(Refused, match="still open"):
        runs.start_by_hand(session, scene.bundle, 1, "plain", OWNER, "again", AT, 86_400)


def test_a_run_whose_definitions_cannot_be_read_any_more_can_still_be_closed(scene: Stage) -> None:
    run = scene.begin("asked")
    scene.go(run)
    with scene.store.begin() as session:
        session.execute(update(RunRow).values(bundle="gone"))
    with pytest.raises(NotFound):
        scene.go(run, "approved")
    assert scene.go(run, "failed").stop == "end"
    assert scene.run(run).state is RunState.FAILED
    assert scene.approval().state == "withdrawn"


@dataclass
class Dying(Post):
    """A channel whose process dies at the letter with number ``at``, before or after it has gone."""

    at: int = 0
    after: bool = False

    def send(self, letter: Letter) -> Verdict:
        """Keep the letter, or die."""
        dies = len(self.letters) == self.at and self.at >= 0
        if dies and not self.after:
            self.at = -1
            raise KeyboardInterrupt
        verdict = super().send(letter)
        if dies:
            self.at = -1
            raise KeyboardInterrupt
        return verdict


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [0, 1])
def test_whenever_the_process_dies_nobody_is_written_to_twice_and_what_is_in_doubt_is_shown(
    scene: Stage, at: int, after: bool
) -> None:
    run = scene.begin("lessons")
    dying = Dying(at=at, after=after)
    scene.stretches.channel = dying
    with pytest.raises(KeyboardInterrupt):
        scene.go(run)
    assert scene.go(run, cursor=0).stop == "wait"
    assert len(dying.to) == len(set(dying.to))
    with scene.store.read() as session:
        states = sorted(session.scalars(select(DeliveryRow.state)))
    assert states == ["ambiguous", "sent"]
    assert scene.steps(run)["course/first"][0] == "done"


def test_a_crash_between_the_message_and_the_next_step_repeats_neither(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = scene.begin("plain")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(scene.stretches, "_go_on", die)
        with pytest.raises(KeyboardInterrupt):
            scene.go(run)
    assert scene.run(run).state is RunState.ACTIVE
    assert scene.go(run).stop == "wait"
    assert (len(scene.post.letters), len(scene.tasks())) == (1, 1)


def test_a_paused_run_sends_nothing_until_it_is_resumed(scene: Stage) -> None:
    """F29."""
    run = scene.begin("plain")
    with scene.store.begin() as session:
        acts.request(session, run, RunAct.PAUSE, member=OWNER, reason="", at=AT)
    with pytest.raises(ApplicationError, match="could not send yet"):
        scene.go(run)
    assert "asked to pause" in scene.run(run).sentence
    assert scene.post.letters == []


def approve(scene: Stage) -> None:
    with scene.store.begin() as session:
        approvals.decide(session, scene.approval().id, version=1, approve=True, member=OWNER, reason="", at=AT)


def test_nobody_gets_what_nobody_approved_for_them(scene: Stage) -> None:
    """F24: Cy logs in before the gate opens and is idle again when the lessons go out."""
    scene.login(13, days_ago=13)
    run = scene.begin("lessons-asked")
    scene.go(run)
    assert {item["to"] for item in scene.approval().content} == {"Bo Li"}
    scene.later(1)
    approve(scene)
    scene.later(1).go(run, "approved")
    scene.later(3).go(run, "elapsed")
    assert scene.post.to == ["bo@acme.example"] * 2


def test_an_approval_of_nobody_sends_nothing_even_when_somebody_turns_up(scene: Stage) -> None:
    scene.login(BO)
    scene.login(13)
    run = scene.begin("lessons-asked")
    scene.go(run)
    approve(scene)
    scene.later(40).go(run, "approved")
    assert scene.post.letters == []


def test_a_gate_that_expires_can_cancel_the_run(scene: Stage) -> None:
    run = scene.begin("lessons-asked")
    scene.go(run)
    scene.later(2).go(run, "expired")
    assert scene.run(run).state is RunState.CANCELLED


def test_a_run_does_not_wait_for_a_task_that_was_left_out(scene: Stage) -> None:
    run = scene.begin("patient")
    assert scene.go(run, skips=("ask",)).stop == "end"
    assert scene.tasks() == []
    assert scene.steps(run)["ask/wait"] == ("skipped", "There is no task to wait for.")
    assert scene.post.to == ["ana@acme.example"]


def test_a_run_that_is_cancelled_while_it_sends_says_what_went(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise InterruptedError

    run = scene.begin("plain")
    with monkeypatch.context() as sending:
        sending.setattr(scene.stretches, "_go_on", interrupted)
        with pytest.raises(InterruptedError):
            scene.go(run)
    assert scene.steps(run)["email-hello"][0] == "pending"
    scene.go(run, "cancelled")
    assert scene.steps(run)["email-hello"] == ("done", "It went to 1 of its people before the run ended.")


def test_a_relay_nobody_answers_at_is_named_and_the_letter_goes_once_when_it_is_back(
    scene: Stage, tmp_path: Path
) -> None:
    """An SMTP server that is down: who reads the run's page learns where, and nothing is lost or sent twice."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    down = Stretches(scene.store, SmtpChannel("127.0.0.1", port, seconds=1), "https://cs.example", "cs@example.com")
    run = scene.begin("plain")
    wanted = StretchInput(run, 0, "begin", AT.isoformat())
    for _ in range(2):
        with pytest.raises(ApplicationError, match=f"could not send yet: the page of run {run} says why"):
            down.run_stretch(wanted)
    assert f"Could not send yet: no connection to the relay 127.0.0.1:{port}" in scene.run(run).sentence
    back = Stretches(scene.store, FileChannel(tmp_path), "https://cs.example", "cs@example.com")
    assert back.run_stretch(wanted).stop == "wait"
    assert len(list(tmp_path.glob("*.eml"))) == 1
    with scene.store.read() as session:
        [row] = session.scalars(select(DeliveryRow)).all()
    assert (row.state, row.fence) == ("sent", 3)


def test_the_wire_tells_the_owner_once_however_often_the_stretch_is_tried(scene: Stage) -> None:
    """S2-01, S2-17."""
    run = scene.begin("plain", Mode.MANUAL, rule="seats-unused")
    for _ in range(3):
        scene.go(run)
    assert [(task.assignee, task.state) for task in scene.tasks()] == [(OWNER, "open")]
    assert "Seats are paid for and not used" in scene.tasks()[0].title
