"""The timeline of one run in a terminal: a line for each step, messages below the step that sends them."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from engine.running.timeline import Entry, Mail, Timeline, Way, in_words, walk

_INDENT: Final = "    "
_BESIDE: Final = " " * 18


def lines_of(timeline: Timeline) -> Iterator[str]:
    """All of a timeline as lines."""
    yield f"{timeline.title} ({timeline.playbook}) for {timeline.account_name} ({timeline.account}), {timeline.mode}"
    if timeline.run:
        yield f"what is left of run {timeline.run}, from {moment(timeline.began_at)} on"
    elif timeline.rule:
        yield f"as rule {timeline.rule} would start it now: {timeline.challenge}"
    else:
        yield "as a member would start it by hand: no rule would start it for this account now"
    for sentence in timeline.assumed:
        yield f"assumed: {sentence}"
    for depth, entry, way in walk(timeline.entries):
        if way is not None:
            yield _heading(way, depth)
        yield ""
        yield from (_INDENT * depth + line for line in _entry(entry))
    yield ""
    yield f"{moment(timeline.ended_at)}  end      {timeline.ending}"
    yield f"{in_words(timeline)}. Nothing was written, nothing was sent."


def moment(at: datetime) -> str:
    """A moment with its weekday, as wide as any other."""
    return f"{at:%a %Y-%m-%d %H:%M}"[:20]


def _heading(way: Way, depth: int) -> str:
    words = {"then": "if the condition held", "else": "if it did not hold", "unknown": "if nobody knew"}
    return f"\n{_INDENT * (depth - 1)}   — {words.get(way.name, way.name)}:"


def _entry(entry: Entry) -> Iterator[str]:
    yield f"{moment(entry.at)}  {entry.kind:<8} {entry.step}: {_said(entry)}"
    if entry.todo is not None:
        due = f", due {moment(entry.todo.due_at)}" if entry.todo.due_at else ""
        yield f"{_BESIDE}    {entry.todo.assignee or 'nobody'}: {entry.todo.title}{due}"
        yield from (f"{_BESIDE}    - {part}" for part in entry.todo.parts)
    if entry.yes is not None:
        yield f"{_BESIDE}    asks {entry.yes.approver or 'a member'}, until {moment(entry.yes.expires_at)}, about"
        yield from (f"{_BESIDE}    - {subject}" for subject in entry.yes.subjects)
    for mail in entry.mails:
        yield from (f"{_BESIDE}    {line}" for line in _mail(mail))
    for call in entry.calls:
        yield f"{_BESIDE}    calls {call.to} with {call.body}"
    nothing = [way.name for way in entry.others if not way.entries]
    if nothing:
        yield f"{_BESIDE}    {' and '.join(nothing)}: nothing, it goes on behind the branch"


def _said(entry: Entry) -> str:
    if entry.until is not None and entry.until > entry.at:
        return f"{'goes' if entry.mails else 'until'} {moment(entry.until)}. {entry.sentence}"
    return entry.sentence if entry.todo is None else "given"


def _mail(mail: Mail) -> Iterator[str]:
    yield f"to {mail.to} <{mail.address}>" + (f", from {mail.sender}" if mail.sender else "")
    if mail.why_not:
        yield f"  not sent: {mail.why_not}"
        return
    yield f"  Subject: {mail.subject}"
    yield from (f"  | {line}".rstrip() for line in mail.text.strip().splitlines())
