"""What happened before, as far as deciding needs it: open episodes and runs, cooldowns, hold-outs, stops."""

from collections.abc import Mapping, Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Snoozed:
    """A member leaves a rule alone for an account until a moment. ``severity``: how many of its signals fired then
    (0: not known, the rule did not fire); more of them end the snooze."""

    id: int
    until: datetime
    severity: int
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """The earlier runs of a playbook for an account: the days they were requested on, and the day the last ended."""

    requested: tuple[int, ...]
    ended: int | None


@dataclass(frozen=True, slots=True)
class Past:
    """What happened before, by account id.

    ``inside``: rule → accounts with an open episode. ``known_rules``: rules evaluated at least once before.
    ``episode_ended``: (rule, account) → day its last episode ended. ``open_runs``: playbook → accounts with an open
    run. ``held_out``: playbook → accounts held out for it in an open episode → the rule that holds them out.
    ``recent_starts``: rule → runs started in the last 24 hours. ``released``: rules whose question (blast radius or
    accounts already inside) a member answered with yes; ``inside`` then leaves out the accounts refused for it.
    ``stopped`` / ``suppressed``: accounts a person stopped / that must not be contacted by law. ``accounts``: how many
    there are at all; 0 where those that are decided on are all.

    ``snoozed``, ``excluded``: (rule, account) → what a member decided that is in force; an exclusion as the end of a
    sentence. ``again``: rule → accounts inside it that are decided on again, because all that was decided so far is
    that a member had left them out, or a member ended their run and snoozed the rule. ``earlier``: (playbook, account)
    → its runs, for playbooks that limit how often they run.
    """

    inside: Mapping[str, AbstractSet[int]] = field(default_factory=dict)
    known_rules: AbstractSet[str] = frozenset()
    episode_ended: Mapping[tuple[str, int], int] = field(default_factory=dict)
    open_runs: Mapping[str, AbstractSet[int]] = field(default_factory=dict)
    held_out: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    recent_starts: Mapping[str, int] = field(default_factory=dict)
    released: AbstractSet[str] = frozenset()
    stopped: AbstractSet[int] = frozenset()
    suppressed: AbstractSet[int] = frozenset()
    accounts: int = 0
    snoozed: Mapping[tuple[str, int], Snoozed] = field(default_factory=dict)
    excluded: Mapping[tuple[str, int], str] = field(default_factory=dict)
    again: Mapping[str, AbstractSet[int]] = field(default_factory=dict)
    earlier: Mapping[tuple[str, int], Earlier] = field(default_factory=dict)
