"""Rows a delivery hangs on: an account, two contacts, a run."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from engine.store.deliveries import Wanted
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow, ContactRow, SubjectRow

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Rows:
    """Ids of what was made."""

    account: int
    ann: int
    bob: int
    run: int


def put_rows(session: Session, **run: Any) -> Rows:
    """An account with two contacts and one run (columns of the run can be given)."""
    account, ann, bob = (_subject(session, kind) for kind in ("account", "contact", "contact"))
    session.add(AccountRow(id=account, key=f"acme-{account}", name="Acme", recorded_at=AT))
    session.flush()
    for contact, name in ((ann, "Ann"), (bob, "Bob")):
        address = f"{name.lower()}@acme.example"
        session.add(
            ContactRow(id=contact, key=f"{contact}", account_id=account, name=name, email=address, recorded_at=AT),
        )
    return Rows(account, ann, bob, put_run(session, account, **run))


def put_run(session: Session, account: int, **columns: Any) -> int:
    """One more run of an account."""
    given: dict[str, Any] = {
        "playbook": "seat-activation",
        "state": "active",
        "mode": "automatic",
        "rule": "",
        "frozen": {"lines": []},
        "bundle": "none",
        "day_seconds": 86_400.0,
        "requested_at": AT,
    }
    row = RunRow(account_id=account, **(given | columns))
    session.add(row)
    session.flush()
    return row.id


def wanted(rows: Rows, **change: Any) -> Wanted:
    """What is to be delivered to Ann."""
    given: dict[str, Any] = {
        "run_id": rows.run,
        "step": "first",
        "account_id": rows.account,
        "contact_id": rows.ann,
        "category": "education",
        "channel": "file",
        "subject": "Hello",
        "content": "Hello Ann",
        "sender": "cs@vendor.example",
    }
    return Wanted(**(given | change))


def _subject(session: Session, kind: str) -> int:
    row = SubjectRow(kind=kind)
    session.add(row)
    session.flush()
    return row.id
