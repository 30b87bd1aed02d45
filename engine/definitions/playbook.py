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
class TaskStep:
    """A to-do for a member (``to``: owner, or a member's e-mail). Does not wait unless ``wait_for_done``."""

    id: str
    title: str
    to: str
    place: Place = field(compare=False)
    due: Span | None = None
    wait_for_done: Span | None = None


@dataclass(frozen=True, slots=True)
class AskStep:
    """Questions of the catalog to a member; answers become points."""

    id: str
    questions: tuple[str, ...]
    to: str
    place: Place = field(compare=False)
    due: Span | None = None
    wait_for_done: Span | None = None


@dataclass(frozen=True, slots=True)
class EmailStep:
    """One message to each contact of the audience."""

    id: str
    to: Audience
    message: str
    place: Place = field(compare=False)


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
    """Wait for a span (``at_most`` alone), or until a condition holds, but not longer than ``at_most``."""

    id: str
    at_most: Span
    place: Place = field(compare=False)
    until: Condition | None = None


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
    """Gate exactly ``steps``: their content is rendered and hashed when the gate opens."""

    id: str
    by: str
    steps: tuple["Step", ...]
    expires: Span
    on_expiry: Choice["skip", "cancel"]
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
    """A call to a connection. This version records it as skipped, with the reason."""

    id: str
    to: str
    body: Mapping[str, str]
    place: Place = field(compare=False)


Step: TypeAlias = (
    TaskStep | AskStep | EmailStep | CampaignStep | WaitStep | BranchStep | ApproveStep | ReportStep | WebhookStep
)


@dataclass(frozen=True, slots=True)
class Playbook:
    """One file of steps. ``exit``: what ends a run early; ``open_tasks``: what happens to its tasks then."""

    name: str
    title: str
    category: Category
    steps: tuple[Step, ...]
    place: Place = field(compare=False)
    exit: tuple[Choice["goal_met", "signal_cleared"], ...] = ()
    open_tasks: Choice["cancel", "keep"] = "cancel"


def walk(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """All steps, outer before inner, in the order of the file."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if isinstance(step, BranchStep):
            found += walk(step.then) + walk(step.otherwise) + walk(step.unknown)
        elif isinstance(step, ApproveStep):
            found += walk(step.steps)
    return tuple(found)
