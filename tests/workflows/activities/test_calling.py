"""Calls of a run: each goes once per step, under one id; what a receiver does decides whether it is made again."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from engine.definitions.bundle import Bundle
from engine.store import approvals, calls, deliveries, holds, notices
from engine.store.inbox import inbox
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, MemberRow
from engine.terms import DeliveryState, RunState
from tests.workflows.activities.scenery import ANA, AT, BO, OWNER, Stage, playbook_file, read, stage
from tests.workflows.channels.faulty_receiver import FaultyReceiver
from workflows.activities.calling import PAUSES
from workflows.channels.egress import Egress, allowed_urls
from workflows.channels.turns import BESIDE
from workflows.channels.webhook import Caller, Told, signature
from workflows.payloads import StretchInput
from workflows.resending import Resending

CONNECTIONS = """format: 1
connections:
  crm: {kind: crm, url: "env:CRM_URL", secret: "env:CRM_SECRET", retries: 3}
  product: {kind: guide, url: "env:CRM_URL", secret: "env:CRM_SECRET"}
  team: {kind: chat, url: "env:CRM_URL"}
"""
STEPS = {
    "noted": '- {id: note, note: {to: crm, body: {text: "{{ account.name }} <needs> help", state: at-risk}}}',
    "guided": "- {id: tour, guide: {to: product, audience: user, body: {guide: first-steps}}}",
    "told": '- {id: tell, notify: {to: [team, owner], text: "{{ account.name }} & co: <!channel> look"}}',
    "gated": """- approve:
    by: owner
    expires: 2d
    on_expiry: skip
    steps:
      - {id: note, note: {to: crm, body: {text: "{{ account.name }} needs help"}}}
      - {id: tour, guide: {to: product, audience: user, body: {guide: first-steps}}}
      - {id: tell, notify: {to: [team], text: "Look at {{ account.name }}"}}""",
    "asked": '- {id: tell, notify: {to: [owner], text: "Have a look at {{ account.name }}"}}',
}
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NEWER = "whsec_" + base64.b64encode(b"n" * 32).decode()


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    books = [playbook_file(name, steps) for name, steps in STEPS.items()]
    return read({"rules/connections.yaml": CONNECTIONS}, *books)


@pytest.fixture
def scene(sqlite_store: Store, bundle: Bundle) -> Stage:
    return stage(sqlite_store, bundle)


@pytest.fixture
def receiver() -> Iterator[FaultyReceiver]:
    with FaultyReceiver() as found:
        yield found


def connect(scene: Stage, receiver: FaultyReceiver, **environment: str) -> dict[str, str]:
    """Let the scene call the receiver. Returns the environment, which can change."""
    found = {"CRM_URL": receiver.url, "CRM_SECRET": SECRET, **environment}
    allowed = allowed_urls(f"{receiver.url} {receiver.url}/new")
    scene.stretches.caller = Caller(Egress(allowed=allowed, seconds=1), found)
    return found


def ledger(scene: Stage) -> list[DeliveryRow]:
    with scene.store.read() as session:
        return list(session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)))


def again(scene: Stage, run: int, deadline: str) -> str:
    """Go on when the run's wait is over. Returns the next deadline; empty at the end."""
    scene.at = datetime.fromisoformat(deadline)
    return scene.go(run, "elapsed").deadline


def test_a_note_is_called_once_and_says_what_the_step_says(scene: Stage, receiver: FaultyReceiver) -> None:
    """P1. What is tried again after the call has been made is not called again."""
    connect(scene, receiver)
    run = scene.begin("noted")
    assert scene.go(run).stop == "end"
    [got] = receiver.calls
    body = json.loads(got.body)
    assert body == {
        "type": "backcast.note",
        "timestamp": AT.isoformat(),
        "data": {
            "account": {"key": "acme", "name": "Acme"},
            "challenge": None,
            "playbook": "noted",
            "step": "note",
            "run": run,
            "values": {"text": "Acme <needs> help", "state": "at-risk"},
        },
    }
    assert scene.steps(run)["note"] == ("done", "“note to crm” went to 1 of 1 receivers.")
    [row] = ledger(scene)
    assert (row.state, row.receiver, row.letter) == ("sent", "connection:crm", None)
    assert row.message_id == got.headers["webhook-id"]
    assert receiver.url not in (row.address, row.reason)
    with scene.store.begin() as session:
        session.execute(update(RunRow).values(state="active"))
    scene.go(run, cursor=0)
    assert len(receiver.calls) == 1


def test_a_receiver_that_is_down_is_called_again_under_the_same_id(scene: Stage, receiver: FaultyReceiver) -> None:
    """F15: after a pause that grows, or the one it asks for; every time with the same body."""
    connect(scene, receiver)
    receiver.modes = ["500", "503 Retry-After: 77", "drop"]
    run = scene.begin("noted")
    first = scene.go(run)
    assert (first.stop, first.cursor) == ("wait", 0)
    pause = (datetime.fromisoformat(first.deadline) - AT).total_seconds()
    assert 0.8 * PAUSES[0] <= pause <= 1.2 * PAUSES[0]
    assert scene.run(run).state is RunState.WAITING
    assert scene.run(run).sentence == "Waits: crm answered 500"
    second = again(scene, run, first.deadline)
    assert datetime.fromisoformat(second) - scene.at == timedelta(seconds=77)
    with scene.store.begin() as session:
        session.execute(update(AccountRow).values(name="Renamed"))
    third = again(scene, run, second)
    assert (datetime.fromisoformat(third) - scene.at).total_seconds() > 0.8 * PAUSES[2]
    assert again(scene, run, third) == ""
    assert len(receiver.calls) == 4
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert len({call.body for call in receiver.calls}) == 1
    assert [row.state for row in ledger(scene)] == ["sent"]
    assert scene.steps(run)["note"][0] == "done"


def test_woken_before_its_time_a_call_still_waits(scene: Stage, receiver: FaultyReceiver) -> None:
    connect(scene, receiver)
    receiver.modes = ["429 Retry-After: 3600"]
    run = scene.begin("noted")
    later = scene.go(run).deadline
    scene.at += timedelta(minutes=10)
    assert scene.go(run, "satisfied").deadline == later
    assert len(receiver.calls) == 1
    assert again(scene, run, later) == ""


def test_where_too_many_call_one_receiver_the_run_waits_its_turn(scene: Stage, receiver: FaultyReceiver) -> None:
    """F14: who is slow does not keep the threads from everybody else; and it is no attempt."""
    connect(scene, receiver)
    caller = scene.stretches.caller
    assert caller is not None
    for _ in range(BESIDE):
        caller.turns.take("crm")
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    assert scene.run(run).sentence == "Waits: crm is busy with other calls"
    assert (receiver.connections, ledger(scene)) == (0, [])
    caller.turns.give_back("crm", 0.0)
    assert again(scene, run, deadline) == ""
    assert ledger(scene)[0].fence == 1


@pytest.mark.parametrize(("mode", "state"), [("500", DeliveryState.NOT_SENT), ("drop", DeliveryState.AMBIGUOUS)])
def test_when_no_attempt_is_left_the_owner_is_told(
    scene: Stage, receiver: FaultyReceiver, mode: str, state: DeliveryState
) -> None:
    """What certainly did not arrive is said so; what may have arrived is on the inbox, and neither is called again."""
    connect(scene, receiver)
    receiver.mode = mode
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    for _ in range(3):
        assert deadline
        deadline = again(scene, run, deadline)
    assert deadline == ""
    assert len(receiver.calls) == 4
    [row] = ledger(scene)
    assert (row.state, row.permanent) == (state.value, True)
    assert row.reason.endswith("(attempt 4, the last one)")
    with scene.store.read() as session:
        waiting = inbox(session, OWNER)
    if state is DeliveryState.AMBIGUOUS:
        assert [one.subject for one in waiting.doubtful] == ["note to crm"]
    else:
        assert [task.title for task in waiting.tasks] == [
            "Acme: “note to crm” was sent to nobody: crm answered 500 (attempt 4, the last one)"
        ]


def test_a_member_who_looked_has_it_called_once_more(scene: Stage, receiver: FaultyReceiver) -> None:
    """P1: on a person's word, under the same id and with the same body; the run is long past the step."""
    connect(scene, receiver)
    receiver.modes = ["drop"] * 4
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    while deadline:
        deadline = again(scene, run, deadline)
    assert scene.run(run).state is RunState.DONE
    caller = scene.stretches.caller
    assert caller is not None
    resending = Resending(scene.store, scene.post, caller)
    assert resending.once() == 0
    with scene.store.begin() as session:
        [row] = deliveries.ambiguous(session)
        deliveries.resolve(session, row.delivery_id, arrived=None, send_again=True, member=OWNER, at=scene.at)
    assert [resending.once(), resending.once()] == [1, 0]
    assert len({(call.headers["webhook-id"], call.body) for call in receiver.calls}) == 1
    assert len(receiver.calls) == 5
    [done] = ledger(scene)
    assert (done.state, done.resolved_by) == ("sent", OWNER)
    assert scene.post.letters == []


def test_one_doubtful_attempt_makes_the_whole_doubtful(scene: Stage, receiver: FaultyReceiver) -> None:
    """P1: not sent would be a lie, for the first attempt may have arrived."""
    connect(scene, receiver)
    receiver.modes, receiver.mode = ["drop"], "422"
    run = scene.begin("noted")
    assert again(scene, run, scene.go(run).deadline) == ""
    [row] = ledger(scene)
    assert row.state == "ambiguous"
    assert row.reason == "crm answered 422: it cannot read what it was sent (attempt 2, the last one)"


def test_a_redirect_ends_it_at_once_and_says_what_to_correct(scene: Stage, receiver: FaultyReceiver) -> None:
    connect(scene, receiver)
    receiver.mode = "302 Location: http://169.254.169.254/"
    run = scene.begin("noted")
    assert scene.go(run).stop == "end"
    state, sentence = scene.steps(run)["note"]
    assert state == "failed"
    assert sentence.endswith(
        "crm answered 302, which leads elsewhere, and redirects are not followed: correct its URL."
    )
    assert receiver.connections == 1


def test_who_is_gone_is_not_called_until_somebody_says_so(scene: Stage, receiver: FaultyReceiver) -> None:
    """F15: 410 turns the connection off, for every run, and its owner hears of it."""
    environment = connect(scene, receiver)
    receiver.modes = ["410"]
    for _ in range(3):
        scene.go(scene.begin("noted"))
    assert len(receiver.calls) == 1
    gone = "crm answered 410 Gone: correct its URL, or say that it is there: backcast connections enable crm"
    assert [row.reason for row in ledger(scene)] == ["crm answered 410: it wants no calls any more", gone, gone]
    assert scene.tasks()[-1].title == f"Acme: “note to crm” was sent to nobody: {gone}"
    environment["CRM_URL"] = f"{receiver.url}/new"  # corrected
    scene.go(scene.begin("noted"))
    assert len(receiver.calls) == 2
    environment["CRM_URL"] = receiver.url  # as it was
    with scene.store.begin() as session:
        assert calls.enable(session, calls.endpoint(receiver.url), OWNER) is True
        assert calls.enable(session, calls.endpoint(receiver.url), OWNER) is False
    scene.go(scene.begin("noted"))
    assert [row.state for row in ledger(scene)][-2:] == ["sent", "sent"]


def test_a_killed_attempt_is_made_again_under_the_same_id(scene: Stage, receiver: FaultyReceiver) -> None:
    """F02, P7: the process died with the call on the wire; the receiver tells the repetition by its id."""
    connect(scene, receiver)
    receiver.modes = ["500"]
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    with scene.store.begin() as session:
        session.execute(update(DeliveryRow).values(state="sending", claimed_at=AT - timedelta(hours=1)))
    with scene.store.begin() as session:
        assert deliveries.resolve_stale(session, AT, AT) == 1
    assert ledger(scene)[0].state == "not_sent", "the run makes the next attempt, nobody is asked"
    assert again(scene, run, deadline) == ""
    assert len({call.headers["webhook-id"] for call in receiver.calls}) == 1
    assert [row.state for row in ledger(scene)] == ["sent"]


def test_a_late_yes_counts_although_another_attempt_has_begun(scene: Stage, receiver: FaultyReceiver) -> None:
    connect(scene, receiver)
    receiver.modes = ["500"]
    run = scene.begin("noted")
    scene.go(run)
    [row] = ledger(scene)
    first = calls.Claimed(row.id, 1, row.message_id, "crm", "{}", retries=3, repeats=True)
    with scene.store.begin() as session:
        session.execute(update(DeliveryRow).values(state="sending", fence=2))
        no = calls.Came(DeliveryState.NOT_SENT, "crm answered 500", permanent=False, pause=timedelta(0))
        assert calls.settle(session, first, no, AT).state is DeliveryState.SENDING
        yes = calls.Came(DeliveryState.SENT, "crm answered 200", permanent=False, pause=timedelta(0))
        assert calls.settle(session, first, yes, AT).state is DeliveryState.SENT
    assert ledger(scene)[0].state == "sent"


def test_a_hold_stops_calls_too(scene: Stage, receiver: FaultyReceiver) -> None:
    """P6: nothing is called while everything is on hold, and it is called afterwards."""
    connect(scene, receiver)
    with scene.store.begin() as session:
        hold = holds.hold(session, account_id=None, cause="member", reason="wait", author=OWNER, at=AT)
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    assert deadline
    assert receiver.connections == 0
    with scene.store.begin() as session:
        holds.release(session, hold, OWNER, AT)
    assert again(scene, run, deadline) == ""
    assert len(receiver.calls) == 1


def test_a_secret_that_is_replaced_while_a_call_waits_signs_beside_the_old_one(
    scene: Stage, receiver: FaultyReceiver
) -> None:
    """F35."""
    environment = connect(scene, receiver)
    receiver.modes = ["401"]
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    environment |= {"CRM_SECRET": NEWER, "CRM_SECRET_OLD": SECRET}
    assert again(scene, run, deadline) == ""
    first, second = receiver.calls
    about = (first.headers["webhook-id"], int(second.headers["webhook-timestamp"]), second.body)
    assert second.headers["webhook-signature"] == signature((b"n" * 32, b"k" * 32), *about)


def test_without_its_variable_a_call_waits_and_says_which_one(scene: Stage, receiver: FaultyReceiver) -> None:
    environment = connect(scene, receiver, CRM_URL="")
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    assert scene.run(run).sentence == "Waits: the variable CRM_URL is empty: it has to hold the URL of crm"
    environment["CRM_URL"] = receiver.url
    assert again(scene, run, deadline) == ""
    assert len(receiver.calls) == 1


def test_a_name_that_leads_inside_is_refused_and_nothing_leaves(scene: Stage, receiver: FaultyReceiver) -> None:
    """F16, P8."""
    connect(scene, receiver)
    inside = f"https://hooks.example.com:8443/{receiver.port}"
    egress = Egress(resolver=lambda _host, _port: ["127.0.0.1"], seconds=1)
    scene.stretches.caller = Caller(egress, {"CRM_URL": inside, "CRM_SECRET": SECRET})
    run = scene.begin("noted")
    deadline = scene.go(run).deadline
    while deadline:
        deadline = again(scene, run, deadline)
    assert receiver.connections == 0
    [row] = ledger(scene)
    assert row.state == "not_sent"
    assert row.reason.startswith("the URL does not lead to a public address")
    assert "127.0.0.1" not in row.reason


def test_a_guide_names_every_contact_of_its_audience_once(scene: Stage, receiver: FaultyReceiver) -> None:
    """S3-16, S3-41: in the product, for the whole cohort, in one call; also to who has no address."""
    connect(scene, receiver)
    with scene.store.begin() as session:
        session.execute(update(ContactRow).where(ContactRow.id == BO).values(email=""))
    run = scene.begin("guided")
    receiver.modes = ["500"]
    assert again(scene, run, scene.go(run).deadline) == ""
    bodies = [json.loads(call.body) for call in receiver.calls]
    assert bodies[0] == bodies[1]
    assert bodies[0]["type"] == "backcast.guide"
    assert bodies[0]["data"]["contacts"] == ["c12", "c13"]
    assert bodies[0]["data"]["values"] == {"guide": "first-steps"}
    assert not any(word in receiver.calls[0].body for word in ("Bo", "Cy", "@")), "no names, no addresses"


def test_a_guide_without_anybody_is_left_out_and_said(scene: Stage, receiver: FaultyReceiver) -> None:
    connect(scene, receiver)
    with scene.store.begin() as session:
        session.execute(update(ContactRow).values(roles=["champion"]))
    run = scene.begin("guided")
    scene.go(run)
    assert scene.steps(run)["tour"] == ("skipped", "Nobody to write to: no contact of the account is in its audience.")
    assert receiver.connections == 0


def test_who_pauses_a_run_waits_for_the_call_that_is_on_the_wire(
    scene: Stage, receiver: FaultyReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F29: cut off, a line in a chat would be in doubt although it was taken."""
    connect(scene, receiver)
    environment = ActivityEnvironment()
    call = Caller.call

    def call_and_cancel(*words: Any) -> Told:
        environment.cancel()
        return call(*words)

    monkeypatch.setattr(Caller, "call", call_and_cancel)
    run = scene.begin("told")
    with pytest.raises(CancelledError):
        environment.run(scene.stretches.run_stretch, StretchInput(run, 0, "begin", scene.at.isoformat()))
    assert [row.state for row in ledger(scene)] == ["sent"]
    monkeypatch.undo()
    assert scene.go(run).stop == "end"
    assert len(receiver.calls) == 1


def test_a_chat_and_a_colleague_are_told(scene: Stage, receiver: FaultyReceiver) -> None:
    """S2-01. What data says mentions nobody and makes no link in the chat."""
    connect(scene, receiver)
    run = scene.begin("told")
    assert scene.go(run).stop == "end"
    assert json.loads(receiver.calls[0].body) == {
        "text": "Acme &amp; co: &lt;!channel&gt; look\nhttps://cs.example/accounts/1"
    }
    assert "webhook-signature" not in receiver.calls[0].headers
    with scene.store.read() as session:
        [notice] = notices.of_member(session, OWNER)
    assert (notice.subject, notice.text) == ("Acme: Try it", "Acme & co: <!channel> look")
    assert notice.link == "/accounts/1"


def test_a_chat_that_may_have_taken_it_is_not_told_twice(scene: Stage, receiver: FaultyReceiver) -> None:
    """P1: a chat knows no ids."""
    connect(scene, receiver)
    receiver.mode = "drop"
    run = scene.begin("told")
    assert scene.go(run).stop == "end"
    assert [row.state for row in ledger(scene)] == ["ambiguous"]
    assert scene.steps(run)["tell"][1].endswith("1 may or may not have arrived: see the inbox.")
    assert len(receiver.calls) == 1


def test_a_notice_names_the_challenge_and_the_response(scene: Stage) -> None:
    """S2-17."""
    scene.go(scene.begin("asked", rule="seats-unused"))
    with scene.store.read() as session:
        [notice] = notices.of_member(session, OWNER)
    assert notice.subject == f"Acme: {scene.bundle.rules['seats-unused'].challenge.title}: Try it"


def test_colleagues_alone_are_told_without_any_call(scene: Stage, receiver: FaultyReceiver) -> None:
    connect(scene, receiver)
    run = scene.begin("asked")
    assert scene.go(run).stop == "end"
    assert scene.steps(run)["tell"] == ("done", f"Told {OWNER}.")
    assert receiver.connections == 0
    with scene.store.begin() as session:
        session.execute(update(MemberRow).values(active=False))
    run = scene.begin("asked")
    scene.go(run)
    assert scene.steps(run)["tell"] == ("skipped", "Nobody to write to: nobody is there to be told.")


def test_what_is_called_is_what_the_approval_showed(scene: Stage, receiver: FaultyReceiver) -> None:
    """P3: the account is renamed and a contact leaves between the yes and the calls; nobody is added."""
    connect(scene, receiver)
    run = scene.begin("gated")
    assert scene.go(run).stop == "gate"
    content = scene.approval().content
    assert [(one["kind"], one["to"], one["subject"]) for one in content] == [
        ("note", "crm", "note to crm"),
        ("guide", "product", "guide to product"),
        ("notify", "team", "Look at Acme"),
    ]
    assert json.loads(content[1]["text"]) == {"values": {"guide": "first-steps"}, "contacts": ["c12", "c13"]}
    with scene.store.begin() as session:
        row = scene.approval()
        approvals.decide(session, row.id, version=row.version, approve=True, member=OWNER, reason="", at=scene.at)
    with scene.store.begin() as session:
        session.execute(update(AccountRow).values(name="Renamed"))
        session.execute(update(ContactRow).where(ContactRow.id == BO).values(departed_on=1))
        session.execute(update(ContactRow).where(ContactRow.id == ANA).values(roles=["user"]))
    assert scene.go(run, "approved").stop == "end"
    note, guide, chat = [json.loads(call.body) for call in receiver.calls]
    assert note["data"]["values"] == {"text": "Acme needs help"}
    assert guide["data"]["contacts"] == ["c13"]
    assert chat["text"].startswith("Look at Acme\n")


def test_where_nothing_may_be_called_the_step_says_so(scene: Stage) -> None:
    run = scene.begin("noted")
    assert scene.go(run).stop == "end"
    assert scene.steps(run)["note"][1].endswith("Not sent: nothing is called from here.")
