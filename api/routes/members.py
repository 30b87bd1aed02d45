"""Members as JSON: a colleague who leaves, and absences with who stands in."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path
from pydantic import AwareDatetime, BaseModel

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from api.described import SESSION
from engine.errors import Refused
from engine.store import absences, leaving_members
from engine.store.leaving_members import KINDS, Leaving

router = APIRouter(prefix="/v1", tags=["members"], dependencies=[SESSION])

Editing = Annotated[Pass, Depends(Acting("me", "edit"))]
Address = Annotated[str, Form(max_length=320)]
Number = Annotated[int, Path(ge=1, le=2**62)]


class PointingAnswer(BaseModel):
    """How much of one kind points at a member."""

    kind: str
    what: str
    count: int


class LeavingAnswer(BaseModel):
    """What a member leaves behind: everything that needs somebody else. ``runs`` write in their name until their
    accounts have another owner; ``files`` are places of definitions that name them."""

    member: str
    pointing: list[PointingAnswer]
    runs: int
    files: list[str]


class AbsenceAnswer(BaseModel):
    """One absence of the member who asks."""

    id: int
    delegate: str
    starts_at: datetime
    ends_at: datetime


@router.get("/members/{email}/leave")
def preview(
    email: str, session: Reading, at: Now, _allowed: Annotated[Pass, Depends(Allowed("member", "leave"))]
) -> LeavingAnswer:
    """What points at a colleague; nothing is changed."""
    return _answer(leaving_members.preview(session, email, at))


@router.post("/members/{email}/leave")
def leave(
    email: str,
    store: TheStore,
    at: Now,
    _allowed: Annotated[Pass, Depends(Acting("member", "leave"))],
    to: Address = "",
    give: Annotated[list[str] | None, Form(max_length=20)] = None,
) -> LeavingAnswer:
    """Hand everything over, then disable the colleague. ``to`` gets what no ``give=KIND=ADDRESS`` names."""
    wrong = [one for one in give or [] if "=" not in one]
    if wrong:
        raise Refused(f'"give" is KIND=ADDRESS, not "{wrong[0][:80]}"; kinds: {", ".join(KINDS)}.')
    targets = {kind.strip(): address for kind, _, address in (one.partition("=") for one in give or [])}
    with store.begin() as session:
        return _answer(leaving_members.leave(session, email, targets, at, usual=to))


@router.get("/me/absences")
def absent(session: Reading, at: Now, allowed: Annotated[Pass, Depends(Allowed("me", "read"))]) -> list[AbsenceAnswer]:
    """One's own absences that are not over."""
    return [_absence(one) for one in absences.of_member(session, allowed.identity.email, at)]


@router.post("/me/absences", status_code=HTTPStatus.CREATED)
def go(
    store: TheStore,
    at: Now,
    allowed: Editing,
    delegate: Address,
    ends_at: Annotated[AwareDatetime, Form()],
    starts_at: Annotated[AwareDatetime | None, Form()] = None,
) -> AbsenceAnswer:
    """Say when one is away (default: from now on), and who stands in."""
    who, begins = allowed.identity.email, starts_at or at
    with store.begin() as session:
        number = absences.add(session, who, delegate, starts_at=begins, ends_at=ends_at, at=at)
        return next(_absence(one) for one in absences.of_member(session, who, at) if one.id == number)


@router.post("/me/absences/{number}/end", status_code=HTTPStatus.NO_CONTENT)
def come_back(number: Number, store: TheStore, at: Now, allowed: Editing) -> None:
    """Be back earlier, or not go at all."""
    with store.begin() as session:
        absences.end(session, number, allowed.identity.email, at)


def _answer(found: Leaving) -> LeavingAnswer:
    return LeavingAnswer(
        member=found.member,
        pointing=[PointingAnswer(kind=one.kind, what=one.what, count=one.count) for one in found.pointing],
        runs=found.runs,
        files=list(found.files),
    )


def _absence(one: absences.Absence) -> AbsenceAnswer:
    return AbsenceAnswer(id=one.id, delegate=one.delegate, starts_at=one.starts_at, ends_at=one.ends_at)
