"""People step into runs: what the rows decide, who wins, and what can be taken back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from engine.definitions.contact_policy import OwnerChange
from engine.errors import NotFound, Refused
from engine.running.lines import Line
from engine.running.overriding import STUCK
from engine.store import acts, approvals, members, notes, outbox, reassigning, stopping_accounts, tasks, undoing
from engine.store.approvals import Item
from engine.store.run_tables import ApprovalRow, OutboxRow, RunRow, StepRow, TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.store.timeline import timeline
from engine.terms import ActState, ApprovalState, OutboxKind, Role, RunAct
from tests.engine.store.letters import put_rows

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DANA, OMAR, EVE = (f"{name}@vendor.example" for name in ("dana", "omar", "eve"))
LINES = (Line("task", "call"), Line("gate", "ask", target=3, days=3), Line("task", "after"), Line("end", "end"))


@pytest.fixture
def run(store: Store) -> int:
    """A run that stands at an approval of Dana's, behind one step."""
    frozen = {"lines": [{name: getattr(line, name) for name in line.__slots__} for line in LINES]}
    with store.begin() as session:
        for address in (DANA, OMAR, EVE):
            members.add(session, address, "", [Role.CSM])
        rows = put_rows(session, state="waiting", cursor=1, frozen=frozen, started_at=AT)
        session.execute(update(AccountRow).values(owner=DANA))
        session.add(StepRow(run_id=rows.run, step="call", kind="task", state="done", at=AT))
        tasks.open_task(
            session, account_id=rows.account, run_id=rows.run, step="call", title="Call", assignee=DANA, at=AT
        )
        approvals.begin(
            session,
            account_id=rows.account,
            run_id=rows.run,
            step="ask",
            approver=DANA,
            items=[Item("after", "task", None, DANA, "Call")],
            expires_at=AT + timedelta(days=3),
            at=AT,
        )
        return rows.run


def _request(store: Store, run: int, kind: RunAct, **more: Any) -> int:
    with store.begin() as session:
        given: dict[str, Any] = {"member": OMAR, "reason": "because", "at": AT} | more
        return acts.request(session, run, kind, **given)


def _approval(store: Store) -> int:
    with store.read() as session:
        return session.scalars(select(ApprovalRow.id)).one()


def _decide(store: Store, number: int, **more: Any) -> int:
    given: dict[str, Any] = {
        "version": 1,
        "approve": True,
        "member": DANA,
        "reason": "",
        "at": AT,
        "wait": undoing.GRACE,
    } | more
    with store.begin() as session:
        return approvals.decide(session, number, **given)


def test_a_run_goes_back_to_a_step_behind_it_and_is_told_whether_to_send_again(store: Store, run: int) -> None:
    number = _request(store, run, RunAct.JUMP, step="call", sends=True)
    with store.read() as session:
        (told,) = session.scalars(select(OutboxRow.payload)).all()
        assert told == {"act_id": number, "kind": "jump", "step": "call", "sends": True}
        (entry,) = [one for one in timeline(session, session.get_one(RunRow, run).account_id) if one.kind == "act"]
        assert (entry.who, entry.state, entry.sentence) == (OMAR, "jump", "because")


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"step": "after"}, 'The step "after" is still ahead: a run goes back, never forward.'),
        ({"step": "nope"}, 'The run has no step "nope".'),
        ({"step": ""}, "Say which step the run is to go back to."),
        ({"step": "call", "reason": " "}, "Say why you jump back in it"),
    ],
)
def test_a_jump_that_makes_no_sense_is_refused(store: Store, run: int, more: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        _request(store, run, RunAct.JUMP, **more)


def test_only_a_run_that_could_not_go_on_is_tried_again_and_once(store: Store, run: int) -> None:
    with pytest.raises(Refused, match="Nothing in the run has failed"):
        _request(store, run, RunAct.RETRY)
    with store.begin() as session:
        session.execute(update(RunRow).values(sentence=f"{STUCK}: the relay is down. Try again"))
    _request(store, run, RunAct.RETRY, reason="")
    with pytest.raises(Refused, match="on its way"):
        _request(store, run, RunAct.RETRY)


def test_a_decision_can_be_taken_back_until_the_run_is_told(store: Store, run: int) -> None:
    number = _approval(store)
    act = _decide(store, number)
    with store.read() as session:
        assert outbox.due(session, AT + timedelta(seconds=9), 10) == ()
    with store.begin() as session:
        assert undoing.undo(session, act, DANA, AT + timedelta(seconds=9)) == number
    with store.read() as session:
        found = approvals.find(session, number)
        assert (found.state, found.decided_by, found.version) == (ApprovalState.PENDING, "", 2)
        assert outbox.depth(session) == 0
        assert acts.of_run(session, run)[0].state is ActState.NOT_APPLIED
    _decide(store, number, version=2, approve=False, reason="not now", member=OMAR)


def test_a_decision_the_run_may_know_of_is_not_taken_back(store: Store, run: int) -> None:
    act = _decide(store, _approval(store))
    with store.read() as session:
        assert [one.kind for one in outbox.due(session, AT + timedelta(seconds=10), 10)] == [OutboxKind.UPDATE]
    with store.begin() as session, pytest.raises(Refused, match="too late to take it back"):
        undoing.undo(session, act, DANA, AT + timedelta(seconds=10))
    with store.begin() as session, pytest.raises(NotFound):
        undoing.undo(session, act, OMAR, AT)
    pause = _request(store, run, RunAct.PAUSE)
    with store.begin() as session, pytest.raises(Refused, match="Only an approval"):
        undoing.undo(session, pause, OMAR, AT)


def test_when_temporal_is_back_what_can_still_be_undone_waits_all_the_same(store: Store, run: int) -> None:
    _decide(store, _approval(store))
    with store.begin() as session:
        outbox.retry_now(session, AT + timedelta(seconds=1))
    with store.read() as session:
        assert outbox.due(session, AT + timedelta(seconds=1), 10) == ()


def test_work_is_given_to_a_colleague_and_the_timeline_says_so(store: Store, run: int) -> None:
    with store.begin() as session:
        task = session.scalars(select(TaskRow)).one()
        given: dict[str, Any] = {"version": 1, "member": DANA, "reason": "on leave", "at": AT}
        assert reassigning.reassign(session, "task", task.id, to=OMAR.upper(), **given) == OMAR
        approval = session.scalars(select(ApprovalRow)).one()
        assert reassigning.reassign(session, "approval", approval.id, to=OMAR, **given) == OMAR
    with store.read() as session:
        assert session.scalars(select(TaskRow.assignee)).one() == OMAR
        assert session.scalars(select(ApprovalRow.approver)).one() == OMAR
        said = [one.text for one in notes.of_account(session, session.scalars(select(AccountRow.id)).one())]
        assert said == [
            "Gave “Approval: ask” to omar@vendor.example, before dana@vendor.example: on leave",
            "Gave “Call” to omar@vendor.example, before dana@vendor.example: on leave",
        ]


def test_work_goes_only_to_members_and_only_while_it_is_open(store: Store, run: int) -> None:
    with store.begin() as session:
        task = session.scalars(select(TaskRow.id)).one()
    for to, version, why in (
        ("x@vendor.example", 1, "No active member has the address"),
        (DANA, 1, "has it already"),
        (OMAR, 7, "has changed since you opened it"),
    ):
        with store.begin() as session, pytest.raises(Refused, match=why):
            reassigning.reassign(session, "task", task, version=version, to=to, member=DANA, reason="", at=AT)
    _decide(store, _approval(store))
    number = _approval(store)
    with store.begin() as session, pytest.raises(Refused, match=r"dana@vendor\.example approved this at"):
        reassigning.reassign(session, "approval", number, version=1, to=OMAR, member=DANA, reason="", at=AT)


@pytest.mark.parametrize(("policy", "moved"), [("none", 0), ("engine_tasks", 2), ("all", 3)])
def test_open_work_follows_an_account_to_its_new_owner(store: Store, run: int, policy: OwnerChange, moved: int) -> None:
    """D.8 53."""
    with store.begin() as session:
        account = session.scalars(select(AccountRow.id)).one()
        tasks.open_task(session, account_id=account, run_id=None, step="own", title="Mine", assignee=DANA, at=AT)
        assert reassigning.follow_owner(session, [account], DANA, OMAR, policy) == moved
        assert reassigning.follow_owner(session, [account], EVE, OMAR, policy) == 0


def test_a_stopped_account_is_left_alone_and_its_runs_are_told_to_end(store: Store, run: int) -> None:
    with store.begin() as session:
        account = session.scalars(select(AccountRow.id)).one()
        with pytest.raises(Refused, match="Say why you stop it"):
            stopping_accounts.stop(session, account, reason="", member=DANA, at=AT)
        assert stopping_accounts.stop(session, account, reason="they are in court", member=DANA, at=AT) == 1
    with store.begin() as session:
        (told,) = session.scalars(select(OutboxRow.payload)).all()
        assert told == {"outcome": "exit"}
        assert session.get_one(AccountRow, account).stopped_reason == f"they are in court ({DANA})"
        with pytest.raises(Refused, match="stopped already"):
            stopping_accounts.stop(session, account, reason="again", member=DANA, at=AT)
        stopping_accounts.resume(session, account, reason="settled", member=OMAR, at=AT + timedelta(days=9))
        with pytest.raises(Refused, match="not stopped"):
            stopping_accounts.resume(session, account, reason="", member=OMAR, at=AT)
        said = [one.sentence for one in timeline(session, account) if one.kind == "note"]
        assert said == [
            "Let rules start for this account again: settled",
            "Stopped everything for this account: they are in court",
        ]


DECIDERS = 8


def test_of_many_who_decide_at_once_exactly_one_wins_and_the_others_are_told_who(store: Store, run: int) -> None:
    """F24, P3: approve and reject at once."""
    with store.begin() as session:
        row = session.scalars(select(ApprovalRow)).one()
        for number in range(1, 25):
            session.add(
                ApprovalRow(
                    account_id=row.account_id, run_id=row.run_id, step=f"ask-{number}", approver=DANA, content=[],
                    state="pending", content_hash="", requested_at=AT, expires_at=AT + timedelta(days=3),
                )
            )  # fmt: skip
    with store.read() as session:
        numbers = session.scalars(select(ApprovalRow.id)).all()

    def decide(job: tuple[int, int]) -> str:
        number, who = job
        member = f"{who}@vendor.example"
        try:
            _decide(store, number, approve=who % 2 == 0, reason="because", member=member)
        except Refused as refused:
            return str(refused)
        return ""

    jobs = [(number, who) for number in numbers for who in range(DECIDERS)]
    with ThreadPoolExecutor(DECIDERS) as pool:
        said = dict(zip(jobs, pool.map(decide, jobs), strict=True))
    for number in numbers:
        answers = {who: said[number, who] for who in range(DECIDERS)}
        (winner,) = [who for who, answer in answers.items() if not answer]
        losers = [answer for who, answer in answers.items() if who != winner]
        assert all(answer.startswith(f"{winner}@vendor.example ") for answer in losers), answers
    with store.read() as session:
        assert len(session.scalars(select(OutboxRow.id)).all()) == len(numbers)
