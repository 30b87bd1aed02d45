"""The doors and the evaluators: API killed while data comes in or a decision is told (F06, F07), evaluators that race
(F20)."""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Final

from sqlalchemy import func, select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import account_for, look_over
from api.drills.member import sign_in
from api.drills.people import GATED
from api.drills.processes import require, until
from api.drills.pushing import push
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import Site, Web, as_json
from engine.store import members
from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import ApprovalRow, RunRow
from engine.store.tables import PointRow

_POINTS: Final = 50
_RULE: Final = """format: 1
rule: low
challenge:
  {title: Nobody uses it, kind: risk, why: Whoever does not use it leaves., owner: cs-ops, review_by: 2099-01-01,
   success: {metric: usage, at_least: 50, within: 30d}}
actions: [{playbook: letter, mode: automatic}]
guard: {cooldown: 30d, max_new_runs: 100000}
existing: enrol
signals:
  low: {metric: usage, threshold: {below: 10}}
when: low
examples:
  - {name: fires below ten, given: {usage: 5}, then: fires}
"""


class Pusher:
    """Somebody who pushes batches, each with a key, and pushes again what was not answered. One batch is one day of one
    metric of fifty accounts, so that what is stored of it can be counted."""

    def __init__(self, web: Web, key: str, accounts: list[str], batches: int) -> None:
        self.web = web
        self.key = key
        self.accounts = accounts
        self.acknowledged: set[int] = set()
        self.attempts = self.refused = 0
        self._left: Iterator[int] = iter(range(batches))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._push, daemon=True) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    @property
    def is_done(self) -> bool:
        """Whether every batch has been acknowledged."""
        return not any(thread.is_alive() for thread in self._threads)

    def wait_for(self, batches: int) -> None:
        """Wait until so many batches have been acknowledged, or all."""
        until(lambda: len(self.acknowledged) >= batches or self.is_done, 60.0)

    def _push(self) -> None:
        while True:
            with self._lock:
                batch = next(self._left, None)
            if batch is None:
                return
            while not self._sent(batch):
                time.sleep(0.1)
            self.acknowledged.add(batch)

    def _sent(self, batch: int) -> bool:
        rows = [
            {"account": key, "metric": "usage", "day": _day(batch).isoformat(), "value": batch} for key in self.accounts
        ]
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"batch-{batch}",
        }
        self.attempts += 1
        status, _ = self.web.send("POST", "/v1/points", as_json({"points": rows}), headers)
        self.refused += status not in {0, 200}
        return status == 200


def _day(batch: int) -> date:
    return datetime.now(UTC).date() - timedelta(days=batch + 2)


def killed_while_data_comes_in(ground: Ground) -> Found:
    """F06: the API is killed while batches come in. What it acknowledged is there; the rest is there whole or not."""
    batches, kills, found = ground.pick(500, 12), ground.pick(25, 2), Found()
    site = Site(ground, "site", "127.0.0.1:1")
    site.publish(texts.workspace())
    site.people(_POINTS, each=1)
    with site.store.begin() as session:
        key = members.new_key(session, "drill", datetime.now(UTC))
    web = site.web()
    pusher = Pusher(web, key, list(site.accounts), batches)
    lost = partial = done = 0
    recovery = []
    for number in range(kills):
        wanted = batches * (number + 1) // (kills + 1)
        pusher.wait_for(wanted)
        time.sleep(ground.random.uniform(0.0, 0.2))
        acknowledged = set(pusher.acknowledged)
        web.process.kill()
        done += not pusher.is_done
        stored = _stored(site)
        lost += sum(stored[batch] != _POINTS for batch in acknowledged)
        partial += sum(rows not in {0, _POINTS} for rows in stored.values())
        began = time.monotonic()
        web = site.web_at(web.port)
        recovery.append(time.monotonic() - began)
    until(lambda: pusher.is_done, 120.0)
    _count(found, site, pusher, batches, {"kills": kills, "kills_at_work": done, "lost": lost, "partial": partial})
    found.take("until the API answers again", recovery)
    web.process.end()
    _columns(found, site)
    look_over(found, site)
    return found


def _stored(site: Site) -> Counter[int]:
    """How many points of each batch are stored; a batch is told by its value."""
    with site.store.read() as session:
        rows = session.execute(select(PointRow.value, func.count()).group_by(PointRow.value)).all()
    return Counter({int(value): rows_of for value, rows_of in rows})


def _count(found: Found, site: Site, pusher: Pusher, batches: int, counts: dict[str, int]) -> None:
    stored = _stored(site)
    doubled = sum(max(0, rows - _POINTS) for rows in stored.values())
    found.counts |= {"batches": batches, "acknowledged": len(pusher.acknowledged), "attempts": pusher.attempts}
    found.counts |= {**counts, "doubled_rows": doubled, "answers_5xx_or_4xx": pusher.refused}
    found.require(len(pusher.acknowledged) == batches, f"{batches - len(pusher.acknowledged)} batches were never taken")
    found.require(counts["lost"] == 0, f"{counts['lost']} acknowledged batches were not there after a kill")
    found.require(counts["partial"] == 0, f"{counts['partial']} batches were there in part after a kill")
    found.require(stored.total() == batches * _POINTS, f"{stored.total()} points are stored, not {batches * _POINTS}")


def _columns(found: Found, site: Site) -> None:
    """I7: the columns, made from the trail that writing leaves, say the same as the points."""
    process = site.run("columns", "--json")
    until(lambda: not process.is_alive, 60.0)
    said = json.loads(process.said().strip().splitlines()[-1])
    found.counts["points_that_differ_in_columns"] = said["differing"]
    found.require(said["differing"] == 0, f"I7: {said['differing']} points differ between columns and database")


def killed_after_a_decision(ground: Ground) -> Found:
    """F07: the API dies between the commit of a decision and its answer. The decision takes effect, once."""
    runs, found = ground.pick(5, 1), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(texts.workspace(texts.playbook("gated", GATED)))
    site.people(runs, each=1)
    site.begin("gated")
    site.worker()
    require(lambda: len(_approvals(site)) == runs, 120.0, "not all approvals were asked for")
    unanswered, again = 0, Counter[int]()
    for number, version in _approvals(site).items():
        web = site.web("after_decision")
        unanswered += _approve(site, web, number, version) == 0
        web.process.wait()
        web = site.web()
        again[_approve(site, web, number, version)] += 1
        web.process.end()
    until(site.is_over, 120.0)
    account_for(found, site, sink.delivered, runs)
    look_over(found, site)
    found.counts |= {"decisions": runs, "killed_before_the_answer": unanswered, "told_it_was_decided": again[409]}
    found.require(unanswered == runs, f"only {unanswered} of {runs} clicks met the crash")
    found.require(again[409] == runs, f"the second click was answered with {dict(again)}")
    return found


def _approvals(site: Site) -> dict[int, int]:
    with site.store.read() as session:
        return {one.id: one.version for one in session.scalars(select(ApprovalRow))}


def _approve(site: Site, web: Web, number: int, version: int) -> int:
    return sign_in(site).post(web, f"/approvals/{number}/approve", version=version, reason="a drill")[0]


def evaluators_race(ground: Ground) -> Found:
    """F20: ten processes evaluate the same portfolio in the same moment. One decision and one run for each account."""
    accounts, racers, found = ground.pick(1000, 40), ground.pick(10, 3), Found()
    site = Site(ground, "site", "127.0.0.1:1")
    site.publish(texts.workspace(texts.letters("letter", 1), {"rules/adoption/low.yaml": _RULE}))
    site.people(accounts, each=1)
    push(site, dict.fromkeys(site.accounts, 5.0))
    gate = site.folder / "gate"
    words = [sys.executable, "-m", "api.drills.evaluating", str(gate)]
    numbers = count(1)
    started = [
        ground.start(words, site.environment, site.folder / "logs" / f"evaluator-{next(numbers)}.log")
        for _ in range(racers)
    ]
    require(lambda: len(list(site.folder.glob("gate.*"))) == racers, 120.0, "the evaluators did not come up")
    began = time.monotonic()
    gate.touch()
    until(lambda: not any(one.is_alive for one in started), 240.0)
    with site.store.read() as session:
        starts = Counter(session.scalars(select(DecisionRow.account_id).where(DecisionRow.kind == "start")))
        runs = Counter(session.scalars(select(RunRow.account_id)))
    said = [one.said().strip().splitlines()[-1:] for one in started]
    found.counts |= {"accounts": accounts, "evaluators": racers, "starts": starts.total(), "runs": runs.total()}
    found.counts |= {"accounts_twice": sum(one > 1 for one in (*starts.values(), *runs.values()))}
    found.counts["stopped"] = sum("stopped" in line for lines in said for line in lines)
    found.take("all of them", [time.monotonic() - began])
    found.require(len(starts) == accounts, f"{accounts - len(starts)} accounts were not decided")
    found.require(found.counts["accounts_twice"] == 0, f"{found.counts['accounts_twice']} accounts were started twice")
    crashed = [one.said()[-200:] for one in started if "Traceback" in one.said()]
    found.require(not crashed, f"{len(crashed)} evaluators crashed: {crashed[:1]}")
    look_over(found, site, open_runs=accounts)
    return found
