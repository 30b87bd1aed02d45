"""When somebody is reminded of what they have not done, and when it goes to somebody else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True)
class FollowUp:
    """When somebody is to hear of it: who has to do it at ``remind_at``; at ``escalate_at`` also ``escalate_to``
    (``manager``, a member role of the account, or an address; found out only then). None: never."""

    remind_at: datetime | None = None
    escalate_at: datetime | None = None
    escalate_to: str = ""


NO_FOLLOW_UP: Final = FollowUp()
