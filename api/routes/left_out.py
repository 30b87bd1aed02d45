"""Accounts that members leave out, as JSON: snoozes, exclusions, a stop; and notes."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from pydantic import BaseModel

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore, bundle_in_force
from api.described import SESSION
from engine.errors import NotFound
from engine.store import exclusions, notes, snoozes, stopping_accounts
from engine.store.account_page import owned
from engine.store.exclusions import Exclusion
from engine.store.glances import id_of
from engine.store.snoozes import Snooze

router = APIRouter(prefix="/v1/accounts/{key}", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]
LeavingOut = Annotated[Pass, Depends(Acting("account", "leave_out"))]
Noting = Annotated[Pass, Depends(Acting("account", "note"))]
Stopping = Annotated[Pass, Depends(Acting("account", "stop"))]
Number = Annotated[int, Path(ge=1, le=2**62)]
Reason = Annotated[str, Form(max_length=2_000)]
Rule = Annotated[str, Form(max_length=120)]


class SnoozeAnswer(BaseModel):
    """A rule left alone for the account. ``severity``: how many of its signals fired; more of them wake it."""

    id: int
    rule: str
    reason: str
    severity: int
    author: str
    at: datetime
    until: datetime


class ExclusionAnswer(BaseModel):
    """A rule that starts nothing for the account; ``expires_at`` null: for good."""

    id: int
    rule: str
    reason: str
    author: str
    at: datetime
    expires_at: datetime | None


class NoteAnswer(BaseModel):
    """What a member wrote down; ``run`` where it is about one."""

    id: int
    run: int | None
    author: str
    text: str
    at: datetime


@router.get("/snoozes")
def snoozed(key: str, session: Reading, at: Now, allowed: Readable) -> list[SnoozeAnswer]:
    """What is snoozed now, the first to be over first."""
    account = owned(session, id_of(session, key), allowed.owner).id
    return [_snooze(one) for one in snoozes.in_force(session, account, at)]


@router.post("/snoozes", status_code=HTTPStatus.CREATED)
def snooze(
    key: str,
    store: TheStore,
    at: Now,
    allowed: LeavingOut,
    rule: Rule,
    reason: Annotated[str, Form(max_length=64)],
    text: Reason = "",
    days: Annotated[int, Form(ge=1, le=snoozes.LONGEST.days)] = 14,
) -> SnoozeAnswer:
    """Leave a rule alone for the account for some days, unless more of its signals fire."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        number = snoozes.snooze(
            session,
            bundle_in_force(session),
            account,
            rule,
            reason=reason,
            text=text,
            member=allowed.identity.email,
            until=at + timedelta(days=days),
            at=at,
        )
        return next(_snooze(one) for one in snoozes.in_force(session, account, at) if one.id == number)


@router.post("/snoozes/{number}/end", status_code=HTTPStatus.NO_CONTENT)
def wake(key: str, number: Number, store: TheStore, at: Now, allowed: LeavingOut) -> None:
    """End a snooze."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        if number not in {one.id for one in snoozes.in_force(session, account, at)}:
            raise NotFound("There is no such snooze in force.")
        snoozes.end(session, number, allowed.identity.email, at)


@router.get("/exclusions")
def excluded(key: str, session: Reading, at: Now, allowed: Readable) -> list[ExclusionAnswer]:
    """Which rules start nothing for the account."""
    account = owned(session, id_of(session, key), allowed.owner).id
    return [_exclusion(one) for one in exclusions.in_force(session, account, at)]


@router.post("/exclusions", status_code=HTTPStatus.CREATED)
def exclude(
    key: str,
    store: TheStore,
    at: Now,
    allowed: LeavingOut,
    rule: Rule,
    reason: Reason = "",
    days: Annotated[int, Form(ge=0, le=3_650)] = 0,
) -> ExclusionAnswer:
    """Exclude the account from a rule: for some days, or for good (0)."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        bundle, who = bundle_in_force(session), allowed.identity.email
        ends = at + timedelta(days=days) if days else None
        number = exclusions.exclude(session, bundle, account, rule, reason=reason, member=who, expires_at=ends, at=at)
        return next(_exclusion(one) for one in exclusions.in_force(session, account, at) if one.id == number)


@router.post("/exclusions/{number}/end", status_code=HTTPStatus.NO_CONTENT)
def include(key: str, number: Number, store: TheStore, at: Now, allowed: LeavingOut) -> None:
    """End an exclusion."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        if number not in {one.id for one in exclusions.in_force(session, account, at)}:
            raise NotFound("There is no such exclusion in force.")
        exclusions.end(session, number, allowed.identity.email, at)


@router.post("/stop", status_code=HTTPStatus.NO_CONTENT)
def stop(key: str, store: TheStore, at: Now, allowed: Stopping, reason: Reason = "") -> None:
    """Stop everything for the account; its open runs end."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        stopping_accounts.stop(session, account, reason=reason, member=allowed.identity.email, at=at)


@router.post("/resume", status_code=HTTPStatus.NO_CONTENT)
def resume(key: str, store: TheStore, at: Now, allowed: Stopping, reason: Reason = "") -> None:
    """Let rules start for the account again."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        stopping_accounts.resume(session, account, reason=reason, member=allowed.identity.email, at=at)


@router.get("/notes")
def listed(key: str, session: Reading, allowed: Readable) -> list[NoteAnswer]:
    """What members wrote down about the account, the newest first."""
    account = owned(session, id_of(session, key), allowed.owner).id
    return [_note(one) for one in notes.of_account(session, account)]


@router.post("/notes", status_code=HTTPStatus.CREATED)
def note(
    key: str,
    store: TheStore,
    at: Now,
    allowed: Noting,
    text: Annotated[str, Form(max_length=notes.LONGEST)],
    run: Annotated[int | None, Form(ge=1, le=2**62)] = None,
) -> NoteAnswer:
    """Write a note about the account, or about one of its runs."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        number = notes.add(session, account, text, member=allowed.identity.email, at=at, run_id=run)
        return next(_note(one) for one in notes.of_account(session, account) if one.id == number)


def _note(one: notes.Note) -> NoteAnswer:
    return NoteAnswer(id=one.id, run=one.run_id, author=one.author, text=one.text, at=one.at)


def _snooze(one: Snooze) -> SnoozeAnswer:
    return SnoozeAnswer(
        id=one.id,
        rule=one.rule,
        reason=one.reason,
        severity=one.severity,
        author=one.author,
        at=one.at,
        until=one.until,
    )


def _exclusion(one: Exclusion) -> ExclusionAnswer:
    return ExclusionAnswer(
        id=one.id,
        rule=one.rule,
        reason=one.reason,
        author=one.author,
        at=one.at,
        expires_at=one.expires_at,
    )
