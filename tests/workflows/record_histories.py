"""Records the histories that every later version of the workflow must replay, from real runs on the real server.

Run it by hand after a change that adds commands on purpose (with `workflow.patched`), and keep the old files:
``python -m tests.workflows.record_histories NAME...`` writes ``histories/NAME.json`` for those named, or for all.
"""

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from temporalio.testing import WorkflowEnvironment

from tests.workflows.plays import PLAYS
from tests.workflows.server import start_server
from tests.workflows.stage import open_stage

HISTORIES: Final = Path(__file__).with_name("histories")
_PERSONAL: Final = frozenset({"stackTrace", "identity"})
_PROCESS: Final = re.compile(r"^\d+@.*$")


async def record(environment: WorkflowEnvironment, name: str) -> str:
    """Play one history and give it back as JSON."""
    lines, act = PLAYS[name]
    async with open_stage(environment, lines) as stage, asyncio.timeout(60):
        run = await act(stage)
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
