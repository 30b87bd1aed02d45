"""The days ahead in a terminal: short tables, and what is assumed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from rich.console import RenderableType
from rich.table import Table

from engine.running.forecast import Forecast, Mails

_SHOWN = 12
_WEEKS = 6
"""So many fit beside a name into a narrow terminal."""


def parts_of(found: Forecast) -> Iterator[RenderableType]:
    """All of a forecast, part by part."""
    last = found.first + timedelta(days=found.days - 1)
    yield (
        f"{found.first} to {last}: {found.accounts} accounts, {found.open_runs} open runs, {found.starts} start now, "
        f"{found.later_starts} later by the calendar, {found.held_out} held out. Nothing was written, nothing was sent."
    )
    yield from (f"asks     {ask}" for ask in found.asks)
    if found.playbooks:
        yield _playbooks(found)
    yield from _mails(found.mails)
    yield from _weeks(found)
    yield from _approvals(found)
    for one in found.collisions[:_SHOWN]:
        first, second = one.playbooks
        yield f"collide  {first} and {second} mean the same {one.people} people within 3 days; {one.yields} waits"
    yield from (f"assumed: {sentence}" for sentence in found.assumed)


def _playbooks(found: Forecast) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("playbook")
    for name in ("open", "start", "messages", "people", "tasks", "approvals"):
        table.add_column(name, justify="right")
    for one in found.playbooks:
        numbers = (one.open_runs, one.starts, one.messages, one.people, one.tasks, one.approvals)
        table.add_row(one.playbook, *map(str, numbers))
    return table


def _mails(mails: Mails) -> Iterator[str]:
    most = max(mails.per_day, default=0)
    yield f"messages {mails.going} of {mails.planned} go within these days, at most {most} a day"
    later = ", ".join(f"{count} ({why})" for why, count in _by_count(mails.later))
    if later:
        yield f"         later than planned: {later}"
    left = ", ".join(f"{count} ({why})" for why, count in _by_count(mails.left_out))
    if left:
        yield f"         left out: {left}"
    if mails.beyond:
        yield f"         {mails.beyond} are put off beyond these days"
    if mails.per_person:
        spread = ", ".join(f"{people} get {count}" for count, people in mails.per_person.items())
        yield f"people   {spread}; the cap holds something back for {mails.capped_people}"
    for one in mails.most[:3]:
        yield f"         most: {one.contact} at {one.account}, {one.messages}"


def _weeks(found: Forecast) -> Iterator[RenderableType]:
    if not found.tasks:
        return
    busiest = sorted(found.tasks.items(), key=lambda pair: (-sum(pair[1]), pair[0]))
    table = Table(box=None, pad_edge=False)
    table.add_column("tasks for")
    weeks = min(len(busiest[0][1]), _WEEKS)
    for week in range(weeks):
        table.add_column(f"{found.first + timedelta(days=7 * week):%m-%d}", justify="right", no_wrap=True)
    table.add_column("later", justify="right", no_wrap=True)
    for member, counts in busiest[:_SHOWN]:
        shown = (*counts[:weeks], sum(counts[weeks:]))
        table.add_row(member or "nobody", *(str(count) if count else "·" for count in shown))
    yield table
    if len(busiest) > _SHOWN:
        yield f"         and {len(busiest) - _SHOWN} more members; --json lists all"


def _approvals(found: Forecast) -> Iterator[str]:
    if not found.approvals:
        return
    per_day = [sum(day) for day in zip(*found.approvals.values(), strict=True)]
    yield f"approvals {sum(per_day)} in all, at most {max(per_day)} a day"
    busiest = sorted(found.approvals.items(), key=lambda pair: (-max(pair[1]), pair[0]))
    yield from (f"         {member or 'nobody'}: {_peak(days)}" for member, days in busiest[:3])


def _peak(days: Sequence[int]) -> str:
    return f"{sum(days)}, at most {max(days)} a day"


def _by_count(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
