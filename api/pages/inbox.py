"""The inbox: what waits for one member, and the form that finishes a task."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.pages.naming import names
from api.pages.rendering import back_to, fragment, is_htmx, page
from engine.errors import Refused
from engine.store import inbox as reading, standing, tasks

router = APIRouter(include_in_schema=False)

ANSWER = "answer:"


async def answered(request: Request) -> dict[str, str]:
    """The answers of a form by question: its fields ``answer:<question>`` that are not empty."""
    form = await request.form()
    return {key.removeprefix(ANSWER): str(value) for key, value in form.items() if key.startswith(ANSWER) and value}


@router.get("/inbox")
def show(request: Request, allowed: Annotated[Pass, Depends(Allowed("inbox", "read"))], session: Reading) -> Response:
    """What waits for the member, the most urgent first."""
    found = reading.inbox(session, allowed.identity.email)
    asked = standing.asks(session) if allowed.may("rule", "release") else {}
    return page(request, "inbox.html", inbox=found, asked=asked, names=names(session))


@router.post("/tasks/{task_id}/done")
def finish(
    request: Request,
    answers: Annotated[Mapping[str, str], Depends(answered)],
    allowed: Annotated[Pass, Depends(Acting("task", "finish"))],
    task_id: int,
    store: TheStore,
    at: Now,
    version: Annotated[int, Form()],
    note: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Finish a task with its answers and a note; somebody else who was faster is named."""
    member = allowed.identity.email
    with store.read() as session:
        reading.task(session, task_id, member, allowed.owner)
    try:
        with store.begin() as session:
            tasks.finish(
                session, task_id, version=version, member=member, answers=_numbers(answers), note=note.strip(), at=at
            )
    except Refused as refusal:
        return _refused(request, store, task_id, allowed, str(refusal))
    if is_htmx(request):
        return fragment(request, "task_done.html")
    return back_to("/inbox", "task-done")


def _numbers(answers: Mapping[str, str]) -> dict[str, float]:
    try:
        return {question: float(answer) for question, answer in answers.items()}
    except ValueError:
        raise Refused("An answer must be one of the numbers on the scale.") from None


def _refused(request: Request, store: TheStore, task_id: int, allowed: Pass, refusal: str) -> Response:
    with store.read() as session:
        task = reading.task(session, task_id, allowed.identity.email, allowed.owner)
        known = names(session)
    show_in = fragment if is_htmx(request) else page
    template = "task_card.html" if is_htmx(request) else "task.html"
    return show_in(request, template, 409, task=task, names=known, refusal=refusal)
