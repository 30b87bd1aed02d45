"""The contact policy: how often, when and when not customers are written to, over all playbooks together."""

from dataclasses import dataclass, field
from typing import Final, Literal as Choice, TypeAlias

from engine.definitions.playbook import Span
from engine.definitions.problem import Place

_TWO_DAYS: Final = Span(2.0)
_THREE_DAYS: Final = Span(3.0)
_TWO_WEEKS: Final = Span(14.0)

Priority: TypeAlias = Choice["save", "renewal", "education", "expansion", "news"]
OwnerChange: TypeAlias = Choice["none", "engine_tasks", "all"]


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """What holds for every message that is not ``operational``.

    ``per_day`` and ``per_week`` (rolling days) messages to one person at most; ``priorities``, the most important
    first, say what goes where not everything may. Nothing goes for ``quiet_after_conversation`` after one of the
    ``conversation_events``, for ``quiet_after_survey`` after one of the ``survey_events`` (both None: no quiet), and
    with ``quiet_in_escalation`` not between one of the ``escalation_opened`` and the next of the
    ``escalation_closed`` events, at most for ``escalation_lasts``: nobody may ever say that it is over.

    Messages go between ``window`` (minutes of the day; None: the working hours of the calendar) on working days or on
    every day, in the recipient's time zone; ``is_open_always`` sets that aside. What came too early or too late goes
    within ``spread_minutes`` of the next opening, and is given up after ``max_reschedules``.

    ``owner_change``: what goes to the new owner of an account with it: nothing, the open tasks and approvals of runs,
    or also the open tasks that members made.
    """

    per_day: int = 1
    per_week: int = 2
    priorities: tuple[Priority, ...] = ("save", "renewal", "education", "expansion", "news")
    quiet_after_conversation: Span | None = _THREE_DAYS
    conversation_events: tuple[str, ...] = ("reply", "meeting", "call")
    quiet_in_escalation: bool = True
    escalation_opened: tuple[str, ...] = ("escalation",)
    escalation_closed: tuple[str, ...] = ("escalation_closed",)
    escalation_lasts: Span = _TWO_WEEKS
    quiet_after_survey: Span | None = _TWO_DAYS
    survey_events: tuple[str, ...] = ("survey_answered",)
    window: tuple[int, int] | None = None
    window_days: Choice["working", "every"] = "working"
    is_open_always: bool = False
    spread_minutes: int = 15
    max_reschedules: int = 20
    owner_change: OwnerChange = "engine_tasks"
    place: Place = field(default=Place("rules/contact.yaml"), compare=False)

    def rank(self, priority: str) -> int:
        """Which of two messages goes first: the lower number does; what is not named comes last."""
        return next((at for at, each in enumerate(self.priorities) if each == priority), len(self.priorities))


USUAL_POLICY: Final = ContactPolicy()
