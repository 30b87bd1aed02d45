"""All messages that are planned for one person, let through one by one as the contact policy does it."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.definitions.contact_policy import ContactPolicy
from engine.running.pressure import OPERATIONAL, Later, Message, Never, Place, Touches, decide
from engine.terms import Frequency

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """A message that comes up at ``at``. ``rank``: of two, the lower goes first. ``same``: playbook and step, by which
    the same message to a person of several accounts is known."""

    at: datetime
    rank: int
    message: Message
    same: str


@dataclass(frozen=True, slots=True)
class Eased:
    """It goes ``at`` (None: it is left out); ``why`` not as planned, empty where it goes as planned."""

    at: datetime | None
    why: str = ""


def ease(
    policy: ContactPolicy,
    planned: Sequence[Planned],
    place: Place,
    sent: Sequence[datetime] = (),
    frequency: Frequency = Frequency.IMMEDIATE,
) -> list[Eased]:
    """What becomes of each message of one person, in the order given. ``sent``: what went in the last days."""
    found = [Eased(None)] * len(planned)
    waiting = [(one.at, one.rank, number, "", 0) for number, one in enumerate(planned)]
    heapq.heapify(waiting)
    went: list[tuple[datetime, str]] = [(at, "") for at in sent]
    while waiting:
        at, rank, number, why, times = heapq.heappop(waiting)
        one = planned[number]
        ahead = tuple(other[0] for other in waiting if other[1] < rank and other[4])
        twin = (
            "the same message goes to this person already"
            if any(key == one.same and abs(at - when) < _DAY for when, key in went)
            else ""
        )
        touches = Touches(tuple(when for when, _ in went), ahead, frequency=frequency, twin=twin)
        answer = decide(policy, replace(one.message, reschedules=times), touches, place, at)
        if isinstance(answer, Later):
            heapq.heappush(waiting, (answer.moment, rank, number, why or answer.why, times + 1))
        elif isinstance(answer, Never):
            found[number] = Eased(None, answer.why)
        else:
            found[number] = Eased(at, why)
            if one.message.category != OPERATIONAL:
                went.append((at, one.same))
    return found
