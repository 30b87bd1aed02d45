"""Which arm of an experiment an account is in: a salted hash below the share.

The draw of one account is one number in [0, 1), so raising the share only adds accounts to the hold-out.
"""

from engine.definitions.rule import HoldOut
from engine.terms import Arm


def arm(hold_out: HoldOut | None, rule: str, playbook: str, account_key: str, day: int) -> Arm:
    """The arm of ``account_key`` in the experiment (``rule``, ``playbook``) on ``day`` (since 1970-01-01).

    SHA-256 of experiment, rotation number and account key, first 8 bytes as a fraction; salted anew each ``rotate`` days.
    """
    raise NotImplementedError
