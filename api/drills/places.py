"""F02: the worker is killed at named places of a step, started again, and everything it had to do is accounted for.

Each place has a database, a Temporal namespace and workers of its own. In each the worker dies once per kind of step;
then one that lives finishes everything.
"""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sqlalchemy import func, select

from api.drills import calls, texts
from api.drills.ground import Ground
from api.drills.hooks import Hooks
from api.drills.ledger import Entry, account_for, entries, look_over, states
from api.drills.processes import until
from api.drills.result import Figure, Found
from api.drills.sink import Sink
from api.drills.site import Site
from engine.errors import Unavailable
from engine.store.run_tables import TaskRow
from engine.terms import DeliveryState, RunState
from workflows.crash_points import PLACES, Place

_PATIENCE: Final = 300.0
_WIRE: Final[frozenset[Place]] = frozenset({"before_dot", "after_dot", "after_reply"})
"""Killed here, nobody can know whether it arrived. A step that only writes has no such place."""

_STEPS: Final = {"mail": "email", "webhook": "webhook", "task": "task", "report": "report"}
_SENDS: Final = {"mail": 4, "webhook": 1, "task": 0, "report": 2}
"""Deliveries of a run: two letters to two people, one call, none, one letter to two people."""


def killed_at_places(ground: Ground) -> Found:
    """Kill a worker at each place of each kind of step."""
    places = PLACES if not ground.small else ("after_dot", "before_result")
    kinds = tuple(_STEPS) if not ground.small else ("mail", "task")
    runs = ground.pick(5, 1)
    sink: Sink = ground.keep(Sink())
    hooks: Hooks = ground.keep(Hooks())
    server = ground.temporal(*(_namespace(place) for place in places))
    sites = [_site(ground, place, server.address, sink.port, hooks.port) for place in places]
    found = Found()
    with ThreadPoolExecutor(len(sites)) as beside:
        killed = list(beside.map(lambda pair: _kill(pair[0], pair[1], kinds, runs), zip(sites, places, strict=True)))
    for site, place, crashed in zip(sites, places, killed, strict=True):
        _judge(found, site, place, crashed, sink.delivered + hooks.delivered)
    return found


def _site(ground: Ground, place: Place, address: str, relay: int, hook: int) -> Site:
    more = calls.settings({"ok": hook})
    site = Site(ground, place, address, relay, more, calls.SHORT_DAY, _namespace(place))
    site.publish(
        texts.workspace(
            texts.letters("mail", 2),
            texts.playbook("task", "  - task: {title: Call them, to: owner}"),
            texts.playbook("report", "  - report: {use: drilled, share_with: champion, expires: 30d}"),
            calls.files("webhook", hook),
        )
    )
    return site


def _namespace(place: Place) -> str:
    return place.replace("_", "-")


def _kill(site: Site, place: Place, kinds: tuple[str, ...], runs: int) -> Mapping[str, list[int]]:
    """Have a worker die once for each kind of step that has the place, then finish. Returns the runs of each kind."""
    site.people(runs)
    began: dict[str, list[int]] = {}
    for kind in kinds:
        if kind == "task" and place in _WIRE:
            continue
        worker = site.worker(f"{place}@{_STEPS[kind]}")
        began[kind] = site.begin(kind)
        if not worker.wait(_PATIENCE):
            raise Unavailable(f"no worker came by {place} of a {kind}")
    site.worker()
    until(site.is_over, _PATIENCE)
    return began


def _judge(found: Found, site: Site, place: Place, began: Mapping[str, list[int]], delivered: Counter[str]) -> None:
    ledger = entries(site)
    expected = sum(_SENDS[kind] * len(runs) for kind, runs in began.items())
    account_for(found, site, delivered, expected)
    look_over(found, site)
    for kind, runs in began.items():
        row = _row(site, kind, runs, [one for one in ledger if one.run in runs], delivered)
        found.rows.append({"killed_at": place, "step": kind, **row})
        wrong = row["twice"] or row["lost"] or row["not_sent"]
        doubtful = bool(row["ambiguous"]) if place in _WIRE and kind != "webhook" else True
        found.require(not wrong, f"{place}: a {kind} was not done exactly once: {row}")
        found.require(doubtful, f"{place}: the {kind} that was on the wire is not listed as ambiguous")
    ended = states(site)
    found.require(set(ended) == {RunState.DONE.value}, f"{place}: runs did not end as done: {dict(ended)}")


def _row(site: Site, kind: str, runs: list[int], ledger: list[Entry], delivered: Counter[str]) -> dict[str, Figure]:
    if kind == "task":
        with site.store.read() as session:
            per_run = select(func.count()).where(TaskRow.run_id.in_(runs)).group_by(TaskRow.run_id)
            counts = list(session.scalars(per_run))
        given, twice = sum(counts), sum(count > 1 for count in counts)
        nothing = {"not_sent": 0, "ambiguous": 0}
        return {"expected": len(runs), "done": given, "twice": twice, "lost": len(runs) - len(counts), **nothing}
    count = Counter(one.state for one in ledger)
    settled = count[DeliveryState.SENT] + count[DeliveryState.NOT_SENT] + count[DeliveryState.AMBIGUOUS]
    return {
        "expected": _SENDS[kind] * len(runs),
        "done": count[DeliveryState.SENT],
        "twice": sum(delivered[one.message_id] > 1 + one.retries for one in ledger),
        "lost": _SENDS[kind] * len(runs) - settled,
        "not_sent": count[DeliveryState.NOT_SENT],
        "ambiguous": count[DeliveryState.AMBIGUOUS],
    }
