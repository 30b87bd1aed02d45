"""Channels that keep what they are given and send nothing: for rehearsals."""

from datetime import datetime

from engine.definitions.connection import Connection
from engine.running.timeline import Call
from engine.terms import DeliveryState
from workflows.channels.egress import Egress
from workflows.channels.letter import Letter, Verdict
from workflows.channels.webhook import Caller, Told


class Drawer:
    """A channel that keeps its letters and sends nothing."""

    name = "rehearsal"

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> Verdict:
        """Keep the letter."""
        self.letters.append(letter)
        return Verdict(DeliveryState.SENT)


class Silence(Caller):
    """A caller that keeps what it was to say, by Message-ID, and says nothing."""

    def __init__(self) -> None:
        super().__init__(Egress(), {})
        self.calls: dict[str, Call] = {}

    def problem(self, connection: Connection) -> str:  # noqa: ARG002 # as a caller is asked
        """Nothing is called, so nothing is in the way."""
        return ""

    def url(self, connection: Connection) -> str:
        """Where it would lead, as far as the file says."""
        return connection.url or f"https://{connection.name}.invalid/"

    def call(self, connection: Connection, message_id: str, body: str, at: datetime) -> Told:  # noqa: ARG002 # the same
        """Keep the body."""
        self.calls[message_id] = Call(connection.name, body)
        return Told(DeliveryState.SENT, "kept")
