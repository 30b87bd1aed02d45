"""Records the histories that every later version of the workflow must replay, from real runs on the real server.

Run it by hand after a change that adds commands on purpose (with `workflow.patched`), and keep the old files:
``python -m tests.workflows.record_histories NAME...`` writes ``histories/NAME.json`` for those named, or for all.
"""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from temporalio.testing import WorkflowEnvironment

from engine.running.lines import Line
from tests.workflows.server import start_server
from tests.workflows.stage import Handle, Stage, open_stage
from workflows.payloads import Wake
from workflows.playbook_run import PlaybookRun

HISTORIES: Final = Path(__file__).with_name("histories")

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
    Line("end", "end"),
]
_PERSONAL: Final = frozenset({"stackTrace", "identity"})
_PROCESS: Final = re.compile(r"^\d+@.*$")
Play: TypeAlias = Callable[[Stage], Awaitable[Handle]]


async def by_itself(stage: Stage) -> Handle:
    """Nobody does anything: waits pass, the gate expires."""
    run = await stage.begin()
    await run.result()
    return run


async def approved_after_a_wake(stage: Stage) -> Handle:
    """A wake ends the wait, a person approves, the rest is skipped."""
    run = await stage.begin_by_hand()
    await stage.stands(1)
    await run.signal("wake", Wake("satisfied", "call/wait"))
    await stage.stands(2)
    await stage.act(run, "approve", "yes", 1)
    await stage.stands(3)
    await stage.act(run, "skip", "rest", 2)
    await run.result()
    return run


async def paused_and_cancelled(stage: Stage) -> Handle:
    """Paused, resumed, refused an approval that is not there yet, paused again and cancelled."""
    run = await stage.begin_by_hand()
    await stage.stands(1)
    await stage.act(run, "pause", number=1)
    await stage.forward(run, 8)
    await stage.act(run, "resume", number=2)
    await stage.stands(2)
    await stage.act(run, "pause", number=3)
    await stage.act(run, "cancel", number=4)
    await run.result()
    return run


async def interrupted_on_the_way_out(stage: Stage) -> Handle:
    """A relay that is down, a pause in between, and the same stretch again."""
    run = await stage.begin_by_hand()
    await stage.stands(1)
    stage.recorder.failures = [RuntimeError("the relay is down")]
    await run.signal("wake", Wake("satisfied", "call/wait"))
    await stage.stands(2)
    await asyncio.sleep(0.2)
    await stage.act(run, "pause", number=1)
    await stage.act(run, "resume", number=2)
    await stage.stands(3)
    await run.signal("wake", Wake("exit"))
    await run.result()
    return run


async def failed(stage: Stage) -> Handle:
    """A stretch that can never work."""
    stage.recorder.failures = [KeyError("no such message")]
    run = await stage.begin()
    await run.result()
    return run


async def continued_as_new(stage: Stage) -> Handle:
    """The first part of a run that grew long."""
    run = await stage.begin(longest_history=10)
    await run.result()
    first = run.first_execution_run_id
    return stage.client.get_workflow_handle_for(PlaybookRun.run, run.id, run_id=first)


PLAYS: Final[dict[str, Play]] = {
    play.__name__.replace("_", "-"): play
    for play in (
        by_itself,
        approved_after_a_wake,
        paused_and_cancelled,
        interrupted_on_the_way_out,
        failed,
        continued_as_new,
    )
}


async def record(environment: WorkflowEnvironment, name: str) -> str:
    """Play one history and give it back as JSON."""
    async with open_stage(environment, WHOLE) as stage:
        run = await PLAYS[name](stage)
        return json.dumps(_impersonal((await run.fetch_history()).to_json_dict()), indent=1)


def _impersonal(value: Any) -> Any:
    """Without the paths and the process of whoever recorded it."""
    if isinstance(value, list):
        return [_impersonal(one) for one in value]
    if not isinstance(value, dict):
        return _PROCESS.sub("recorder", value) if isinstance(value, str) else value
    return {key: "" if key in _PERSONAL else _impersonal(one) for key, one in value.items()}


async def main(names: list[str]) -> None:
    """Record the named histories, or all."""
    environment = await start_server()
    try:
        for name in names or PLAYS:
            (HISTORIES / f"{name}.json").write_text(await record(environment, name) + "\n", encoding="utf-8")
    finally:
        await environment.shutdown()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
