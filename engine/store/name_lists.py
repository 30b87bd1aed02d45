"""Lists of names that packed rows refer to, so that a hundred thousand rows do not each repeat them."""

import json
from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine.store.decision_tables import NameListRow

_INSERT = text("INSERT INTO name_lists (digest, names) VALUES (:digest, :names) ON CONFLICT (digest) DO NOTHING")


def number_of(session: Session, names: Sequence[str]) -> int:
    """The number of this list of names, in this order; a new list gets one. Another writer may have been quicker."""
    written = json.dumps(list(names), ensure_ascii=False)
    digest = sha256(written.encode()).hexdigest()
    wanted = select(NameListRow.id).where(NameListRow.digest == digest)
    found = session.scalar(wanted)
    if found is None:
        session.execute(_INSERT, {"digest": digest, "names": written})
        found = session.scalars(wanted).one()
    return found


def names_of(session: Session, number: int) -> tuple[str, ...]:
    """The names of the list of that number; it is there."""
    return tuple(session.get_one(NameListRow, number).names)
