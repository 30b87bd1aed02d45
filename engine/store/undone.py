"""A transaction that is undone at its end, handed out as a store: what works on it does everything and leaves nothing.

Rehearsals use it. The one transaction holds what a writing transaction holds (on SQLite: the only place for a writer),
so whoever opens one keeps it short.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.orm import Session

from engine.store.sessions import Store


@contextmanager
def undone(store: Store) -> Iterator[Store]:
    """A store whose every transaction is part of one that is rolled back when the ``with`` ends."""
    with suppress(_Undo), store.begin() as session:
        yield _Within(store, session)
        raise _Undo


class _Undo(Exception):
    """Ends the transaction without keeping anything."""


class _Within(Store):
    """The store within the transaction. An error in one of its transactions undoes that one alone."""

    def __init__(self, store: Store, session: Session) -> None:
        super().__init__(store.engine)
        self._session = session

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A part of the transaction."""
        with self._session.begin_nested():
            yield self._session
        self._session.expire_all()  # the next transaction sees rows, not what this one remembers of them

    @contextmanager
    def read(self) -> Iterator[Session]:
        """The same: it sees what was written so far."""
        with self.begin() as session:
            yield session

    def close(self) -> None:
        """The real store goes on."""
