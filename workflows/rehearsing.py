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
from temporalio.exceptions import ApplicationError

from engine.running.lines import START_BY_HAND, Line, compile_lines
from engine.running.routes import DECIDES_AFTER
from engine.running.timeline import Entry, Timeline, Way
from engine.running.working_time import DAY_SECONDS, deadline
from engine.store import bundles, people, runs, steps, tasks
from engine.store.run_tables import ApprovalRow
from engine.store.sessions import Store
from engine.store.undone import undone
from engine.terms import ApprovalState, StepState
from workflows.activities.stretch import Stretches
from workflows.activities.walking import BRANCHES
from workflows.channels.drawers import Drawer, Silence
from workflows.payloads import Outcome, StretchInput, StretchResult
from workflows.setting_out import Setting as Setting, forks_around, set_out, stands
from workflows.telling import Telling

WAYS: Final = ("then", "else", "unknown")
_MOST_STRETCHES: Final = 400
_MOST_WAYS: Final = 24
"""So many ways of branches are rehearsed; what a playbook holds beyond that is not shown."""


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
        self.playbook = setting.bundle.playbooks[setting.playbook]
        self.silence = Silence()
        self.stretches = Stretches(store, self.drawer, setting.base_url, setting.sender, caller=self.silence)
        self.stretches.looking_at = setting.at
        with store.begin() as session:
            self.run, self.assumed = set_out(session, setting)
            for step, arm in forced.items():
                steps.record(session, self.run.id, step, "branch", StepState.DONE, BRANCHES[arm], setting.at)
            self.account = people.account(session, setting.account_id)
        self.telling = Telling(self.run, forced)
        with store.read() as session:
            self.telling.pass_over(session)
            self._stands = list(stands(session, self.run))
        self.strands: list[_Strand] = []
        self.forks: dict[int, int] = {}
        self.parents: dict[int, int] = {}

    def play(self) -> Timeline:
        """Carry the run out."""
        self._begin()
        for _ in range(_MOST_STRETCHES):
            strand = heapq.heappop(self.strands)
            self.clock = strand.at
            if ending := self._stretch(strand):
                return self._timeline(ending)
        return self._timeline("It did not come to an end here: it is too long to be shown.")

    def _begin(self) -> None:
        """Where the run is: at its first line, or wherever it stands already."""
        for number, until in self._stands:
            around = forks_around(self.run, number)
            for outer, fork in zip([-1, *around], around, strict=False):
                self.parents[fork] = outer
            fork = around[-1] if around else -1
            self.forks[fork] = self.forks.get(fork, 0) + 1
            outcome, at = self._after(number, until)
            self._go_on(number, outcome, max(at, self.clock), fork)
        if not self._stands:
            self._go_on(self.run.cursor, "begin", self.clock, -1)

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
            run=self.setting.run,
            entries=self.telling.entries,
            assumed=("Data and signals stay as they are now; a wait lasts its longest.", *self.assumed),
        )
