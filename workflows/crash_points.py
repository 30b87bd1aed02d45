"""Named places around a send where a drill kills the process, to see what the next one makes of it.

Nothing happens unless ``BACKCAST_CRASH_AT`` names the place: then the process ends there at once, without any clean-up,
as after a power cut.
"""

import os
import signal
from typing import Final, Literal, TypeAlias, get_args

Place: TypeAlias = Literal[
    "before_claim",
    "after_claim",
    "before_dot",
    "after_dot",
    "after_reply",
    "after_verdict",
    "before_result",
]

PLACES: Final[tuple[Place, ...]] = get_args(Place)
"""In the order in which a send passes them."""


def pass_by(place: Place) -> None:
    """Go past a named place; in a drill, perhaps no further."""
    if os.environ.get("BACKCAST_CRASH_AT") == place:
        os.kill(os.getpid(), signal.SIGKILL)
