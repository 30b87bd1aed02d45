"""Making writers queue on PostgreSQL as they do on SQLite, where one transaction writes at a time."""

from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.orm import Session


class Queue(IntEnum):
    """What is queued for: numbers of advisory locks, which no other program on the database should use."""

    POINTS = 4_917_203_119
    INGEST = 4_917_203_120
    DECIDING = 4_917_203_121
    BUNDLES = 4_917_203_122


def queue(session: Session, number: int) -> None:
    """Wait until no other transaction is in this queue, and stay in it until the end of this one."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": int(number)})
