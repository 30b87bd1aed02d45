"""Sending again what a member has looked at and wants sent again: a loop of the worker.

The run may be long past the step; the letter was kept with its ledger row and goes as it was, with its Message-ID.
"""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from engine.errors import Unavailable
from engine.store import deliveries
from engine.store.sessions import Store
from workflows.activities.delivering import send_again
from workflows.channels.letter import Channel

_log = logging.getLogger(__name__)
_BEAT = 5.0


class Resending:
    """One per installation is enough; two do no harm."""

    def __init__(self, store: Store, channel: Channel) -> None:
        self._store = store
        self._channel = channel

    async def run(self) -> None:
        """Send what is there, again and again."""
        while True:
            await asyncio.to_thread(self.once)
            await asyncio.sleep(_BEAT)

    def once(self) -> int:
        """Send what members want sent again and nothing stands against; how many were tried."""
        try:
            with self._store.read() as session:
                wanted = deliveries.to_send_again(session)
            return sum(send_again(self._store, self._channel, one) is not None for one in wanted)
        except (SQLAlchemyError, Unavailable) as error:
            _log.warning("what is to be sent again could not be looked for: %s", error)
            return 0
