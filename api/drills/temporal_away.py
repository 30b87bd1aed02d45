"""Temporal is killed again and again (F04), or away for long (F05): nothing is lost, and the doors stay open."""

import time
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from threading import Event, Thread
from typing import Final

from sqlalchemy import func, select

from api.drills import texts
from api.drills.ground import Ground, kill_server
from api.drills.ledger import account_for, done, look_over
from api.drills.member import Browser, sign_in
from api.drills.people import GATED
from api.drills.processes import require, until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import Site, Web, as_json, now
from engine.store import members, outbox
from engine.store.run_tables import ApprovalRow, DeliveryRow, RunRow

_PATIENCE: Final = 240.0
_STEPS: Final = """  - email: {to: champion, message: hello}
  - wait: {at_most: 1d}
  - email: {to: champion, message: hello}
"""
_DAY: Final = 8.0
"""Seconds of a day on the runs' clock: how long each of them waits between its letters."""


def killed(ground: Ground) -> Found:
    """F04: kill −9 of the Temporal server while runs start, wait and write. Timers fire late, never not."""
    runs, kills, found = ground.pick(200, 6), ground.pick(10, 1), Found()
    sink: Sink = ground.keep(Sink())
    server = ground.temporal()
    site = Site(ground, "site", server.address, sink.port, day_seconds=_DAY)
    site.publish(texts.workspace(texts.playbook("twice", _STEPS)))
    site.people(runs, each=1)
    site.worker()
    keys, depth = list(site.accounts), 0
    for number in range(kills):
        site.begin("twice", keys[number * runs // kills : (number + 1) * runs // kills])
        time.sleep(ground.random.uniform(0.5, 2.5))
        kill_server(server)
        time.sleep(0.3)
        depth = max(depth, _waiting(site))
    until(site.is_over, _PATIENCE)
    account_for(found, site, sink.delivered, runs * 2)
    look_over(found, site)
    found.counts |= {"runs": runs, "runs_done": done(site), "kills": kills, "outbox_at_most": depth}
    early = _early(site)
    found.counts["timers_too_early"] = early
    found.take("between the letters of a run (8 s, when nothing is broken)", _gaps(site))
    found.require(done(site) == runs, f"{runs - done(site)} runs did not end as done")
    found.require(early == 0, f"{early} waits ended too early")
    return found


def _waiting(site: Site) -> int:
    with site.store.read() as session:
        return outbox.depth(session)


def _gaps(site: Site) -> list[float]:
    """Seconds between the first and the second letter of each run."""
    sent: dict[int, list[datetime]] = {}
    with site.store.read() as session:
        for run, at in session.execute(select(DeliveryRow.run_id, DeliveryRow.decided_at)):
            if at is not None:
                sent.setdefault(run, []).append(at)
    return [(b - a).total_seconds() for each in sent.values() for a, b in pairwise(sorted(each))]


def _early(site: Site) -> int:
    """Letters behind the wait that went less than a day after their run had begun."""
    with site.store.read() as session:
        rows = session.execute(
            select(RunRow.started_at, func.max(DeliveryRow.decided_at))
            .join(DeliveryRow, DeliveryRow.run_id == RunRow.id)
            .group_by(RunRow.id)
        ).all()
    return sum((last - began).total_seconds() < _DAY for began, last in rows if began and last)


class Knocking:
    """Somebody who pushes points, opens pages and starts runs meanwhile; counts the answers that are failures."""

    def __init__(self, site: Site, web: Web, key: str) -> None:
        self.site = site
        self.web = web
        self.key = key
        self.asked = self.failed = 0
        self.slowest = 0.0
        self._browser: Browser = sign_in(site)
        self._ended = Event()
        self._thread = Thread(target=self._knock, name="knocking", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Knock no more."""
        self._ended.set()
        self._thread.join()

    def _knock(self) -> None:
        row = {"account": "account-0", "metric": "usage", "day": now().date().isoformat(), "value": 1}
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        while not self._ended.wait(0.1):
            for status in (
                self._timed(lambda: self.web.send("POST", "/v1/points", as_json({"points": [row]}), headers)),
                self._timed(lambda: self._browser.get(self.web, "/inbox")),
                self._timed(lambda: self.web.get("/v1/health")),
            ):
                self.asked += 1
                self.failed += status >= 500 or status == 0

    def _timed(self, ask: Callable[[], tuple[int, str]]) -> int:
        began = time.monotonic()
        status = ask()[0]
        self.slowest = max(self.slowest, time.monotonic() - began)
        return status


def away(ground: Ground) -> Found:
    """F05: Temporal is down. Points are taken, pages open, decisions are kept; afterwards everything is carried out."""
    runs, seconds, found = ground.pick(100, 4), ground.pick(60, 8), Found()
    sink: Sink = ground.keep(Sink())
    server = ground.temporal()
    site = Site(ground, "site", server.address, sink.port)
    site.publish(texts.workspace(texts.playbook("gated", GATED), texts.letters("letter", 1)))
    site.people(runs, each=1)
    with site.store.begin() as session:
        key = members.new_key(session, "drill", now())
    site.worker()
    web = site.web()
    site.begin("gated")
    require(lambda: len(_approvals(site)) == runs, 120.0, "not all approvals were asked for")
    server.stop()
    knocking, browser = Knocking(site, web, key), sign_in(site)
    began = time.monotonic()
    site.begin("letter")
    clicks = [
        browser.post(web, f"/approvals/{number}/approve", version=version, reason="a drill")[0]
        for number, version in _approvals(site).items()
    ]
    until(lambda: time.monotonic() - began > seconds, seconds + 5.0)
    depth, banner = _waiting(site), _banner(browser, web)
    server.start()
    back = time.monotonic()
    until(lambda: _waiting(site) == 0, _PATIENCE)
    found.take("until the outbox is empty again", [time.monotonic() - back])
    until(site.is_over, _PATIENCE)
    knocking.end()
    account_for(found, site, sink.delivered, runs * 2)
    look_over(found, site)
    found.counts |= {"runs": runs * 2, "seconds_away": seconds, "outbox": depth, "requests": knocking.asked}
    found.counts |= {"failed_requests": knocking.failed, "decisions_taken": sum(one == 200 for one in clicks)}
    found.take("the slowest answer meanwhile", [knocking.slowest])
    found.require(knocking.failed == 0, f"{knocking.failed} requests failed")
    found.require(all(one == 200 for one in clicks), "a decision was not taken while Temporal was away")
    found.require(depth >= runs * 2, f"the outbox held {depth} messages, not {runs * 2}")
    found.require(banner or seconds < 35, "no page says that what was decided waits")
    return found


def _approvals(site: Site) -> dict[int, int]:
    with site.store.read() as session:
        return {one.id: one.version for one in session.scalars(select(ApprovalRow))}


def _banner(browser: Browser, web: Web) -> bool:
    """Whether the pages say that Temporal does not hear what is decided."""
    return "Temporal" in browser.get(web, "/inbox")[1]
