"""What it takes to finish a task: answers on their scales, an outcome, a cause, everything ticked off; and the event
that is left behind, so that outcomes and causes can be counted."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from engine.errors import Refused
from engine.store import bundles, changed, counting
from engine.store.counting import Touched
from engine.store.run_tables import RunRow, TaskRow
from engine.store.tables import EventRow

FINISHED: Final = "task_finished"
"""The event of a finished task that asked for an outcome or a cause; fields: playbook, step, outcome, cause."""
LONGEST_CAUSE: Final = 500
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Codes:
    """What finishing a task demands: one of ``outcomes``; one of ``causes`` or a cause in one's own words; every point
    of ``checklist``. Empty: nothing of the kind."""

    outcomes: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    checklist: tuple[str, ...] = ()

    @property
    def stored(self) -> dict[str, Any]:
        """As the row keeps them; nothing for what is not demanded."""
        found = {"outcomes": self.outcomes, "causes": self.causes, "checklist": self.checklist}
        return {name: list(words) for name, words in found.items() if words}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Codes":
        """From a row."""
        return cls(*(tuple(stored.get(name, ())) for name in ("outcomes", "causes", "checklist")))


NO_CODES: Final = Codes()


@dataclass(frozen=True, slots=True)
class Finish:
    """What a member says who finishes a task. ``answers``: metric → value."""

    answers: Mapping[str, float]
    outcome: str = ""
    cause: str = ""
    ticked: tuple[str, ...] = ()


def check(session: Session, row: TaskRow, said: Finish) -> None:
    """Raises Refused with everything that is missing or was not asked."""
    codes = Codes.of(row.codes)
    wrong = [*_wrong_answers(session, row, said.answers), *_wrong_codes(codes, said), *_wrong_ticks(codes, said)]
    if wrong:
        raise Refused(f"The task cannot be finished: {'; '.join(wrong)}.")


def record(session: Session, row: TaskRow, said: Finish, at: datetime) -> None:
    """Leave the event behind, and bring what is counted from such events up to date."""
    if not said.outcome and not said.cause:
        return
    run = session.get(RunRow, row.run_id) if row.run_id is not None else None
    day = (at.astimezone(UTC).date() - _EPOCH).days
    fields = {"playbook": run.playbook if run else "", "step": row.step, "outcome": said.outcome, "cause": said.cause}
    session.add(
        EventRow(
            key=f"{FINISHED}-{row.id}",
            name=FINISHED,
            account_id=row.account_id,
            day=day,
            at=at,
            fields={name: value for name, value in fields.items() if value},
            recorded_at=at,
        )
    )
    session.flush()
    changed.mark(session, [row.account_id])
    if (bundle := bundles.in_force(session)) is not None:
        counting.recount(session, bundle.catalog, [FINISHED], [Touched(row.account_id, day)], at)


def _wrong_answers(session: Session, row: TaskRow, answers: Mapping[str, float]) -> list[str]:
    wrong = [f'"{name}" is not asked here' for name in answers if name not in row.questions]
    wrong += [f'"{text}" is not answered' for name, text in row.questions.items() if name not in answers]
    run = session.get(RunRow, row.run_id) if row.run_id is not None else None
    if run is not None and row.questions and not wrong:
        known = bundles.by_fingerprint(session, run.bundle).catalog.questions
        for name, value in answers.items():
            asked = known.get(name)
            if asked is not None and not (math.isfinite(value) and asked.low <= value <= asked.high):
                wrong.append(f'"{asked.ask}" is answered with {value:g}; its scale is {asked.low} to {asked.high}')
    return wrong


def _wrong_codes(codes: Codes, said: Finish) -> Iterator[str]:
    offered = ", ".join(codes.outcomes)
    if codes.outcomes and not said.outcome:
        yield f"choose what came of it ({offered})"
    elif said.outcome and said.outcome not in codes.outcomes:
        yield f'"{said.outcome}" is not an outcome it can have' + (f" ({offered})" if offered else "")
    if codes.causes and not said.cause:
        yield f"say what the cause is ({', '.join(codes.causes)}, or in your own words)"
    elif said.cause and not codes.causes:
        yield "no cause is asked here"
    elif len(said.cause) > LONGEST_CAUSE:
        yield f"the cause is longer than {LONGEST_CAUSE} characters: put the rest into the note"


def _wrong_ticks(codes: Codes, said: Finish) -> Iterator[str]:
    yield from (f'"{point}" is not ticked off' for point in codes.checklist if point not in said.ticked)
    yield from (f'"{point}" is not on its checklist' for point in said.ticked if point not in codes.checklist)
