"""Evaluates at once what changed: fresh data starts runs within a second instead of in the night.

A cycle over a few accounts adds to the last one over all, of the same day and definitions. Where there is no such one,
or too much changed to be named, a cycle over all is started. The very first one is left to the schedule or a person:
data that is still coming in must not start anything.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeVar, TypeVarTuple

from sqlalchemy.exc import SQLAlchemyError
from temporalio.service import RPCError

from engine.definitions.bundle import Bundle
from engine.errors import EngineError
from engine.store import bundles, changed
from engine.store.accounts import count
from engine.store.changed import Changed
from engine.store.evaluations import is_current, last_decided
from workflows.activities.cycle import EPOCH, Cycles

_log = logging.getLogger(__name__)

_IDLE = 0.2
_AFTER_ALL = 5.0
_AFTER_TROUBLE = 5.0
_FEW = 1_000
"""So many changed accounts are always a part, however small the portfolio is."""
_APART = timedelta(minutes=10)
"""Between two cycles over all that only much new data asks for: it may still be coming in."""

Found = TypeVar("Found")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be done now: a cycle over what changed, or (None) one over all."""

    bundle: Bundle
    part: Changed | None


class AtOnce:
    """One per worker. Two workers do the same work twice and decide once.

    ``everything`` starts a cycle over all accounts; ``nudge`` is called after runs may have been requested.
    """

    def __init__(self, cycles: Cycles, everything: Callable[[], Awaitable[None]], nudge: Callable[[], None]) -> None:
        self._cycles = cycles
        self._everything = everything
        self._nudge = nudge
        self._is_troubled = False

    async def run(self) -> None:
        """Look for changes for ever; ends only by being cancelled."""
        while True:
            began = time.monotonic()
            pause = await self._patiently()
            # As long again as it took, so that evaluating never takes more than half of the time.
            await asyncio.sleep(max(pause, time.monotonic() - began))

    async def _patiently(self) -> float:
        try:
            done = await self.step()
        except (SQLAlchemyError, EngineError, RPCError) as error:
            if not self._is_troubled:
                _log.warning("what changed could not be evaluated at once, trying again: %s", error)
            self._is_troubled = True
            return _AFTER_TROUBLE
        self._is_troubled = False
        return _AFTER_ALL if done == "all" else _IDLE

    async def step(self) -> Literal["nothing", "part", "all"]:
        """Do what is to be done now, and say what that was."""
        if not self._cycles.turn.acquire(blocking=False):  # a cycle over all is at work
            return "nothing"
        try:
            wanted = await _to_its_end(self._wanted, datetime.now(UTC))
            if wanted is None:
                return "nothing"
            if wanted.part is not None:
                await _to_its_end(self._cycles.part, wanted.bundle, wanted.part)
                self._nudge()
                return "part"
        finally:
            self._cycles.turn.release()
        await self._everything()
        return "all"

    def _wanted(self, at: datetime) -> _Wanted | None:
        with self._cycles.store.read() as session:
            seen = changed.read(session)
            bundle = bundles.in_force(session) if seen.marks else None
            decided = last_decided(session) if seen.marks else None
            if bundle is None or decided is None:
                return None
            if not is_current(session, bundle.fingerprint, (at - EPOCH).days):
                return _Wanted(bundle, None)
            if seen.everything or len(seen.accounts) > max(_FEW, count(session) // 5):
                return _Wanted(bundle, None) if at - decided >= _APART else None
            return _Wanted(bundle, seen)


async def _to_its_end(work: Callable[[*Ts], Found], *given: *Ts) -> Found:
    """Call it in a thread. Who is cancelled meanwhile waits until it is through: what it works on is closed next."""
    calling = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(calling)
    except asyncio.CancelledError:
        await asyncio.wait([calling])
        raise
