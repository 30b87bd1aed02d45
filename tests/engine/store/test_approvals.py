"""Approvals: of any number of simultaneous decisions exactly one wins, and the others are told which."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store import acts, approvals, runs
from engine.store.approvals import Item
from engine.store.run_tables import ActRow, ApprovalRow, OutboxRow, RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow
from engine.terms import ActState, ApprovalState, RunAct, RunState

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
LINES = [
    {"kind": "gate", "step": "gate", "target": 2, "arms": [-1, -1, -1], "days": 2, "working": False, "outward": False},
    {"kind": "email", "step": "mail", "target": -1, "arms": [-1, -1, -1], "days": 0, "working": False, "outward": True},
    {"kind": "end", "step": "end", "target": -1, "arms": [-1, -1, -1], "days": 0, "working": False, "outward": False},
]
MAIL = Item("mail", "email", 2, "Ana Lee", "Hello", "Hello Ana", "<p>Hello Ana</p>", "a…@acme.example")


@pytest.fixture
def asked(store: Store) -> Store:
    """Runs 1 of account 1, whose approvals are asked for by `ask`."""
    with store.begin() as session:
        session.add(SubjectRow(id=1, kind="account"))
        session.flush()
        session.add(AccountRow(id=1, key="acme", name="Acme", recorded_at=AT))
        session.flush()
        session.add(
            RunRow(
                id=1,
                account_id=1,
                rule="",
                playbook="p",
                mode="automatic",
                state="waiting",
                frozen={"lines": LINES},
                cursor=0,
                bundle="",
                day_seconds=86_400,
                requested_at=AT,
                started_at=AT,
            )
        )
    return store


def ask(store: Store, step: str = "gate") -> int:
    with store.begin() as session:
        approvals.begin(
            session,
            account_id=1,
            run_id=1,
            step=step,
            approver="mia@example.org",
            items=[MAIL],
            expires_at=AT + timedelta(days=2),
            at=AT,
        )
        session.flush()
        return session.scalars(select(ApprovalRow.id).where(ApprovalRow.step == step)).one()


def decide(session: Session, approval: int, member: str = "mia@example.org", **changed: object) -> int:
    wanted: dict[str, object] = {"version": 1, "approve": True, "reason": "", "at": AT, **changed}
    return approvals.decide(session, approval, member=member, **wanted)  # type: ignore[arg-type]  # any of its fields


def test_of_eight_who_decide_at_once_exactly_one_wins_and_the_others_are_told_who(asked: Store) -> None:
    """F24, P3."""
    for number in range(12):
        approval = ask(asked, f"gate-{number}")

        def one(member: int, approval: int = approval) -> str:
            try:
                with asked.begin() as session:
                    decide(session, approval, f"m{member}", approve=member % 2 == 0, reason="so")
            except Refused as refused:
                return str(refused)
            return ""

        with ThreadPoolExecutor(8) as pool:
            said = list(pool.map(one, range(8)))
        with asked.read() as session:
            found = approvals.find(session, approval)
        winners = [member for member, refusal in enumerate(said) if not refusal]
        assert [f"m{member}" for member in winners] == [found.decided_by]
        assert found.state is (ApprovalState.APPROVED if winners[0] % 2 == 0 else ApprovalState.REJECTED)
        word = found.state.value
        assert all(refusal.startswith(f"{found.decided_by} {word} this at ") for refusal in said if refusal)
    with asked.read() as session:
        assert len(session.scalars(select(ActRow)).all()) == 12
        assert len(session.scalars(select(OutboxRow)).all()) == 12


def test_a_decision_is_carried_to_the_run_in_the_same_transaction(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session:
        act = decide(session, approval)
    with asked.read() as session:
        row = session.scalars(select(OutboxRow)).one()
        assert (row.kind, row.run_id, row.payload) == ("update", 1, {"act_id": act, "kind": "approve", "step": "gate"})


def test_after_the_time_is_over_nobody_decides(asked: Store) -> None:
    """F24."""
    approval = ask(asked)
    with asked.begin() as session, pytest.raises(Refused, match="over at 2026-09-03 10:00 UTC"):
        decide(session, approval, at=AT + timedelta(days=2))


def test_an_edit_makes_a_new_version_and_hash_and_what_was_seen_before_cannot_be_approved(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session:
        before = approvals.find(session, approval)
        version = approvals.edit(
            session, approval, version=1, item=0, subject="Hi", text="Hi **Ana**", member="bo@example.org", at=AT
        )
    with asked.begin() as session:
        after = approvals.find(session, approval)
        assert (version, after.edited_by) == (2, "bo@example.org")
        assert (after.items[0].subject, after.items[0].contact_id) == ("Hi", 2)
        assert "<strong>Ana</strong>" in after.items[0].html
        assert after.content_hash != before.content_hash
        with pytest.raises(Refused, match=r"bo@example.org changed the content \(version 2, you saw 1\)"):
            decide(session, approval)
        assert decide(session, approval, version=2)


@pytest.mark.parametrize(("subject", "text"), [("", "x"), ("x", " "), ("two\nlines", "x")])
def test_a_message_without_subject_or_text_is_refused(asked: Store, subject: str, text: str) -> None:
    approval = ask(asked)
    with asked.begin() as session, pytest.raises(Refused):
        approvals.edit(session, approval, version=1, item=0, subject=subject, text=text, member="bo", at=AT)


def test_what_is_no_message_cannot_be_edited(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session, pytest.raises(Refused, match="Only a message"):
        approvals.edit(session, approval, version=1, item=7, subject="a", text="b", member="bo", at=AT)


def test_after_an_edit_two_who_edit_the_same_version_have_one_winner(asked: Store) -> None:
    approval = ask(asked)

    def one(member: int) -> bool:
        try:
            with asked.begin() as session:
                approvals.edit(session, approval, version=1, item=0, subject=f"m{member}", text="x", member="m", at=AT)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(one, range(4))) == 1


def test_a_no_needs_a_reason(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session, pytest.raises(Refused, match="Say why"):
        decide(session, approval, approve=False, reason=" ")


def test_asking_again_for_the_same_step_keeps_the_first_question(asked: Store) -> None:
    assert ask(asked) == ask(asked)


def test_an_approval_that_is_not_there_is_not_found(asked: Store) -> None:
    with asked.begin() as session, pytest.raises(NotFound):
        decide(session, 99)


def test_what_was_withdrawn_cannot_be_decided(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session:
        approvals.withdraw_all(session, 1, AT)
        with pytest.raises(Refused, match="not asked any more"):
            decide(session, approval)


def test_closing_what_was_decided_leaves_the_decision(asked: Store) -> None:
    approval = ask(asked)
    with asked.begin() as session:
        decide(session, approval)
        closed = approvals.close(session, 1, "gate", ApprovalState.EXPIRED, AT)
        assert closed is not None
        assert closed.state is ApprovalState.APPROVED
        assert approvals.approved_items(session, 1, "mail") == (MAIL,)
        assert approvals.who_approved(session, 1, "mail") == "mia@example.org"


def test_an_act_is_refused_where_it_makes_no_sense_and_twice_on_its_way(asked: Store) -> None:
    with asked.begin() as session:
        acts.request(session, 1, RunAct.PAUSE, member="m", reason="", at=AT)
        with pytest.raises(Refused, match="paused already"):
            acts.request(session, 1, RunAct.PAUSE, member="m", reason="", at=AT)
        acts.request(session, 1, RunAct.RESUME, member="m", reason="", at=AT)
        acts.request(session, 1, RunAct.SKIP, member="m", reason="known", at=AT, step="mail")
        with pytest.raises(Refused, match="on its way"):
            acts.request(session, 1, RunAct.SKIP, member="m", reason="known", at=AT, step="mail")
        with pytest.raises(Refused, match="Say why you cancel it"):
            acts.request(session, 1, RunAct.CANCEL, member="m", reason="", at=AT)
        with pytest.raises(Refused, match='no step "other"'):
            acts.request(session, 1, RunAct.SKIP, member="m", reason="known", at=AT, step="other")


def test_an_act_on_a_run_that_has_ended_is_refused(asked: Store) -> None:
    with asked.begin() as session:
        runs.move(session, 1, state=RunState.DONE, cursor=2, sentence="", at=AT)
        with pytest.raises(Refused, match="The run is done"):
            acts.request(session, 1, RunAct.CANCEL, member="m", reason="why", at=AT)


def test_only_the_first_answer_about_an_act_counts(asked: Store) -> None:
    with asked.begin() as session:
        act = acts.request(session, 1, RunAct.PAUSE, member="m", reason="", at=AT)
        acts.mark(session, act, ActState.NOT_APPLIED, "the run has ended", AT)
        acts.mark(session, act, ActState.APPLIED, "", AT)
    with asked.read() as session:
        found = acts.of_run(session, 1)[0]
        assert (found.state, found.note, found.applied_at) == (ActState.NOT_APPLIED, "the run has ended", None)
