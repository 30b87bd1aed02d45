"""From an evaluation and the past to a plan: who starts, who is refused and why, who is held out.

The order of the reasons is design §6; the edge (entry into firing), not the level, decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition
from engine.definitions.rule import Action, Rule
from engine.evaluation.columns import Column, Flags, Numbers, Planes, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.evidence import Evidence as Evidence, evidence_of, telling
from engine.evaluation.features import OwnNames
from engine.evaluation.holdout import arm
from engine.evaluation.past import Past as Past
from engine.evaluation.program import evaluate_condition
from engine.evaluation.wording import condition_text, day_text
from engine.terms import Arm, DecisionKind, Mode, Reason, Verdict


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
    """Decide for every account that enters a rule; close the episodes of those that left.

    Rules go by name: where two want the same playbook for the same account, the first one gets it.
    """
    deciding = _Deciding(bundle, evaluation, past)
    decisions = [decision for name in sorted(bundle.rules) for decision in deciding.rule(bundle.rules[name])]
    unknown = {name: int((evaluation.rules[name] == Verdict.UNKNOWN).sum()) for name in bundle.rules}
    return Plan(at, tuple(decisions), _closed(bundle, evaluation, past), unknown, deciding.asks)


def default_limit(accounts: int) -> int:
    """The runs a rule may start within 24 hours when it does not say: 50, or 5 % of the accounts if that is more."""
    return max(50, accounts // 20)


def _closed(bundle: Bundle, evaluation: Evaluation, past: Past) -> tuple[Closed, ...]:
    ids = evaluation.facts.accounts.ids
    found: list[Closed] = []
    for name in sorted(bundle.rules):
        inside = past.inside.get(name, frozenset())
        left = ids[evaluation.rules[name] == Verdict.FAILS] if inside else ids[:0]
        found += [Closed(account, name) for account in left.tolist() if account in inside]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One account that enters a rule, on its way to a decision.

    ``passed``: actions before ``action`` of which nobody knows whether they are meant for the account.
    """

    row: int
    account: int
    key: str
    action: Action | None
    passed: tuple[Action, ...] = ()
    reason: Reason | None = None
    sentence: str = ""
    arm: Arm | None = None


class _Deciding:
    """The decisions of one plan, rule after rule: what one rule takes, the next can no longer have."""

    def __init__(self, bundle: Bundle, evaluation: Evaluation, past: Past) -> None:
        self.bundle = bundle
        self.evaluation = evaluation
        self.facts = evaluation.facts
        self.past = past
        self.asks: dict[str, str] = {}
        self.runs = {playbook: set(accounts) for playbook, accounts in past.open_runs.items()}
        self.held = {playbook: dict(accounts) for playbook, accounts in past.held_out.items()}
        self.churned = _is_text(evaluation.columns.get("account.stage"), "churned", len(self.facts.accounts))

    def rule(self, rule: Rule) -> list[Decision]:
        """Decide for every account that enters ``rule``, in the order of account rows."""
        inside = self.past.inside.get(rule.name, frozenset())
        firing = np.flatnonzero(self.evaluation.rules[rule.name] == Verdict.HOLDS).tolist()
        rows = [row for row in firing if int(self.facts.accounts.ids[row]) not in inside]
        if not rows:
            return []
        entries = self._limited(rule, [self._asked(rule, entry) for entry in self._entries(rule, rows)])
        for entry in entries:
            self._take(rule, entry)
        return [self._decision(rule, entry) for entry in entries]

    def _entries(self, rule: Rule, rows: list[int]) -> list[_Entry]:
        columns, size = OwnNames(rule.name, self.evaluation.columns), len(self.facts.accounts)
        hold_out = rule.guard.hold_out
        applies = [_planes(each.when, columns, size, without=True) for each in rule.actions]
        exempt = _planes(hold_out.exempt if hold_out else None, columns, size, without=False).holds
        found = []
        for row in rows:
            chosen = next((at for at, planes in enumerate(applies) if planes.holds[row]), len(applies))
            action = rule.actions[chosen] if chosen < len(applies) else None
            passed = [
                each for each, planes in zip(rule.actions[:chosen], applies, strict=False) if planes.possible[row]
            ]
            key = self.facts.accounts.keys[row]
            drawn = Arm.EXEMPT if exempt[row] else Arm.TREATED
            if action is not None and not exempt[row]:
                drawn = arm(hold_out, rule.name, action.playbook, key, self.facts.at)
            found.append(_Entry(row, int(self.facts.accounts.ids[row]), key, action, tuple(passed), arm=drawn))
        return found

    def _asked(self, rule: Rule, entry: _Entry) -> _Entry:
        """The entry, refused where one of the reasons before the blast radius stands against it."""
        account, action = entry.account, entry.action
        if account in self.past.stopped:
            return _refused(entry, Reason.STOPPED, "a person stopped everything for this account")
        if self.churned[entry.row]:
            return _refused(entry, Reason.CHURNED, "the account has churned")
        if account in self.past.suppressed:
            return _refused(entry, Reason.SUPPRESSED, "the account must not be contacted by law")
        if self._is_first(rule) and rule.existing != "enrol":
            return _refused(entry, Reason.EXISTING, self._existing(rule))
        if action is None:
            return _refused(entry, Reason.NO_ACTION, "no action of the rule applies to this account")
        if account in self.runs.get(action.playbook, ()):
            return _refused(entry, Reason.OPEN_RUN, f"a run of {action.playbook} is already open for this account")
        ended = self.past.episode_ended.get((rule.name, account))
        if ended is not None and self.facts.at < ended + rule.guard.cooldown:
            until, last = day_text(ended + rule.guard.cooldown), day_text(ended)
            return _refused(entry, Reason.COOLDOWN, f"cooldown until {until}: the last episode ended on {last}")
        other = self.held.get(action.playbook, {}).get(account, rule.name)
        if other != rule.name:
            sentence = f"rule {other} holds this account out of {action.playbook}, so no other rule may start it"
            return _refused(entry, Reason.HELD_OUT_ELSEWHERE, sentence)
        return entry

    def _is_first(self, rule: Rule) -> bool:
        return rule.name not in self.past.known_rules and rule.name not in self.past.released

    def _existing(self, rule: Rule) -> str:
        if rule.existing == "ignore":
            return "the account was already inside when the rule was first applied, and the rule ignores those"
        return "the account was already inside when the rule was first applied; a member is asked whether to enrol it"

    def _limited(self, rule: Rule, entries: list[_Entry]) -> list[_Entry]:
        asking = [entry for entry in entries if entry.reason is Reason.EXISTING]
        if asking and rule.existing == "ask":
            inside = f"{len(asking)} accounts were already inside rule {rule.name} when it was first applied"
            self.asks[rule.name] = f"{inside}. Start for them?"
        starts = sum(entry.reason is None and entry.arm is not Arm.HELD_OUT for entry in entries)
        recent, limit = self.past.recent_starts.get(rule.name, 0), self._limit(rule)
        if starts + recent <= limit or rule.name in self.past.released or not starts:
            return entries
        counted = f"{starts} new runs and {recent} in the last 24 hours" if recent else f"{starts} new runs at once"
        self.asks[rule.name] = f"Rule {rule.name} wants {counted}; its limit is {limit}. Let them start?"
        sentence = f"{counted} are more than the limit of {limit}: nothing starts until a member lets the rule pass"
        return [entry if entry.reason else _refused(entry, Reason.BLAST_RADIUS, sentence) for entry in entries]

    def _limit(self, rule: Rule) -> int:
        own = rule.guard.max_new_runs
        return default_limit(len(self.facts.accounts)) if own is None else own

    def _take(self, rule: Rule, entry: _Entry) -> None:
        if entry.reason is not None or entry.action is None:
            return
        playbook = entry.action.playbook
        if entry.arm is Arm.HELD_OUT:
            self.held.setdefault(playbook, {})[entry.account] = rule.name
        else:
            self.runs.setdefault(playbook, set()).add(entry.account)

    def _decision(self, rule: Rule, entry: _Entry) -> Decision:
        kind, sentence = _outcome(rule, entry)
        unknown = "".join(f"; {_passed(self.bundle, each)}" for each in entry.passed)
        started = kind is DecisionKind.START and entry.action is not None
        return Decision(
            account_id=entry.account,
            account_key=entry.key,
            rule=rule.name,
            playbook=entry.action.playbook if entry.action else "",
            kind=kind,
            sentence=f"{sentence}{unknown}",
            evidence=telling(rule, evidence_of(rule, self.bundle.catalog, self.evaluation, entry.row)),
            reason=entry.reason,
            arm=None if kind is DecisionKind.REFUSE else entry.arm,
            mode=entry.action.mode if started and entry.action else None,
            baseline=self._baseline(rule, entry.row),
        )

    def _baseline(self, rule: Rule, row: int) -> float | None:
        feature = rule.challenge.success.feature
        column = None if feature is None else self.evaluation.columns.get(feature.name)
        if not isinstance(column, Numbers) or np.isnan(column.values[row]):
            return None
        return float(column.values[row])


def _outcome(rule: Rule, entry: _Entry) -> tuple[DecisionKind, str]:
    title = rule.challenge.title
    if entry.reason is not None or entry.action is None:
        return DecisionKind.REFUSE, f"{title}: {entry.sentence}"
    playbook = entry.action.playbook
    if entry.arm is Arm.HELD_OUT and rule.guard.hold_out is not None:
        part = f"{rule.guard.hold_out.share:.0%}".replace("%", " %")
        return DecisionKind.HOLD_OUT, f"{title}: drawn for the hold-out of {part}, so {playbook} does not start"
    return DecisionKind.START, f"{title}: {playbook} starts, {_MODES[entry.action.mode]}"


def _passed(bundle: Bundle, action: Action) -> str:
    condition = condition_text(bundle.catalog, action.when.tree) if action.when else ""
    return f"{action.playbook} ({action.mode.value}) was passed over, as nobody knows whether {condition}"


_MODES = {
    Mode.AUTOMATIC: "automatically",
    Mode.APPROVE: "and what it sends waits for a person's yes",
    Mode.MANUAL: "when a person takes it up",
}


def _planes(condition: Condition | None, columns: Mapping[str, Column], size: int, *, without: bool) -> Planes:
    # Where the condition is unknown it does not apply (design §4); `without` is the answer where there is none.
    if condition is None:
        flags = np.full(size, without, dtype=np.bool_)
        return Planes(flags, flags)
    return evaluate_condition(condition.tree, columns, size)


def _refused(entry: _Entry, reason: Reason, sentence: str) -> _Entry:
    return replace(entry, reason=reason, sentence=sentence)


def _is_text(column: Column | None, word: str, size: int) -> Flags:
    if not isinstance(column, Texts) or word not in column.words:
        return np.zeros(size, dtype=np.bool_)
    return np.asarray(column.codes == column.words.index(word))
