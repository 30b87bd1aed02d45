"""What becomes of the messages of a line: sent one by one, then written down, put off, or to be tried again."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy.orm import Session
from temporalio.exceptions import ApplicationError

from engine.definitions.playbook import EmailStep
from engine.running import pressure
from engine.store import runs
from engine.terms import DeliveryState, RunState, StepState
from workflows.activities.delivering import Order
from workflows.activities.noting import note, worry
from workflows.activities.scene import Scene
from workflows.activities.walking import Outgoing
from workflows.channels.letter import Verdict
from workflows.channels.smtp import TURNED_AWAY
from workflows.payloads import StretchResult


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a line's messages, in their order, and of the copy for the owner (None: there is none)."""

    verdicts: tuple[Verdict, ...]
    copy: Verdict | None = None

    @property
    def open(self) -> tuple[Verdict, ...]:
        """What may still go, later or after another try."""
        both = (*self.verdicts, *((self.copy,) if self.copy else ()))
        return tuple(one for one in both if one.state is DeliveryState.NOT_SENT and not one.permanent)


def send(deliver: Callable[[Any, datetime], Verdict], scene: Scene, going: Outgoing) -> Posted:
    """Deliver the messages of a line, one by one; once all are decided, a copy to the owner where the step says so."""
    verdicts = tuple(deliver(order, scene.now) for order in going.orders)
    posted = Posted(verdicts)
    copied = None if posted.open else _copy(scene, going, verdicts)
    return posted if copied is None else replace(posted, copy=deliver(copied, scene.now))


def put_off(session: Session, scene: Scene, sent: Outgoing, later: Sequence[Verdict]) -> StretchResult:
    """The line's open messages may all go later: the run waits there and comes back to the same line."""
    first = min((one for one in later if one.later is not None), key=_later)
    sentence = first.reason if first.reason.startswith("Waits") else f"Waits: {first.reason}"
    note(session, scene, scene.lines[sent.number], StepState.PENDING, f"{sentence}.")
    _move(session, scene, sent.number, RunState.WAITING, sentence)
    return StretchResult(sent.number, "wait", _later(first).isoformat())


def try_again(session: Session, scene: Scene, sent: Outgoing, still: Sequence[Verdict]) -> ApplicationError:
    """A relay that is down keeps a message back: say so. Returns what is to be raised, which Temporal and logs keep:
    so it has none of the relay's words, in which addresses stand."""
    reason = next(one.reason for one in still if one.later is None)
    _move(session, scene, sent.number, RunState.ACTIVE, f"Could not send yet: {reason}")
    return ApplicationError(f"could not send yet: the page of run {scene.run.id} says why", type="NotSent")


def write_down(session: Session, scene: Scene, sent: Outgoing, posted: Posted) -> None:
    """What became of a line's messages. One that went, or may have gone, makes the step done."""
    line, verdicts = scene.lines[sent.number], posted.verdicts
    refused = [one.reason for one in verdicts if one.state is DeliveryState.NOT_SENT]
    doubtful = sum(one.state is DeliveryState.AMBIGUOUS for one in verdicts)
    went = len(verdicts) - len(refused)
    whom = "people" if isinstance(sent.orders[0], Order) else "receivers"
    parts = [f"“{sent.subject}” went to {went} of {len(verdicts)} {whom}."]
    parts += [f"{doubtful} may or may not have arrived: see the inbox."] if doubtful else []
    parts += [f"Not sent: {'; '.join(sorted(set(refused)))}."] if refused else []
    parts += ["The owner got a copy."] if posted.copy and posted.copy.state is DeliveryState.SENT else []
    is_left_out = bool(refused) and all(map(pressure.is_left_out, refused))
    failed = StepState.SKIPPED if is_left_out else StepState.FAILED
    note(session, scene, line, StepState.DONE if went else failed, " ".join(parts))
    if concern := _concern(sent, verdicts, refused, went):
        worry(session, scene, line.step, f"“{sent.orders[0].subject}” {concern}")


def _concern(sent: Outgoing, verdicts: Sequence[Verdict], refused: Sequence[str], went: int) -> str:
    """What the owner should know of messages that did not go, as the end of a sentence; empty: nothing."""
    if again := next(filter(pressure.asks_somebody, refused), ""):
        return f"did not go to everybody: {again}"
    if not went:
        return "" if all(map(pressure.is_left_out, refused)) else f"was sent to nobody: {refused[0]}"
    away = [
        order.name
        for order, one in zip(sent.orders, verdicts, strict=True)
        if isinstance(order, Order) and one.permanent and one.reason.startswith(TURNED_AWAY)
    ]
    return f"did not reach {', '.join(away[:5])}: the relay refuses the address; ask for another one" if away else ""


def _copy(scene: Scene, going: Outgoing, verdicts: Sequence[Verdict]) -> Order | None:
    """One copy for the owner, whoever many got the message: it says who, and carries nobody's way out."""
    step = scene.meaning(scene.lines[going.number]).step
    got = [
        order
        for order, one in zip(going.orders, verdicts, strict=True)
        if isinstance(order, Order) and one.state in {DeliveryState.SENT, DeliveryState.AMBIGUOUS}
    ]
    if not got or not scene.account.owner or not isinstance(step, EmailStep) or not step.copy_owner:
        return None
    names = ", ".join(order.name for order in got[:20]) + (f" and {len(got) - 20} more" if len(got) > 20 else "")
    said = f"Copy of a message to {names} at {scene.account.name}."
    link = re.compile(re.escape(f"{scene.base_url}/u/") + r"[^\s\"'<>)]+")
    first = got[0]
    return replace(
        first,
        contact_id=None,
        member=scene.account.owner,
        subject=f"Copy: {first.subject}"[:200],
        text=f"{said}\n\n{link.sub('(their way to unsubscribe)', first.text)}",
        html=f"<p>{escape(said)}</p>\n{link.sub('#', first.html)}",
    )


def _move(session: Session, scene: Scene, number: int, state: RunState, sentence: str) -> None:
    run = runs.hold(session, scene.run.id)
    if run.state in {RunState.ACTIVE, RunState.WAITING}:
        cursor = scene.whole(number) if state is RunState.WAITING else run.cursor
        runs.move(session, run.id, state=state, cursor=cursor, sentence=sentence, at=scene.now)


def _later(verdict: Verdict) -> datetime:
    if verdict.later is None:
        raise ValueError(verdict.reason)
    return verdict.later
