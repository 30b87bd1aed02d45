"""Secrets this installation makes for itself, on first use. They sign links; they are never shown."""

import secrets

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.store.tables import SecretRow


def get(session: Session, name: str) -> bytes:
    """The secret of this name, 32 random bytes; made (so in a writing transaction) when it is not there yet."""
    row = session.get(SecretRow, name)
    if row is not None:
        return row.value
    # Of two that make it at once, one does, and both read what that one made.
    session.execute(
        text("INSERT INTO secrets (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"),
        {"name": name, "value": secrets.token_bytes(32)},
    )
    return session.get_one(SecretRow, name).value
