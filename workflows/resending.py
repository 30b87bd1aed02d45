"""Sending again what a member has looked at and wants sent again: a loop of the worker.

The run may be long past the step; the letter was kept with its ledger row and goes as it was, with its Message-ID.
"""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from engine.errors import Unavailable
from engine.store import calls, deliveries
from engine.store.sessions import Store
from workflows.activities.calling import call_again
from workflows.activities.delivering import send_again
from workflows.channels.letter import Channel
from workflows.channels.webhook import Caller

_log = logging.getLogger(__name__)
_BEAT = 5.0


class Resending:
    """One per installation is enough; two do no harm."""

    def __init__(self, store: Store, channel: Channel, caller: Caller) -> None:
        self._store = store
        self._channel = channel
        self._caller = caller

    async def run(self) -> None:
        """Send what is there, again and again."""
        while True:
            await asyncio.to_thread(self.once)
            await asyncio.sleep(_BEAT)

    def once(self) -> int:
        """Send what members want sent again and nothing stands against; how many were tried."""
        try:
            with self._store.read() as session:
                wanted, called = deliveries.to_send_again(session), calls.to_call_again(session)
            sent = [send_again(self._store, self._channel, one) for one in wanted]
            at = datetime.now(UTC)
            sent += [call_again(self._store, self._caller, one, name, at) for one, name in called]
            return sum(one is not None for one in sent)
        except (SQLAlchemyError, Unavailable) as error:
            _log.warning("what is to be sent again could not be looked for: %s", error)
            return 0
