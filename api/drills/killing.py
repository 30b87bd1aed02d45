"""Workers that are killed, stopped in their tracks, or replaced, while they write to people (F01, F03, F08, F37)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from threading import Event, Thread
from typing import Final

from sqlalchemy import select

from api.drills import texts
from api.drills.ground import Ground, kill_server
from api.drills.ledger import account_for, done, look_over
from api.drills.processes import until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import OWNER, Site, Web, now
from engine.store import inbox
from engine.store.run_tables import DeliveryRow, RunRow

_PATIENCE: Final = 300.0
_MOVING: Final = 40.0
"""Seconds after a restart in which every run moves again: 30, and the 10 after which a silent attempt is given up."""
_SHOWN: Final = 60.0


@dataclass
class Load:
    """Runs of three letters to one person each, at work in one installation."""

    site: Site
    sink: Sink
    runs: int
    letters: int = 3
    watch: "Watch" = field(init=False)

    @classmethod
    def prepare(cls, ground: Ground, runs: int, address: str, name: str = "site") -> "Load":
        """An installation with accounts of one champion, and as many runs to be asked for."""
        sink: Sink = ground.keep(Sink())
        site = Site(ground, name, address, sink.port)
        site.publish(texts.workspace(texts.letters("mail", 3)))
        site.people(runs, each=1)
        load = cls(site, sink, runs)
        load.watch = Watch(site)
        return load

    def begin(self, wave: int = 0, of: int = 1) -> None:
        """Ask for all runs, or for one wave of so many."""
        keys = list(self.site.accounts)
        self.site.begin("mail", keys[wave * self.runs // of : (wave + 1) * self.runs // of])

    @property
    def taken(self) -> int:
        """How many letters have arrived."""
        return len(self.sink.taken)

    def wait_for_more(self, before: int, patience: float) -> None:
        """Wait until more letters have arrived than before, or all runs are over."""
        until(lambda: self.taken > before or self.site.is_over(), patience)

    def finish(self, found: Found) -> None:
        """Wait until every run has ended, then account for everything."""
        until(self.site.is_over, _PATIENCE)
        self.watch.end()
        account_for(found, self.site, self.sink.delivered, self.runs * self.letters)
        look_over(found, self.site)
        found.counts["runs"] = self.runs
        found.counts["runs_done"] = done(self.site)
        found.require(done(self.site) == self.runs, f"{self.runs - done(self.site)} runs did not end as done")
        found.take("run at a standstill", self.watch.standstills())
        found.take("ambiguous until on the page", self.watch.waits)
        found.require(max(self.watch.waits, default=0.0) <= _SHOWN, "an ambiguous letter was not on the page in 60 s")


class Watch:
    """Looks at the inbox meanwhile: how long after its attempt was cut off did each ambiguous letter show there?"""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cuts: list[float] = []
        self.waits: list[float] = []
        self._seen: set[int] = set()
        self._ended = Event()
        self._thread = Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Something was cut off just now."""
        self.cuts.append(time.time())

    def end(self) -> None:
        """Look a last time."""
        self._ended.set()
        self._thread.join()

    def standstills(self) -> list[float]:
        """The longest time of each run without a letter, between its start and its end."""
        with self.site.store.read() as session:
            runs = session.execute(select(RunRow.id, RunRow.started_at, RunRow.ended_at)).all()
            marks: dict[int, list[datetime]] = {run: [at for at in (began, ended) if at] for run, began, ended in runs}
            for run, at in session.execute(select(DeliveryRow.run_id, DeliveryRow.decided_at)):
                if at is not None:
                    marks[run].append(at)
        return [
            max((b - a).total_seconds() for a, b in pairwise(sorted(each))) for each in marks.values() if len(each) > 1
        ]

    def _look(self) -> None:
        while True:
            last = self._ended.wait(0.5)
            at = time.time()
            with self.site.store.read() as session:
                shown = inbox.inbox(session, OWNER).doubtful
            for one in shown:
                if one.id not in self._seen:
                    self._seen.add(one.id)
                    self.waits.append(at - min((cut for cut in self.cuts if cut >= one.since.timestamp()), default=at))
            if last:
                return


def killed_at_random(ground: Ground) -> Found:
    """F01: kill −9 of the worker at random moments, again and again."""
    load = Load.prepare(ground, ground.pick(200, 8), ground.temporal().address)
    found, kills = Found(), ground.pick(20, 2)
    restarts = kill_again_and_again(ground, load, kills)
    load.finish(found)
    found.counts["kills"] = kills
    moving(found, load.site, restarts)
    return found


def kill_again_and_again(ground: Ground, load: Load, kills: int) -> list[datetime]:
    """Kill the worker so often, each time at a random moment of its sending. Returns when it was started again."""
    restarts = []
    for number in range(kills):
        load.begin(number, kills)
        worker, before = load.site.worker(), load.taken
        load.wait_for_more(before, _PATIENCE)
        time.sleep(ground.random.uniform(0.0, 1.0))
        worker.kill()
        load.watch.cut()
    load.site.worker()
    restarts.append(now())
    return restarts


def moving(found: Found, site: Site, restarts: Sequence[datetime]) -> None:
    """How long after the last restart each run that was under way did something again."""
    last = restarts[-1]
    with site.store.read() as session:
        asked = set(session.scalars(select(RunRow.id).where(RunRow.requested_at < last)))
        marks = select(DeliveryRow.run_id, DeliveryRow.decided_at).where(DeliveryRow.decided_at > last)
        backwards = session.execute(marks.order_by(DeliveryRow.decided_at.desc())).all()
        first = {run: at for run, at in backwards if at is not None}
        waits = [(first[run] - last).total_seconds() for run in first if run in asked]
    found.take("moving again after the last restart", waits)
    found.require(max(waits, default=0.0) <= _MOVING, f"a run needed {max(waits, default=0.0):.0f} s to move again")


def standing_still(ground: Ground) -> Found:
    """F03: a worker stands still for longer than its attempt may be silent, while another one is at work."""
    load = Load.prepare(ground, ground.pick(60, 4), ground.temporal().address)
    found, pauses = Found(), ground.pick(6, 1)
    frozen, _other = load.site.worker(), load.site.worker()
    for number in range(pauses):
        load.begin(number, pauses)
        before = load.taken
        load.wait_for_more(before, 30.0)
        frozen.stand_still()
        load.watch.cut()
        time.sleep(ground.random.uniform(12.0, 16.0))
        frozen.go_on()
    load.finish(found)
    found.counts["pauses"] = pauses
    return found


def all_at_once(ground: Ground) -> Found:
    """F08: worker and Temporal server are killed in the same moment, again and again."""
    server = ground.temporal()
    load = Load.prepare(ground, ground.pick(100, 6), server.address)
    found, kills = Found(), ground.pick(10, 1)
    for number in range(kills):
        load.begin(number, kills)
        worker, before = load.site.worker(), load.taken
        load.wait_for_more(before, 60.0)
        time.sleep(ground.random.uniform(0.0, 1.0))
        worker.kill()
        kill_server(server)
        load.watch.cut()
    load.site.worker()
    restarts = [now()]
    load.finish(found)
    found.counts["kills"] = kills
    moving(found, load.site, restarts)
    return found


def rolling(ground: Ground) -> Found:
    """F37: workers and doors are replaced one after another under load, politely (SIGTERM)."""
    load = Load.prepare(ground, ground.pick(150, 6), ground.temporal().address)
    found, restarts = Found(), ground.pick(20, 2)
    load.begin()
    doors = Doors([load.site.web(), load.site.web()], load.site)
    workers = [load.site.worker(), load.site.worker()]
    clean = 0
    for number in range(restarts):
        before = load.taken
        load.wait_for_more(before, 10.0)
        clean += workers[number % 2].end()
        workers[number % 2] = load.site.worker()
        doors.replace(number % 2)
    doors.end()
    load.finish(found)
    found.counts |= {
        "restarts": restarts * 2,
        "ended_by_themselves": clean,
        "requests": doors.asked,
        "failed": doors.failed,
    }
    found.require(
        found.counts["ambiguous"] == 0, f"{found.counts['ambiguous']} letters are ambiguous after polite restarts"
    )
    found.require(doors.failed == 0, f"{doors.failed} requests failed")
    found.require(clean == restarts, f"{restarts - clean} workers had to be killed")
    return found


class Doors:
    """Two doors, and somebody who asks all the time: at one, and when nobody is there, at the other."""

    def __init__(self, webs: list[Web], site: Site) -> None:
        self.webs = webs
        self.site = site
        self.asked = self.failed = 0
        self._ended = Event()
        self._thread = Thread(target=self._ask, name="doors", daemon=True)
        self._thread.start()

    def replace(self, number: int) -> None:
        """End one door and open it again at the same place."""
        web = self.webs[number]
        web.process.end()
        self.webs[number] = self.site.web_at(web.port)

    def end(self) -> None:
        """Ask no more."""
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(0.02):
            self.asked += 1
            first = self.asked % 2
            statuses = (self.webs[one].get("/v1/health")[0] for one in (first, 1 - first))
            self.failed += not any(status == 200 for status in statuses)
