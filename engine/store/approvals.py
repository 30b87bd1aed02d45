"""Approvals: a yes that steps wait for. Whoever moves the row from pending at its version decides, nobody else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Update, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.running.following import NO_FOLLOW_UP, FollowUp
from engine.running.literal import render_literally
from engine.store import acts, approvable
from engine.store.run_tables import ApprovalRow
from engine.terms import ApprovalState, RunAct


@dataclass(frozen=True, slots=True)
class Item:
    """One thing an approval covers. A message has a contact and content; a task or report only a ``subject``.

    ``to`` is the contact's name and ``address`` its masked address, or what the item is. What is sent is exactly this.
    """

    step: str
    kind: str
    contact_id: int | None
    to: str
    subject: str
    text: str = ""
    html: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as it stands. ``facts``: what it rests on, as `engine.running.resting.mark` says it."""

    id: int
    account_id: int
    run_id: int
    step: str
    approver: str
    state: ApprovalState
    items: tuple[Item, ...]
    content_hash: str
    version: int
    edited_by: str
    requested_at: datetime
    expires_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    facts: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a yes is asked for: ``items`` until ``expires_at``, resting on ``facts``; who is to hear of it meanwhile."""

    approver: str
    items: Sequence[Item]
    expires_at: datetime
    facts: str = ""
    follow_up: FollowUp = NO_FOLLOW_UP


def begin(
    session: Session,
    *,
    account_id: int,
    run_id: int,
    step: str,
    approver: str,
    items: Sequence[Item],
    expires_at: datetime,
    at: datetime,
    facts: str = "",
    follow_up: FollowUp = NO_FOLLOW_UP,
) -> None:
    """Ask for a yes, once: asking again for the same step of a run changes nothing."""
    if _of_step(session, run_id, step) is not None:
        return
    row = ApprovalRow(account_id=account_id, run_id=run_id, step=step)
    _ask(row, Asked(approver, items, expires_at, facts, follow_up), at)
    session.add(row)


def ask_again(session: Session, approval_id: int, asked: Asked, why: str, at: datetime) -> None:
    """What was decided does not count, because what it rested on has changed: everything is asked anew, as it is now.
    ``why`` stands in the timeline."""
    row = _row(session, approval_id)
    _ask(row, asked, at)
    row.version += 1
    row.decided_by, row.decided_at, row.edited_by, row.reason = "", None, "", why
    session.flush()


def _ask(row: ApprovalRow, asked: Asked, at: datetime) -> None:
    content = [asdict(item) for item in asked.items]
    row.approver, row.state = asked.approver, ApprovalState.PENDING.value
    row.content, row.content_hash, row.facts = content, hash_of(content), asked.facts
    row.requested_at, row.expires_at = at, asked.expires_at
    later = asked.follow_up
    row.remind_at, row.escalate_at, row.escalate_to = later.remind_at, later.escalate_at, later.escalate_to


def decide(
    session: Session,
    approval_id: int,
    *,
    version: int,
    approve: bool,
    member: str,
    reason: str,
    at: datetime,
    wait: timedelta = timedelta(0),
) -> int:
    """Approve or reject what was shown at ``version``. Returns the id of the act that tells the run. ``wait``: so long
    the run is not told yet, so that it can be taken back.

    Raises NotFound; Refused, naming the winner, when somebody else decided, edited, or the time is over, and when what
    is approved could not be done any more.
    """
    if not approve and not reason.strip():
        raise Refused("Say why you reject it: the reason stands in the timeline.")
    if approve and (row := _row(session, approval_id)).state == ApprovalState.PENDING.value and row.expires_at > at:
        approvable.check(session, row, at)
    state = ApprovalState.APPROVED if approve else ApprovalState.REJECTED
    pending = _pending(approval_id, version).where(ApprovalRow.expires_at > at)
    won = _changed(
        session,
        pending.values(state=state.value, decided_by=member, decided_at=at, reason=reason.strip()),
    )
    row = _row(session, approval_id)
    if not won:
        raise Refused(_why_lost(row, version, at))
    kind = RunAct.APPROVE if approve else RunAct.REJECT
    return acts.add(session, row.run_id, kind, member=member, reason=reason.strip(), at=at, step=row.step, wait=wait)


def edit(
    session: Session,
    approval_id: int,
    *,
    version: int,
    item: int,
    subject: str,
    text: str,
    member: str,
    at: datetime,
) -> int:
    """Change one message before it goes; ``text`` is Markdown, the content is hashed anew. Returns the new version.

    Raises NotFound; Refused for an item that is no message, an empty subject or text, or when somebody decided or
    edited first.
    """
    row = _row(session, approval_id)
    if not 0 <= item < len(row.content) or row.content[item].get("contact_id") is None:
        raise Refused("Only a message can be edited here.")
    if not subject.strip() or not text.strip():
        raise Refused("A message needs a subject and a text.")
    content = [dict(one) for one in row.content]
    content[item] |= asdict(render_literally(subject.strip(), text))
    pending = _pending(approval_id, version).where(ApprovalRow.expires_at > at)
    changed = pending.values(content=content, content_hash=hash_of(content), version=version + 1, edited_by=member)
    if not _changed(session, changed):
        raise Refused(_why_lost(_row(session, approval_id), version, at))
    return version + 1


def close(
    session: Session, run_id: int, step: str, state: ApprovalState | None, at: datetime, reason: str = ""
) -> Approval | None:
    """End an approval that nobody decided as ``state`` (None: leave it), for ``reason``. Returns it as it stands then:
    a decision that came first stays. Approved by nobody: a veto window that nobody used."""
    row = _of_step(session, run_id, step)
    if row is None:
        return None
    if state is not None:
        pending = update(ApprovalRow).where(ApprovalRow.id == row.id, ApprovalRow.state == ApprovalState.PENDING.value)
        _changed(session, pending.values(state=state.value, decided_at=at, reason=reason))
    return find(session, row.id)


def withdraw_all(session: Session, run_id: int, at: datetime) -> None:
    """End every open approval of a run that ends."""
    pending = update(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.state == ApprovalState.PENDING.value)
    _changed(session, pending.values(state=ApprovalState.WITHDRAWN.value, decided_at=at))


def extend(session: Session, run_id: int, step: str, until: datetime) -> None:
    """A pending approval can be decided until then."""
    row = _of_step(session, run_id, step)
    if row is not None and row.state == ApprovalState.PENDING.value:
        row.expires_at = until


def find(session: Session, approval_id: int) -> Approval:
    """One approval. Raises NotFound."""
    row = _row(session, approval_id)
    return Approval(
        id=row.id,
        account_id=row.account_id,
        run_id=row.run_id,
        step=row.step,
        approver=row.approver,
        state=ApprovalState(row.state),
        items=tuple(Item(**item) for item in row.content),
        content_hash=row.content_hash,
        version=row.version,
        edited_by=row.edited_by,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        facts=row.facts,
    )


def approved_items(session: Session, run_id: int, step: str) -> tuple[Item, ...]:
    """What was approved for ``step`` of a run, in the last of its approvals: this and nothing else is sent."""
    row = _approving(session, run_id, step)
    return () if row is None else tuple(Item(**item) for item in row.content if item["step"] == step)


def who_approved(session: Session, run_id: int, step: str) -> str:
    """Who approved ``step`` of a run; empty when nobody was asked."""
    row = _approving(session, run_id, step)
    return "" if row is None else row.decided_by


def hash_of(content: list[dict[str, Any]]) -> str:
    """The SHA-256 of an approval's content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _pending(approval_id: int, version: int) -> Update:
    return update(ApprovalRow).where(
        ApprovalRow.id == approval_id,
        ApprovalRow.state == ApprovalState.PENDING.value,
        ApprovalRow.version == version,
    )


def _changed(session: Session, statement: Update) -> bool:
    session.flush()
    result = cast("CursorResult[Any]", session.execute(statement.execution_options(synchronize_session=False)))
    session.expire_all()
    return result.rowcount == 1


def _why_lost(row: ApprovalRow, version: int, at: datetime) -> str:
    state = ApprovalState(row.state)
    if state is ApprovalState.APPROVED and not row.decided_by:
        return f"Nobody stopped it until {row.expires_at:%Y-%m-%d %H:%M} UTC, so it has gone on."
    if state in {ApprovalState.APPROVED, ApprovalState.REJECTED}:
        return f"{row.decided_by} {state.value} this at {row.decided_at:%Y-%m-%d %H:%M} UTC."
    if state is ApprovalState.WITHDRAWN:
        return "This is not asked any more: the run went on or ended without it."
    if state is ApprovalState.EXPIRED or row.expires_at <= at:
        return f"The time to decide this was over at {row.expires_at:%Y-%m-%d %H:%M} UTC."
    if not row.edited_by:
        return f"{row.reason} Look at it again." if row.reason else "It has changed since you opened it: look again."
    return f"{row.edited_by} changed the content (version {row.version}, you saw {version}): look at it again."


def _approving(session: Session, run_id: int, step: str) -> ApprovalRow | None:
    approved = (ApprovalRow.run_id == run_id, ApprovalRow.state == ApprovalState.APPROVED.value)
    rows = session.scalars(select(ApprovalRow).where(*approved).order_by(ApprovalRow.decided_at.desc()))
    return next((row for row in rows if any(item["step"] == step for item in row.content)), None)


def _of_step(session: Session, run_id: int, step: str) -> ApprovalRow | None:
    return session.scalar(select(ApprovalRow).where(ApprovalRow.run_id == run_id, ApprovalRow.step == step))


def _row(session: Session, approval_id: int) -> ApprovalRow:
    row = session.get(ApprovalRow, approval_id)
    if row is None:
        raise NotFound(f"There is no approval {approval_id}.")
    return row
