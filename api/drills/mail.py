"""The mail drill: workers killed at named places around a send, started again, and every letter accounted for.

Each place has a database, a Temporal namespace and worker processes of its own; all share one Temporal server and one
mail server, whose count is the witness. What must hold: no Message-ID arrives twice, none is lost, what may or may not
have arrived is listed, and every run ends.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import api
from api.drills.sink import Sink
from engine.definitions import bundle as definitions
from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.evaluation.incoming.rows import Format
from engine.store import accounts, bundles, deliveries, files, migrating, runs
from engine.store.ingests import Kind, ingest
from engine.store.sessions import Store, connect
from engine.terms import DeliveryState, RunState
from workflows.crash_points import Place
from workflows.embedded import EmbeddedServer

LETTERS_OF_A_RUN: Final = 4
"""Two messages to each of two people."""

_PATIENCE: Final = 120.0
_DOUBTFUL: Final[frozenset[Place]] = frozenset({"before_dot", "after_dot", "after_reply"})
"""Killed here, nobody can know whether the letter arrived."""

_PLAYBOOK: Final = """format: 1
playbook: mail-drill
title: Mail drill
category: operational
steps:
  - email: {to: champion, message: first}
  - email: {to: champion, message: second}
"""
_MESSAGE: Final = "A letter of the drill\n\nHello {{ contact.name }}.\n"


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the letters of one place. ``lost``: neither in the ledger nor arrived. ``broken``: sentences of
    what did not hold."""

    place: Place
    letters: int
    delivered: int
    twice: int
    lost: int
    sent: int
    not_sent: int
    ambiguous: int
    broken: tuple[str, ...]


@dataclass
class _Scene:
    """One place: its database, its worker, and the runs that were asked for."""

    place: Place
    store: Store
    environment: Mapping[str, str]
    runs: tuple[int, ...]
    worker: subprocess.Popen[bytes] | None = None
    crashed: bool = field(default=False)


def run_mail_drill(folder: Path, places: Sequence[Place], runs_each: int) -> tuple[Tally, ...]:
    """Run the drill in an empty folder, with so many runs for each place."""
    spaces = [option for place in places for option in ("--namespace", _namespace(place))]
    with Sink() as sink, EmbeddedServer(folder / "temporal", extra=tuple(spaces)) as address:
        scenes = [_prepare(folder / place, place, runs_each, address, sink.port) for place in places]
        _compile(scenes[0])
        with _ended(scenes):
            for scene in scenes:
                _start(scene, {"BACKCAST_CRASH_AT": scene.place})
            _wait(scenes)
        return tuple(_tally(scene, sink) for scene in scenes)


def _prepare(folder: Path, place: Place, runs_each: int, address: str, port: int) -> _Scene:
    store = connect(f"sqlite:///{folder}/backcast.db")
    migrating.migrate(store)
    bundle, at = _bundle(folder / "files"), datetime.now(UTC)
    keys = [f"account-{number}" for number in range(runs_each)]
    with store.begin() as session:
        bundles.publish(session, bundle, "drill", at)
        for kind, text in ((Kind.ACCOUNTS, _accounts(keys)), (Kind.CONTACTS, _contacts(keys))):
            ingest(session, kind, [text.encode()], Format.CSV, bundle.catalog, at)
        started = tuple(
            runs.start_by_hand(session, bundle, account, "mail-drill", "drill", "a drill", at, 86_400.0)
            for account in accounts.ids(session, keys).values()
        )
    environment = {
        "PYTHONPATH": str(Path(api.__file__).parents[1]),
        "BACKCAST_DATA": str(folder),
        "BACKCAST_FILES": str(folder / "files"),
        "BACKCAST_TEMPORAL_ADDRESS": address,
        "BACKCAST_TEMPORAL_NAMESPACE": _namespace(place),
        "BACKCAST_CHANNEL": "smtp",
        "BACKCAST_SMTP_PORT": str(port),
        **_compiled(folder.parent),
    }
    return _Scene(place, store, environment, started)


def _compiled(folder: Path) -> Mapping[str, str]:
    """Where Python may not keep what it has compiled, workers start from a copy of the drill's own."""
    if not sys.dont_write_bytecode:
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}


def _compile(scene: _Scene) -> None:
    """Load once what all workers load, so that they do not all compile it at the same time."""
    command = [sys.executable, "-c", "import api.cli.processes"]
    subprocess.run(command, env={**os.environ, **scene.environment}, check=True)  # noqa: S603 # our own program


def _bundle(folder: Path) -> Bundle:
    """The shipped catalog with a playbook that only writes letters."""
    files.write_workspace(str(folder))
    texts = {
        "rules/catalog.yaml": files.read_files(str(folder))["rules/catalog.yaml"],
        "playbooks/mail-drill.yaml": _PLAYBOOK,
        "playbooks/messages/mail-drill/first.md": _MESSAGE,
        "playbooks/messages/mail-drill/second.md": _MESSAGE,
    }
    checked = definitions.read(texts)
    if checked.bundle is None:
        raise Refused(f"the drill's own files do not check: {checked.problems[0].message}")
    return checked.bundle


def _accounts(keys: Sequence[str]) -> str:
    return "key,name\n" + "".join(f"{key},{key}\n" for key in keys)


def _contacts(keys: Sequence[str]) -> str:
    rows = (f"{key}-{name},{key},{name},{name}@{key}.example,champion\n" for key in keys for name in ("ann", "bob"))
    return "key,account,name,email,roles\n" + "".join(rows)


def _namespace(place: Place) -> str:
    return place.replace("_", "-")


def _start(scene: _Scene, more: Mapping[str, str]) -> None:
    """Start the scene's worker, by the command an operator would use."""
    command = [sys.executable, "-c", "from api.cli import main; main()", "worker"]
    scene.worker = subprocess.Popen(  # noqa: S603 # our own program
        command,
        env={**os.environ, **scene.environment, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def _ended(scenes: Sequence[_Scene]) -> Iterator[None]:
    """Whatever happens, no worker stays behind."""
    try:
        yield
    finally:
        workers = [scene.worker for scene in scenes if scene.worker is not None]
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
        for scene in scenes:
            scene.store.close()


def _wait(scenes: Sequence[_Scene]) -> None:
    """Start each worker again when it has been killed, until all runs have ended or it takes too long."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not all(scene.crashed and _is_over(scene) for scene in scenes):
        for scene in scenes:
            killed = scene.worker is not None and scene.worker.poll() == -signal.SIGKILL
            if killed and not scene.crashed:
                scene.crashed = True
                _start(scene, {})
        time.sleep(0.1)


def _is_over(scene: _Scene) -> bool:
    with scene.store.read() as session:
        return all(not runs.find(session, run).state.is_open for run in scene.runs)


def _tally(scene: _Scene, sink: Sink) -> Tally:
    with scene.store.read() as session:
        states = deliveries.states(session)
        done = sum(runs.find(session, run).state is RunState.DONE for run in scene.runs)
    letters = len(scene.runs) * LETTERS_OF_A_RUN
    arrived = {message: sink.delivered[message] for message in states}
    count = {state: sum(found is state for found in states.values()) for state in DeliveryState}
    return Tally(
        place=scene.place,
        letters=letters,
        delivered=sum(arrived.values()),
        twice=sum(times > 1 for times in arrived.values()),
        lost=letters - sum(count[state] for state in _SETTLED),
        sent=count[DeliveryState.SENT],
        not_sent=count[DeliveryState.NOT_SENT],
        ambiguous=count[DeliveryState.AMBIGUOUS],
        broken=tuple(_broken(scene, states, arrived, done)),
    )


_SETTLED: Final = (DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.AMBIGUOUS)


def _broken(
    scene: _Scene,
    states: Mapping[str, DeliveryState],
    arrived: Mapping[str, int],
    done: int,
) -> Iterator[str]:
    """Everything that should hold and does not."""
    ambiguous = sum(state is DeliveryState.AMBIGUOUS for state in states.values())
    if not scene.crashed:
        yield "the worker was not killed: it never came by the place"
    if done < len(scene.runs):
        yield f"{len(scene.runs) - done} runs did not end as done"
    if len(states) != len(scene.runs) * LETTERS_OF_A_RUN:
        yield f"the ledger has {len(states)} letters"
    for message, state in states.items():
        if arrived[message] > 1:
            yield f"{message} arrived {arrived[message]} times"
        if state not in _SETTLED:
            yield f"{message} is still {state}"
        if (state is DeliveryState.SENT) > bool(arrived[message]):
            yield f"{message} is sent but never arrived"
        if state is DeliveryState.NOT_SENT and arrived[message]:
            yield f"{message} is not sent but arrived"
    if (scene.place in _DOUBTFUL) > bool(ambiguous):
        yield "the letter that was on the wire is not listed as ambiguous"
