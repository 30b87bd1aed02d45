"""Runs: what one costs, ten thousand released at once, and fifty thousand that wait.

    python -m benchmarks.runs [--quick] [--released N] [--waiting N]

The cost is measured on a server of its own (`runs_cost`). The rest is the whole application, ``backcast serve`` on a
new SQLite database: all runs are requested in one transaction, as a cycle would; meanwhile an owner opens their inbox
again and again and, when half of the runs have started, somebody starts one by hand that sends a message. Then more
runs are started until as many wait as are to; the application is ended, a member skips a wait of one of them, and the
clock runs from the start of the application until that run is over.
"""

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter, sleep
from typing import Any, Final

import numpy as np
from sqlalchemy import func, select

from benchmarks.measuring import apart
from benchmarks.runs_site import Served, cookie, installation, until
from engine.definitions.bundle import Bundle
from engine.store import accounts, acts, runs
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.runs import Wanted
from engine.store.sessions import Store
from engine.terms import DeliveryState, Mode, RunAct, RunState

goals: Final[Mapping[str, tuple[str, float]]] = {
    "history_events": ("<=", 8),
    "cpu_ratio": ("<=", 1.5),
    "inbox_p95_s": ("<", 1.0),
    "urgent_sent_s": ("<=", 5.0),
}


def run(*, quick: bool = False, released: int | None = None, waiting: int | None = None) -> dict[str, Any]:
    """The cost of one run, and the figures of many."""
    cost = apart("benchmarks.runs_cost", *(["--quick"] if quick else []))
    first = released or (300 if quick else 10_000)
    last = max(waiting or (400 if quick else 50_000), first)
    with installation(last) as (folder, store, bundle):
        served = Served(folder)
        try:
            served.start()
            figures = _release(served, store, bundle, first)
            figures |= _waiting(served, store, bundle, first, last)
        finally:
            served.stop()
    return cost | figures


def _release(served: Served, store: Store, bundle: Bundle, count: int) -> dict[str, Any]:
    session_cookie = cookie(store, "owner-0@cs.example")
    at_rest = [served.get("/inbox", session_cookie) for _ in range(5)]
    before = served.memory("VmRSS")
    cpu, began = served.cpu(), perf_counter()
    _request(store, bundle, range(count))
    urgent = _Urgent(store, bundle)
    seen: list[float] = []
    while (started := _started(store)) < count:
        seen.append(served.get("/inbox", session_cookie))
        if started >= count // 2:
            urgent.look()
        sleep(0.05)
    took = perf_counter() - began
    until(urgent.look, 120)
    return {
        "released": count,
        "released_in_s": round(took, 1),
        "released_per_s": round(count / took, 1),
        "released_cpu_ms_each": round(1_000 * (served.cpu() - cpu) / count, 1),
        "inbox_at_rest_s": round(float(np.median(at_rest)), 3),
        "inbox_p50_s": round(float(np.median(seen)), 3),
        "inbox_p95_s": round(float(np.percentile(seen, 95)), 3),
        "inbox_looks": len(seen),
        "urgent_sent_s": round(urgent.took, 2),
        **{f"{name}_before_mb": size for name, size in before.items()},
        **{f"{name}_peak_mb": size for name, size in served.memory("VmHWM").items()},
    }


class _Urgent:
    """A run that somebody starts by hand in the middle, for an account of its own; when its message was sent."""

    def __init__(self, store: Store, bundle: Bundle) -> None:
        self._store, self._bundle = store, bundle
        self._began = 0.0
        self._run = 0
        self.took = 0.0

    def look(self) -> bool:
        """Start it, or see whether its message has gone."""
        if not self._run:
            with self._store.begin() as session:
                account = accounts.ids(session, ["a0"])["a0"]
                at = datetime.now(UTC)
                self._run = runs.start_by_hand(
                    session, self._bundle, account, "save", "owner-0@cs.example", "it burns", at, 86_400.0
                )
            self._began = perf_counter()
        sent = select(func.count()).where(
            DeliveryRow.run_id == self._run, DeliveryRow.state == DeliveryState.SENT.value
        )
        with self._store.read() as session:
            has_gone = bool(session.scalar(sent))
        if has_gone and not self.took:
            self.took = perf_counter() - self._began
        return has_gone


def _waiting(served: Served, store: Store, bundle: Bundle, first: int, last: int) -> dict[str, Any]:
    _request(store, bundle, range(first, last))
    until(lambda: _started(store) >= last, pause=1.0)
    served.stop()
    with store.begin() as session:
        one = (
            session.scalars(select(RunRow.id).where(RunRow.playbook == "wait").order_by(RunRow.id.desc())).first() or 0
        )
        at = datetime.now(UTC)
        acts.request(session, one, RunAct.SKIP, member="owner-0@cs.example", reason="enough", at=at)
    began = perf_counter()
    answers = served.start()
    until(lambda: _state(store, one) is RunState.DONE, pause=0.02)
    return {
        "waiting": last,
        "restart_answers_s": round(answers, 2),
        "restart_first_action_s": round(perf_counter() - began, 2),
        **{f"waiting_{name}_mb": size for name, size in served.memory("VmRSS").items()},
        **{f"{name}_db_mb": size for name, size in served.disk_mb().items()},
    }


def _request(store: Store, bundle: Bundle, numbers: range) -> None:
    if not numbers:
        return
    with store.begin() as session:
        keys = [f"a{number}" for number in numbers]
        ids = accounts.ids(session, keys)
        wanted = [Wanted(ids[key], "wait", Mode.AUTOMATIC) for key in keys]
        runs.request_all(session, bundle, wanted, 86_400.0, datetime.now(UTC))


def _started(store: Store) -> int:
    stands = select(func.count()).where(RunRow.playbook == "wait", RunRow.state == RunState.WAITING.value)
    with store.read() as session:
        return session.scalar(stands) or 0


def _state(store: Store, run_id: int) -> RunState:
    with store.read() as session:
        return runs.find(session, run_id).state


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--released", type=int)
    parser.add_argument("--waiting", type=int)
    print(json.dumps(run(**vars(parser.parse_args()))))


if __name__ == "__main__":
    main()
