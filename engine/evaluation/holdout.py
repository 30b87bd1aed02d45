"""Which arm of an experiment an account is in: a salted hash below the share.

The draw of one account is one number in [0, 1), so raising the share only adds accounts to the hold-out.
"""

from hashlib import sha256

from engine.definitions.rule import HoldOut
from engine.terms import Arm


def arm(hold_out: HoldOut | None, rule: str, playbook: str, account_key: str, day: int) -> Arm:
    """The arm of ``account_key`` in the experiment (``rule``, ``playbook``) on ``day`` (since 1970-01-01).

    SHA-256 of experiment, rotation number and key, first 8 bytes as a fraction; drawn anew each ``rotate`` days.
    """
    if hold_out is None:
        return Arm.TREATED
    rotation = day // hold_out.rotate if hold_out.rotate > 0 else 0
    return Arm.HELD_OUT if draw(rule, playbook, account_key, rotation) < hold_out.share else Arm.TREATED


def draw(rule: str, playbook: str, account_key: str, rotation: int) -> float:
    """The account's number in [0, 1) for one experiment and rotation."""
    # JSON-like separators would do as well; the unit separator cannot stand in a name or a key.
    text = "\x1f".join((rule, playbook, str(rotation), account_key))
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big") / 2**64
