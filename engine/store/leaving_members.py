"""A member who leaves: what points at them, to whom each of it goes, and the one transaction that moves it all.

Nothing points at them any more before they are disabled. What they did stays: who decided or wrote is history.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, Update, delete, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import InstrumentedAttribute

from engine.errors import NotFound, Refused
from engine.store import assignees, bundles, changed
from engine.store.glances import OPEN_STATES
from engine.store.member_tables import AbsenceRow, AccountMemberRow, NoticeRow
from engine.store.run_tables import ApprovalRow, DeliveryRow, RunRow, TaskRow
from engine.store.tables import AccountRow, MemberRow, SignInRow
from engine.terms import ApprovalState, DeliveryState, Role, TaskState


@dataclass(frozen=True, slots=True)
class Pointing:
    """How much of one kind points at a member. ``kind``: a word of `KINDS`; ``what``: the kind in words."""

    kind: str
    what: str
    count: int


@dataclass(frozen=True, slots=True)
class Leaving:
    """What a member leaves behind. ``runs``: open runs of accounts they own, whose messages carry their name until the
    account has another owner. ``files``: places of definitions that name them; there the next one in line gets it."""

    member: str
    pointing: tuple[Pointing, ...]
    runs: int
    files: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing points at them."""
        return not self.pointing


@dataclass(frozen=True, slots=True)
class _Kind:
    """One column that can point at a member, and which of its rows still matter at a moment."""

    what: str
    column: InstrumentedAttribute[str]
    more: Mapping[str, Any]

    def rows(self, member: str, at: datetime) -> ColumnElement[bool]:
        still: ColumnElement[bool] = self.column == member
        if self.column.class_ is TaskRow:
            still &= TaskRow.state == TaskState.OPEN.value
        elif self.column.class_ is ApprovalRow:
            still &= ApprovalRow.state == ApprovalState.PENDING.value
        elif self.column.class_ is AbsenceRow:
            still &= AbsenceRow.ends_at > at
        elif self.column.class_ is NoticeRow:
            still &= NoticeRow.sent_at.is_(None)
        return still


KINDS: Final[Mapping[str, _Kind]] = {
    "accounts": _Kind("accounts they own", AccountRow.owner, {}),
    "tasks": _Kind("open tasks", TaskRow.assignee, {"version": TaskRow.version + 1}),
    "approvals": _Kind("approvals that wait for them", ApprovalRow.approver, {"version": ApprovalRow.version + 1}),
    "task_escalations": _Kind("open tasks that go to them if nobody does them", TaskRow.escalate_to, {}),
    "approval_escalations": _Kind("approvals that go to them if nobody decides", ApprovalRow.escalate_to, {}),
    "roles": _Kind("roles at accounts", AccountMemberRow.member, {}),
    "reports": _Kind("members whose manager they are", MemberRow.manager, {}),
    "delegations": _Kind("absences in which they stand in", AbsenceRow.delegate, {}),
    "notices": _Kind("notices they have not been sent", NoticeRow.member, {}),
}
"""Everything that can point at a member and matters for what comes."""


def preview(session: Session, member: str, at: datetime) -> Leaving:
    """What points at an active member. Raises NotFound."""
    address = _member(session, member).email
    counted = ((name, kind, _count(session, kind, address, at)) for name, kind in KINDS.items())
    owned = select(AccountRow.id).where(AccountRow.owner == address)
    runs = select(func.count()).where(RunRow.account_id.in_(owned), RunRow.state.in_(OPEN_STATES))
    return Leaving(
        member=address,
        pointing=tuple(Pointing(name, kind.what, count) for name, kind, count in counted if count),
        runs=session.scalar(runs) or 0,
        files=tuple(_named_in_files(session, address)),
    )


def leave(session: Session, member: str, targets: Mapping[str, str], at: datetime, usual: str = "") -> Leaving:
    """Move everything that points at a member, then disable them. Returns what was moved.

    ``targets``: kind → address; ``usual``: for the kinds that are not named. Raises NotFound; Refused with everything
    that is missing or wrong: a kind without a target, a target who is no active member, the last administrator.
    """
    row = _member(session, member)
    found = preview(session, row.email, at)
    wanted = {name: address.strip().lower() for name, address in targets.items()}
    chosen = {one.kind: wanted.get(one.kind, usual.strip().lower()) for one in found.pointing}
    if wrong := [*_wrong_targets(session, row.email, wanted, chosen), *_wrong_admin(session, row)]:
        raise Refused(" ".join(wrong))
    for name, to in chosen.items():
        _move(session, KINDS[name], row.email, to, at)
    _let_go(session, row, at)
    return found


def _move(session: Session, kind: _Kind, member: str, to: str, at: datetime) -> None:
    table = kind.column.class_
    mine = kind.rows(member, at)
    if table is AccountRow:
        changed.mark(session, session.scalars(select(AccountRow.id).where(mine)).all())
    if table is AbsenceRow:
        # Whoever is away cannot stand in for themselves: that absence has no delegate any more, the manager gets it.
        session.execute(update(AbsenceRow).where(mine, AbsenceRow.member == to).values(delegate=""))
    if table is MemberRow:
        session.execute(update(MemberRow).where(mine, MemberRow.email == to).values(manager=""))
    _run(session, update(table).where(mine).values(**{kind.column.key: to}, **kind.more))


def _let_go(session: Session, row: MemberRow, at: datetime) -> None:
    """Disable the member: no session, no absence of their own, no copy that still waits to be sent to them."""
    own = (AbsenceRow.member == row.email, AbsenceRow.ends_at > at)
    _run(session, update(AbsenceRow).where(*own).values(ends_at=at))
    waiting = (DeliveryRow.state == DeliveryState.NOT_SENT.value, DeliveryRow.permanent.is_(False))
    copies = update(DeliveryRow).where(DeliveryRow.receiver == f"member:{row.email}"[:160], *waiting)
    _run(session, copies.values(permanent=True, reason="the member has left"))
    session.execute(delete(SignInRow).where(SignInRow.member_id == row.id))
    row.active, row.manager = False, ""
    session.flush()


def _wrong_targets(
    session: Session, member: str, wanted: Mapping[str, str], chosen: Mapping[str, str]
) -> Iterator[str]:
    for name in wanted:
        if name not in KINDS:
            yield f'"{name}" is nothing that can be given away: there are {", ".join(KINDS)}.'
    missing = [name for name, to in chosen.items() if not to]
    if missing:
        yield f"Say who gets what points at {member}: {', '.join(missing)}."
    for to in sorted({to for to in chosen.values() if to}):
        if to == member:
            yield f"{member} leaves, so nothing can be given to them."
        elif not assignees.is_active(session, to):
            yield f'No active member has the address "{to}".'


def _wrong_admin(session: Session, row: MemberRow) -> Iterator[str]:
    others = select(MemberRow.roles).where(MemberRow.active, MemberRow.id != row.id)
    if Role.ADMIN.value in row.roles and not any(Role.ADMIN.value in roles for roles in session.scalars(others)):
        yield f"{row.email} is the last administrator: make another member one first."


def _named_in_files(session: Session, address: str) -> Iterator[str]:
    """Lines of the definitions in force that name the address."""
    bundle = bundles.in_force(session)
    for path, text in sorted(bundle.texts.items()) if bundle else ():
        for number, line in enumerate(text.splitlines(), start=1):
            if address in line.lower():
                yield f"{path}:{number}"


def _count(session: Session, kind: _Kind, member: str, at: datetime) -> int:
    counted = select(func.count()).select_from(kind.column.class_).where(kind.rows(member, at))
    return session.scalar(counted) or 0


def _run(session: Session, statement: Update) -> int:
    session.flush()
    done = session.execute(statement.execution_options(synchronize_session=False))
    session.expire_all()
    return cast("CursorResult[Any]", done).rowcount


def _member(session: Session, member: str) -> MemberRow:
    row = session.scalar(select(MemberRow).where(MemberRow.email == member.strip().lower(), MemberRow.active))
    if row is None:
        raise NotFound(f'No active member has the address "{member}".')
    return row
