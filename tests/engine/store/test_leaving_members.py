"""A member who leaves: everything that points at them has to go somewhere, and then nothing points at them."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import String, func, select, update

from engine.errors import NotFound, Refused
from engine.store import absences, leaving_members, members, notes
from engine.store.base import Base
from engine.store.member_tables import AbsenceRow, AccountMemberRow, NoticeRow
from engine.store.run_tables import ApprovalRow, TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, MemberRow
from engine.terms import Role
from tests.engine.store.letters import put_rows

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DANA, OMAR, ADA = (f"{name}@vendor.example" for name in ("dana", "omar", "ada"))
HISTORY = {
    "holds.author", "holds.released_by", "snoozes.author", "snoozes.ended_by", "exclusions.author",
    "exclusions.ended_by", "notes.author", "absences.member", "tasks.done_by", "approvals.decided_by",
    "approvals.edited_by", "acts.actor", "deliveries.resolved_by", "members.email", "reports.approved_by",
    "bundles.author", "bundle_acts.author",
}  # fmt: skip
"""Columns that say who did something: they keep their names. Every other one must point at somebody who is there."""


@pytest.fixture
def office(store: Store) -> Store:
    """Everything that can point at Dana does, and she has done a few things."""
    with store.begin() as session:
        for address, role in ((DANA, Role.CSM), (OMAR, Role.CSM), (ADA, Role.ADMIN)):
            members.add(session, address, address.partition("@")[0].title(), [role])
        rows = put_rows(session, state="waiting")
        session.execute(update(AccountRow).values(owner=DANA))
        session.execute(update(MemberRow).where(MemberRow.email == OMAR).values(manager=DANA))
        session.add(AccountMemberRow(account_id=rows.account, role="renewal_owner", member=DANA))
        common = {"account_id": rows.account, "run_id": rows.run}
        for step, state in (("call", "open"), ("ask", "done")):
            session.add(
                TaskRow(
                    **common, step=step, title="Call", assignee=DANA, state=state, created_at=AT,
                    escalate_to=DANA, done_by=DANA if state == "done" else "",
                )
            )  # fmt: skip
            session.add(
                ApprovalRow(
                    **common, step=step, approver=DANA, content=[], content_hash="", requested_at=AT,
                    state="pending" if state == "open" else "approved", expires_at=AT + timedelta(days=3),
                    escalate_to=DANA, decided_by="" if state == "open" else DANA,
                )
            )  # fmt: skip
        session.add(NoticeRow(key="one", member=DANA, subject="Look", text="Look", at=AT))
        notes.add(session, rows.account, "They moved.", member=DANA, at=AT)
        for member, delegate in ((OMAR, DANA), (DANA, ADA)):
            absences.add(session, member, delegate, starts_at=AT, ends_at=AT + timedelta(days=9), at=AT)
    return store


def _pointing(store: Store, address: str) -> set[str]:
    """Every column of every table, but those of history, in which an address stands in a row that is still open."""
    closed = {"tasks": ("state", "open"), "approvals": ("state", "pending")}
    found = set()
    with store.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                name = f"{table.name}.{column.name}"
                if not isinstance(column.type, String) or name in HISTORY:
                    continue
                query = select(func.count()).select_from(table).where(column == address)
                if table.name in closed:
                    state, word = closed[table.name]
                    query = query.where(table.c[state] == word)
                if session.scalar(query):
                    found.add(name)
    return found


def test_everything_that_points_at_a_member_is_shown_first(office: Store) -> None:
    with office.read() as session:
        found = leaving_members.preview(session, DANA.upper(), AT)
    assert {one.kind: one.count for one in found.pointing} == dict.fromkeys(leaving_members.KINDS, 1)
    assert (found.member, found.runs) == (DANA, 1)
    assert len(_pointing(office, DANA)) == len(leaving_members.KINDS), "a new column that names members is not moved"


def test_afterwards_nothing_points_at_them_and_what_they_did_still_says_so(office: Store) -> None:
    """D.8 53."""
    with office.begin() as session:
        leaving_members.leave(session, DANA, {"accounts": ADA}, AT, usual=OMAR)
    assert _pointing(office, DANA) == set()
    with office.read() as session:
        assert session.scalar(select(AccountRow.owner)) == ADA
        assert session.scalar(select(TaskRow.assignee).where(TaskRow.state == "open")) == OMAR
        assert session.scalar(select(TaskRow.done_by).where(TaskRow.state == "done")) == DANA
        assert session.scalar(select(ApprovalRow.version).where(ApprovalRow.state == "pending")) == 2
        assert session.scalar(select(AbsenceRow.ends_at).where(AbsenceRow.member == DANA)) == AT
        assert session.scalar(select(AbsenceRow.delegate).where(AbsenceRow.member == OMAR)) == ""
        assert session.scalar(select(MemberRow.manager).where(MemberRow.email == OMAR)) == ""
        with pytest.raises(NotFound):
            members.find(session, DANA)


def test_without_a_target_for_everything_nothing_is_moved(office: Store) -> None:
    before = _pointing(office, DANA)
    for targets, usual, why in (
        ({"accounts": ADA}, "", "Say who gets what points at dana@vendor.example: tasks, approvals, task_escal"),
        ({}, "x@vendor.example", 'No active member has the address "x@vendor.example"'),
        ({}, DANA, "dana@vendor.example leaves, so nothing can be given to them"),
        ({"desk": OMAR}, OMAR, '"desk" is nothing that can be given away'),
    ):
        with office.begin() as session, pytest.raises(Refused, match=why):
            leaving_members.leave(session, DANA, targets, AT, usual=usual)
    assert _pointing(office, DANA) == before
    with office.begin() as session, pytest.raises(NotFound):
        leaving_members.leave(session, "x@vendor.example", {}, AT, usual=OMAR)


def test_the_last_administrator_stays(office: Store) -> None:
    with office.begin() as session, pytest.raises(Refused, match="is the last administrator"):
        leaving_members.leave(session, ADA, {}, AT, usual=OMAR)


def test_a_member_at_whom_nothing_points_just_leaves(office: Store) -> None:
    with office.begin() as session:
        members.add(session, "eve@vendor.example", "Eve", [Role.VIEWER])
        assert leaving_members.leave(session, "eve@vendor.example", {}, AT).is_nothing
        with pytest.raises(NotFound):
            members.find(session, "eve@vendor.example")
