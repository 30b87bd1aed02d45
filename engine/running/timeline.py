"""What one run would do, as values: every step with its moment, what it sends to whom, and what its branches hold.

Shapes only. `workflows.rehearsing` fills them by carrying the run out and undoing it; a terminal and a page show them.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as one person would get it. ``why_not``: what stands against sending it (empty: it goes)."""

    to: str
    address: str
    sender: str
    subject: str
    text: str
    html: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A call to a connection, with the body it would be sent."""

    to: str
    body: str


@dataclass(frozen=True, slots=True)
class Todo:
    """A task as a member would find it. ``parts``: its questions, or what has to be ticked off."""

    title: str
    assignee: str
    due_at: datetime | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Yes:
    """An approval that steps wait for: who is asked, about how many messages and other things, until when."""

    approver: str
    expires_at: datetime
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One step. ``at``: when the run comes to it; ``until``: how long it stands there; ``sentence``: what came of it.

    ``others``: of a branch, the ways that are not gone.
    """

    at: datetime
    number: int
    step: str
    kind: str
    state: str
    sentence: str
    until: datetime | None = None
    mails: tuple[Mail, ...] = ()
    calls: tuple[Call, ...] = ()
    todo: Todo | None = None
    yes: Yes | None = None
    others: tuple["Way", ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """An arm of a branch that today's data would not take. ``name``: then, else, unknown."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run from its start to its end. ``assumed``: what it takes for granted; ``ending``: how it ends; ``run``: the
    open run whose rest this is (0: a new one)."""

    account: str
    account_name: str
    playbook: str
    title: str
    mode: str
    rule: str
    challenge: str
    began_at: datetime
    ended_at: datetime
    ending: str
    entries: tuple[Entry, ...]
    assumed: tuple[str, ...] = ()
    run: int = 0


def counted(timeline: Timeline) -> dict[str, int]:
    """How many messages go to how many people, how many tasks and approvals there are, on the way the run takes."""
    mails = [mail for entry in timeline.entries for mail in entry.mails if not mail.why_not]
    return {
        "messages": len(mails),
        "people": len({mail.address for mail in mails}),
        "tasks": sum(entry.todo is not None for entry in timeline.entries),
        "approvals": sum(entry.yes is not None for entry in timeline.entries),
        "calls": sum(len(entry.calls) for entry in timeline.entries),
    }


def in_words(timeline: Timeline) -> str:
    """`counted` as part of a sentence."""
    counts = counted(timeline)
    named = (
        ("message", "messages"),
        ("person", "people"),
        ("task", "tasks"),
        ("approval", "approvals"),
        ("call", "calls"),
    )
    return ", ".join(f"{counts[many]} {one if counts[many] == 1 else many}" for one, many in named)


def values_of(timeline: Timeline) -> dict[str, Any]:
    """All of it as plain values, for programs; moments as ISO texts."""
    return {**_plain(asdict(timeline)), "counts": counted(timeline)}


def walk(entries: tuple[Entry, ...], depth: int = 0) -> Iterator[tuple[int, Entry, Way | None]]:
    """All entries in the order they are shown; behind a branch its other ways, each entry one deeper. An entry comes
    with the way that begins with it."""
    for entry in entries:
        yield depth, entry, None
        for way in entry.others:
            for first, (deep, inner, own) in enumerate(walk(way.entries, depth + 1)):
                yield deep, inner, own if first else way


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
