"""One approval: what would be sent to whom and why, with the forms that edit, approve and reject it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.pages.naming import names
from api.pages.rendering import back_to, fragment, is_htmx, page
from engine.errors import Refused
from engine.store import approvals, inbox as reading
from engine.store.sessions import Store

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
) -> Response:
    """One approval by itself."""
    found = reading.approval(session, approval_id, allowed.identity.email, allowed.owner)
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
    _see(store, approval_id, allowed)
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
        return _card(request, store, approval_id, allowed, str(refusal))
    if is_htmx(request):
        return _card(request, store, approval_id, allowed, "")
    return back_to(f"/approvals/{approval_id}", "edited")


@router.post("/approve")
def approve(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    at: Now,
    version: Version,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say yes to exactly what was shown."""
    shown = _see(store, approval_id, allowed)
    if allowed.owner is None and allowed.identity.email not in {shown.approver, shown.account.owner}:
        _wants_reason(reason)
    return _decide(request, store, at, approval_id, version, allowed, approve=True, reason=reason)


@router.post("/reject")
def reject(
    request: Request,
    allowed: Deciding,
    approval_id: int,
    store: TheStore,
    at: Now,
    version: Version,
    reason: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Say no, with a reason."""
    _see(store, approval_id, allowed)
    return _decide(request, store, at, approval_id, version, allowed, approve=False, reason=reason)


def _wants_reason(reason: str) -> None:
    if not reason.strip():
        raise Refused("This is another member's approval: say why you decide it.")


def _see(store: Store, approval_id: int, allowed: Pass) -> reading.Approval:
    with store.read() as session:
        return reading.approval(session, approval_id, allowed.identity.email, allowed.owner)


def _decide(
    request: Request,
    store: Store,
    at: Now,
    approval_id: int,
    version: int,
    allowed: Pass,
    *,
    approve: bool,
    reason: str,
) -> Response:
    member = allowed.identity.email
    try:
        with store.begin() as session:
            approvals.decide(
                session, approval_id, version=version, approve=approve, member=member, reason=reason, at=at
            )
    except Refused as refusal:
        return _card(request, store, approval_id, allowed, str(refusal))
    if is_htmx(request):
        return fragment(request, "approval_done.html", approved=approve, approval=_see(store, approval_id, allowed))
    return back_to("/inbox", "approved" if approve else "rejected")


def _card(request: Request, store: Store, approval_id: int, allowed: Pass, refusal: str) -> Response:
    with store.read() as session:
        found = reading.approval(session, approval_id, allowed.identity.email, allowed.owner)
        known = names(session)
    status = 409 if refusal else 200
    if is_htmx(request):
        return fragment(request, "approval_card.html", status, approval=found, names=known, refusal=refusal)
    return page(request, "approval.html", status, approval=found, names=known, refusal=refusal)
