"""Read model: how far each contact has come in the campaigns of a run."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.playbook import CampaignStep, walk
from engine.running.ways import origin
from engine.store import bundles, runs
from engine.store.naming import one_of
from engine.store.run_tables import DeliveryRow, StepRow, SuppressionRow
from engine.store.runs import Run
from engine.store.suppressions import ALL
from engine.store.tables import ContactRow
from engine.terms import DeliveryState, StepState

_HAD: Final = frozenset({DeliveryState.SENT.value, DeliveryState.AMBIGUOUS.value})
_OVER: Final = [StepState.DONE.value, StepState.SKIPPED.value]


class Progress(StrEnum):
    """Where a contact is in a campaign. ``LEARNED``: what the lessons are for has come about for them; ``LEFT``: they
    are not at the account any more; ``STOPPED``: the run ended before the last lesson."""

    GOING_ON = "going_on"
    FINISHED = "finished"
    LEARNED = "learned"
    UNSUBSCRIBED = "unsubscribed"
    LEFT = "left"
    STOPPED = "stopped"


_ENDED: Final = {Progress.GOING_ON: Progress.STOPPED}


@dataclass(frozen=True, slots=True)
class Pupil:
    """One contact in a campaign: how many lessons they have had, of how many."""

    contact_id: int
    name: str
    lessons: int
    of: int
    progress: Progress


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign of a run. ``pupils`` by name, at most as many as were asked for; ``counts`` are of all."""

    step: str
    lessons: tuple[str, ...]
    pupils: tuple[Pupil, ...]
    counts: Mapping[Progress, int]


@dataclass(frozen=True, slots=True)
class _Had:
    """What was sent of one campaign: line → contacts it was meant for, and those who had it; ``over``: lines behind the
    run."""

    meant: Mapping[str, frozenset[int]]
    had: Mapping[str, frozenset[int]]
    over: frozenset[str]


def of_run(session: Session, run_id: int, limit: int = 200) -> tuple[Campaign, ...]:
    """The campaigns of a run that have begun, in the order of the playbook. Raises NotFound."""
    run = runs.find(session, run_id)
    playbook = bundles.by_fingerprint(session, run.bundle).playbooks[run.playbook]
    steps = [step for step in walk(playbook.steps) if isinstance(step, CampaignStep)]
    found = [_campaign(session, run, step, playbook.category, limit) for step in steps]
    return tuple(one for one in found if one.counts)


def _campaign(session: Session, run: Run, step: CampaignStep, category: str, limit: int) -> Campaign:
    lines = [line.step for line in run.lines if line.kind == "lesson" and origin(line.step).startswith(f"{step.id}/")]
    sent = _sent(session, run.id, lines)
    everybody = sorted(frozenset().union(*sent.meant.values()))
    rows = session.scalars(select(ContactRow).where(one_of(ContactRow.id, everybody))).all() if everybody else ()
    gone = _unsubscribed(session, rows, category)
    pupils = [
        _pupil(row, lines, sent, is_gone=row.email.lower() in gone, has_left=row.departed_on is not None)
        for row in rows
    ]
    if not run.state.is_open:
        pupils = [replace(one, progress=_ENDED.get(one.progress, one.progress)) for one in pupils]
    return Campaign(
        step=step.id,
        lessons=step.lessons,
        pupils=tuple(sorted(pupils, key=lambda one: (one.name, one.contact_id))[:limit]),
        counts=dict(Counter(one.progress for one in pupils)),
    )


def _sent(session: Session, run_id: int, lines: Sequence[str]) -> _Had:
    meant: dict[str, set[int]] = defaultdict(set)
    had: dict[str, set[int]] = defaultdict(set)
    query = select(DeliveryRow.step, DeliveryRow.contact_id, DeliveryRow.state)
    for step, contact, state in session.execute(query.where(DeliveryRow.run_id == run_id, DeliveryRow.step.in_(lines))):
        if contact is not None:
            meant[step].add(contact)
            had[step] |= {contact} if state in _HAD else set()
    over = select(StepRow.step).where(StepRow.run_id == run_id, StepRow.step.in_(lines), StepRow.state.in_(_OVER))
    return _Had(
        {step: frozenset(found) for step, found in meant.items()},
        {step: frozenset(found) for step, found in had.items()},
        frozenset(session.scalars(over)),
    )


def _pupil(row: ContactRow, lines: Sequence[str], sent: _Had, *, is_gone: bool, has_left: bool) -> Pupil:
    lessons = sum(row.id in sent.had.get(line, ()) for line in lines)
    last = max((number for number, line in enumerate(lines) if row.id in sent.meant.get(line, ())), default=-1)
    missed = [line for line in lines[last + 1 :] if line in sent.over]
    if is_gone:
        progress = Progress.UNSUBSCRIBED
    elif has_left:
        progress = Progress.LEFT
    elif lessons == len(lines):
        progress = Progress.FINISHED
    else:
        progress = Progress.LEARNED if missed else Progress.GOING_ON
    return Pupil(row.id, row.name, lessons, len(lines), progress)


def _unsubscribed(session: Session, rows: Sequence[ContactRow], category: str) -> frozenset[str]:
    """The lower-cased addresses among those of the contacts that want nothing of the category."""
    mine = {row.email.lower() for row in rows}
    query = select(SuppressionRow.address).where(SuppressionRow.category.in_((category, ALL)))
    return frozenset(address for address in session.scalars(query) if address in mine) if mine else frozenset()
