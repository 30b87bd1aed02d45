"""Read model: deliveries that may or may not have arrived, for whoever has to look into them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from engine.errors import NotFound
from engine.store.glances import Glance, glances
from engine.store.run_tables import DeliveryRow
from engine.store.tables import AccountRow, ContactRow, MemberRow
from engine.terms import DeliveryState, Role

LIMIT = 100


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A delivery that may have arrived: nobody but a person may send it again. ``kept``: what it said is still there,
    so that it can be sent again from here."""

    id: int
    account: Glance
    run_id: int
    step: str
    to: str
    subject: str
    reason: str
    since: datetime
    kept: bool = False


def for_member(session: Session, member: str) -> tuple[Doubtful, ...]:
    """The newest 100 of the accounts that ``member`` owns; an administrator also sees those nobody active owns."""
    mine = AccountRow.owner == member
    roles = session.scalar(select(MemberRow.roles).where(MemberRow.email == member, MemberRow.active))
    if Role.ADMIN.value in (roles or []):
        mine = or_(mine, AccountRow.owner.not_in(select(MemberRow.email).where(MemberRow.active)))
    return _listed(session, mine)


def doubtful(session: Session, delivery_id: int, owner: str | None) -> Doubtful | None:
    """One delivery of an account of ``owner`` (None: anybody's); None where it is in doubt no more. Raises NotFound."""
    row = session.get(DeliveryRow, delivery_id)
    account = session.get(AccountRow, row.account_id) if row else None
    if account is None or (owner is not None and account.owner != owner):
        raise NotFound("There is no such delivery.")
    return next(iter(_listed(session, DeliveryRow.id == delivery_id)), None)


def _listed(session: Session, wanted: ColumnElement[bool]) -> tuple[Doubtful, ...]:
    rows = session.execute(
        select(DeliveryRow, ContactRow.name)
        .join(AccountRow, AccountRow.id == DeliveryRow.account_id)
        .join(ContactRow, ContactRow.id == DeliveryRow.contact_id, isouter=True)
        .where(wanted, DeliveryRow.state == DeliveryState.AMBIGUOUS.value)
        .order_by(DeliveryRow.id.desc())
        .limit(LIMIT)
    ).all()
    accounts = glances(session, [row.account_id for row, _name in rows])
    return tuple(
        Doubtful(
            id=row.id,
            account=accounts[row.account_id],
            run_id=row.run_id,
            step=row.step,
            to=name or row.receiver.partition(":")[2],
            subject=row.subject,
            reason=row.reason,
            since=row.claimed_at,
            kept=row.letter is not None,
        )
        for row, name in rows
    )
