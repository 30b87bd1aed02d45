"""What becomes of a line's messages: put off and taken up again, in whose name and language, copied, in doubt."""

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

import pytest
from sqlalchemy import select, update
from temporalio.exceptions import ApplicationError

from engine.errors import NotFound, Refused
from engine.store import deliveries, holds
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, MemberRow
from engine.terms import DeliveryState, RunState
from tests.workflows.activities.scenery import ANA, AT, BO, CY, OWNER, Stage, playbook_file, read, stage
from workflows.activities.stretch import Stretches
from workflows.channels.egress import Egress
from workflows.channels.letter import Verdict
from workflows.channels.webhook import Caller
from workflows.resending import Resending

POLICY = """format: 1
per_day: 1
per_week: 5
max_reschedules: 2
"""
ONE = "- email: {to: champion, message: hello, %s}"
BUNDLE = read(
    playbook_file("plain", "- email: {to: champion, message: hello}\n- email: {to: champion, message: first}"),
    playbook_file("all", "- email: {to: user, message: first}"),
    playbook_file("again", ONE % "on_ambiguous: retry"),
    playbook_file("taken", ONE % "on_ambiguous: treat_as_sent"),
    playbook_file("copied", "- email: {to: user, message: hello, copy_owner: true}"),
    playbook_file("company", ONE % "sender: company"),
    playbook_file("short", ONE % "max_lateness: 1d"),
    {
        "rules/contact.yaml": POLICY,
        "playbooks/messages/plain/hello.de.md": "Plätze bei {{ account.name }}\nGuten Tag {{ contact.first_name }}.\n",
    },
)
NOBODY = Caller(Egress(), {})
DOUBT = Verdict(DeliveryState.AMBIGUOUS, "the relay did not answer")


@pytest.fixture
def scene(sqlite_store: Store) -> Stage:
    """Tuesday, the first of September 2026, ten in the morning."""
    return stage(sqlite_store, BUNDLE)


def ledger(scene: Stage) -> list[tuple[str, str]]:
    with scene.store.read() as session:
        return [(row.receiver, row.state) for row in session.scalars(select(DeliveryRow).order_by(DeliveryRow.id))]


def change(
    scene: Stage, table: type[AccountRow] | type[ContactRow] | type[MemberRow], key: int, **columns: object
) -> None:
    with scene.store.begin() as session:
        for name, value in columns.items():
            setattr(session.get_one(table, key), name, value)


def test_a_message_outside_the_window_waits_at_its_own_line_and_goes_when_it_opens(scene: Stage) -> None:
    scene.later(0.4)
    run = scene.begin("all")
    stood = scene.go(run)
    assert (stood.cursor, stood.stop) == (0, "wait")
    opens = datetime.fromisoformat(stood.deadline)
    assert datetime(2026, 9, 2, 9, tzinfo=UTC) <= opens < datetime(2026, 9, 2, 9, 15, tzinfo=UTC)
    row = scene.run(run)
    assert row.state is RunState.WAITING
    assert row.sentence == f"Waits for {opens:%H:%M} on Wednesday 2 September UTC: outside working hours"
    assert scene.steps(run)["email-first"][0] == "pending"
    assert scene.post.to == []
    scene.at = opens + timedelta(minutes=15)
    assert scene.go(run, "elapsed").stop == "end"
    assert sorted(scene.post.to) == ["bo@acme.example", "cy@acme.example"]
    assert scene.steps(run)["email-first"] == ("done", "“Lesson one” went to 2 of 2 people.")


def test_who_was_written_to_is_not_written_to_again_when_the_others_may(scene: Stage) -> None:
    change(scene, ContactRow, CY, time_zone="Pacific/Auckland")
    run = scene.begin("all")
    stood = scene.go(run)
    assert scene.post.to == ["bo@acme.example"]
    assert "in Auckland" in scene.run(run).sentence
    scene.at = datetime.fromisoformat(stood.deadline)
    assert scene.go(run, "elapsed").stop == "end"
    assert scene.post.to == ["bo@acme.example", "cy@acme.example"]
    assert scene.steps(run)["email-first"][1] == "“Lesson one” went to 2 of 2 people."


def test_the_second_message_of_a_day_waits_for_the_next(scene: Stage) -> None:
    run = scene.begin("plain")
    stood = scene.go(run)
    assert (stood.cursor, stood.stop, len(scene.post.letters)) == (1, "wait", 1)
    assert "frequency_capped" in scene.run(run).sentence
    scene.at = datetime.fromisoformat(stood.deadline)
    assert scene.go(run, "elapsed").stop == "end"
    assert [letter.subject for letter in scene.post.letters] == ["Seats at Acme", "Lesson one"]


def test_a_message_that_would_come_too_late_is_left_out_and_nobody_is_troubled(scene: Stage) -> None:
    scene.later(3.4)  # Friday evening; nobody works before Monday
    run = scene.begin("short")
    assert scene.go(run).stop == "end"
    state, sentence = scene.steps(run)["email-hello"]
    assert state == "skipped"
    assert "left out, because it would come too late: outside working hours" in sentence
    assert scene.tasks() == []


def test_a_message_that_was_put_off_again_and_again_asks_the_owner(scene: Stage) -> None:
    """F34: two reschedules are the most in this policy."""
    run = scene.begin("all")
    change(scene, ContactRow, CY, email="")
    scene.later(0.4)
    stood = scene.go(run)
    for number in range(2):
        with scene.store.begin() as session:  # something else goes to them first, each time
            session.add(
                DeliveryRow(
                    account_id=1, run_id=run, step=f"other-{number}", receiver="contact:12", contact_id=BO,
                    address="bo@acme.example", category="education", channel="test", message_id=f"<{number}@x>",
                    subject="", content_hash="", state="sent", claimed_at=scene.at,
                    due_at=datetime.fromisoformat(stood.deadline),
                )
            )  # fmt: skip
        scene.at = datetime.fromisoformat(stood.deadline)
        stood = scene.go(run, "elapsed")
    assert stood.stop == "end"
    assert "left out after it was put off 2 times" in scene.steps(run)["email-first"][1]
    [task] = scene.tasks()
    assert "left out after it was put off" in task.title
    assert task.assignee == OWNER


def test_while_everything_is_on_hold_the_run_waits_and_goes_on_after_the_release(scene: Stage) -> None:
    """P6, F29."""
    with scene.store.begin() as session:
        held = holds.hold(session, account_id=None, cause="member", reason="wrong list", author=OWNER, at=AT)
    run = scene.begin("all")
    stood = scene.go(run)
    assert (stood.stop, scene.post.to) == ("wait", [])
    assert "put everything on hold" in scene.run(run).sentence
    with scene.store.begin() as session:
        holds.release(session, held, OWNER, AT)
        deliveries.wake_held(session, None, AT)
    assert scene.outbox("wake") == [{"outcome": "again", "step": "email-first"}]
    assert scene.go(run, "again").stop == "end"
    assert len(scene.post.to) == 2


def test_a_letter_carries_the_owners_name_and_answers_go_to_them(scene: Stage) -> None:
    scene.go(scene.begin("plain"))
    [letter] = scene.post.letters
    assert (letter.sender_name, letter.sender, letter.reply_to) == ("Mia Owner", "cs@example.com", OWNER)


def test_after_a_change_of_owner_the_next_letter_is_the_new_owners(scene: Stage) -> None:
    run = scene.begin("plain")
    stood = scene.go(run)
    with scene.store.begin() as session:
        session.add(MemberRow(email="noa@example.org", name="Noa New", roles=["csm"]))
    change(scene, AccountRow, 1, owner="noa@example.org")
    scene.at = datetime.fromisoformat(stood.deadline)
    scene.go(run, "elapsed")
    assert [letter.sender_name for letter in scene.post.letters] == ["Mia Owner", "Noa New"]


def test_a_letter_of_the_company_names_nobody(scene: Stage) -> None:
    scene.go(scene.begin("company"))
    [letter] = scene.post.letters
    assert (letter.sender_name, letter.reply_to) == ("", "")


def test_where_answers_are_passed_on_each_letter_has_an_address_of_its_own(scene: Stage) -> None:
    scene.stretches = Stretches(scene.store, scene.post, "https://cs.example", "cs@example.com", "reply+@example.com")
    scene.go(scene.begin("all"))
    first, second = (parseaddr(letter.reply_to)[1] for letter in scene.post.letters)
    assert first.startswith("reply+")
    assert first.endswith("@example.com")
    assert first != second


def test_a_contact_is_written_to_in_their_language_else_the_accounts(scene: Stage) -> None:
    change(scene, ContactRow, ANA, language="de-AT")
    scene.go(scene.begin("plain"))
    assert scene.post.letters[0].subject == "Plätze bei Acme"
    assert "Guten Tag Ana" in scene.post.letters[0].text


def test_an_account_has_a_language_too(scene: Stage) -> None:
    change(scene, AccountRow, 1, fields={"language": "de"})
    scene.go(scene.begin("plain"))
    assert scene.post.letters[0].subject == "Plätze bei Acme"


def test_the_owner_gets_one_copy_that_says_to_whom_it_went_and_cannot_unsubscribe_anybody(scene: Stage) -> None:
    run = scene.begin("copied")
    scene.go(run)
    *letters, copy = scene.post.letters
    assert len(letters) == 2
    assert (copy.to_address, copy.subject) == (OWNER, "Copy: Seats at Acme")
    assert copy.text.startswith("Copy of a message to Bo Li, Cy Ray at Acme.")
    assert copy.unsubscribe_url == ""
    assert "/u/" not in copy.text + copy.html
    assert copy.message_id not in {letter.message_id for letter in letters}
    assert scene.steps(run)["email-hello"][1] == "“Seats at Acme” went to 2 of 2 people. The owner got a copy."


def test_what_a_relay_said_stays_on_our_pages_and_out_of_temporal_and_the_logs(scene: Stage) -> None:
    """Relays name the address they refuse, and what an activity raises is kept by others."""
    words = "the relay refused the recipient: 450 4.2.2 <ana@acme.example>: mailbox full"
    scene.post.verdicts["ana@acme.example"] = Verdict(DeliveryState.NOT_SENT, words)
    run = scene.begin("again")
    with pytest.raises(ApplicationError) as raised:
        scene.go(run)
    assert "acme" not in str(raised.value)
    assert words in scene.run(run).sentence


def test_in_doubt_the_playbook_may_say_that_it_is_sent_again(scene: Stage) -> None:
    """F13: three times at most, then a person is asked after all."""
    scene.post.verdicts["ana@acme.example"] = DOUBT
    run = scene.begin("again")
    for _ in range(3):
        with pytest.raises(ApplicationError, match="could not send yet"):
            scene.go(run)
        assert "sent again, as the playbook says" in scene.run(run).sentence
    assert scene.go(run).stop == "end"
    assert ledger(scene) == [(f"contact:{ANA}", "ambiguous")]
    assert len({letter.message_id for letter in scene.post.letters}) == 1


@pytest.mark.parametrize(("state", "becomes"), [("active", "not_sent"), ("cancelled", "ambiguous")])
def test_where_the_run_has_ended_nobody_sends_again_so_a_person_is_asked(
    scene: Stage, state: str, becomes: str
) -> None:
    """P1: killed with the letter on the wire, and the run cancelled before the next attempt: never silently dropped."""
    run = scene.begin("again")
    scene.go(run)
    with scene.store.begin() as session:
        session.execute(update(DeliveryRow).values(state="sending", claimed_at=scene.at))
        session.execute(update(RunRow).values(state=state))
    with scene.store.begin() as session:
        assert deliveries.resolve_stale(session, scene.at + timedelta(seconds=45), scene.at) == 1
    assert ledger(scene) == [(f"contact:{ANA}", becomes)]


def test_in_doubt_the_playbook_may_say_that_it_counts_as_sent(scene: Stage) -> None:
    scene.post.verdicts["ana@acme.example"] = DOUBT
    scene.go(scene.begin("taken"))
    assert ledger(scene) == [(f"contact:{ANA}", "sent")]


def doubtful(scene: Stage) -> int:
    """A delivery in doubt, of a run that has ended since."""
    scene.post.verdicts["bo@acme.example"] = DOUBT
    run = scene.begin("all")
    assert scene.go(run).stop == "end"
    scene.post.verdicts.clear()
    scene.post.letters.clear()
    with scene.store.read() as session:
        [found] = deliveries.ambiguous(session)
    return found.delivery_id


def resolve(scene: Stage, delivery: int, member: str = OWNER, *, arrived: bool | None, again: bool = False) -> None:
    with scene.store.begin() as session:
        deliveries.resolve(session, delivery, arrived=arrived, send_again=again, member=member, at=scene.at)


def test_what_a_member_wants_sent_again_goes_as_it_was_once(scene: Stage) -> None:
    """P1: the same Message-ID, and only because a person said so."""
    delivery = doubtful(scene)
    with scene.store.read() as session:
        message_id = session.get_one(DeliveryRow, delivery).message_id
    resolve(scene, delivery, arrived=None, again=True)
    loop = Resending(scene.store, scene.post, NOBODY)
    assert (loop.once(), loop.once()) == (1, 0)
    [letter] = scene.post.letters
    assert (letter.message_id, letter.to_address, letter.subject) == (message_id, "bo@acme.example", "Lesson one")
    with scene.store.read() as session:
        row = session.get_one(DeliveryRow, delivery)
        assert (row.state, row.retries, row.resolved_by, row.letter) == ("sent", 1, OWNER, None)


def test_what_is_sent_again_is_not_lost_with_the_process_that_had_just_claimed_it(scene: Stage) -> None:
    """P1, P7: killed between the claim and the wire, of a run that has ended long since."""
    delivery = doubtful(scene)
    resolve(scene, delivery, arrived=None, again=True)
    with scene.store.begin() as session:
        deliveries.claim_again(session, delivery, scene.at)
    loop = Resending(scene.store, scene.post, NOBODY)
    assert loop.once() == 0, "as far as anybody knows it is being sent"
    with scene.store.begin() as session:
        assert deliveries.resolve_stale(session, scene.at + timedelta(seconds=45), scene.at) == 0, "none is in doubt"
    assert (loop.once(), loop.once()) == (1, 0)
    assert [letter.to_address for letter in scene.post.letters] == ["bo@acme.example"]


def test_what_is_sent_again_still_heeds_holds_and_opt_outs(scene: Stage) -> None:
    delivery = doubtful(scene)
    resolve(scene, delivery, arrived=None, again=True)
    with scene.store.begin() as session:
        held = holds.hold(session, account_id=1, cause="member", reason="a dispute", author=OWNER, at=AT)
    loop = Resending(scene.store, scene.post, NOBODY)
    loop.once()
    assert scene.post.letters == []
    with scene.store.begin() as session:
        holds.release(session, held, OWNER, AT)
    change(scene, AccountRow, 1, suppressed=True)
    loop.once()
    assert scene.post.letters == []
    assert (f"contact:{BO}", "not_sent") in ledger(scene)


@pytest.mark.parametrize(("arrived", "state"), [(True, "sent"), (False, "not_sent")])
def test_a_member_says_what_became_of_it_and_the_next_is_told_who_was_first(
    scene: Stage, arrived: bool, state: str
) -> None:
    """P3."""
    delivery = doubtful(scene)
    resolve(scene, delivery, arrived=arrived)
    assert (f"contact:{BO}", state) in ledger(scene)
    with pytest.raises(Refused, match=f"{OWNER} has decided it"):
        resolve(scene, delivery, "noa@example.org", arrived=not arrived)
    with pytest.raises(Refused, match="not in doubt any more"):
        resolve(scene, delivery, arrived=None, again=True)


def test_who_resolves_has_to_say_something_about_something(scene: Stage) -> None:
    delivery = doubtful(scene)
    with pytest.raises(Refused, match="Say whether it arrived"):
        resolve(scene, delivery, arrived=None)
    with pytest.raises(NotFound):
        resolve(scene, 99, arrived=True)


def test_a_relay_that_answers_late_settles_it_for_everybody(scene: Stage) -> None:
    delivery = doubtful(scene)
    with scene.store.begin() as session:
        row = session.get_one(DeliveryRow, delivery)
        late = deliveries.Claim(delivery, row.fence, row.message_id, "", "")
        deliveries.settle(session, late, DeliveryState.SENT, "250 taken", AT, permanent=False)
    with pytest.raises(Refused, match="its relay has answered"):
        resolve(scene, delivery, arrived=False)


def test_an_address_that_the_relay_refuses_is_named_to_the_owner_and_the_others_got_theirs(scene: Stage) -> None:
    """F12."""
    refusal = Verdict(DeliveryState.NOT_SENT, "the relay refused the recipient: 550 no such user", permanent=True)
    scene.post.verdicts["cy@acme.example"] = refusal
    scene.go(scene.begin("all"))
    assert scene.post.to == ["bo@acme.example"]
    [task] = scene.tasks()
    assert "“Lesson one” did not reach Cy Ray: the relay refuses the address; ask for another one" in task.title
