"""The contacts of an account as its product knows them: by their key, whether or not they can be written to."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store.people import Person, day_of
from engine.store.tables import ContactRow


def contacts(session: Session, account_id: int, at: datetime) -> tuple[tuple[Person, str], ...]:
    """Everybody at an account who has not departed, with the key by which whoever sends data names them."""
    query = select(ContactRow).where(ContactRow.account_id == account_id).order_by(ContactRow.id)
    today = day_of(at)
    return tuple(
        (Person(row.id, row.name, row.email, tuple(row.roles)), row.key)
        for row in session.scalars(query)
        if row.departed_on is None or row.departed_on > today
    )
