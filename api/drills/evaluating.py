"""One evaluation cycle in a process of its own, which begins when a file appears: for the drill in which ten race."""

import os
import sys
import time
from pathlib import Path

from engine.errors import EngineError
from engine.settings import Settings
from engine.store.sessions import connect
from workflows.activities.cycle import Cycles
from workflows.payloads import CycleInput


def main(gate: str) -> int:
    """Wait for the gate to open, run one cycle, and say how many starts it decided."""
    settings = Settings()
    store = connect(settings.database)
    cycles = Cycles(store, settings.day_seconds)
    Path(f"{gate}.{os.getpid()}").touch()
    while not Path(gate).exists():
        time.sleep(0.005)
    try:
        print(f"starts {cycles.evaluate(CycleInput()).starts}", flush=True)  # noqa: T201 # read by the drill
    except EngineError as error:
        print(f"stopped: {error}", flush=True)  # noqa: T201 # the same
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
