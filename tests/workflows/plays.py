"""Runs worth keeping as histories: every kind of step, every override, every exit, each as small as it can be."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

from engine.running.lines import Line, LineKind
from tests.workflows.stage import Handle, Stage
from tests.workflows.standings import TWO_ROWS
from workflows.payloads import Wake
from workflows.playbook_run import PlaybookRun

END: Final = Line("end", "end")
WHOLE: Final = [
    Line("task", "call"),
    Line("wait", "call/wait", days=7),
    Line("branch", "how", arms=(3, 5, 6)),
    Line("email", "write", outward=True),
    Line("jump", "how/end", target=7),
    Line("lesson", "c/1", outward=True),
    Line("lesson", "c/2", outward=True),
    Line("gate", "yes", target=9, days=2, working=True),
    Line("report", "share", outward=True),
    Line("wait", "rest", days=3),
    END,
]
WAITING: Final = [Line("task", "call"), Line("wait", "rest", days=3), Line("task", "look"), END]
GATED: Final = [Line("gate", "yes", target=2, days=2), Line("email", "write", outward=True), END]
VETO: Final = [Line("gate", "veto-run", target=2, days=1, passes=True), Line("email", "write", outward=True), END]
SENDING: Final = [Line("email", "write", outward=True), Line("wait", "rest", days=3), END]
ROWS: Final = [*TWO_ROWS[:-1], END]
NESTED: Final = [
    Line("fork", "outer", arms=(1, 8), target=9),
    Line("fork", "inner", arms=(2, 4), target=6),
    Line("wait", "a", days=1),
    Line("jump", "inner/after-1", target=6),
    Line("wait", "b", days=2),
    Line("jump", "inner/after-2", target=6),
    Line("join", "inner/joined"),
    Line("jump", "outer/after-1", target=9),
    Line("email", "c", outward=True),
    Line("join", "outer/joined"),
    END,
]

Act: TypeAlias = Callable[[Stage], Awaitable[Handle]]


class Play(NamedTuple):
    """The lines of a run, and what happens to it."""

    lines: list[Line]
    act: Act


async def _alone(stage: Stage) -> Handle:
    run = await stage.begin()
    await run.result()
    return run


def _told(*words: Wake | str | float, longest: int = 2_000) -> Act:
    """A run that is told one thing after another, each when it stands still: a wake, ``"<act> <step> <more>"``, or days
    that pass."""

    async def act(stage: Stage) -> Handle:
        run = await stage.begin_by_hand(longest_history=longest)
        for number, word in enumerate(words, start=1):
            await _still(stage)
            if isinstance(word, Wake):
                await run.signal("wake", word)
            elif isinstance(word, float):
                await stage.forward(run, word)
            else:
                kind, step, *more = [*word.split(), ""]
                await stage.act(run, kind, step, number, **dict.fromkeys(filter(None, more), True))
        await run.result()
        return run

    return act


async def _still(stage: Stage) -> None:
    """Wait until no stretch has begun for a moment."""
    await stage.stands(1)
    count = -1
    while count != len(stage.recorder.stretches):
        count = len(stage.recorder.stretches)
        await asyncio.sleep(0.15)


def _down(*words: Wake | str | float) -> Act:
    """The same where the relay is down at first."""

    async def act(stage: Stage) -> Handle:
        stage.recorder.failures = [RuntimeError("the relay is down")]
        return await _told(*words)(stage)

    return act


def _broken(*words: Wake | str | float) -> Act:
    """The same where the first stretch cannot be done."""

    async def act(stage: Stage) -> Handle:
        stage.recorder.failures = [KeyError("no such message")]
        return await _told(*words)(stage)

    return act


async def _hopeless(stage: Stage) -> Handle:
    stage.recorder.failures = [KeyError("no such bundle"), KeyError("no such bundle")]
    return await _alone(stage)


async def _later(stage: Stage) -> Handle:
    """A message that may only go out the day after."""
    stage.recorder.later = {0: 1.0}
    return await _alone(stage)


async def _told_with_its_start(stage: Stage) -> Handle:
    async with stage.by_hand():
        run = await stage.begin(Wake("satisfied", "rest"))
    await run.result()
    return run


def _first_part(act: Act) -> Act:
    """The first part of a run that grew long."""

    async def first(stage: Stage) -> Handle:
        run = await act(stage)
        part = run.first_execution_run_id
        return stage.client.get_workflow_handle_for(PlaybookRun.run, run.id, run_id=part)

    return first


async def _long(stage: Stage) -> Handle:
    run = await stage.begin(longest_history=10)
    await run.result()
    return run


INSTANT: Final[tuple[LineKind, ...]] = (
    "task",
    "ask",
    "set",
    "email",
    "lesson",
    "report",
    "webhook",
    "guide",
    "note",
    "notify",
)
_EXIT, _RESTED = Wake("exit"), Wake("satisfied", "rest")

PLAYS: Final[dict[str, Play]] = {
    **{
        f"step-{kind}": Play([Line(kind, kind, outward=kind not in {"task", "ask", "set"}), END], _alone)
        for kind in INSTANT
    },
    "by-itself": Play(WHOLE, _alone),
    "a-wake-an-approval-a-skip": Play(WHOLE, _told(Wake("satisfied", "call/wait"), "approve yes", "skip rest")),
    "wait-elapsed": Play(WAITING, _alone),
    "wait-satisfied": Play(WAITING, _told(_RESTED)),
    "wait-moved": Play(WAITING, _told(Wake("again", "rest"), 4.0)),
    "wait-skipped": Play(WAITING, _told("skip")),
    "task-done": Play(WAITING, _told("task_done rest")),
    "told-with-its-start": Play(WAITING, _told_with_its_start),
    "message-later": Play(SENDING, _later),
    "gate-approved": Play(GATED, _told("approve yes")),
    "gate-rejected": Play(GATED, _told("reject yes")),
    "gate-expired": Play(GATED, _alone),
    "gate-skipped": Play(GATED, _told("skip yes")),
    "veto-passed": Play(VETO, _alone),
    "veto-stopped": Play(VETO, _told("reject veto-run")),
    "rows": Play(ROWS, _alone),
    "rows-told": Play(ROWS, _told(Wake("satisfied", "first"), "approve yes", Wake("satisfied", "call/wait"), 3.0)),
    "rows-in-rows": Play(NESTED, _alone),
    "rows-cancelled": Play(ROWS, _told(1.0, "cancel")),
    "rows-left": Play(ROWS, _told(1.0, _EXIT)),
    "rows-given-up": Play(ROWS, _told(1.0, "jump before", _EXIT)),
    "row-gone-back": Play(ROWS, _told(1.0, "jump call", _EXIT)),
    "rows-paused": Play(ROWS, _told(1.0, "pause", Wake("satisfied", "call/wait"), "resume", _EXIT)),
    "skipped-ahead": Play(WHOLE, _told("skip yes", Wake("satisfied", "call/wait"), 3.0)),
    "paused-and-resumed": Play(WAITING, _told("pause", 5.0, "resume")),
    "paused-and-stretched": Play(WAITING, _told("pause", 2.0, "resume - stretch", 3.0)),
    "paused-and-told": Play(GATED, _told("pause", "approve yes", "resume")),
    "paused-and-cancelled": Play(WAITING, _told("pause", "cancel")),
    "paused-on-the-way-out": Play(SENDING, _down("pause", "resume", _RESTED)),
    "cancelled-on-the-way-out": Play(SENDING, _down("cancel")),
    "gone-back": Play(WAITING, _told("jump call", Wake("satisfied", "rest#2"))),
    "gone-back-and-sent-again": Play(SENDING, _told("jump write sends", Wake("satisfied", "rest#2"))),
    "tried-again": Play(WAITING, _broken("retry", _RESTED)),
    "tried-again-without": Play(WAITING, _broken("skip call", _RESTED)),
    "stuck-and-failed": Play(WAITING, _broken(8.0)),
    "stuck-and-cancelled": Play(WAITING, _broken("cancel")),
    "failed": Play(WAITING, _hopeless),
    "left": Play(WAITING, _told(_EXIT)),
    "overdue": Play([*WAITING[:-1], Line("end", "end", days=2)], _alone),
    "overdue-while-paused": Play([*WAITING[:-1], Line("end", "end", days=2)], _told("pause", 3.0)),
    "continued-as-new": Play(WHOLE, _long),
    "continued-as-new-first-part": Play(WHOLE, _first_part(_long)),
    "rows-continued-as-new": Play(ROWS, _told(1.0, "jump call", 6.0, 3.0, longest=12)),
    "rows-continued-as-new-first-part": Play(ROWS, _first_part(_told(1.0, "jump call", 6.0, 3.0, longest=12))),
}
