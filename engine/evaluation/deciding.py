"""From an evaluation and the past to a plan: who starts, who is refused and why, who is held out.

The order of the reasons is design §6; the edge (entry into firing), not the level, decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.definitions.bundle import Bundle
from engine.definitions.rule import Action, Rule
from engine.evaluation.again import re_entry_refusal, woken
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.evidence import Evidence as Evidence
from engine.evaluation.past import Past as Past, Snoozed
from engine.evaluation.proposing import Entry, Proposal, propose
from engine.evaluation.wording import condition_text, day_text
from engine.terms import Arm, DecisionKind, Mode, Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """The engine's word on one account and one rule. ``sentence`` says why in one line a person can act on.

    ``arm`` is set for starts and hold-outs; ``playbook`` is empty where no action applies. ``baseline`` is the value
    of the success feature at the decision (None: unknown). ``severity``: how many signals of the rule fire; ``woke``:
    the snooze that ends, because these are more than when it was set.
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
    severity: int = 0
    woke: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """An episode that ends: the rule certainly no longer holds for the account."""

    account_id: int
    rule: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Proposed decisions and the episodes they open (one per decision) or close. Nothing has happened yet.

    ``unknown``: rule → number of accounts for which it is unknown, ``flapping``: of these, because a signal of it
    changes too often. ``asks``: rules stopped by their blast radius, with the sentence a member is asked.
    """

    at: datetime
    decisions: tuple[Decision, ...]
    closed: tuple[Closed, ...]
    unknown: Mapping[str, int]
    asks: Mapping[str, str]
    flapping: Mapping[str, int] = field(default_factory=dict)


def decide(bundle: Bundle, evaluation: Evaluation, past: Past, at: datetime) -> Plan:
    """Decide for every account that enters a rule; close the episodes of those that left.

    Rules go by name: where two want the same playbook for the same account, the first one gets it.
    """
    return settle(bundle, [propose(bundle, evaluation, past.inside, past.again)], past, at, evaluation.facts.at)


def settle(bundle: Bundle, proposals: Sequence[Proposal], past: Past, at: datetime, day: int) -> Plan:
    """`decide` on what the parts of a portfolio proposed as of ``day``. Who came to be inside meanwhile is left out."""
    deciding = _Deciding(bundle, past, day, sum(proposal.accounts for proposal in proposals))
    names = sorted(bundle.rules)
    decisions = [decision for name in names for decision in deciding.rule(bundle.rules[name], proposals)]
    unknown = {name: sum(proposal.unknown[name] for proposal in proposals) for name in bundle.rules}
    flapping = {name: sum(proposal.flapping.get(name, 0) for proposal in proposals) for name in names}
    return Plan(at, tuple(decisions), _closed(names, proposals, past), unknown, deciding.asks, flapping)


def default_limit(accounts: int) -> int:
    """The runs a rule may start within 24 hours when it does not say: 50, or 5 % of the accounts if that is more."""
    return max(50, accounts // 20)


def _closed(names: Sequence[str], proposals: Sequence[Proposal], past: Past) -> tuple[Closed, ...]:
    return tuple(
        Closed(account, name)
        for name in names
        for proposal in proposals
        for account in proposal.left[name]
        if account in past.inside.get(name, ())
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """An entry on its way to a decision; refused where there is a ``reason``."""

    entry: Entry
    reason: Reason | None = None
    sentence: str = ""
    woke: Snoozed | None = None


class _Deciding:
    """The decisions of one plan, rule after rule: what one rule takes, the next can no longer have."""

    def __init__(self, bundle: Bundle, past: Past, day: int, accounts: int) -> None:
        self.bundle = bundle
        self.past = past
        self.day = day
        self.accounts = past.accounts or accounts
        self.asks: dict[str, str] = {}
        self.runs = {playbook: set(accounts) for playbook, accounts in past.open_runs.items()}
        self.held = {playbook: dict(accounts) for playbook, accounts in past.held_out.items()}

    def rule(self, rule: Rule, proposals: Sequence[Proposal]) -> list[Decision]:
        """Decide for every account that enters ``rule``, in the order of account rows."""
        again = self.past.again.get(rule.name, frozenset())
        known = frozenset(self.past.inside.get(rule.name, ())) - frozenset(again)
        entries = [entry for proposal in proposals for entry in proposal.entries[rule.name]]
        asked = [self._asked(rule, entry) for entry in entries if entry.account not in known]
        # Whoever is inside and still left out by a member has been told so: once is enough.
        asked = [each for each in asked if each.entry.account not in again or each.reason not in _LEFT_OUT]
        if not asked:
            return []
        limited = self._limited(rule, asked)
        for each in limited:
            self._take(rule, each)
        return [self._decision(rule, each) for each in limited]

    def _asked(self, rule: Rule, entry: Entry) -> _Asked:
        """The entry, refused where one of the reasons before the blast radius stands against it."""
        if barred := self._barred(entry):
            return barred
        left_out = self._left_out(rule, entry)
        if left_out is not None and left_out.reason is not None:
            return left_out
        return replace(self._not_yet(rule, entry), woke=left_out.woke if left_out else None)

    def _barred(self, entry: Entry) -> _Asked | None:
        """Nothing may be done for the account at all."""
        account = entry.account
        if account in self.past.stopped:
            return _Asked(entry, Reason.STOPPED, "a person stopped everything for this account")
        if entry.churned:
            return _Asked(entry, Reason.CHURNED, "the account has churned")
        if account in self.past.suppressed:
            return _Asked(entry, Reason.SUPPRESSED, "the account must not be contacted by law")
        return None

    def _left_out(self, rule: Rule, entry: Entry) -> _Asked | None:
        """A member left the account out of the rule, for good or for a while; or did, but it has become worse."""
        key = rule.name, entry.account
        if excluded := self.past.excluded.get(key):
            return _Asked(entry, Reason.EXCLUDED, excluded)
        snooze = self.past.snoozed.get(key)
        if snooze is None:
            return None
        if 0 < snooze.severity < entry.severity:
            return _Asked(entry, woke=snooze)
        until = f"{snooze.author} snoozed it until {snooze.until:%Y-%m-%d}: {snooze.reason}"
        return _Asked(entry, Reason.SNOOZED, until)

    def _not_yet(self, rule: Rule, entry: Entry) -> _Asked:
        """The rule, its playbook or what ran before stands against it."""
        account, action = entry.account, entry.action
        if self._is_first(rule) and rule.existing != "enrol":
            return _Asked(entry, Reason.EXISTING, self._existing(rule))
        if action is None:
            return _Asked(entry, Reason.NO_ACTION, "no action of the rule applies to this account")
        if account in self.runs.get(action.playbook, ()):
            return _Asked(entry, Reason.OPEN_RUN, f"a run of {action.playbook} is already open for this account")
        if often := self._too_often(action.playbook, account):
            return _Asked(entry, *often)
        ended = self.past.episode_ended.get((rule.name, account))
        if ended is not None and self.day < ended + rule.guard.cooldown:
            until, last = day_text(ended + rule.guard.cooldown), day_text(ended)
            return _Asked(entry, Reason.COOLDOWN, f"cooldown until {until}: the last episode ended on {last}")
        other = self.held.get(action.playbook, {}).get(account, rule.name)
        if other != rule.name:
            sentence = f"rule {other} holds this account out of {action.playbook}, so no other rule may start it"
            return _Asked(entry, Reason.HELD_OUT_ELSEWHERE, sentence)
        return _Asked(entry)

    def _too_often(self, name: str, account: int) -> tuple[Reason, str] | None:
        """What the playbook itself says against another run for the account."""
        playbook = self.bundle.playbooks.get(name)
        if playbook is None:
            return None
        above = next((each for each in playbook.superseded_by if account in self.runs.get(each, ())), "")
        if above:
            return Reason.SUPERSEDED, f"a run of {above} is open for this account, and {above} comes before {name}"
        earlier = self.past.earlier.get((name, account))
        sentence = re_entry_refusal(name, playbook.re_entry, earlier, self.day) if earlier else ""
        return (Reason.RE_ENTRY, sentence) if sentence else None

    def _is_first(self, rule: Rule) -> bool:
        return rule.name not in self.past.known_rules and rule.name not in self.past.released

    def _existing(self, rule: Rule) -> str:
        if rule.existing == "ignore":
            return "the account was already inside when the rule was first applied, and the rule ignores those"
        return "the account was already inside when the rule was first applied; a member is asked whether to enrol it"

    def _limited(self, rule: Rule, entries: list[_Asked]) -> list[_Asked]:
        asking = [each for each in entries if each.reason is Reason.EXISTING]
        if asking and rule.existing == "ask":
            inside = f"{len(asking)} accounts were already inside rule {rule.name} when it was first applied"
            self.asks[rule.name] = f"{inside}. Start for them?"
        starts = sum(each.reason is None and each.entry.arm is not Arm.HELD_OUT for each in entries)
        recent, limit = self.past.recent_starts.get(rule.name, 0), self._limit(rule)
        if starts + recent <= limit or rule.name in self.past.released or not starts:
            return entries
        counted = f"{starts} new runs and {recent} in the last 24 hours" if recent else f"{starts} new runs at once"
        self.asks[rule.name] = f"Rule {rule.name} wants {counted}; its limit is {limit}. Let them start?"
        sentence = f"{counted} are more than the limit of {limit}: nothing starts until a member lets the rule pass"
        return [each if each.reason else _Asked(each.entry, Reason.BLAST_RADIUS, sentence) for each in entries]

    def _limit(self, rule: Rule) -> int:
        own = rule.guard.max_new_runs
        return default_limit(self.accounts) if own is None else own

    def _take(self, rule: Rule, asked: _Asked) -> None:
        entry = asked.entry
        if asked.reason is not None or entry.action is None:
            return
        playbook = entry.action.playbook
        if entry.arm is Arm.HELD_OUT:
            self.held.setdefault(playbook, {})[entry.account] = rule.name
        else:
            self.runs.setdefault(playbook, set()).add(entry.account)

    def _decision(self, rule: Rule, asked: _Asked) -> Decision:
        entry = asked.entry
        kind, sentence = _outcome(rule, asked)
        unknown = "".join(f"; {_passed(self.bundle, each)}" for each in entry.passed)
        if asked.woke is not None:
            unknown = f"; {woken(asked.woke, entry.severity)}{unknown}"
        started = kind is DecisionKind.START and entry.action is not None
        return Decision(
            account_id=entry.account,
            account_key=entry.key,
            rule=rule.name,
            playbook=entry.action.playbook if entry.action else "",
            kind=kind,
            sentence=f"{sentence}{unknown}",
            evidence=entry.evidence,
            reason=asked.reason,
            arm=None if kind is DecisionKind.REFUSE else entry.arm,
            mode=entry.action.mode if started and entry.action else None,
            baseline=entry.baseline,
            severity=entry.severity,
            woke=asked.woke.id if asked.woke else None,
        )


def _outcome(rule: Rule, asked: _Asked) -> tuple[DecisionKind, str]:
    title, action = rule.challenge.title, asked.entry.action
    if asked.reason is not None or action is None:
        return DecisionKind.REFUSE, f"{title}: {asked.sentence}"
    if asked.entry.arm is Arm.HELD_OUT and rule.guard.hold_out is not None:
        part = f"{rule.guard.hold_out.share:.0%}".replace("%", " %")
        return DecisionKind.HOLD_OUT, f"{title}: drawn for the hold-out of {part}, so {action.playbook} does not start"
    return DecisionKind.START, f"{title}: {action.playbook} starts, {_MODES[action.mode]}"


def _passed(bundle: Bundle, action: Action) -> str:
    condition = condition_text(bundle.catalog, action.when.tree) if action.when else ""
    return f"{action.playbook} ({action.mode.value}) was passed over, as nobody knows whether {condition}"


_LEFT_OUT = (Reason.EXCLUDED, Reason.SNOOZED)
_MODES = {
    Mode.AUTOMATIC: "automatically",
    Mode.APPROVE: "and what it sends waits for a person's yes",
    Mode.VETO: "and what it sends goes unless a person stops it",
    Mode.MANUAL: "when a person takes it up",
}
