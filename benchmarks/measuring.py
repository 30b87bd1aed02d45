"""How a benchmark measures: CPU seconds in interleaved rounds, and peak memory of a process of its own.

CPU seconds of the whole process, all threads, are what is compared: they depend on other work on the machine far less
than time on the clock. Every contender runs once a round, so that a slow minute is slow for all.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent


def interleaved(contenders: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of each contender, ``best`` and ``median`` of ``rounds``."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            started = process_time()
            contender()
            taken[name].append(process_time() - started)
    return {name: {"best": min(seconds), "median": median(seconds)} for name, seconds in taken.items()}


def apart(module: str, *arguments: str) -> dict[str, Any]:
    """What ``python -m <module> <arguments>`` prints as JSON, from a process of its own."""
    done = subprocess.run(  # noqa: S603 # our own modules
        [sys.executable, "-m", module, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def peak_mb() -> float:
    """The most memory this process has ever had in use, in MB. Not what its parent had, as ``getrusage`` would say."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise SystemExit("peak memory is read from /proc/self/status, which this machine does not have")
