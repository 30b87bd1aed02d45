"""Named places where a drill kills the process, to see what the next one makes of it.

Nothing happens unless ``BACKCAST_CRASH_AT`` names the place: then the process ends there at once, without any clean-up,
as after a power cut. ``after_dot@email`` means this place at steps whose names begin like that only.
"""

import os
import signal
import threading
from typing import Final, Literal, TypeAlias, get_args

Place: TypeAlias = Literal[
    "before_claim",
    "after_claim",
    "before_dot",
    "after_dot",
    "after_reply",
    "after_verdict",
    "before_result",
    "after_decision",
]

PLACES: Final[tuple[Place, ...]] = get_args(Place)[:-1]
"""In the order in which a send passes them. A step that only writes passes the claim and what follows the verdict.

``after_decision`` is passed by whoever has committed a person's decision, before anybody has heard of it."""

_standing = threading.local()


def stand_at(step: str) -> None:
    """Say which step of a playbook this thread is at."""
    _standing.step = step


def pass_by(place: Place) -> None:
    """Go past a named place; in a drill, perhaps no further."""
    wanted, _, step = os.environ.get("BACKCAST_CRASH_AT", "").partition("@")
    if wanted == place and getattr(_standing, "step", "").startswith(step):
        os.kill(os.getpid(), signal.SIGKILL)
