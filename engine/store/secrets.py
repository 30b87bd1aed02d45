"""Secrets this installation makes for itself, on first use. They sign links; they are never shown."""

import secrets

from sqlalchemy.orm import Session

from engine.store.tables import SecretRow


def get(session: Session, name: str) -> bytes:
    """The secret of this name, 32 random bytes; made (so in a writing transaction) when it is not there yet."""
    row = session.get(SecretRow, name)
    if row is None:
        row = SecretRow(name=name, value=secrets.token_bytes(32))
        session.add(row)
        session.flush()
    return row.value
