"""Approvals and veto windows of a run: what is asked of whom and until when, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from engine.definitions.playbook import ApproveStep, EmailStep, ReportStep, Span
from engine.running import resting
from engine.running.following import FollowUp
from engine.running.lines import Line
from engine.store import acts, approvals, assignees, notices, people
from engine.store.approvals import Approval, Asked, Item
from engine.terms import ActState, ApprovalState, RunAct, StepState, Verdict
from workflows.activities import hours, mailing, saying
from workflows.activities.noting import note, who_skipped
from workflows.activities.scene import Scene

_ENDS: Final[Mapping[str, ApprovalState]] = {
    "expired": ApprovalState.EXPIRED,
    "elapsed": ApprovalState.EXPIRED,
    "skipped": ApprovalState.WITHDRAWN,
}
_OWNER: Final = ("owner",)


@dataclass(frozen=True, slots=True)
class Decided:
    """Where a gate leads: to line ``number`` or, with ``gives_up``, to the end of the run; ``why`` in a sentence."""

    number: int
    why: str = ""
    gives_up: bool = False


def open_gate(session: Session, scene: Scene, number: int) -> tuple[str, datetime]:
    """Ask for the yes of the gate at ``number``, once. Returns what the run waits for, and until when."""
    line = scene.lines[number]
    asked = _asked(session, scene, number)
    approvals.begin(
        session,
        account_id=scene.account.id,
        run_id=scene.run.id,
        step=line.step,
        approver=asked.approver,
        items=asked.items,
        expires_at=asked.expires_at,
        facts=asked.facts,
        follow_up=asked.follow_up,
        at=scene.now,
    )
    if line.passes:
        return f"Goes on by itself, unless {asked.approver or 'a member'} stops it", asked.expires_at
    return f"Waits for the approval of {asked.approver or 'a member'}", asked.expires_at


def leave_gate(session: Session, scene: Scene, number: int) -> Decided:
    """What came of the gate at ``number``. Leads back to it when what was approved rests on facts that have changed.

    Raises ValueError when nobody has decided.
    """
    line = scene.lines[number]
    state, reason = _ending(scene, line)
    found = approvals.close(session, scene.run.id, line.step, state, scene.now, reason)
    if found is None or found.state is ApprovalState.PENDING:
        raise ValueError(f'nobody has decided the approval "{line.step}" of run {scene.run.id}')
    if found.state is ApprovalState.APPROVED:
        changed = resting.changes(found.facts, _facts(session, scene, found.items))
        if changed:
            return _ask_again(session, scene, number, found, changed)
    _confirm(session, scene, line.step, ActState.APPLIED)
    if found.state is ApprovalState.APPROVED:
        note(session, scene, line, StepState.DONE, _who_approved(found))
        return Decided(number + 1)
    why = _why_not(session, scene, line, found)
    note(session, scene, line, StepState.SKIPPED, why)
    step = scene.meaning(line).step
    cancels = found.state is ApprovalState.EXPIRED and isinstance(step, ApproveStep) and step.on_expiry == "cancel"
    return Decided(line.target, why, gives_up=step is None or cancels)


def _items(session: Session, scene: Scene, line: Line) -> list[Item]:
    return saying.items(session, scene, line) if line.kind in saying.KINDS else mailing.items(session, scene, [line])


def _asked(session: Session, scene: Scene, number: int) -> Asked:
    line = scene.lines[number]
    step = scene.meaning(line).step
    by, escalate = (step.by, step.escalate) if isinstance(step, ApproveStep) else (_OWNER, None)
    approver = assignees.resolve(session, scene.account.id, by, scene.now) or scene.account.owner
    calendar = hours.of_member(session, scene, approver)
    items = [item for one in scene.lines[number + 1 : line.target] for item in _items(session, scene, one)]
    remind = step.remind if isinstance(step, ApproveStep) and step.remind else Span(line.days / 2, line.working)
    follow_up = FollowUp(
        remind_at=None if line.passes else scene.until(remind, calendar),
        escalate_at=scene.until(escalate.after, calendar) if escalate else None,
        escalate_to=escalate.to if escalate else "",
    )
    return Asked(
        approver=approver,
        items=items,
        expires_at=scene.until(Span(line.days, line.working), calendar),
        facts=resting.mark(_facts(session, scene, items)),
        follow_up=follow_up,
    )


def _ending(scene: Scene, line: Line) -> tuple[ApprovalState | None, str]:
    """How an approval ends that nobody has decided, if it ends now."""
    if scene.outcome in {"expired", "elapsed"} and line.passes:
        return ApprovalState.APPROVED, "Nobody stopped it."
    return _ENDS.get(scene.outcome), ""


def _facts(session: Session, scene: Scene, items: Sequence[Item]) -> resting.Facts:
    rule = scene.bundle.rules.get(scene.run.rule)
    verdict = Verdict.FAILS
    if rule is not None:
        verdict = scene.sight.verdict(rule.when) if scene.sight else Verdict.UNKNOWN
    return resting.Facts(
        verdict=verdict,
        recipients=_recipients(session, scene, items),
        owner=scene.account.owner,
        status=f"{scene.account.fields.get('stage')}, {scene.account.barred}",
    )


def _recipients(session: Session, scene: Scene, items: Sequence[Item]) -> tuple[tuple[int, str], ...]:
    """Those of the items' people who are still whom the steps mean. Of a campaign nobody: its lessons look themselves
    who still wants them, and hundreds of users are never the same for long."""
    there = {one.id: one for one in people.reachable(session, scene.account.id, scene.seen_at)}
    found: set[tuple[int, str]] = set()
    for item in items:
        step = scene.step_of(item.step)
        if isinstance(step, EmailStep) and item.contact_id in there:
            person = there[item.contact_id]
            if not step.to.role or step.to.role in person.roles:
                found.add((person.id, person.address.lower()))
        elif isinstance(step, ReportStep):
            found |= {(one.id, one.address.lower()) for one in there.values() if step.share_with in one.roles}
    return tuple(sorted(found))


def _ask_again(session: Session, scene: Scene, number: int, found: Approval, changed: Sequence[str]) -> Decided:
    line = scene.lines[number]
    who = f"{found.decided_by} approved this" if found.decided_by else "Nobody stopped this"
    why = f"{who}, but this has changed since it was asked: {_listed(changed)}. So it is asked again."
    asked = _asked(session, scene, number)
    approvals.ask_again(session, found.id, asked, why, scene.now)
    if asked.approver:
        notices.tell(
            session,
            key=f"approval-{found.id}-again-{found.version + 1}",
            member=asked.approver,
            subject=f"{scene.account.name}: a message waits for your approval again",
            text=why,
            at=scene.now,
            account_id=scene.account.id,
            link=f"/approvals/{found.id}",
        )
    _confirm(session, scene, line.step, ActState.NOT_APPLIED, why)
    return Decided(number)


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _who_approved(found: Approval) -> str:
    edited = f" (edited by {found.edited_by})" if found.edited_by else ""
    if not found.decided_by:
        return f"Nobody stopped it until {found.expires_at:%Y-%m-%d %H:%M} UTC, so it goes on{edited}."
    return f"{found.decided_by} approved it{edited}."


def _why_not(session: Session, scene: Scene, line: Line, found: Approval) -> str:
    if found.state is ApprovalState.REJECTED:
        return f"{found.decided_by} rejected it: {found.reason}"
    if found.state is ApprovalState.EXPIRED:
        return f"Nobody decided until {found.expires_at:%Y-%m-%d %H:%M} UTC, so nothing of it was done."
    return who_skipped(session, scene, line.step)


def _confirm(session: Session, scene: Scene, step: str, state: ActState, why: str = "") -> None:
    # A decision that came in the moment the time ran out has taken effect here, whatever the update is told later.
    act = acts.latest(session, scene.run.id, (RunAct.APPROVE, RunAct.REJECT), step)
    if act is not None and act.state is ActState.PENDING:
        acts.mark(session, act.id, state, why, scene.now)
