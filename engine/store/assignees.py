"""Who gets what: from the words of a file (owner, manager, a role, an address) to a member who is there."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import absences
from engine.store.member_tables import AccountMemberRow
from engine.store.tables import AccountRow, MemberRow
from engine.terms import Role

OWNER: Final = "owner"
MANAGER: Final = "manager"


def resolve(session: Session, account_id: int, to: Sequence[str], at: datetime) -> str:
    """The address of the first of ``to`` that is an active member, or of who stands in for them at ``at``.

    ``to``: ``owner``, ``manager`` (the owner's), a member role of the account, or an address. Then the owner, the
    owner's manager, any active administrator. Empty: there is nobody.
    """
    for address in _candidates(session, account_id, to):
        if found := present(session, address, at):
            return found
    return ""


def present(session: Session, address: str, at: datetime) -> str:
    """The address itself where it is an active member who is there at ``at``; else their delegate, or the delegate's
    own; empty where nobody is left."""
    seen: set[str] = set()
    while address and address not in seen and is_active(session, address):
        seen.add(address)
        absence = absences.now_absent(session, address, at)
        if absence is None:
            return address
        address = absence.delegate
    return ""


def is_active(session: Session, address: str) -> bool:
    """Whether somebody with the address can sign in."""
    return session.scalar(select(MemberRow.id).where(MemberRow.email == address, MemberRow.active)) is not None


def manager_of(session: Session, address: str) -> str:
    """The address of a member's manager; empty where there is none."""
    return session.scalar(select(MemberRow.manager).where(MemberRow.email == address)) or ""


def _candidates(session: Session, account_id: int, to: Sequence[str]) -> Iterator[str]:
    """Addresses to try, in order; looked up only as far as they are asked for."""
    owner = (session.scalar(select(AccountRow.owner).where(AccountRow.id == account_id)) or "").strip().lower()
    for wanted in (*to, OWNER, MANAGER):
        if wanted == OWNER:
            yield owner
        elif wanted == MANAGER:
            yield manager_of(session, owner)
        elif "@" in wanted:
            yield wanted.strip().lower()
        else:
            yield _of_role(session, account_id, wanted)
    admins = select(MemberRow.email, MemberRow.roles).where(MemberRow.active).order_by(MemberRow.id)
    for email, roles in session.execute(admins):
        if Role.ADMIN.value in roles:
            yield email


def _of_role(session: Session, account_id: int, role: str) -> str:
    row = session.get(AccountMemberRow, (account_id, role))
    return row.member.strip().lower() if row else ""
