"""Playbooks that change under open runs (F23), a message that cannot be written (F32), a very long life (F33)."""

import asyncio
from typing import Any, Final

from sqlalchemy import func, select, update
from temporalio.client import Client

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import account_for, done, look_over, states
from api.drills.processes import require, until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import Site
from engine.store.run_tables import RunRow, TaskRow
from engine.store.tables import ContactRow
from engine.terms import RunState
from workflows.client import connect
from workflows.outbox import run_key
from workflows.payloads import Wake

_PATIENCE: Final = 300.0
_LONG: Final = 2_500
"""Signals after which a history has been cut for certain."""
_FORGED: Final = "=?utf-8?q?Ann?="
_FIRST, _SECOND = "The first version", "The second version"
_WAITED: Final = "  - wait: {at_most: 1d}\n  - email: {to: champion, message: hello}\n"
_SECOND_STEPS: Final = "  - email: {to: champion, message: hello}\n  - task: {title: Call them, to: owner}\n"


def _book(name: str, steps: str, subject: str, message: str = "hello") -> dict[str, str]:
    files = texts.playbook(name, steps.replace("hello", message), messages=(message,))
    return {path: subject + text[text.index("\n") :] if path.endswith(".md") else text for path, text in files.items()}


def changed_under_open_runs(ground: Ground) -> Found:
    """F23: one playbook is edited, one deleted, of one the message is renamed, while all their runs wait."""
    each, found = ground.pick(167, 3), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port, day_seconds=ground.pick(75, 12))
    names = ("edited", "deleted", "renamed")
    site.publish(texts.workspace(*(_book(name, _WAITED, _FIRST) for name in names)))
    site.people(each * 3 + 5, each=1)
    keys = list(site.accounts)
    worker = site.worker()
    for number, name in enumerate(names):
        site.begin(name, keys[number * each : (number + 1) * each])
    require(lambda: _in_wait(site) == each * 3, 120.0, "not all runs came to their wait")
    second = _book("edited", _SECOND_STEPS, _SECOND) | _book("renamed", _SECOND_STEPS, _SECOND, "renamed")
    site.publish(texts.workspace(second))
    worker.end()
    waiting = _in_wait(site)
    site.worker()
    fresh = site.begin("edited", keys[-5:])
    until(site.is_over, _PATIENCE)
    _versions(found, site, sink, {f"{key}.0@{texts.MARKER}" for key in keys[-5:]})
    account_for(found, site, sink.delivered, each * 3 + len(fresh))
    look_over(found, site)
    found.counts |= {"open_runs": each * 3, "waiting_when_it_changed": waiting, "new_runs": len(fresh)}
    found.require(waiting == each * 3, f"only {waiting} runs were waiting when the playbooks changed")
    found.require(set(states(site)) == {"done"}, f"runs ended as {dict(states(site))}")
    return found


def _in_wait(site: Site) -> int:
    with site.store.read() as session:
        waiting = RunRow.state == RunState.WAITING.value
        return session.scalar(select(func.count()).select_from(RunRow).where(waiting)) or 0


def _versions(found: Found, site: Site, sink: Sink, fresh: set[str]) -> None:
    wrong = sum((one.subject == _SECOND) is not (one.to in fresh) for one in sink.taken)
    with site.store.read() as session:
        foreign = (
            session.scalar(select(func.count()).select_from(TaskRow).where(TaskRow.run_id.in_(site.runs[:-5]))) or 0
        )
    found.counts |= {"letters": len(sink.taken), "on_a_wrong_version": wrong, "tasks_of_another_version": foreign}
    found.require(wrong == 0, f"{wrong} letters are of a wrong version")
    found.require(foreign == 0, f"{foreign} tasks are of a version their run did not begin with")


def one_cannot_be_written(ground: Ground) -> Found:
    """F32: of a thousand people one has a name that cannot stand in a subject: it would be read as something encoded.
    Nothing is sent there and its owner is asked; all the others get theirs."""
    accounts, found = ground.pick(1000, 8), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port)
    files = texts.letters("letter", 1)
    files["playbooks/messages/letter/hello.md"] = "A letter for {{ contact.name }}\n\nHello.\n"
    site.publish(texts.workspace(files))
    site.people(accounts, each=1)
    with site.store.begin() as session:
        session.execute(
            update(ContactRow).where(ContactRow.account_id == site.accounts["account-3"]).values(name=_FORGED)
        )
    site.begin("letter")
    site.worker()
    until(site.is_over, _PATIENCE)
    with site.store.read() as session:
        asked = list(session.scalars(select(TaskRow.account_id)))
    account_for(found, site, sink.delivered, accounts - 1)
    look_over(found, site)
    found.counts |= {"accounts": accounts, "owners_asked": len(asked)}
    found.require(asked == [site.accounts["account-3"]], f"{len(asked)} owners were asked, not the one concerned")
    return found


def a_long_life(ground: Ground) -> Found:
    """F33: a run that waits hears five thousand signals. Its history is cut, and its letters go once all the same."""
    signals, found = ground.pick(5000, 50), Found()
    sink: Sink = ground.keep(Sink())
    server = ground.temporal()
    site = Site(ground, "site", server.address, sink.port, day_seconds=ground.pick(90, 10))
    site.publish(texts.workspace(texts.playbook("later", "  - email: {to: champion, message: hello}\n" + _WAITED)))
    site.people(1, each=1)
    site.begin("later")
    site.worker()
    require(lambda: _in_wait(site) == 1, 60.0, "the run did not come to its wait")
    lengths = asyncio.run(_signal(server.address, site.runs[0], signals))
    until(site.is_over, _PATIENCE)
    account_for(found, site, sink.delivered, 2)
    look_over(found, site)
    found.counts |= {"signals": signals, "executions": len(lengths), "events_of_the_longest": max(lengths, default=0)}
    found.require(done(site) == 1, f"the run ended as {dict(states(site))}")
    found.require(max(lengths, default=0) < 10_000, f"a history has {max(lengths, default=0)} events")
    found.require(len(lengths) > 1 or signals < _LONG, "the history was never cut")
    return found


async def _signal(address: str, run: int, signals: int) -> list[int]:
    """Send the signals; returns the length of each history of the run."""
    client: Client = await connect(address, "default")
    handle: Any = client.get_workflow_handle(run_key(run))
    for start in range(0, signals, 50):
        beside = min(50, signals - start)
        await asyncio.gather(
            *(handle.signal("wake", Wake("satisfied", f"no-step-{start + one}")) for one in range(beside))
        )
    await asyncio.sleep(3.0)
    return await _lengths(client, run_key(run))


async def _lengths(client: Client, workflow_id: str) -> list[int]:
    found = []
    async for one in client.list_workflows(f'WorkflowId = "{workflow_id}"'):
        told = await client.get_workflow_handle(workflow_id, run_id=one.run_id).describe()
        found.append(told.history_length)
    return found
