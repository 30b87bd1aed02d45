"""Reading the steps of a playbook (codes P): which kind each is, and those that hold other steps."""

from collections.abc import Callable, Mapping
from typing import Final, Literal as Choice

from engine.definitions.condition_reading import parse
from engine.definitions.outward_steps import read_campaign, read_email, read_guide, read_report, read_webhook
from engine.definitions.people_steps import read_ask, read_notify, read_set, read_task
from engine.definitions.playbook import ApproveStep, BranchStep, ParallelStep, Span, Step, WaitStep
from engine.definitions.problem import Place
from engine.definitions.reading import items, listed, name, suggest
from engine.definitions.source import ListNode, MapNode, Node
from engine.definitions.step_parts import Desk, Head, escalation, members, span, step_fields
from engine.definitions.wait_steps import read_wait

ON_EXPIRY: Final[tuple[Choice["skip", "cancel", "go"], ...]] = ("skip", "cancel", "go")
MAX_ARMS: Final = 20


def read_steps(node: Node, desk: Desk, what: str) -> tuple[Step, ...]:
    """Read a list of steps, ``what`` being the whole that they belong to."""
    written = items(node, desk.ledger, f"the steps of {what}")
    if isinstance(node, ListNode) and not written:
        desk.ledger.problem(node, 11, f"{what} needs at least one step")
    return tuple(step for item in written if (step := _step(item, desk)) is not None)


def _step(node: Node, desk: Desk) -> Step | None:
    desk.count += 1
    if not isinstance(node, MapNode):
        desk.ledger.problem(
            node, 10, "a step is a kind with its details", f"for example - email: {{…}}; kinds: {listed(_KINDS)}"
        )
        return None
    kinds = [key for key, _ in node.entries if key.text in _KINDS]
    for key, _ in node.entries:
        if key.text not in _KINDS and key.text != "id":
            desk.ledger.problem(
                key, 4, f'unknown kind of step "{key.text}"', suggest(key.text, _KINDS) or f"kinds: {listed(_KINDS)}"
            )
    if len(kinds) != 1:
        if not [key for key, _ in node.entries if key.text != "id"]:
            hint = f"for example - email: {{…}}; kinds: {listed(_KINDS)}"
            desk.ledger.problem(node, 10, "this step does nothing", hint)
        if len(kinds) > 1:
            message = f"a step is one thing, not {listed([key.text for key in kinds], 'and')}"
            desk.ledger.problem(kinds[1], 10, message, 'start each step with "-"')
        return None
    given = node.get("id")
    own = name(given, desk.ledger, "a step") if given else ""
    if own and given:
        _take_id(own, given.place, desk)
    value = node.get(kinds[0].text)
    return _KINDS[kinds[0].text](value, Head(own, kinds[0].text, kinds[0].place), desk) if value else None


def _take_id(own: str, place: Place, desk: Desk) -> None:
    if own in desk.ids:
        desk.ledger.problem(
            place, 13, f'two steps are called "{own}"', f"the other stands in line {desk.ids[own].line}"
        )
    desk.ids[own] = place


def _branch(node: Node, head: Head, desk: Desk) -> Step | None:
    fields = step_fields(node, head, desk)
    own = head.id(desk)
    condition, then = fields.need("if"), fields.need("then")
    otherwise, unknown = fields.find("else"), fields.find("unknown")
    read = parse(condition, desk.scope, desk.ledger) if condition else None
    arms = [read_steps(arm, desk, "a branch") if arm else () for arm in (then, otherwise, unknown)]
    fields.close()
    return BranchStep(own, read, arms[0], arms[1], arms[2], head.place) if read else None


def _parallel(node: Node, head: Head, desk: Desk) -> Step:
    own = head.id(desk)
    arms = items(node, desk.ledger, '"parallel"')
    if isinstance(node, ListNode) and len(arms) < 2:
        hint = "write parallel: [[{wait: 1d}], [{wait: 2d}]]"
        desk.ledger.problem(node, 21, "beside each other there are at least two rows of steps", hint)
    if len(arms) > MAX_ARMS:
        message = f"at most {MAX_ARMS} rows of steps go on beside each other, these are {len(arms)}"
        desk.ledger.problem(arms[MAX_ARMS], 21, message, "a campaign reaches any number of contacts")
        arms = arms[:MAX_ARMS]
    return ParallelStep(own, tuple(read_steps(arm, desk, "a row of steps") for arm in arms), head.place)


def _approve(node: Node, head: Head, desk: Desk) -> Step:
    fields = step_fields(node, head, desk)
    own = head.id(desk)
    steps = fields.need("steps")
    by = members(fields, "by", desk)
    inner = read_steps(steps, desk, "an approval") if steps else ()
    if waits := [step for step in inner if isinstance(step, WaitStep | BranchStep | ParallelStep | ApproveStep)]:
        message = "an approval covers what can be shown when it opens: no waits, branches or approvals inside"
        desk.ledger.problem(waits[0].place, 15, message, "put them after the approval")
    step = ApproveStep(
        id=own,
        by=by,
        steps=inner,
        expires=span(fields, "expires", required=True) or Span(1.0),
        on_expiry=fields.word("on_expiry", ON_EXPIRY, "skip"),
        place=head.place,
        remind=span(fields, "remind"),
        escalate=escalation(fields, desk),
    )
    if step.remind and step.remind.working == step.expires.working and step.remind.days >= step.expires.days:
        hint = "it says after how long: remind: 4 working hours"
        desk.ledger.problem(fields.key_place("remind"), 16, "this would remind when it is too late", hint)
    fields.close()
    return step


_KINDS: Final[Mapping[str, Callable[[Node, Head, Desk], Step | None]]] = {
    "task": read_task,
    "ask": read_ask,
    "email": read_email,
    "campaign": read_campaign,
    "wait": read_wait,
    "branch": _branch,
    "parallel": _parallel,
    "approve": _approve,
    "report": read_report,
    "webhook": read_webhook,
    "guide": read_guide,
    "note": read_webhook,
    "notify": read_notify,
    "set": read_set,
}
