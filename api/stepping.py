"""What pages and JSON routes share of people stepping in: deciding many approvals, handing over, the time to undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from api.dependencies import Pass
from engine.errors import EngineError, NotFound, Refused
from engine.settings import Settings
from engine.store import approvals, inbox as reading, reassigning, undoing
from engine.store.reassigning import Kind
from engine.store.sessions import Store

DAY: Final = 86_400.0
MOST: Final = 200
"""So many approvals can be decided in one request."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of one approval. ``act``: the decision, which can be taken back; ``refusal``: why it was not taken."""

    approval: int
    account: str
    subject: str
    act: int | None = None
    refusal: str = ""


def grace(settings: Settings) -> timedelta:
    """For how long a decision can be taken back; nothing on a clock that is faster than ours."""
    return undoing.GRACE if settings.day_seconds >= DAY else timedelta(0)


def decide_all(
    store: Store,
    allowed: Pass,
    wanted: Sequence[str],
    *,
    approve: bool,
    reason: str,
    at: datetime,
    wait: timedelta,
) -> list[Decided]:
    """Decide each of ``wanted`` (``ID:VERSION``) in a transaction of its own, so that one that is lost loses no other.

    Raises Refused for more than 200.
    """
    if len(wanted) > MOST:
        raise Refused(f"At most {MOST} approvals can be decided at once; these are {len(wanted)}.")
    return [_decide(store, allowed, one, approve=approve, reason=reason, at=at, wait=wait) for one in wanted]


def reassigned(
    store: Store, kind: Kind, number: int, allowed: Pass, *, version: int, to: str, reason: str, at: datetime
) -> str:
    """Give a task or approval that the member may see to a colleague. Returns who has it now."""
    look = reading.task if kind == "task" else reading.approval
    with store.begin() as session:
        look(session, number, allowed.identity.email, allowed.owner, at)
        who = allowed.identity.email
        return reassigning.reassign(session, kind, number, version=version, to=to, member=who, reason=reason, at=at)


def needs_reason(shown: reading.Approval, allowed: Pass, reason: str) -> None:
    """Raises Refused where somebody decides in another member's place and does not say why."""
    theirs = {shown.approver, shown.account.owner}
    if allowed.owner is None and allowed.identity.email not in theirs and not reason.strip():
        raise Refused("This is another member's approval: say why you decide it.")


def _decide(
    store: Store, allowed: Pass, wanted: str, *, approve: bool, reason: str, at: datetime, wait: timedelta
) -> Decided:
    number, _, version = wanted.partition(":")
    if not number.isascii() or not number.isdigit() or not version.isascii() or not version.isdigit():
        return Decided(0, "", wanted[:40], refusal='Name an approval as "ID:VERSION", such as 17:1.')
    account = subject = ""
    try:
        with store.begin() as session:
            shown = reading.approval(session, _id(number), allowed.identity.email, allowed.owner, at)
            account, subject = shown.account.name, shown.playbook
            needs_reason(shown, allowed, reason)
            act = approvals.decide(
                session,
                shown.id,
                version=_id(version),
                approve=approve,
                member=allowed.identity.email,
                reason=reason,
                at=at,
                wait=wait,
            )
    except EngineError as error:
        return Decided(_id(number), account, subject, refusal=str(error))
    return Decided(_id(number), account, subject, act)


def _id(text: str) -> int:
    """A number that a database can be asked for."""
    if len(text) > 18:
        raise NotFound("There is no such approval.")
    return int(text)
