"""One approval: what would be sent to whom and why, with the forms that edit, approve and reject it."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheSettings, TheStore
from api.pages.naming import names
from api.pages.rendering import back_to, fragment, is_htmx, page
from api.stepping import grace, needs_reason
from engine.errors import Refused
from engine.store import approvals, inbox as reading
from engine.store.sessions import Store
from workflows.crash_points import pass_by

router = APIRouter(include_in_schema=False, prefix="/approvals/{approval_id}")

Deciding = Annotated[Pass, Depends(Acting("approval", "decide"))]
Text = Annotated[str, Form(max_length=65_536)]
Version = Annotated[int, Form()]


@router.get("")
def show(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("approval", "decide"))],
    approval_id: int,
    session: Reading,
    at: Now,
) -> Response:
    """One approval by itself."""
    found = reading.approval(session, approval_id, allowed.identity.email, allowed.owner, at)
    return page(request, "approval.html", approval=found, names=names(session), refusal="")


@router.post("/edit")
def edit(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    at: Now,
    version: Version,
    item: Annotated[int, Form()],
    subject: Annotated[str, Form(max_length=998)],
    text: Text,
) -> Response:
    """Change one message before it goes."""
    _see(store, approval_id, allowed, at)
    try:
        with store.begin() as session:
            approvals.edit(
                session,
                approval_id,
                version=version,
                item=item,
                subject=subject,
                text=text.replace("\r\n", "\n"),
                member=allowed.identity.email,
                at=at,
            )
    except Refused as refusal:
        return _card(request, store, approval_id, allowed, at, str(refusal))
    if is_htmx(request):
        return _card(request, store, approval_id, allowed, at, "")
    return back_to(f"/approvals/{approval_id}", "edited")


@router.post("/approve")
def approve(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    version: Version,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say yes to exactly what was shown."""
    shown = _see(store, approval_id, allowed, at)
    needs_reason(shown, allowed, reason)
    return _decide(request, store, (at, grace(settings)), approval_id, version, allowed, approve=True, reason=reason)


@router.post("/reject")
def reject(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    version: Version,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say no, with a reason."""
    _see(store, approval_id, allowed, at)
    return _decide(request, store, (at, grace(settings)), approval_id, version, allowed, approve=False, reason=reason)


def _see(store: Store, approval_id: int, allowed: Pass, at: Now) -> reading.Approval:
    with store.read() as session:
        return reading.approval(session, approval_id, allowed.identity.email, allowed.owner, at)


def _decide(
    request: Request,
    store: Store,
    when: tuple[datetime, timedelta],
    approval_id: int,
    version: int,
    allowed: Pass,
    *,
    approve: bool,
    reason: str,
) -> Response:
    member, (at, wait) = allowed.identity.email, when
    try:
        with store.begin() as session:
            act = approvals.decide(
                session, approval_id, version=version, approve=approve, member=member, reason=reason, at=at, wait=wait
            )
        pass_by("after_decision")
    except Refused as refusal:
        return _card(request, store, approval_id, allowed, at, str(refusal))
    if is_htmx(request):
        shown = _see(store, approval_id, allowed, at)
        return fragment(request, "approval_done.html", approved=approve, approval=shown, act=act if wait else None)
    said = "approved" if approve else "rejected"
    return RedirectResponse(f"/inbox?said={said}" + (f"&undo={act}" if wait else ""), status_code=303)


def _card(request: Request, store: Store, approval_id: int, allowed: Pass, at: Now, refusal: str) -> Response:
    with store.read() as session:
        found = reading.approval(session, approval_id, allowed.identity.email, allowed.owner, at)
        known = names(session)
    status = 409 if refusal else 200
    if is_htmx(request):
        return fragment(request, "approval_card.html", status, approval=found, names=known, refusal=refusal)
    return page(request, "approval.html", status, approval=found, names=known, refusal=refusal)
