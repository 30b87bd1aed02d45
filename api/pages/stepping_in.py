"""People stepping in at an account: notes, snoozes, exclusions, a stop; each with who, why and until when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Acting, Now, Pass, TheStore, bundle_in_force
from api.pages.account import show_account
from api.pages.rendering import back_to
from engine.errors import NotFound, Refused
from engine.store import acts, exclusions, notes, runs, snoozes, stopping_accounts
from engine.store.account_page import owned
from engine.store.run_page import run_page
from engine.store.sessions import Store
from engine.terms import RunAct

router = APIRouter(include_in_schema=False)

Noting = Annotated[Pass, Depends(Acting("account", "note"))]
LeavingOut = Annotated[Pass, Depends(Acting("account", "leave_out"))]
Stopping = Annotated[Pass, Depends(Acting("account", "stop"))]
Text = Annotated[str, Form(max_length=notes.LONGEST)]
Reason = Annotated[str, Form(max_length=2000)]
Rule = Annotated[str, Form(max_length=120)]
Days = Annotated[int, Form(ge=1, le=snoozes.LONGEST.days)]


@router.post("/accounts/{account_id}/notes")
def note(request: Request, allowed: Noting, account_id: int, store: TheStore, at: Now, text: Text = "") -> Response:
    """Write a note about the account."""

    def do(session: Session) -> None:
        notes.add(session, account_id, text, member=allowed.identity.email, at=at)

    return _done(request, store, account_id, allowed, at, "noted", do)


@router.post("/runs/{run_id}/note")
def note_run(allowed: Noting, run_id: int, store: TheStore, at: Now, text: Text = "") -> Response:
    """Write a note about a run."""
    with store.begin() as session:
        account = run_page(session, run_id, allowed.owner).account.id
        notes.add(session, account, text, member=allowed.identity.email, at=at, run_id=run_id)
    return back_to(f"/runs/{run_id}", "noted")


@router.post("/accounts/{account_id}/snoozes")
def snooze(
    request: Request,
    allowed: LeavingOut,
    account_id: int,
    store: TheStore,
    at: Now,
    rule: Rule,
    days: Days = 14,
    reason: Annotated[str, Form(max_length=64)] = "",
    text: Reason = "",
) -> Response:
    """Leave a rule alone for the account for some days."""

    def do(session: Session) -> None:
        _snooze(session, account_id, rule, reason, text, days, allowed, at)

    return _done(request, store, account_id, allowed, at, "snoozed", do)


@router.post("/runs/{run_id}/snooze")
def snooze_run(
    request: Request,
    allowed: LeavingOut,
    run_id: int,
    store: TheStore,
    at: Now,
    days: Days = 14,
    reason: Annotated[str, Form(max_length=64)] = "",
    text: Reason = "",
) -> Response:
    """End the run, and leave its rule alone for some days: if it still fires then, it is decided anew."""
    with store.read() as session:
        found = run_page(session, run_id, allowed.owner)

    def do(session: Session) -> None:
        rule = runs.find(session, run_id).rule
        if not rule:
            raise Refused("A member started this run, so there is no rule to snooze: cancel it.")
        _snooze(session, found.account.id, rule, reason, text, days, allowed, at)
        why = f"snoozed for {days} days: {text.strip() or reason}"
        acts.request(session, run_id, RunAct.CANCEL, member=allowed.identity.email, reason=why, at=at)

    return _done(request, store, found.account.id, allowed, at, "snoozed", do)


@router.post("/accounts/{account_id}/snoozes/{number}/end")
def wake(request: Request, allowed: LeavingOut, account_id: int, number: int, store: TheStore, at: Now) -> Response:
    """End a snooze."""

    def do(session: Session) -> None:
        if number not in {one.id for one in snoozes.in_force(session, account_id, at)}:
            raise NotFound("There is no such snooze.")
        snoozes.end(session, number, allowed.identity.email, at)

    return _done(request, store, account_id, allowed, at, "woken", do)


@router.post("/accounts/{account_id}/exclusions")
def exclude(
    request: Request,
    allowed: LeavingOut,
    account_id: int,
    store: TheStore,
    at: Now,
    rule: Rule,
    reason: Reason = "",
    days: Annotated[int, Form(ge=0, le=3650)] = 0,
) -> Response:
    """Exclude the account from a rule: for some days, or for good (0)."""
    ends = at + timedelta(days=days) if days else None

    def do(session: Session) -> None:
        bundle, who = bundle_in_force(session), allowed.identity.email
        exclusions.exclude(session, bundle, account_id, rule, reason=reason, member=who, expires_at=ends, at=at)

    return _done(request, store, account_id, allowed, at, "excluded", do)


@router.post("/accounts/{account_id}/exclusions/{number}/end")
def include(request: Request, allowed: LeavingOut, account_id: int, number: int, store: TheStore, at: Now) -> Response:
    """End an exclusion."""

    def do(session: Session) -> None:
        if number not in {one.id for one in exclusions.in_force(session, account_id, at)}:
            raise NotFound("There is no such exclusion.")
        exclusions.end(session, number, allowed.identity.email, at)

    return _done(request, store, account_id, allowed, at, "included", do)


@router.post("/accounts/{account_id}/stop")
def stop(
    request: Request, allowed: Stopping, account_id: int, store: TheStore, at: Now, reason: Reason = ""
) -> Response:
    """Stop everything for the account; its open runs end."""

    def do(session: Session) -> None:
        stopping_accounts.stop(session, account_id, reason=reason, member=allowed.identity.email, at=at)

    return _done(request, store, account_id, allowed, at, "stopped", do)


@router.post("/accounts/{account_id}/resume")
def resume(
    request: Request, allowed: Stopping, account_id: int, store: TheStore, at: Now, reason: Reason = ""
) -> Response:
    """Let rules start for the account again."""

    def do(session: Session) -> None:
        stopping_accounts.resume(session, account_id, reason=reason, member=allowed.identity.email, at=at)

    return _done(request, store, account_id, allowed, at, "resumed", do)


def _snooze(
    session: Session, account_id: int, rule: str, reason: str, text: str, days: int, allowed: Pass, at: Now
) -> None:
    snoozes.snooze(
        session,
        bundle_in_force(session),
        account_id,
        rule,
        reason=reason,
        text=text,
        member=allowed.identity.email,
        until=at + timedelta(days=days),
        at=at,
    )


def _done(
    request: Request,
    store: Store,
    account_id: int,
    allowed: Pass,
    at: Now,
    said: str,
    do: Callable[[Session], None],
) -> Response:
    """Do it in one transaction, and go back to the account; where it is refused, the page says why."""
    with store.read() as session:
        owned(session, account_id, allowed.owner)
    try:
        with store.begin() as session:
            do(session)
    except Refused as refusal:
        with store.read() as session:
            return show_account(request, session, account_id, allowed, at, str(refusal))
    return back_to(f"/accounts/{account_id}", said)
