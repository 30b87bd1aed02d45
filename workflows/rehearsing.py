"""A rehearsal: one run carried out from its start to its end on a clock of its own, and then undone.

It is the real run that is carried out, by the same stretches, ledgers and templates, in a transaction that is rolled
back; only the letters go into a drawer. Where a run waits, the clock goes on. Signals and data stay as they are today.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session
from temporalio.exceptions import ApplicationError

from engine.definitions.bundle import Bundle
from engine.definitions.connection import Connection
from engine.running.lines import START_BY_HAND, Line, compile_lines
from engine.running.routes import DECIDES_AFTER
from engine.running.timeline import Call, Entry, Timeline, Way
from engine.running.working_time import DAY_SECONDS, deadline
from engine.store import bundles, people, runs, steps, tasks
from engine.store.member_tables import HoldRow
from engine.store.run_tables import ApprovalRow, RunRow
from engine.store.runs import Wanted
from engine.store.sessions import Store
from engine.store.undone import undone
from engine.terms import ApprovalState, DeliveryState, Mode, RunState, StepState
from workflows.activities.stretch import Stretches
from workflows.activities.walking import BRANCHES
from workflows.channels.egress import Egress
from workflows.channels.letter import Letter, Verdict
from workflows.channels.webhook import Caller, Told
from workflows.payloads import Outcome, StretchInput, StretchResult
from workflows.telling import Telling

WAYS: Final = ("then", "else", "unknown")
_MOST_STRETCHES: Final = 400
_MOST_WAYS: Final = 24
"""So many ways of branches are rehearsed; what a playbook holds beyond that is not shown."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is rehearsed: a playbook for an account, as ``rule`` (empty: a member) would start it at ``at``."""

    bundle: Bundle
    account_id: int
    playbook: str
    mode: Mode
    at: datetime
    rule: str = ""
    base_url: str = ""
    sender: str = "customer-success@example.com"


class Drawer:
    """A channel that keeps its letters and sends nothing."""

    name = "rehearsal"

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> Verdict:
        """Keep the letter."""
        self.letters.append(letter)
        return Verdict(DeliveryState.SENT)


class Silence(Caller):
    """A caller that keeps what it was to say, by Message-ID, and says nothing."""

    def __init__(self) -> None:
        super().__init__(Egress(), {})
        self.calls: dict[str, Call] = {}

    def problem(self, connection: Connection) -> str:  # noqa: ARG002 # as a caller is asked
        """Nothing is called, so nothing is in the way."""
        return ""

    def url(self, connection: Connection) -> str:
        """Where it would lead, as far as the file says."""
        return connection.url or f"https://{connection.name}.invalid/"

    def call(self, connection: Connection, message_id: str, body: str, at: datetime) -> Told:  # noqa: ARG002 # the same
        """Keep the body."""
        self.calls[message_id] = Call(connection.name, body)
        return Told(DeliveryState.SENT, "kept")


def rehearse(store: Store, setting: Setting) -> Timeline:
    """The timeline of one run. Nothing is written, nothing is sent. Raises NotFound for an unknown account."""
    bundles.keep(setting.bundle)
    found = _play(store, setting, {})
    return replace(found, entries=_with_ways(store, setting, found.entries, {}, [_MOST_WAYS]))


def _play(store: Store, setting: Setting, forced: Mapping[str, int]) -> Timeline:
    with undone(store) as dry:
        return _Rehearsal(dry, setting, forced).play()


def _with_ways(
    store: Store, setting: Setting, entries: tuple[Entry, ...], forced: Mapping[str, int], left: list[int]
) -> tuple[Entry, ...]:
    """The entries, each branch with the ways that are not gone: rehearsed by going them."""
    lines = compile_lines(setting.bundle.playbooks[setting.playbook], setting.mode)
    found = []
    for entry in entries:
        if entry.kind == "branch" and entry.sentence in BRANCHES and entry.step not in forced:
            ways = tuple(
                _way(store, setting, (lines, entry), arm, forced, left)
                for arm in range(len(WAYS))
                if BRANCHES[arm] != entry.sentence and left[0] > 0
            )
            found.append(replace(entry, others=ways))
        else:
            found.append(entry)
    return tuple(found)


def _way(
    store: Store,
    setting: Setting,
    branch: tuple[tuple[Line, ...], Entry],
    arm: int,
    forced: Mapping[str, int],
    left: list[int],
) -> Way:
    left[0] -= 1
    lines, entry = branch
    taken = {**forced, entry.step: arm}
    begin, end = _span(lines, entry.number, arm)
    played = _play(store, setting, taken).entries
    inside = tuple(one for one in played if begin <= one.number < end)
    return Way(WAYS[arm], _with_ways(store, setting, inside, taken, left))


def _span(lines: tuple[Line, ...], number: int, arm: int) -> tuple[int, int]:
    """The lines of an arm: from its first to the one behind its last."""
    arms = lines[number].arms
    behind = (arms[1] - 1, arms[2] - 1, lines[arms[1] - 1].target)
    return arms[arm], behind[arm]


@dataclass(order=True)
class _Strand:
    """A row of steps that goes on at ``at``, leaving line ``cursor`` with ``outcome``; ``fork``: the one it is in."""

    at: datetime
    number: int
    cursor: int
    outcome: Outcome
    fork: int = -1


class _Rehearsal:
    """One run on its way. ``store`` is undone by whoever made it."""

    def __init__(self, store: Store, setting: Setting, forced: Mapping[str, int]) -> None:
        self.setting = setting
        self.store = store
        self.clock = setting.at
        self.drawer = Drawer()
        self.assumed: list[str] = []
        self.playbook = setting.bundle.playbooks[setting.playbook]
        self.silence = Silence()
        self.stretches = Stretches(store, self.drawer, setting.base_url, setting.sender, caller=self.silence)
        self.stretches.looking_at = setting.at
        with store.begin() as session:
            if bundles.fingerprint_in_force(session) != setting.bundle.fingerprint:
                bundles.publish(session, setting.bundle, author="", at=setting.at)  # its contact policy counts, too
            self.run = runs.find(session, self._request(session))
            for step, arm in forced.items():
                steps.record(session, self.run.id, step, "branch", StepState.DONE, BRANCHES[arm], setting.at)
            self.account = people.account(session, setting.account_id)
        self.telling = Telling(self.run, forced)
        self.strands: list[_Strand] = []
        self.forks: dict[int, int] = {}
        self.parents: dict[int, int] = {}

    def play(self) -> Timeline:
        """Carry the run out."""
        self._go_on(0, "begin", self.clock, -1)
        for _ in range(_MOST_STRETCHES):
            strand = heapq.heappop(self.strands)
            self.clock = strand.at
            if ending := self._stretch(strand):
                return self._timeline(ending)
        return self._timeline("It did not come to an end here: it is too long to be shown.")

    def _stretch(self, strand: _Strand) -> str:
        """One stretch. Returns how the run ended; empty while it goes on."""
        wanted = StretchInput(
            self.run.id, strand.cursor, strand.outcome, self.clock.isoformat(), fork=self._outermost(strand.fork)
        )
        try:
            result = self.stretches.run_stretch(wanted)
        except ApplicationError as error:
            return f"It stands still here: {error.message}."
        finally:
            with self.store.read() as session:
                self.telling.look(session, self.clock, self.drawer.letters, self.silence.calls)
            self.drawer.letters.clear()
        if result.stop == "end":
            with self.store.read() as session:
                return runs.find(session, self.run.id).sentence
        self._stand(strand, result)
        return ""

    def _stand(self, strand: _Strand, result: StretchResult) -> None:
        """What comes after the stop a stretch has come to."""
        line = self.run.lines[result.cursor]
        if result.stop == "fork":
            self.forks[result.cursor], self.parents[result.cursor] = len(line.arms), strand.fork
            for arm in line.arms:
                self._go_on(arm, "begin", self.clock, result.cursor)
        elif result.stop == "join":
            self.forks[strand.fork] -= 1
            if not self.forks[strand.fork]:
                self._go_on(result.cursor, "joined", self.clock, self.parents[strand.fork])
        else:
            outcome, at = self._after(result.cursor, datetime.fromisoformat(result.deadline))
            self._go_on(result.cursor, outcome, at, strand.fork)

    def _go_on(self, cursor: int, outcome: Outcome, at: datetime, fork: int) -> None:
        heapq.heappush(self.strands, _Strand(at, cursor, cursor, outcome, fork))

    def _outermost(self, fork: int) -> int:
        while self.parents.get(fork, -1) >= 0:
            fork = self.parents[fork]
        return fork

    def _after(self, cursor: int, until: datetime) -> tuple[Outcome, datetime]:
        """Why and when the run leaves a stop: people do what is assumed of them, else its time goes by."""
        line = self.run.lines[cursor]
        if line.kind == "gate":
            yes = self._yes(line)
            if yes is None or yes >= until:
                return "expired", until
            self._approve(line, yes)
            return "approved", yes
        done = self._done(cursor) if line.kind == "wait" else None
        if done is not None and done < until:
            return "satisfied", done
        return "elapsed", max(until, self.clock)

    def _yes(self, line: Line) -> datetime | None:
        """When somebody says yes; None where nobody has to."""
        if line.passes:
            return None
        self._assume("An approval is given after one working day.")
        return self._next_working_day()

    def _next_working_day(self) -> datetime:
        return deadline(self.clock, DECIDES_AFTER, DAY_SECONDS, self.setting.bundle.calendars.default)

    def _approve(self, line: Line, at: datetime) -> None:
        mine = update(ApprovalRow).where(ApprovalRow.run_id == self.run.id, ApprovalRow.step == line.step)
        decided = {"state": ApprovalState.APPROVED.value, "decided_by": self.account.owner, "decided_at": at}
        with self.store.begin() as session:
            session.execute(mine.values(**decided))

    def _done(self, cursor: int) -> datetime | None:
        """When the task that is waited for is done; None where it is no task, or is never done."""
        before = self.run.lines[cursor - 1]
        if before.step == START_BY_HAND:
            self._assume("A run in mode manual is started after one working day.")
            return self._next_working_day()
        if before.kind not in {"task", "ask"}:
            return None
        with self.store.read() as session:
            task = tasks.of_step(session, self.run.id, before.step)
        if task is None or task.due_at is None:
            return None
        self._assume("A task is done when it is due.")
        return max(task.due_at, self.clock)

    def _request(self, session: Session) -> int:
        """The run, as a decision or a member would ask for it; what is in its way is noted and taken away."""
        setting = self.setting
        mine = (RunRow.account_id == setting.account_id, RunRow.playbook == setting.playbook)
        is_open = RunRow.state.in_([state.value for state in RunState if state.is_open])
        gone = update(RunRow).where(*mine, is_open).values(state=RunState.CANCELLED.value).returning(RunRow.id)
        for number in session.scalars(gone).all():
            self._assume(f"Run {number} of this playbook is open for the account; this is a new one, not what is left.")
        held = update(HoldRow).where(HoldRow.released_at.is_(None)).values(released_at=setting.at)
        for reason in session.scalars(held.returning(HoldRow.reason)).all():
            self._assume(f"Nothing goes out now ({reason}); this is what goes once it is released.")
        wanted = Wanted(setting.account_id, setting.playbook, setting.mode, setting.rule)
        return runs.request_all(session, setting.bundle, [wanted], DAY_SECONDS, setting.at)[0]

    def _assume(self, sentence: str) -> None:
        if sentence not in self.assumed:
            self.assumed.append(sentence)

    def _timeline(self, ending: str) -> Timeline:
        rule = self.setting.bundle.rules.get(self.setting.rule)
        return Timeline(
            account=self.account.key,
            account_name=self.account.name,
            playbook=self.setting.playbook,
            title=self.playbook.title,
            mode=self.setting.mode.value,
            rule=self.setting.rule,
            challenge=rule.challenge.title if rule else "",
            began_at=self.setting.at,
            ended_at=self.clock,
            ending=ending,
            entries=self.telling.entries,
            assumed=("Data and signals stay as they are now; a wait lasts its longest.", *self.assumed),
        )
