"""Holds as JSON: what is on hold, the switch that stops everything, and what a release sends."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel

from api.access import Scope
from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.described import SESSION
from api.errors import Forbidden
from engine.store import holds, releasing
from engine.store.account_page import owned
from engine.store.glances import id_of
from engine.store.holds import Hold

router = APIRouter(prefix="/v1/holds", tags=["holds"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("hold", "read"))]
Setting = Annotated[Pass, Depends(Acting("hold", "set"))]
Releasing = Annotated[Pass, Depends(Acting("hold", "release"))]
Reason = Annotated[str, Form(max_length=2_000)]


class HoldAnswer(BaseModel):
    """One open hold. ``account`` is null for the hold of everything; ``cause``: ``member`` or ``restored``."""

    id: int
    account: str | None
    cause: str
    reason: str
    author: str
    at: datetime
    sentence: str


class DueAnswer(BaseModel):
    """One message that would go out; ``to`` is a contact's name."""

    account: str
    run: int
    playbook: str
    step: str
    to: str
    since: datetime


class OverdueAnswer(BaseModel):
    """What a release sends: all of it counted, the oldest 200 listed."""

    messages: int
    people: int
    sentence: str
    due: list[DueAnswer]


@router.get("")
def listed(session: Reading, allowed: Readable) -> list[HoldAnswer]:
    """What is on hold; a csm sees the hold of everything and those of their accounts."""
    return [_answer(one) for one in holds.listed(session) if one.account_id is None or _sees(session, one, allowed)]


@router.post("", status_code=HTTPStatus.CREATED)
def hold(
    store: TheStore, at: Now, allowed: Setting, reason: Reason = "", account: Annotated[str, Form(max_length=200)] = ""
) -> HoldAnswer:
    """Hold everything that goes out, or with ``account`` (a key) what goes to one account. Takes effect at once."""
    if not account and allowed.scope is not Scope.ALL:
        raise Forbidden("Only an administrator or an author can hold everything; you can hold accounts of your own.")
    with store.begin() as session:
        number = owned(session, id_of(session, account), allowed.owner).id if account else None
        who = allowed.identity.email
        made = holds.hold(session, account_id=number, cause=holds.MEMBER, reason=reason, author=who, at=at)
        return _answer(holds.find(session, made))


@router.get("/{hold_id}/overdue")
def overdue(hold_id: int, session: Reading, at: Now, allowed: Readable) -> OverdueAnswer:
    """What a release of this hold would send."""
    found = holds.find(session, hold_id)
    if found.account_id is not None:
        owned(session, found.account_id, allowed.owner)
    due = releasing.would_send(session, hold_id, at)
    listed_due = [
        DueAnswer(account=one.account, run=one.run_id, playbook=one.playbook, step=one.step, to=one.to, since=one.since)
        for one in due.due
        if allowed.may("contact", "read") and (allowed.owner is None or found.account_id is not None)
    ]
    return OverdueAnswer(messages=due.messages, people=due.people, sentence=due.sentence, due=listed_due)


@router.post("/{hold_id}/release", status_code=HTTPStatus.NO_CONTENT)
def release(hold_id: int, store: TheStore, at: Now, allowed: Releasing) -> None:
    """Let it go; what was put off goes now. Of two at once one wins, the other is told who."""
    with store.begin() as session:
        releasing.release(session, hold_id, allowed.identity.email, at)


def _sees(session: Reading, one: Hold, allowed: Pass) -> bool:
    return allowed.owner is None or owned(session, one.account_id or 0, None).owner == allowed.owner


def _answer(one: Hold) -> HoldAnswer:
    return HoldAnswer(
        id=one.id,
        account=one.account or None,
        cause=one.cause,
        reason=one.reason,
        author=one.author,
        at=one.at,
        sentence=one.sentence,
    )
