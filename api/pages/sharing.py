"""Reports as members handle them: compose one, complete it, share it by a link, take the link back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheSettings, TheStore
from api.pages.rendering import back_to, page
from engine.errors import NotFound, Refused
from engine.store import bundles, reports
from engine.store.account_page import owned
from engine.store.report_page import report_page

router = APIRouter(include_in_schema=False)

Sharing = Annotated[Pass, Depends(Acting("report", "share"))]


@router.get("/reports/{report_id}")
def show(
    request: Request, allowed: Annotated[Pass, Depends(Allowed("report", "read"))], report_id: int, session: Reading
) -> Response:
    """A report as its customer sees it, with what a member can do with it."""
    return page(request, "report.html", report=report_page(session, report_id, allowed.owner), allowed=allowed, link="")


@router.post("/accounts/{account_id}/reports")
def compose(
    allowed: Sharing, account_id: int, store: TheStore, at: Now, report: Annotated[str, Form(max_length=120)]
) -> Response:
    """Compose a draft from the present figures."""
    with store.begin() as session:
        owned(session, account_id, allowed.owner)
        bundle = bundles.in_force(session)
        if bundle is None:
            raise NotFound("There is no such report.")
        report_id = reports.compose_for(session, bundle, account_id, report, at)
    return back_to(f"/reports/{report_id}", "composed")


@router.post("/reports/{report_id}/next-steps")
def complete(
    allowed: Sharing, report_id: int, store: TheStore, text: Annotated[str, Form(max_length=4000)] = ""
) -> Response:
    """Write what comes next into a draft."""
    with store.begin() as session:
        report_page(session, report_id, allowed.owner)
        reports.edit_next_steps(session, report_id, text.replace("\r\n", "\n"))
    return back_to(f"/reports/{report_id}", "edited")


@router.post("/reports/{report_id}/share")
def share(
    request: Request,
    allowed: Sharing,
    report_id: int,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    days: Annotated[int, Form(ge=1, le=90)] = 30,
) -> Response:
    """Freeze the report and make its link, which is shown this once."""
    try:
        with store.begin() as session:
            report_page(session, report_id, allowed.owner)
            token = reports.approve(session, report_id, member=allowed.identity.email, at=at, expires_days=days)
    except Refused as refusal:
        return _page(request, store, report_id, allowed, refusal=str(refusal))
    return _page(request, store, report_id, allowed, link=f"{settings.base_url}/r/{token}")


@router.post("/reports/{report_id}/revoke")
def revoke(request: Request, allowed: Sharing, report_id: int, store: TheStore, at: Now) -> Response:
    """Make the link worthless from now on."""
    try:
        with store.begin() as session:
            found = report_page(session, report_id, allowed.owner)
            reports.revoke(session, report_id, member=allowed.identity.email, at=at)
    except Refused as refusal:
        return _page(request, store, report_id, allowed, refusal=str(refusal))
    return back_to(f"/accounts/{found.account.id}", "revoked")


def _page(
    request: Request, store: TheStore, report_id: int, allowed: Pass, *, link: str = "", refusal: str = ""
) -> Response:
    with store.read() as session:
        found = report_page(session, report_id, allowed.owner)
    status = 409 if refusal else 200
    return page(request, "report.html", status, refusal=refusal, report=found, allowed=allowed, link=link)
