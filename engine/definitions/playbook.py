"""A playbook: declared steps. Each kind of step is one frozen dataclass; nothing after this sees a mapping."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.condition import Condition
from engine.definitions.problem import Place

Category: TypeAlias = Choice["education", "review", "survey", "news", "operational"]


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as authors write it: calendar days or working days, fractions for hours."""

    days: float
    working: bool = False


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a message goes to: contacts with ``role``, all of them or those idle (no login) for ``idle_for`` days;
    or, when ``signal`` is named, the contacts whose event made that signal fire. ``respondent``: whoever answered."""

    role: str = ""
    idle_for: int = 0
    signal: str = ""
    respondent: bool = False


@dataclass(frozen=True, slots=True)
class Escalation:
    """To whom something goes that nobody has done ``after`` a time: ``manager``, a member role, or an address."""

    after: Span
    to: str = "manager"


@dataclass(frozen=True, slots=True)
class TaskStep:
    """A to-do for a member. Does not wait unless ``wait_for_done``.

    ``to``: whom to ask, in this order, until one is an active member: ``owner``, ``manager``, a member role of the
    account (``renewal_owner``), or an address. ``outcomes`` and ``causes`` are the codes one of which must be chosen to
    finish it (``causes`` allows a text of one's own too); ``checklist``: what has to be ticked off first. ``remind``:
    how long before it is due.
    """

    id: str
    title: str
    to: tuple[str, ...]
    place: Place = field(compare=False)
    due: Span | None = None
    wait_for_done: Span | None = None
    outcomes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()
    remind: Span | None = None
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True)
class AskStep:
    """Questions of the catalog to a member (``to`` as in `TaskStep`); answers become points."""

    id: str
    questions: tuple[str, ...]
    to: tuple[str, ...]
    place: Place = field(compare=False)
    due: Span | None = None
    wait_for_done: Span | None = None
    remind: Span | None = None
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True)
class EmailStep:
    """One message to each contact of the audience, in the contact's language where the message has it.

    ``sender``: whose name and reply address it carries; ``copy_owner``: the owner gets a copy. ``max_lateness``: how
    long it may wait for a send window or a contact cap before it is left out.
    """

    id: str
    to: Audience
    message: str
    place: Place = field(compare=False)
    sender: Choice["owner", "company"] = "owner"
    copy_owner: bool = False
    max_lateness: Span = Span(7.0)
    on_ambiguous: Choice["hold", "retry", "treat_as_sent"] = "hold"


@dataclass(frozen=True, slots=True)
class CampaignStep:
    """Lessons (messages) to each contact of the audience, one ``every`` span, until ``stop_when`` holds for
    that contact."""

    id: str
    to: Audience
    every: Span
    lessons: tuple[str, ...]
    place: Place = field(compare=False)
    stop_when: Condition | None = None


@dataclass(frozen=True, slots=True)
class WaitStep:
    """Wait for a span (``at_most`` alone), or until a condition holds, but not longer than ``at_most``.

    ``until_date``: until a date of the account (``account.renewal_on``), ``before`` it by so long. ``event``: until one
    of this kind comes for the account, narrowed by ``where``.
    """

    id: str
    at_most: Span
    place: Place = field(compare=False)
    until: Condition | None = None
    until_date: str = ""
    before: Span = Span(0.0)
    event: str = ""
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class BranchStep:
    """Go one of three ways. An empty ``unknown`` arm gives the owner a task instead."""

    id: str
    condition: Condition
    then: tuple["Step", ...]
    otherwise: tuple["Step", ...]
    unknown: tuple["Step", ...]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class ApproveStep:
    """Gate exactly ``steps``: their content is rendered and hashed when the gate opens.

    ``by`` as in `TaskStep`. ``on_expiry`` ``go`` makes it a veto window: what nobody stopped is done. ``remind``: after
    so long; ``escalate``: to whom after how long.
    """

    id: str
    by: tuple[str, ...]
    steps: tuple["Step", ...]
    expires: Span
    on_expiry: Choice["skip", "cancel", "go"]
    place: Place = field(compare=False)
    remind: Span | None = None
    escalate: Escalation | None = None


@dataclass(frozen=True, slots=True)
class ParallelStep:
    """Rows of steps that go on beside each other; the run goes on behind them when all are through."""

    id: str
    arms: tuple[tuple["Step", ...], ...]
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class ReportStep:
    """Compose a report and share it with the contacts of a role, by a link that ``expires`` after days."""

    id: str
    use: str
    share_with: str
    expires: int
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class WebhookStep:
    """A call to a connection with values of the account. ``kind`` says what the receiver makes of it: any ``webhook``,
    an in-app ``guide`` for the contacts of ``audience``, or a ``note`` in the CRM."""

    id: str
    to: str
    body: Mapping[str, str]
    place: Place = field(compare=False)
    kind: Choice["webhook", "guide", "note"] = "webhook"
    audience: Audience | None = None


@dataclass(frozen=True, slots=True)
class NotifyStep:
    """A line to colleagues: a chat connection by name, or members (as in `TaskStep`), who choose how often."""

    id: str
    to: tuple[str, ...]
    text: str
    place: Place = field(compare=False)


@dataclass(frozen=True, slots=True)
class SetStep:
    """Set a field of the account: its ``stage``, or one of the catalog's account fields (a risk flag)."""

    id: str
    name: str
    value: str | float | bool
    place: Place = field(compare=False)


Step: TypeAlias = (
    TaskStep
    | AskStep
    | EmailStep
    | CampaignStep
    | WaitStep
    | BranchStep
    | ParallelStep
    | ApproveStep
    | ReportStep
    | WebhookStep
    | NotifyStep
    | SetStep
)


@dataclass(frozen=True, slots=True)
class ReEntry:
    """How often a playbook runs for one account: ``at_most`` runs, all in all or ``per`` days; ``min_gap`` days between
    the end of one and the next."""

    at_most: int | None = None
    per: int | None = None
    min_gap: int = 0


@dataclass(frozen=True, slots=True)
class Playbook:
    """One file of steps. ``exit``: what ends a run early; ``open_tasks``: what happens to its tasks then
    (``hand_over``: they stay and go to the owner). ``superseded_by``: playbooks whose start ends this one's run for the
    account; ``max_duration``: days after which a run ends, whatever it waits for. ``priority``: what its messages are,
    where a contact cap lets only some through.
    """

    name: str
    title: str
    category: Category
    steps: tuple[Step, ...]
    place: Place = field(compare=False)
    exit: tuple[Choice["goal_met", "signal_cleared", "unsubscribed"], ...] = ()
    open_tasks: Choice["cancel", "keep", "hand_over"] = "cancel"
    superseded_by: tuple[str, ...] = ()
    max_duration: int = 730
    re_entry: ReEntry = ReEntry()
    priority: Choice["save", "renewal", "education", "expansion", "news"] = "education"


def walk(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """All steps, outer before inner, in the order of the file."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if isinstance(step, BranchStep):
            found += walk(step.then) + walk(step.otherwise) + walk(step.unknown)
        elif isinstance(step, ApproveStep):
            found += walk(step.steps)
        elif isinstance(step, ParallelStep):
            found += [inner for arm in step.arms for inner in walk(arm)]
    return tuple(found)
