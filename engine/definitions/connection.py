"""A connection: where calls go that leave the building, and by which secret they are signed."""

from dataclasses import dataclass, field
from typing import Literal as Choice, TypeAlias

from engine.definitions.problem import Place

ConnectionKind: TypeAlias = Choice["webhook", "chat", "guide", "crm"]


@dataclass(frozen=True, slots=True)
class Connection:
    """One receiver.

    ``url``: its address, or ``url_from``: the environment variable that holds it (the address of a chat is a secret).
    ``secret``: the environment variable that holds the key calls are signed with; empty: they are not. ``internal``:
    the author means an address inside; the operator must allow it as well. ``retries``: how often a call that came to
    nothing is repeated.
    """

    name: str
    kind: ConnectionKind
    place: Place = field(compare=False)
    url: str = ""
    url_from: str = ""
    secret: str = ""
    internal: bool = False
    retries: int = 8
