"""Who does what for an account beside its owner, as it was pushed: one colleague for each of the catalog's roles."""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.store.member_tables import AccountMemberRow
from engine.store.naming import one_of


def put(session: Session, said: Mapping[int, Mapping[str, str | None]]) -> set[int]:
    """Write who has which role, by account id; None takes the role away, a role not named stays as it is.

    The ids of the accounts for which that changed anything.
    """
    meant = {account: roles for account, roles in said.items() if roles}
    if not meant:
        return set()
    query = select(AccountMemberRow).where(one_of(AccountMemberRow.account_id, sorted(meant)))
    known = {(row.account_id, row.role): row for row in session.scalars(query)}
    touched: set[int] = set()
    for account, roles in meant.items():
        for role, member in roles.items():
            if _write(session, known.get((account, role)), account, role, member):
                touched.add(account)
    session.flush()
    return touched


def _write(session: Session, row: AccountMemberRow | None, account: int, role: str, member: str | None) -> bool:
    if (row.member if row else None) == member:
        return False
    if member is None:
        table = AccountMemberRow
        session.execute(delete(table).where(table.account_id == account, table.role == role))
    elif row is None:
        session.add(AccountMemberRow(account_id=account, role=role, member=member))
    else:
        row.member = member
    return True
