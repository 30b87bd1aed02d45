"""Reports as members handle them: compose one, read it, share it by a link, take the link back."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheSettings, TheStore
from api.pages.rendering import back_to, page
from engine.errors import NotFound, Refused
from engine.store import bundles, reports
from engine.store.account_page import owned
from engine.store.glances import glances
from engine.store.report_page import report_page

router = APIRouter(include_in_schema=False)

Sharing = Depends(Acting("report", "share"))


@router.get("/reports/{report_id}")
def show(
    request: Request, report_id: int, session: Reading, allowed: Pass = Depends(Allowed("report", "read"))
) -> Response:
    """A report as its customer sees it, with what a member can do with it."""
    found = report_page(session, report_id, allowed.owner)
    return page(request, "report.html", report=found, allowed=allowed, link="")


@router.post("/accounts/{account_id}/reports")
def compose(
    account_id: int,
    store: TheStore,
    at: Now,
    report: Annotated[str, Form(max_length=120)],
    allowed: Pass = Sharing,
) -> Response:
    """Compose a draft from the present figures."""
    with store.begin() as session:
        owned(session, account_id, allowed.owner)
        bundle = bundles.in_force(session)
        if bundle is None or report not in bundle.reports:
            raise NotFound("There is no such report.")
        report_id = reports.compose_for(session, bundle, account_id, report, at)
    return back_to(f"/reports/{report_id}", "composed")


@router.post("/reports/{report_id}/share")
def share(
    request: Request,
    report_id: int,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    days: Annotated[int, Form(ge=1, le=90)] = 30,
    allowed: Pass = Sharing,
) -> Response:
    """Freeze the report and make its link, which is shown this once."""
    with store.begin() as session:
        report_page(session, report_id, allowed.owner)
        token = reports.approve(session, report_id, member=allowed.identity.email, at=at, expires_days=days)
    with store.read() as session:
        found = report_page(session, report_id, allowed.owner)
    link = f"{settings.base_url}/r/{token}"
    return page(request, "report.html", report=found, allowed=allowed, link=link)


@router.post("/reports/{report_id}/revoke")
def revoke(report_id: int, store: TheStore, at: Now, allowed: Pass = Sharing) -> Response:
    """Make the link worthless from now on."""
    with store.begin() as session:
        found = report_page(session, report_id, allowed.owner)
        reports.revoke(session, report_id, member=allowed.identity.email, at=at)
    return back_to(f"/accounts/{found.account.id}", "revoked")
