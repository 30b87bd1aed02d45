"""Starting a playbook by hand: a person's own decision, with a reason."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Now, Pass, TheSettings, TheStore
from api.pages.account import show_account
from api.pages.rendering import back_to
from engine.errors import NotFound, Refused
from engine.store import bundles, runs
from engine.store.account_page import owned
from engine.terms import Mode

router = APIRouter(include_in_schema=False)


@router.post("/accounts/{account_id}/runs")
def start(
    request: Request,
    allowed: Annotated[Pass, Depends(Acting("run", "start"))],
    account_id: int,
    store: TheStore,
    settings: TheSettings,
    at: Now,
    playbook: Annotated[str, Form(max_length=120)],
    reason: Annotated[str, Form(max_length=2000)] = "",
    mode: Annotated[Mode, Form()] = Mode.AUTOMATIC,
) -> Response:
    """Start a playbook for an account; the run's page shows how it goes."""
    member = allowed.identity.email
    with store.read() as session:
        owned(session, account_id, allowed.owner)
    try:
        with store.begin() as session:
            bundle = bundles.in_force(session)
            if bundle is None:
                raise NotFound("No playbook is in force.")
            days = settings.day_seconds
            run = runs.start_by_hand(session, bundle, account_id, playbook, member, reason, at, days, mode=mode)
    except Refused as refusal:
        with store.read() as session:
            return show_account(request, session, account_id, allowed, at, str(refusal))
    return back_to(f"/runs/{run}", "started")
