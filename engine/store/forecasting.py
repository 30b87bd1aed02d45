"""Reading what the days ahead depend on: open runs, who would start now, whom messages reach. Only reads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import EngineError
from engine.evaluation.columns import Numbers
from engine.evaluation.deciding import Decision, decide, default_limit
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.running.adding_up import Adding, playbooks_ahead, reach
from engine.running.coming import coming
from engine.running.fast_forward import Course, Going, Places, happenings
from engine.running.forecast import Forecast, Reach
from engine.running.lines import compile_lines, meanings
from engine.running.routes import DECIDES_AFTER, Position
from engine.running.touching import Touches
from engine.running.ways import origin
from engine.running.working_time import DAY_SECONDS, deadline
from engine.store import bundles, crowds
from engine.store.account_columns import rows_of
from engine.store.before import DAY_ZERO
from engine.store.facts import load_facts
from engine.store.past import FINAL, load_past
from engine.store.plain_rows import plain_rows
from engine.store.run_tables import ApprovalRow, RunRow, WaitRow
from engine.terms import ApprovalState, Arm, DecisionKind, Mode, RunState

ASSUMED = (
    "Data and signals stay as they are now: only the calendar starts something later, and nothing ends early.",
    "A wait lasts its longest; a task that is waited for is done when it is due.",
    "An approval is given, and a run in mode manual is started, after one working day.",
    "Nobody talks to a customer meanwhile, so nothing waits for that.",
    "What a cap puts off does not put off the steps behind it.",
)
FIRST_DAYS = 7


def forecast(session: Session, bundle: Bundle, at: datetime, days: int, *, released: bool = False) -> Forecast:
    """What the ``days`` from ``at`` on hold. ``released``: as if members let every rule pass that asks."""
    evaluation = evaluate(bundle, load_facts(session, bundle, (at - DAY_ZERO).days))
    past = load_past(session, bundle, at)
    plan = decide(bundle, evaluation, past, at)
    if released and plan.asks:
        plan = decide(bundle, evaluation, load_past(session, bundle, at, frozenset(plan.asks)), at)
    gathering = _Gathering(session, bundle, evaluation, at)
    gathering.start(plan.decisions)
    gathering.take_up()
    asks = {**plan.asks, **gathering.wait_for_the_calendar(days, past.episode_ended, released=released)}
    adding, touches = gathering.add(days)
    span = at.date(), days
    crowd = crowds.crowd(session, evaluation, gathering.places, at)
    running, starts = gathering.counted
    return Forecast(
        first=at.date(),
        days=days,
        accounts=len(evaluation.facts.accounts),
        open_runs=sum(running.values()),
        starts=sum(starts.values()) - gathering.later,
        held_out=sum(one.kind is DecisionKind.HOLD_OUT for one in plan.decisions) + gathering.held_out,
        later_starts=gathering.later,
        playbooks=playbooks_ahead(adding, touches, running, starts),
        mails=touches.mails(bundle.contact_policy, crowd, span),
        tasks={name: tuple(weeks) for name, weeks in sorted(adding.tasks.items())},
        approvals={name: tuple(each) for name, each in sorted(adding.approvals.items())},
        collisions=touches.collisions(bundle.contact_policy),
        asks=tuple(f"{rule}: {ask}" for rule, ask in sorted(asks.items())),
        assumed=(*ASSUMED, *gathering.left_out),
    )


def first_week(
    session: Session, bundle: Bundle, evaluation: Evaluation, decisions: Sequence[Decision], at: datetime
) -> Reach:
    """What the starts among ``decisions`` would do in their first seven days."""
    if not any(one.kind is DecisionKind.START for one in decisions):
        return Reach()
    gathering = _Gathering(session, bundle, evaluation, at)
    gathering.start(decisions)
    adding, touches = gathering.add(FIRST_DAYS)
    return reach(adding, touches, FIRST_DAYS)


@dataclass
class _Gathering:
    """Runs on their way into the future."""

    session: Session
    bundle: Bundle
    evaluation: Evaluation
    at: datetime
    left_out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.going: list[Going] = []
        self._courses: dict[tuple[str, str, Mode], int] = {}
        self._made: list[Course] = []
        self.later = self.held_out = 0
        self._barred = crowds.barred(self.session)
        self.places = Places(crowds.calendars(self.bundle, self.evaluation), {}, self.bundle.contact_policy)

    @property
    def counted(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """How many runs of which playbook are open, and how many start."""
        counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for one in self.going:
            counts[one.is_new][self._made[one.course].playbook.name] += 1
        return counts

    def start(self, decisions: Sequence[Decision]) -> None:
        """Runs that decisions start now."""
        starts = [one for one in decisions if one.kind is DecisionKind.START]
        rows = self._rows([one.account_id for one in starts])
        for one, row in zip(starts, rows, strict=True):
            course = self._course(self.bundle, one.playbook, one.mode or Mode.APPROVE)
            self.going.append(Going(row, course, (Position(self.at, 0),), one.rule, is_new=True))

    def wait_for_the_calendar(
        self, days: int, ended: Mapping[tuple[str, int], int], *, released: bool
    ) -> dict[str, str]:
        """Runs that schedules and clocks start on a later day. Returns what rules ask that would go beyond their
        limit then."""
        barred = np.isin(self.evaluation.facts.accounts.ids, sorted(self._barred))
        asks: dict[str, str] = {}
        for one in coming(self.bundle, self.evaluation, days, barred, ended):
            own = self.bundle.rules[one.rule].guard.max_new_runs
            limit = default_limit(len(barred)) if own is None else own
            starts, held = one.starts
            if starts > limit and not released:
                asks[one.rule] = f"wants {starts} new runs on {_date(one.day)}; its limit is {limit}. Let them start?"
                continue
            self.held_out += held
            self.later += starts
            begin = (Position(self.at + timedelta(days=one.day - self.evaluation.facts.at), 0),)
            for row, action, arm in zip(one.rows.tolist(), one.actions, one.arms, strict=True):
                if arm is not Arm.HELD_OUT:
                    course = self._course(self.bundle, action.playbook, action.mode)
                    self.going.append(Going(row, course, begin, one.rule, is_new=True))
        return asks

    def take_up(self) -> None:
        """Runs that are open, from where they stand; those that cannot be read are named and left out."""
        stand = self._standing()
        found = plain_rows(
            self.session,
            select(
                RunRow.id, RunRow.account_id, RunRow.playbook, RunRow.mode, RunRow.bundle, RunRow.rule, RunRow.state,
                RunRow.cursor,
            ).where(RunRow.state.not_in(FINAL)).order_by(RunRow.id),
        )  # fmt: skip
        paused = sum(one[6] == RunState.PAUSED for one in found)
        if paused:
            self.left_out.append(f"{paused} paused runs stay paused.")
        rows = self._rows([one[1] for one in found])
        unread: Counter[str] = Counter()
        for (run, account, playbook, mode, fingerprint, rule, state, cursor), row in zip(found, rows, strict=True):
            if state == RunState.PAUSED or account in self._barred or row < 0:
                continue
            try:
                course = self._course(bundles.by_fingerprint(self.session, fingerprint), playbook, Mode(mode))
            except (EngineError, KeyError):
                unread[playbook] += 1
                continue
            positions = self._positions(course, stand.get(run, ()), cursor)
            self.going.append(Going(row, course, positions, rule))
        self.left_out += [f"{many} runs of {name} cannot be read any more." for name, many in sorted(unread.items())]

    def add(self, days: int) -> tuple[Adding, Touches]:
        """Let all of them go on for so many days."""
        self.places = replace(self.places, dates=self._dates())
        audiences = crowds.audiences(self.session, self.bundle, self.evaluation, self._made, self.at)
        adding = Adding(self._made, audiences, crowds.team(self.session, self.evaluation), (self.at.date(), days))
        for one in happenings(self.evaluation, self._made, self.going, self.places):
            adding.take(one)
        return adding, adding.touches(crowds.persons(self.session, self.evaluation))

    def _rows(self, accounts: Sequence[int]) -> list[int]:
        rows = rows_of(self.evaluation.facts.accounts.ids, np.array(accounts, dtype=np.int64))
        return [int(row) for row in rows]

    def _course(self, bundle: Bundle, playbook: str, mode: Mode) -> int:
        key = (bundle.fingerprint, playbook, mode)
        if key not in self._courses:
            declared = bundle.playbooks[playbook]
            self._made.append(Course(declared, compile_lines(declared, mode), meanings(declared, mode)))
            self._courses[key] = len(self._made) - 1
        return self._courses[key]

    def _standing(self) -> dict[int, list[tuple[str, datetime]]]:
        """Run → the steps it stands at, and when it leaves them if nobody does anything unusual."""
        found: dict[int, list[tuple[str, datetime]]] = {}
        for run, step, until in self.session.execute(select(WaitRow.run_id, WaitRow.step, WaitRow.until)):
            found.setdefault(run, []).append((step, max(until, self.at)))
        yes = deadline(self.at, DECIDES_AFTER, DAY_SECONDS, self.bundle.calendars.default)
        pending = select(ApprovalRow.run_id, ApprovalRow.step, ApprovalRow.expires_at)
        for run, step, expires in self.session.execute(pending.where(ApprovalRow.state == ApprovalState.PENDING.value)):
            found.setdefault(run, []).append((step, max(min(yes, expires), self.at)))
        return found

    def _positions(self, course: int, stands: Sequence[tuple[str, datetime]], cursor: int) -> tuple[Position, ...]:
        lines = self._made[course].lines
        numbers = {line.step: number for number, line in enumerate(lines)}
        found = [Position(until, numbers[origin(step)], left=True) for step, until in stands if origin(step) in numbers]
        return tuple(sorted(found)) or (Position(self.at, min(cursor, len(lines) - 1)),)

    def _dates(self) -> dict[str, list[datetime | None]]:
        """The dates that waits name, by account row."""
        names = {
            step.until_date
            for course in self._made
            for meaning in course.known.values()
            if (step := meaning.step) is not None and hasattr(step, "until_date") and step.until_date
        }
        found: dict[str, list[datetime | None]] = {}
        for name in sorted(names):
            try:
                column = self.evaluation.columns[name]
            except KeyError:
                continue
            if isinstance(column, Numbers):
                found[name] = [_moment(day) for day in column.values.tolist()]
        return found


def _date(day: int) -> str:
    return (DAY_ZERO + timedelta(days=day)).date().isoformat()


def _moment(day: float) -> datetime | None:
    return None if np.isnan(day) else DAY_ZERO.astimezone(UTC) + timedelta(days=day)
