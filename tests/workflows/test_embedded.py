"""The embedded server: one owner, restarted when it dies, ended when we end, and nothing lost in between."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import Refused, Unavailable
from workflows.client import connect
from workflows.embedded import EmbeddedServer

_OWNER = """
import os, sys
from workflows.embedded import EmbeddedServer
EmbeddedServer(sys.argv[1]).start()
os.kill(os.getpid(), 9)
"""

pytestmark = pytest.mark.temporal


def pid(folder: Path) -> int:
    text = (folder / "temporal.pid").read_text(encoding="utf-8")
    return int(text.split(":")[1].split(",")[0])


def alive(number: int) -> bool:
    """Whether the process runs; one that has ended may stay listed until its parent looks."""
    asked = subprocess.run(["/bin/ps", "-o", "stat=", "-p", str(number)], capture_output=True, check=False, text=True)
    return asked.stdout.strip() != "" and not asked.stdout.startswith("Z")


async def test_it_is_started_again_when_it_is_killed(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    address = await asyncio.to_thread(server.start)
    try:
        client = await connect(address)
        first = pid(tmp_path)
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(60):
            while pid(tmp_path) == first:  # noqa: ASYNC110 # another process changes the file
                await asyncio.sleep(0.05)
            # It answers before it serves: until then it says that it is not healthy yet.
            while not await client.service_client.check_health(timeout=None, retry=True):  # noqa: ASYNC110 # as above
                await asyncio.sleep(0.05)
    finally:
        await asyncio.to_thread(server.stop)
    assert not (tmp_path / "temporal.pid").exists()


def test_a_second_owner_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path), pytest.raises(Refused, match=r"already runs .* --data"):
        EmbeddedServer(tmp_path).start()


def test_a_child_whose_owner_was_killed_is_replaced(tmp_path: Path) -> None:
    owner = subprocess.run(
        [
            sys.executable,
            "-c",
            _OWNER,
            str(tmp_path),
        ],
        check=False,
        timeout=60,
    )
    assert owner.returncode == -signal.SIGKILL
    orphan = pid(tmp_path)
    assert alive(orphan)
    with EmbeddedServer(tmp_path):
        assert pid(tmp_path) != orphan
        assert not alive(orphan)


async def test_nobody_at_the_address_is_said_in_a_sentence() -> None:
    with pytest.raises(Unavailable, match=r"nobody answers at 127\.0\.0\.1:9, .* BACKCAST_TEMPORAL_ADDRESS"):
        await connect("127.0.0.1:9", patience=0)
