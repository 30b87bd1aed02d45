"""The inbox: what waits for one member, and the form that finishes a task."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Chosen:
    """What else a task's form says: the outcome, the cause (chosen, or in one's own words), what is ticked off."""

    outcome: str
    cause: str
    ticked: tuple[str, ...]


def chosen(
    outcome: Annotated[str, Form(max_length=64)] = "",
    cause: Annotated[str, Form(max_length=500)] = "",
    own_cause: Annotated[str, Form(max_length=500)] = "",
    ticked: Annotated[list[str] | None, Form(max_length=100)] = None,
) -> Chosen:
    """The codes of a form; a cause in one's own words counts before one that is chosen."""
    return Chosen(outcome, own_cause.strip() or cause, tuple(ticked or ()))


@router.get("/inbox")
def show(
    request: Request, allowed: Annotated[Pass, Depends(Allowed("inbox", "read"))], session: Reading, at: Now
) -> Response:
    """What waits for the member, the most urgent first."""
    found = reading.inbox(session, allowed.identity.email, at)
    asked = standing.asks(session) if allowed.may("rule", "release") else {}
    undo = request.query_params.get("undo", "")
    undoable = int(undo) if undo.isascii() and undo.isdigit() and len(undo) < 18 else None
    return page(request, "inbox.html", inbox=found, asked=asked, names=names(session), undo=undoable)


@router.post("/tasks/{task_id}/done")
def finish(
    request: Request,
    answers: Annotated[Mapping[str, str], Depends(answered)],
    codes: Annotated[Chosen, Depends(chosen)],
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
        reading.task(session, task_id, member, allowed.owner, at)
    try:
        with store.begin() as session:
            tasks.finish(
                session,
                task_id,
                version=version,
                member=member,
                answers=_numbers(answers),
                note=note.strip(),
                at=at,
                outcome=codes.outcome,
                cause=codes.cause,
                ticked=codes.ticked,
            )
    except Refused as refusal:
        return _refused(request, store, task_id, allowed, at, str(refusal))
    if is_htmx(request):
        return fragment(request, "task_done.html")
    return back_to("/inbox", "task-done")


def _numbers(answers: Mapping[str, str]) -> dict[str, float]:
    try:
        return {question: float(answer) for question, answer in answers.items()}
    except ValueError:
        raise Refused("An answer must be one of the numbers on the scale.") from None


def _refused(request: Request, store: TheStore, task_id: int, allowed: Pass, at: Now, refusal: str) -> Response:
    with store.read() as session:
        task = reading.task(session, task_id, allowed.identity.email, allowed.owner, at)
        known = names(session)
    show_in = fragment if is_htmx(request) else page
    template = "task_card.html" if is_htmx(request) else "task.html"
    return show_in(request, template, 409, task=task, names=known, refusal=refusal)
