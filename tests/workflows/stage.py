"""A stage for runs: a worker with the sandbox and activities that only remember, to test the steering alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import uuid4

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from engine.running.lines import Line
from engine.running.ways import exits
from workflows.activities.moving import BEGINNING
from workflows.activity_options import DELIVERY_SUFFIX, RECORD_ACT, RUN_STRETCH
from workflows.payloads import Act, ActResult, RecordActInput, RunInput, StretchInput, StretchResult, Wake
from workflows.playbook_run import PlaybookRun
from workflows.standing import CLOSING

Handle: TypeAlias = WorkflowHandle[PlaybookRun, int]


@dataclass
class Recorder:
    """Stands in for the activities of a run: does nothing but remember, and stops where the lines say.

    A branch goes to its first arm. ``hold`` keeps a stretch at work until it is set; ``failures`` are raised first.
    ``later``: a line whose message may only go out after so many days.
    """

    lines: list[Line]
    stretches: list[StretchInput] = field(default_factory=list)
    acts: list[RecordActInput] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    later: dict[int, float] = field(default_factory=dict)
    hold: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    @property
    def outcomes(self) -> list[str]:
        """Why the run moved on, time after time."""
        return [wanted.outcome for wanted in self.stretches]

    @property
    def days(self) -> list[float]:
        """Days between the first stretch and each one, on the run's own clock."""
        moments = [datetime.fromisoformat(wanted.now) for wanted in self.stretches]
        return [round((moment - moments[0]) / timedelta(days=1), 2) for moment in moments]

    @activity.defn(name=RUN_STRETCH)
    async def run_stretch(self, wanted: StretchInput) -> StretchResult:
        """Leave the line and go on to the next stop."""
        self.stretches.append(wanted)
        await self.hold.wait()
        if self.failures:
            raise self.failures.pop(0)
        return self._stop(wanted)

    @activity.defn(name=RECORD_ACT)
    async def record_act(self, wanted: RecordActInput) -> None:
        """Remember the act."""
        self.acts.append(wanted)

    def _stop(self, wanted: StretchInput) -> StretchResult:
        if wanted.outcome in CLOSING:
            return StretchResult(len(self.lines) - 1, "end")
        if wanted.outcome == "stuck":
            return StretchResult(wanted.cursor, "stuck", _later(wanted, 7))
        number = self._following(wanted)
        while not self.lines[number].stops:
            if days := self.later.pop(number, 0.0):
                return StretchResult(number, "wait", _later(wanted, days))
            number = exits(self.lines, number)[0]
        line = self.lines[number]
        if line.kind in {"end", "fork", "join"}:
            return StretchResult(number, line.kind)
        until = wanted.until if wanted.outcome in BEGINNING and wanted.until else _later(wanted, line.days)
        return StretchResult(number, "wait" if line.kind == "wait" else "gate", until if line.days else "")

    def _following(self, wanted: StretchInput) -> int:
        line = self.lines[wanted.cursor]
        if line.kind == "gate" and wanted.outcome in {"rejected", "expired", "skipped"} and not line.passes:
            return line.target
        return wanted.cursor + (line.stops and wanted.outcome not in BEGINNING)


def _later(wanted: StretchInput, days: float) -> str:
    return (datetime.fromisoformat(wanted.now) + timedelta(days=days)).isoformat()


@dataclass
class Stage:
    """A worker (with the sandbox) on a task queue of its own, and the runs started on it."""

    environment: WorkflowEnvironment
    recorder: Recorder
    queue: str
    started: int = 0

    @property
    def client(self) -> Client:
        """The client that starts and tells."""
        return self.environment.client

    async def begin(self, first_word: Wake | None = None, **fields: object) -> Handle:
        """Start a run whose time skips by itself. ``first_word``: it is told this with its start."""
        self.started += 1
        wanted = RunInput(run_id=self.started, lines=self.recorder.lines, **fields)  # type: ignore[arg-type]  # any field
        return await self.client.start_workflow(
            PlaybookRun.run,
            wanted,
            id=f"run:{self.queue}:{self.started}",
            task_queue=self.queue,
            start_signal="wake" if first_word else None,
            start_signal_args=[first_word] if first_word else [],
        )

    async def begin_by_hand(self, **fields: object) -> Handle:
        """Start a run whose time only moves by `forward`."""
        async with self.by_hand():
            return await self.begin(None, **fields)

    @asynccontextmanager
    async def by_hand(self) -> AsyncIterator[None]:
        """The time of runs started inside only moves by `forward`."""
        with self.environment.with_time_skipping_disabled():
            yield

    async def forward(self, handle: Handle, days: float) -> None:
        """Move the run's time."""
        await self.environment.fast_forward(handle, timedelta(days=days))

    async def stands(self, count: int) -> None:
        """Wait until so many stretches have been done."""
        async with asyncio.timeout(60):
            while len(self.recorder.stretches) < count:  # noqa: ASYNC110 # a plain list is enough for a test
                await asyncio.sleep(0.01)

    async def act(self, handle: Handle, kind: str, step: str = "", number: int = 1, **more: bool) -> ActResult:
        """Send a person's act, as the outbox does."""
        wanted = Act(number, kind, step, **more)
        answer: ActResult = await handle.execute_update("act", wanted, id=f"act-{number}", result_type=ActResult)
        return answer


@asynccontextmanager
async def open_stage(environment: WorkflowEnvironment, lines: list[Line]) -> AsyncIterator[Stage]:
    """A stage for runs of these lines, with both task queues."""
    recorder, queue = Recorder(lines), f"test-{uuid4()}"
    client = environment.client
    async with (
        Worker(
            client,
            task_queue=queue,
            build_id="tests",
            workflows=[PlaybookRun],
            activities=[recorder.run_stretch, recorder.record_act],
        ),
        Worker(client, task_queue=queue + DELIVERY_SUFFIX, build_id="tests", activities=[recorder.run_stretch]),
    ):
        yield Stage(environment, recorder, queue)


OnStage: TypeAlias = Callable[[list[Line]], AbstractAsyncContextManager[Stage]]
