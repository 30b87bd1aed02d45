"""Calling out of a run: webhooks, in-app guides, CRM notes, a line in a chat or to colleagues.

Only values that the playbook names leave the building, with the keys by which a receiver knows the account and, for a
guide, its contacts: no names of people, no addresses.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from engine.definitions.connection import Connection
from engine.definitions.playbook import Audience, NotifyStep, WebhookStep
from engine.errors import Refused
from engine.running.lines import Line
from engine.running.working_time import DAY_SECONDS
from engine.store import assignees, bundles, calls, in_product, notices, people, steps
from engine.store.calls import Came, Claimed
from engine.store.clearance import Settled
from engine.store.sessions import Store
from engine.terms import DeliveryState, StepState
from workflows.activities import mailing
from workflows.activities.noting import note
from workflows.activities.scene import Scene
from workflows.channels.letter import Verdict
from workflows.channels.webhook import Caller
from workflows.crash_points import pass_by

MAX_BODY: Final = 64 * 1024
PAUSES: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0)
"""Seconds between attempts, as Standard Webhooks has them; the last one repeats."""
_SPREAD: Final = 0.2
_SHORTEST: Final = 0.2


@dataclass(frozen=True, slots=True)
class Calling:
    """One call to be made. ``day_seconds``: the run's day, in which its pauses are counted."""

    run_id: int
    step: str
    account_id: int
    connection: Connection
    subject: str
    body: str
    category: str
    priority: str
    contacts: bool
    day_seconds: float


@dataclass(frozen=True, slots=True)
class Calls:
    """What a line calls. ``nobody`` says why there is nothing to call; ``worry``: the owner should know."""

    orders: tuple[Calling, ...] = ()
    nobody: str = ""
    worry: bool = True


def post(session: Session, scene: Scene, line: Line) -> Calls:
    """The call of a webhook, guide or note line. Raises Refused where its body cannot be written."""
    step = scene.meaning(line).step
    if not isinstance(step, WebhookStep):
        raise TypeError(line.kind)
    connection = _connection(session, scene, step.to)
    data = _data(scene, line, step)
    if step.audience is not None:
        # Each of them once, in one call: the receiver's own product shows it to whoever is named.
        data["contacts"] = _shown_to(session, scene, step.audience)
        if not data["contacts"]:
            return Calls(nobody="no contact of the account is in its audience")
    began = _since(session, scene, line)
    body = {"type": f"backcast.{step.kind}", "timestamp": began.astimezone(UTC).isoformat(), "data": data}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > MAX_BODY:
        raise Refused(f'the body for "{step.to}" would be larger than 64 KiB')
    return Calls((_order(scene, line, connection, f"{step.kind} to {connection.name}", text),))


def notify(session: Session, scene: Scene, line: Line) -> Calls:
    """Tell colleagues, in the queue of notices; the chats a notify line names are to be called. Raises Refused."""
    step = scene.meaning(line).step
    if not isinstance(step, NotifyStep):
        raise TypeError(line.kind)
    text, link = mailing.title(scene, step.text), f"/accounts/{scene.account.id}"
    chats = [name for name in step.to if name in scene.bundle.connections]
    words = [word for word in step.to if word not in chats]
    member = assignees.resolve(session, scene.account.id, words, scene.now) if words else ""
    if member:
        notices.tell(
            session,
            key=f"run-{scene.run.id}-{line.step}",
            member=member,
            subject=f"{scene.account.name}: {scene.challenge or scene.playbook.title}",
            text=text,
            at=scene.now,
            account_id=scene.account.id,
            link=link,
        )
    said = json.dumps({"text": f"{_for_chat(text)}\n{scene.base_url}{link}"}, ensure_ascii=False)
    found = [_connection(session, scene, name) for name in chats]
    ours = tuple(_order(scene, line, connection, text[:200], said) for connection in found)
    if member and not ours:
        note(session, scene, line, StepState.DONE, f"Told {member}.")
    return Calls(ours, "" if member or ours else "nobody is there to be told")


def call(store: Store, caller: Caller | None, order: Calling, at: datetime) -> Verdict:
    """Make the next attempt of a call, however often this is called. Call it outside any transaction."""
    if caller is None:
        return Verdict(DeliveryState.NOT_SENT, "nothing is called from here", permanent=True)
    try:
        wanted = _wanted(caller, order)
    except Refused as refused:
        # Nothing is claimed where nothing can be called: whoever sets the variable lets it go on.
        return Verdict(DeliveryState.NOT_SENT, str(refused), later=at + _pause(order.day_seconds, 2, ""))
    pass_by("before_claim")
    with store.begin() as session:
        claimed = calls.claim(session, wanted, at)
    if isinstance(claimed, Settled):
        return _verdict(claimed)
    pass_by("after_claim")
    return _attempt(store, caller, order.connection, claimed, at, order.day_seconds)


def call_again(store: Store, caller: Caller, delivery_id: int, name: str, at: datetime) -> Verdict | None:
    """Call once more what a member wants called again, as it was. None: it has been, or there is nobody to call."""
    with store.begin() as session:
        bundle = bundles.in_force(session)
        connection = bundle.connections.get(name) if bundle else None
        claimed = calls.claim_again(session, delivery_id, at) if connection else None
    if connection is None or claimed is None:
        return None
    return _verdict(claimed) if isinstance(claimed, Settled) else _attempt(store, caller, connection, claimed, at)


def _attempt(
    store: Store,
    caller: Caller,
    connection: Connection,
    claimed: Claimed,
    at: datetime,
    day_seconds: float = DAY_SECONDS,
) -> Verdict:
    """From a claim to the verdict."""
    with store.begin() as session:
        if not calls.begin(session, claimed, _now()):
            return Verdict(DeliveryState.NOT_SENT, "another attempt has taken it over")
    told = caller.call(connection, claimed.message_id, claimed.body, _now())
    pause = _pause(day_seconds, claimed.attempt, claimed.message_id, told.wait)
    with store.begin() as session:
        came = Came(told.state, told.reason, told.permanent, pause, told.gone)
        settled = calls.settle(session, claimed, came, at)
    pass_by("after_verdict")
    return _verdict(settled)


def _data(scene: Scene, line: Line, step: WebhookStep) -> dict[str, Any]:
    return {
        "account": {"key": scene.account.key, "name": scene.account.name},
        "challenge": scene.challenge or None,
        "playbook": scene.playbook.name,
        "step": line.step,
        "run": scene.run.id,
        "values": {key: mailing.title(scene, text) for key, text in step.body.items()},
    }


def _shown_to(session: Session, scene: Scene, audience: Audience) -> list[str]:
    """The keys of the contacts a guide is for. They need no address: they meet it in the product."""
    found = in_product.contacts(session, scene.account.id, scene.seen_at)
    if audience.signal:
        behind = scene.sight.contacts_behind(scene.run.rule, audience.signal) if scene.sight else None
        return [key for person, key in found if behind is not None and person.id in behind]
    chosen = [person for person, _ in found if not audience.role or audience.role in person.roles]
    if audience.idle_for:
        chosen = list(people.idle(session, chosen, audience.idle_for, scene.seen_at))
    meant = {person.id for person in chosen}
    return [key for person, key in found if person.id in meant]


def _connection(session: Session, scene: Scene, name: str) -> Connection:
    """The connection as it is today: a URL that was corrected is meant for open runs too."""
    now = bundles.in_force(session)
    found = (now.connections.get(name) if now else None) or scene.bundle.connections.get(name)
    if found is None:
        raise Refused(f'there is no connection "{name}" in rules/connections.yaml')
    return found


def _since(session: Session, scene: Scene, line: Line) -> datetime:
    """When the run first came to the line: what is repeated says the same."""
    known = next((one for one in steps.of_run(session, scene.run.id) if one.step == line.step), None)
    return known.at if known else scene.now


def _order(scene: Scene, line: Line, connection: Connection, subject: str, body: str) -> Calling:
    return Calling(
        run_id=scene.run.id,
        step=line.step,
        account_id=scene.account.id,
        connection=connection,
        subject=subject,
        body=body,
        category=scene.playbook.category,
        priority=scene.playbook.priority,
        contacts=line.kind == "guide",
        day_seconds=scene.run.day_seconds,
    )


def _wanted(caller: Caller, order: Calling) -> calls.Wanted:
    return calls.Wanted(
        run_id=order.run_id,
        step=order.step,
        account_id=order.account_id,
        connection=order.connection.name,
        endpoint=calls.endpoint(caller.url(order.connection)),
        subject=order.subject,
        body=order.body,
        category=order.category,
        priority=order.priority,
        repeats=order.connection.kind != "chat",
        contacts=order.contacts,
        retries=order.connection.retries,
    )


def _pause(day_seconds: float, attempt: int, message_id: str, wait: float | None = None) -> timedelta:
    """How long until the next attempt: what the receiver asked for, else longer each time; spread by the id, so that
    calls that failed together do not come back together. Where a day is short, a pause is too."""
    if wait is not None:
        return timedelta(seconds=wait)
    share = int(message_id[4:12] or "0", 16) / 0x1_0000_0000
    usual = PAUSES[min(attempt, len(PAUSES)) - 1] * (1 - _SPREAD + 2 * _SPREAD * share)
    return timedelta(seconds=max(usual * min(day_seconds / DAY_SECONDS, 1.0), _SHORTEST))


def _verdict(settled: Settled) -> Verdict:
    return Verdict(settled.state, settled.reason, settled.permanent, settled.later)


def _for_chat(text: str) -> str:
    """Data cannot mention a channel or make a link: in a chat's text these three mean something."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _now() -> datetime:
    return datetime.now(UTC)
