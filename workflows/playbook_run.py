"""`PlaybookRun`: one playbook for one account, from line to line, for as long as it takes.

The workflow only steers: an activity does each stretch and says where the run stands and until when; here the run waits
there, listens to people and to wakes, and calls the next stretch. What is allowed and what it means stands in
`standing`. This module imports nothing heavy: it is loaded anew for every sandboxed run.
"""

import asyncio
from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ApplicationError, CancelledError, FailureError
from temporalio.workflow import ActivityConfig

with workflow.unsafe.imports_passed_through():
    from engine.running.lines import is_outward
    from engine.terms import RunAct
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
    from workflows.standing import Standing

_INTERRUPTING = frozenset({RunAct.PAUSE, RunAct.CANCEL, RunAct.SKIP})
"""Acts that do not wait until a relay that is down answers again."""


@workflow.defn
class PlaybookRun:
    """One run. Its id is ``run:<run_id>``; it ends when a stretch says so."""

    @workflow.init
    def __init__(self, wanted: RunInput) -> None:
        self._wanted = wanted
        self._at = Standing.of(wanted)
        self._going: workflow.ActivityHandle[StretchResult] | None = None
        # Held by whoever calls an activity, so that acts are recorded one after another and never beside a stretch.
        self._lock = asyncio.Lock()

    @workflow.run
    async def run(self, wanted: RunInput) -> int:
        """Carry the playbook out. Returns the line at which the run ended."""
        if not wanted.begun:
            await self._advance("begin")
        while not self._at.ended:
            await self._continue_if_long()
            await self._advance(await self._leave())
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._at.cursor

    async def _leave(self) -> Outcome:
        """Stand at a stop until there is a reason to move on."""
        while (outcome := self._at.outcome(workflow.now())) is None:
            seen = self._at.changes
            try:
                await workflow.wait_condition(
                    lambda seen=seen: self._at.changes != seen,  # type: ignore[misc]  # mypy cannot type the default
                    timeout=self._at.patience(workflow.now()),
                )
            except TimeoutError:
                continue
        return outcome

    async def _advance(self, outcome: Outcome) -> None:
        """Leave the present line and work on to the next stop; begin again after a person came in between."""
        self._at.busy = True
        while True:
            await workflow.wait_condition(lambda: self._at.may_move)
            async with self._lock:
                if not self._at.may_move:
                    continue
                result = await self._stretch("cancelled" if self._at.cancelled else outcome)
                if result is not None:
                    self._at.arrive(result)
                    return

    async def _stretch(self, outcome: Outcome) -> StretchResult | None:
        """One stretch; None when a person interrupted it. What cannot be done closes the run as failed."""
        at = self._at
        wanted = StretchInput(self._wanted.run_id, at.cursor, outcome, workflow.now().isoformat(), list(at.skips))
        try:
            if outcome in {"cancelled", "failed"} or not is_outward(at.lines, at.cursor):
                return await _here(wanted)
            self._going = _outside(wanted)
            return await self._going
        except FailureError as error:  # an ActivityError, but a local activity fails with its cause itself
            if isinstance(error.cause, CancelledError):
                return None
            if outcome == "failed":
                raise
            return await self._stretch("failed")
        finally:
            self._going = None

    async def _continue_if_long(self) -> None:
        info = workflow.info()
        is_long = info.get_current_history_length() > self._wanted.longest_history
        if not is_long and not info.is_continue_as_new_suggested():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        at = self._at
        workflow.continue_as_new(
            replace(
                self._wanted,
                cursor=at.cursor,
                begun=True,
                deadline=at.deadline,
                paused=at.paused,
                skips=at.skips,
                kept=at.kept,
            ),
        )

    @workflow.update
    async def act(self, act: Act) -> ActResult:
        """A person's act: recorded in the database, then done."""
        if self._going is not None and act.kind in _INTERRUPTING:
            self._going.cancel()
        async with self._lock:
            self._refuse(act)
            at = self._at
            await workflow.execute_local_activity(
                RECORD_ACT,
                RecordActInput(self._wanted.run_id, act.act_id, act.kind, at.cursor, workflow.now().isoformat()),
                **DATABASE_ONLY,
            )
            at.apply(act)
            return ActResult(applied=True, cursor=at.cursor)

    @act.validator
    def _refuse(self, act: Act) -> None:
        """Refuse what is stale, before it leaves a trace in the history."""
        if refusal := self._at.refusal(act):
            raise ApplicationError(refusal, type="refused", non_retryable=True)

    @workflow.signal
    def wake(self, wake: Wake) -> None:
        """What a step waits for has come, or the run's exit condition holds."""
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
