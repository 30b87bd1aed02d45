"""From an evaluation and the past to a plan: who starts, who is refused and why, who is held out.

The order of the reasons is design §6; the edge (entry into firing), not the level, decides.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from engine.definitions.bundle import Bundle
from engine.evaluation.evaluation import Evaluation
from engine.terms import Arm, DecisionKind, Mode, Reason


@dataclass(frozen=True, slots=True)
class Past:
    """What happened before, by account id.

    ``inside``: rule → accounts with an open episode. ``known_rules``: rules evaluated at least once before.
    ``episode_ended``: (rule, account) → day its last episode ended. ``open_runs``: playbook → accounts with an open run.
    ``held_out``: playbook → accounts held out for it in an open episode → the rule that holds them out.
    ``recent_starts``: rule → runs started in the last 24 hours. ``released``: rules whose blast radius a member let pass.
    ``stopped`` / ``suppressed``: accounts a person stopped / that must not be contacted by law.
    """

    inside: Mapping[str, Set[int]] = field(default_factory=dict)
    known_rules: Set[str] = frozenset()
    episode_ended: Mapping[tuple[str, int], int] = field(default_factory=dict)
    open_runs: Mapping[str, Set[int]] = field(default_factory=dict)
    held_out: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    recent_starts: Mapping[str, int] = field(default_factory=dict)
    released: Set[str] = frozenset()
    stopped: Set[int] = frozenset()
    suppressed: Set[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a decision: a signal, what it measured, what it needed, in words, and where it is declared."""

    signal: str
    verdict: int
    value: float | None
    sentence: str
    place: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The engine's word on one account and one rule. ``sentence`` says why in one line a person can act on.

    ``arm`` is set for starts and hold-outs; ``playbook`` is empty where no action applies. ``baseline`` is the value
    of the success feature at the decision (None: unknown).
    """

    account_id: int
    account_key: str
    rule: str
    playbook: str
    kind: DecisionKind
    sentence: str
    evidence: tuple[Evidence, ...]
    reason: Reason | None = None
    arm: Arm | None = None
    mode: Mode | None = None
    baseline: float | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """An episode that ends: the rule certainly no longer holds for the account."""

    account_id: int
    rule: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Proposed decisions and the episodes they open (one per decision) or close. Nothing has happened yet.

    ``unknown``: rule → number of accounts for which it is unknown. ``asks``: rules stopped by their blast radius,
    with the sentence a member is asked.
    """

    at: datetime
    decisions: tuple[Decision, ...]
    closed: tuple[Closed, ...]
    unknown: Mapping[str, int]
    asks: Mapping[str, str]


def decide(bundle: Bundle, evaluation: Evaluation, past: Past, at: datetime) -> Plan:
    """Decide for every account that enters a rule; close the episodes of those that left."""
    raise NotImplementedError
