"""`PlaybookRun`: one playbook for one account, from line to line, for as long as it takes.

The workflow only steers: an activity does each stretch and says where the run stands and until when; here the run waits
there, listens to people and to wakes, and calls the next stretch. Why it moves on stands in `standing`, what a person
may do in `acting`. This module imports nothing heavy: it is loaded anew for every sandboxed run.
"""

import asyncio

from temporalio import workflow
from temporalio.exceptions import ApplicationError, CancelledError, FailureError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from engine.terms import RunAct
    from workflows.acting import INTERRUPTING, apply, jump_of, refusal
    from workflows.activity_options import DATABASE_ONLY, DELIVERY_SUFFIX, OUTWARD, RECORD_ACT, RUN_STRETCH
    from workflows.payloads import (
        Act,
        ActResult,
        Outcome,
        RecordActInput,
        RunInput,
        StretchInput,
        StretchResult,
        Wake,
    )
    from workflows.standing import CLOSING, Move, Standing


@workflow.defn
class PlaybookRun:
    """One run. Its id is ``run:<run_id>``; it ends when a stretch says so."""

    @workflow.init
    def __init__(self, wanted: RunInput) -> None:
        self._wanted = wanted
        self._at = Standing.of(wanted, workflow.now())
        self._going: workflow.ActivityHandle[StretchResult] | None = None
        # Held by whoever calls an activity, so that acts are recorded one after another and never beside a stretch.
        self._lock = asyncio.Lock()

    @workflow.run
    async def run(self, wanted: RunInput) -> int:  # noqa: ARG002 # Temporal asks for the input here as well
        """Carry the playbook out. Returns the line at which the run ended."""
        while not self._at.ended:
            await self._continue_if_long()
            await self._wait()
            async with self._lock:
                await self._move()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._at.cursor

    async def _wait(self) -> None:
        """Stand still until there is a reason to move on, the time to wait for is another one, or what the run was
        told while it stood here has made its history long."""
        time = self._at.next_time
        try:
            await workflow.wait_condition(
                lambda: self._at.due(workflow.now()) is not None or self._at.next_time != time or self._is_long(),
                timeout=self._at.patience(workflow.now()),
            )
        except TimeoutError:
            return

    async def _move(self) -> None:
        """Do the stretch that is due. Meanwhile a person may have come in between: then there may be none."""
        at = self._at
        move = at.due(workflow.now())
        if move is None:
            return
        at.leave(move)
        result = await self._stretch(move, move.outcome)
        at.busy = False
        if result is not None:
            at.arrive(move, result)

    async def _stretch(self, move: Move, outcome: Outcome) -> StretchResult | None:
        """One stretch; None when a person interrupted it. What cannot be done is stuck, or closes the run as failed."""
        at, cursor = self._at, move.strand.cursor
        wanted = StretchInput(
            self._wanted.run_id,
            cursor,
            outcome,
            workflow.now().isoformat(),
            skips=list(at.skips),
            until=move.strand.deadline,
            fork=at.open_fork if move.strand is not at.trunk else -1,
        )
        try:
            if not at.is_outward(cursor, outcome):
                return await _here(wanted)
            self._going = _outside(wanted)
            return await self._going
        except FailureError as error:  # an ActivityError, but a local activity fails with its cause itself
            if isinstance(error.cause, CancelledError):
                return None
            if outcome == "failed":
                raise
            return await self._stretch(move, "failed" if outcome in CLOSING or outcome == "stuck" else "stuck")
        finally:
            self._going = None

    def _is_long(self) -> bool:
        info = workflow.info()
        is_long = info.get_current_history_length() > self._wanted.longest_history
        return is_long or info.is_continue_as_new_suggested()

    async def _continue_if_long(self) -> None:
        if not self._is_long():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        workflow.continue_as_new(self._at.carried(self._wanted))

    @workflow.update
    async def act(self, act: Act) -> ActResult:
        """A person's act: recorded in the database, then done."""
        if self._going is not None and act.kind in INTERRUPTING:
            self._going.cancel()
        async with self._lock:
            self._refuse(act)
            at = self._at
            jumps = [*at.jumps, jump_of(at, act)] if act.kind == RunAct.JUMP else []
            now = workflow.now()
            await workflow.execute_local_activity(
                RECORD_ACT,
                RecordActInput(self._wanted.run_id, act.act_id, act.kind, at.cursor, now.isoformat(), jumps),
                **DATABASE_ONLY,
            )
            apply(at, act, now)
            return ActResult(applied=True, cursor=at.cursor)

    @act.validator
    def _refuse(self, act: Act) -> None:
        """Refuse what is stale, before it leaves a trace in the history."""
        if why := refusal(self._at, act):
            raise ApplicationError(why, type="refused", non_retryable=True)

    @workflow.signal
    def wake(self, wake: Wake) -> None:
        """What a step waits for has come, its time may have moved, or the run's exit condition holds."""
        self._at.wake(wake)

    @workflow.query
    def cursor(self) -> int:
        """The line the run stands at. For looking into a stuck run; pages read the database."""
        return self._at.cursor


async def _here(wanted: StretchInput) -> StretchResult:
    result: StretchResult = await workflow.execute_local_activity(
        RUN_STRETCH,
        wanted,
        result_type=StretchResult,
        **DATABASE_ONLY,
    )
    return result


def _outside(wanted: StretchInput) -> workflow.ActivityHandle[StretchResult]:
    queue = workflow.info().task_queue + DELIVERY_SUFFIX
    return workflow.start_activity(
        RUN_STRETCH,
        wanted,
        result_type=StretchResult,
        **ActivityConfig(task_queue=queue, **OUTWARD),
    )
