"""What an approval rests on, as four short marks in one text: whether the rule still fires, whom it goes to, the owner,
and how the account stands. Compared when what was approved is done: what has changed is asked anew."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from engine.terms import Verdict

_MARK: Final = 16
"""Hexadecimal digits of each of the four marks."""
_WHAT: Final = (
    "why it was proposed",
    "to whom it would go",
    "who owns the account",
    "how the account stands",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is so now. ``verdict``: what the rule says (FAILS for a run without a rule); ``recipients``: contact id and
    address; ``status``: the account's stage and whatever bars it."""

    verdict: Verdict
    recipients: tuple[tuple[int, str], ...]
    owner: str
    status: str


def mark(facts: Facts) -> str:
    """The facts as 64 hexadecimal digits."""
    return "".join(_digest(part) for part in _parts(facts))


def changes(marked: str, facts: Facts) -> tuple[str, ...]:
    """What of the facts is not as it was when they were marked, as ends of a sentence. Unknown is no change: data that
    is missing for a day does not take back what a person decided. Nothing was marked: nothing has changed."""
    if not marked:
        return ()
    before = [marked[start : start + _MARK] for start in range(0, len(marked), _MARK)]
    unknown = _digest(Verdict.UNKNOWN.name)
    found = []
    for what, old, part in zip(_WHAT, before, _parts(facts), strict=True):
        new = _digest(part)
        if old != new and unknown not in {old, new}:
            found.append(what)
    return tuple(found)


def _parts(facts: Facts) -> Iterable[object]:
    return facts.verdict.name, sorted(facts.recipients), facts.owner, facts.status


def _digest(part: object) -> str:
    return hashlib.sha256(json.dumps(part, ensure_ascii=False).encode()).hexdigest()[:_MARK]
