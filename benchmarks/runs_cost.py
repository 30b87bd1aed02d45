"""What one run costs on Temporal, against an empty workflow with one local activity, interleaved.

    python -m benchmarks.runs_cost [--quick]

One embedded server, one worker with the settings of ours. ``run`` is a run of three instant steps as it is: its stretch
reads the definitions and writes tasks, steps and the run's state into SQLite. ``steering`` is the same run with an
activity that does nothing, ``empty`` a workflow that only calls that. CPU seconds of the server and of this process.
"""

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from benchmarks.runs_site import cpu_of, installation
from engine.running.lines import Line, compile_lines
from engine.store import accounts, runs
from engine.store.runs import Wanted
from engine.terms import Mode
from workflows.activities.stretch import Stretches
from workflows.activity_options import RUN_STRETCH
from workflows.channels.file import FileChannel
from workflows.client import connect
from workflows.embedded import EmbeddedServer
from workflows.payloads import RunInput, StretchInput, StretchResult
from workflows.playbook_run import PlaybookRun

_BESIDE: Final = 16


@workflow.defn
class Empty:
    """The least a workflow can do: one local activity."""

    @workflow.run
    async def run(self) -> None:
        """Call it."""
        await workflow.execute_local_activity(nothing, start_to_close_timeout=timedelta(seconds=20))


@activity.defn
def nothing() -> None:
    """Do nothing."""


class Idle:
    """A stretch that goes to the end without doing anything."""

    def __init__(self, last: int) -> None:
        self.last = last

    @activity.defn(name=RUN_STRETCH)
    def run_stretch(self, _wanted: StretchInput) -> StretchResult:
        """Say that the run is over."""
        return StretchResult(self.last, "end")


def measure(*, quick: bool) -> dict[str, Any]:
    """CPU milliseconds of one run by contender (median of rounds), their ratios to ``empty``, and a run's events."""
    count, rounds = (20, 2) if quick else (200, 7)
    with installation(count * (rounds + 1)) as (folder, store, bundle):
        with store.begin() as session:
            keys = [f"a{number}" for number in range(count * (rounds + 1))]
            known = accounts.ids(session, keys)
            wanted = [Wanted(known[key], "three", Mode.AUTOMATIC) for key in keys]
            ids = runs.request_all(session, bundle, wanted, 86_400.0, datetime.now(UTC))
        stretches = Stretches(store, FileChannel(folder / "out"), "", "cs@cs.example")
        lines = list(compile_lines(bundle.playbooks["three"], Mode.AUTOMATIC))
        server = EmbeddedServer(folder / "temporal")
        with server as address:
            found = asyncio.run(_measured(address, _pid(folder), stretches.run_stretch, lines, ids, count, rounds))
    each = {name: median(taken) for name, taken in found["cpu"].items()}
    return {
        "history_events": found["events"],
        **{f"{name}_cpu_ms": round(1_000 * taken / count, 2) for name, taken in each.items()},
        "cpu_ratio": round(each["run"] / each["empty"], 2),
        "steering_cpu_ratio": round(each["steering"] / each["empty"], 2),
    }


async def _measured(
    address: str, server: int, stretch: Callable[..., Any], lines: list[Line], ids: list[int], count: int, rounds: int
) -> dict[str, Any]:
    client = await connect(address)
    contenders = _contenders(client, lines)
    cpu: dict[str, list[float]] = {name: [] for name in contenders}
    with ThreadPoolExecutor(20) as threads:
        async with (
            _worker(client, "real", [stretch, nothing], threads),
            _worker(client, "idle", [Idle(len(lines) - 1).run_stretch], threads),
        ):
            for turn in range(rounds + 1):
                some = ids[turn * count : (turn + 1) * count]
                for name, contender in contenders.items():
                    taken = await _taken(contender, some, server)
                    cpu[name] += [taken] if turn else []  # the first round warms everybody up
            history = await client.get_workflow_handle(f"real:{ids[0]}").fetch_history()
    return {"cpu": cpu, "events": len(history.events)}


def _contenders(client: Client, lines: list[Line]) -> Mapping[str, Callable[[int], Coroutine[Any, Any, None]]]:
    """What starts one workflow and waits for its end, by the number it is given."""

    async def one_run(queue: str, number: int) -> None:
        handle = await client.start_workflow(
            PlaybookRun.run,
            RunInput(number, lines),
            id=f"{queue}:{number}",
            task_queue=queue,
            request_eager_start=True,
        )
        await handle.result()

    async def one_empty(number: int) -> None:
        handle = await client.start_workflow(
            Empty.run, id=f"empty:{number}", task_queue="real", request_eager_start=True
        )
        await handle.result()

    return {
        "empty": one_empty,
        "steering": lambda number: one_run("idle", number),
        "run": lambda number: one_run("real", number),
    }


async def _taken(contender: Callable[[int], Coroutine[Any, Any, None]], numbers: list[int], server: int) -> float:
    """CPU seconds of the server and of this process until all are through."""
    slots = asyncio.Semaphore(_BESIDE)

    async def one(number: int) -> None:
        async with slots:
            await contender(number)

    began = cpu_of(server) + process_time()
    await asyncio.gather(*(one(number) for number in numbers))
    await asyncio.sleep(0.3)  # the server writes a little after it has answered
    return cpu_of(server) + process_time() - began


def _worker(client: Client, queue: str, activities: list[Callable[..., Any]], threads: ThreadPoolExecutor) -> Worker:
    return Worker(
        client,
        task_queue=queue,
        build_id="benchmark",
        workflows=[PlaybookRun, Empty],
        activities=activities,
        activity_executor=threads,
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_workflow_tasks=20,
        max_concurrent_local_activities=20,
        max_concurrent_activities=20,
    )


def _pid(folder: Path) -> int:
    return int(json.loads((folder / "temporal" / "temporal.pid").read_text(encoding="utf-8"))["pid"])


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    print(json.dumps(measure(quick=parser.parse_args().quick)))


if __name__ == "__main__":
    main()
