"""Following up: once, whoever asks and whenever the process dies."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from engine.running.following import FollowUp
from engine.store import followups, inbox, tasks
from engine.store.member_tables import NoticeRow
from engine.store.run_tables import TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, MemberRow, SubjectRow

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
MIA, BOSS = "mia@example.org", "boss@example.org"


@pytest.fixture
def owned(store: Store) -> Store:
    """Account 1 of a member who has a manager."""
    with store.begin() as session:
        session.add(MemberRow(email=MIA, name="Mia", roles=["csm"], manager=BOSS))
        session.add(MemberRow(email=BOSS, name="Boss", roles=["csm"]))
        session.add(SubjectRow(id=1, kind="account"))
        session.flush()
        session.add(AccountRow(id=1, key="acme", name="Acme", owner=MIA, recorded_at=AT))
    return store


def give(store: Store, number: int, later: FollowUp, assignee: str = MIA) -> None:
    with store.begin() as session:
        tasks.open_task(
            session,
            account_id=1,
            run_id=None,
            step=f"call-{number}",
            title="Call them",
            assignee=assignee,
            at=AT,
            due_at=AT + timedelta(days=3),
            follow_up=later,
        )


def told(store: Store) -> list[str]:
    with store.read() as session:
        return list(session.scalars(select(NoticeRow.member).order_by(NoticeRow.id)))


def test_workers_that_ask_at_once_remind_of_everything_once(owned: Store) -> None:
    for number in range(12):
        give(owned, number, FollowUp(remind_at=AT + timedelta(hours=1)))

    def one(_: int) -> None:
        with owned.begin() as session:
            followups.follow_up(session, AT + timedelta(hours=2))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(8)))
    assert told(owned) == [MIA] * 12


def test_a_worker_that_dies_before_the_end_has_told_nobody_and_forgotten_nothing(owned: Store) -> None:
    give(owned, 1, FollowUp(remind_at=AT))

    def die() -> None:
        with owned.begin() as session:
            followups.follow_up(session, AT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert told(owned) == []
    with owned.begin() as session:
        followups.follow_up(session, AT)
    assert told(owned) == [MIA]


def test_nothing_is_said_before_it_is_time_and_it_is_said_late_after_an_outage(owned: Store) -> None:
    give(
        owned, 1, FollowUp(remind_at=AT + timedelta(days=1), escalate_at=AT + timedelta(days=2), escalate_to="manager")
    )
    with owned.begin() as session:
        assert followups.follow_up(session, AT + timedelta(hours=23)) == 0
        assert followups.follow_up(session, AT + timedelta(days=9)) == 1
    assert told(owned) == [MIA, BOSS]
    with owned.read() as session:
        assert [len(inbox.inbox(session, who, AT).tasks) for who in (MIA, BOSS, "lea@example.org")] == [1, 1, 0]
        assert session.scalar(select(func.count()).select_from(TaskRow).where(TaskRow.remind_at.is_not(None))) == 0


@pytest.mark.parametrize(("to", "who"), [("manager", BOSS), (MIA, None), ("boss@example.org", BOSS), ("sponsor", None)])
def test_it_goes_to_whom_the_playbook_names_and_never_back_to_the_same_person(
    owned: Store, to: str, who: str | None
) -> None:
    give(owned, 1, FollowUp(escalate_at=AT, escalate_to=to))
    with owned.begin() as session:
        followups.follow_up(session, AT)
    assert told(owned) == ([who] if who else [])


def test_a_task_of_nobody_is_escalated_all_the_same(owned: Store) -> None:
    give(owned, 1, FollowUp(remind_at=AT, escalate_at=AT, escalate_to="manager"), assignee="")
    with owned.begin() as session:
        followups.follow_up(session, AT)
    assert told(owned) == [BOSS]
