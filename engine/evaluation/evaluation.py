"""What an evaluation says of a portfolio, and the one function that says it.

``evaluate`` computes features, observes signals, scores, then observes what reads scores. It is a pure function of
bundle and facts, so a plan printed for a date equals what a cycle would do on it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.definitions.bundle import Bundle
from engine.evaluation.causes import causes
from engine.evaluation.columns import Bytes, Column, Floats, Numbers, Texts
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features, OwnNames
from engine.evaluation.program import evaluate_condition
from engine.evaluation.reading import needs as needs
from engine.evaluation.rolling_up import roll_up
from engine.evaluation.scoring import TIERS, Scored as Scored, score
from engine.evaluation.signals import Observed as Observed, observe
from engine.terms import MICRO


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """All signals (by ``<rule>.<signal>``), rules (verdicts int8[N] by name), scorecards, and every named column.

    ``columns`` answers any name a file may use (``columns["active_users.mean_7d"]``); what was not asked for before
    is computed then. A name that means nothing raises KeyError. ``scores`` are those of accounts; ``subject_scores``
    those of scorecards of contacts and products, over the rows of `Facts.contacts` and `Facts.products`.
    """

    facts: Facts
    columns: Mapping[str, Column]
    signals: Mapping[str, Observed]
    rules: Mapping[str, Bytes]
    scores: Mapping[str, Scored]
    subject_scores: Mapping[str, Scored] = field(default_factory=dict)

    @property
    def every_score(self) -> Mapping[str, Scored]:
        """All scorecards, whomever they are of."""
        return {**self.scores, **self.subject_scores}


def evaluate(bundle: Bundle, facts: Facts, given: Mapping[str, Column] | None = None) -> Evaluation:
    """Evaluate every signal, rule and scorecard of the bundle for every account.

    ``given`` columns stand for themselves instead of being computed (the examples of rules use it).
    """
    working = _Working(bundle, facts, given or {})
    signals = {
        f"{rule.name}.{name}": working.signal(f"{rule.name}.{name}")
        for rule in bundle.rules.values()
        for name in rule.signals
    }
    rules = {
        name: evaluate_condition(rule.when.tree, OwnNames(name, working.features), len(facts.accounts)).verdicts
        for name, rule in bundle.rules.items()
    }
    every = {name: working.scored(name) for name in bundle.scorecards}
    scores = {name: scored for name, scored in every.items() if bundle.scorecards[name].of == "account"}
    others = {name: scored for name, scored in every.items() if name not in scores}
    return Evaluation(facts, working.features, signals, rules, scores, others)


def score_column(scored: Scored) -> Floats:
    """Effective scores in micro-points, float64[N], NaN where there is none."""
    return np.where(scored.effective >= 0, scored.effective.astype(np.float64), np.nan)


class _Working:
    """Signals and scores, each computed when first asked for: whatever reads what, it is there in time.

    `check` refuses definitions that read each other in a circle.
    """

    def __init__(self, bundle: Bundle, facts: Facts, given: Mapping[str, Column]) -> None:
        self.bundle = bundle
        self.facts = facts
        self.features = Features(bundle.catalog, facts, derive=self.derived, given=given)
        self._signals: dict[str, Observed] = {}
        self._scores: dict[str, Scored] = {}

    def signal(self, name: str) -> Observed:
        found = self._signals.get(name)
        if found is None:
            rule, _, signal = name.rpartition(".")
            declared = self.bundle.rules[rule]
            observed = observe(declared, declared.signals[signal], self.features, self.bundle.calendars)
            found = self._signals[name] = observed
        return found

    def scored(self, name: str) -> Scored:
        found = self._scores.get(name)
        if found is None:
            card = self.bundle.scorecards[name]
            overrides = self.facts.overrides if card.of == "account" else ()
            found = self._scores[name] = score(card, self.features.over(card.of), self.facts.before, overrides)
        return found

    def derived(self, name: str) -> Column | None:
        kind, _, rest = name.partition(".")
        if kind == "signal":
            rule, _, signal = rest.rpartition(".")
            known = rule in self.bundle.rules and signal in self.bundle.rules[rule].signals
            return _verdict_column(self.signal(rest).verdicts) if known else None
        card, _, detail = rest.partition(".")
        if card not in self.bundle.scorecards:
            return None
        if self.bundle.scorecards[card].of != "account":
            return self._rolled_up(card) if kind == "score" and not detail else None
        if kind == "score":
            return self._score(card, detail)
        if kind == "tier":
            return self._tier(card, detail)
        return causes(self.bundle.scorecards[card], self.scored(card), self.facts.before) if not detail else None

    def _rolled_up(self, card: str) -> Column | None:
        declared, of = self.bundle.scorecards[card], self.bundle.scorecards[card].of
        return Numbers(roll_up(declared, self.scored(card), self.features.over(of))) if declared.roll_up else None

    def _score(self, card: str, detail: str) -> Column | None:
        now = score_column(self.scored(card))
        if not detail:
            return Numbers(now / MICRO)
        week_ago = self.facts.before.scores_week_ago.get(card, np.full(len(now), np.nan))
        return Numbers((now - week_ago) / MICRO) if detail == "change_7d" else None

    def _tier(self, card: str, detail: str) -> Column | None:
        if not detail:
            return _tier_column(self.scored(card).tier)
        none = np.full(len(self.facts.accounts), -1, dtype=np.int8)
        return _tier_column(self.facts.before.tiers.get(card, none)) if detail == "previous" else None


def _verdict_column(verdicts: Bytes) -> Column:
    return Numbers(np.where(verdicts == 0, np.nan, (verdicts > 0).astype(np.float64)))


def _tier_column(tiers: Bytes) -> Column:
    return Texts(tiers.astype(np.int64), tuple(tier.value for tier in TIERS))
