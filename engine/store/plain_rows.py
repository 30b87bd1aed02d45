"""Rows as the driver gives them, past SQLAlchemy's row objects: a fraction of the time where there are very many."""

from typing import Any, cast

from sqlalchemy import CursorResult, Select
from sqlalchemy.orm import Session


def plain_rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The rows of a query over numbers, texts and bytes."""
    with session.connection().execute(query) as result:
        return list(cast("CursorResult[Any]", result).cursor.fetchall())
