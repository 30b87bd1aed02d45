"""What a bundle reads: every name its conditions, signals and scorecards use, and what the store has to load for it."""

from collections.abc import Iterable, Iterator
from typing import Final

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, Metric
from engine.definitions.condition import Condition
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import (
    ConditionMeasure,
    ContactsMeasure,
    EventMeasure,
    GoalMeasure,
    Measure,
    RankMeasure,
    SilenceMeasure,
    features_of,
)
from engine.definitions.playbook import BranchStep, CampaignStep, Playbook, WaitStep, walk
from engine.definitions.rule import Rule, Success
from engine.definitions.scorecard import Carry, Cohort, GoalLine, Rank, Scorecard, Spread, TargetRatio
from engine.evaluation.facts import Needs
from engine.evaluation.features import feature_named
from engine.evaluation.goals import GOAL, adds_up

_GOAL_DAYS: Final = 400
"""How far back amounts are loaded for a goal whose dates are the account's data: a year and a month."""

_LATE: Final = 14
"""An outcome is judged as of the day it was due, by a cycle that may come these days later without being told."""

_TWICE: Final = frozenset({Window.CHANGE, Window.PREVIOUS})


def needs(bundle: Bundle, late: int = 0) -> Needs:
    """What the store has to load so that the bundle can be evaluated, and outcomes judged ``late`` days after their
    time."""
    return _collect(bundle, max(late, _LATE)).needs()


def metrics_needs(catalog: Catalog, metrics: Iterable[str], goals: Iterable[str], days: int) -> Needs:
    """What the store has to load for ``metrics`` and agreed ``goals`` as of each of the last ``days`` days."""
    collected = _Collected(catalog, 0)
    for name in metrics:
        collected.feature(feature_named(catalog, name) or Feature(name), days)
    for goal in goals:
        collected.goal(goal, days)
    return collected.needs()


def ranked(bundle: Bundle) -> frozenset[tuple[Feature, Cohort]]:
    """What accounts are compared by, and among whom: what `engine.evaluation.peers.gather` is asked for, so that a part
    of the accounts can be evaluated as among all."""
    return frozenset(_collect(bundle, _LATE).compared)


def _collect(bundle: Bundle, late: int) -> "_Collected":
    collected = _Collected(bundle.catalog, late)
    for rule in bundle.rules.values():
        collected.rule(rule)
    for card in bundle.scorecards.values():
        collected.scorecard(card)
    for playbook in bundle.playbooks.values():
        for condition in conditions_of(playbook):
            collected.names(condition.names)
    return collected


def conditions_of(playbook: Playbook) -> Iterator[Condition]:
    """What the steps of a playbook ask while it runs."""
    for step in walk(playbook.steps):
        match step:
            case BranchStep(condition=condition) | WaitStep(until=Condition() as condition):
                yield condition
            case CampaignStep(stop_when=Condition() as condition):
                yield condition
            case _:
                continue


class _Collected:
    """What was met so far. ``spans``: metric → days that must be loaded; ``events``: kind → the same."""

    def __init__(self, catalog: Catalog, late: int) -> None:
        self.catalog = catalog
        self.late = late
        self.spans: dict[str, int] = {}
        self.contact_metrics: set[str] = set()
        self.product_metrics: set[str] = set()
        self.events: dict[str, int] = {}
        self.goals: set[str] = set()
        self.latest: set[str] = set()
        self.compared: set[tuple[Feature, Cohort]] = set()
        for condition in catalog.segments.values():
            self.names(condition.names)

    def rule(self, rule: Rule) -> None:
        for signal in rule.signals.values():
            self._measure(signal.measure, max(signal.lasting - 1, 0))
            self.names(signal.clears.names if isinstance(signal.clears, Condition) else ())
        for condition in (rule.when, *(action.when for action in rule.actions)):
            self.names(condition.names if condition else ())
        if rule.guard.hold_out and rule.guard.hold_out.exempt:
            self.names(rule.guard.hold_out.exempt.names)
        self._success(rule.challenge.success)

    def _success(self, success: Success) -> None:
        self.names(success.condition.names if success.condition else (), self.late)
        if success.feature:
            self.feature(success.feature, self.late)
        if success.event:
            self.events[success.event] = max(self.events.get(success.event, 0), success.within + self.late)

    def scorecard(self, card: Scorecard) -> None:
        self._compared(card)
        for metric in card.metrics:
            missing = card.missing_of(metric)
            back = missing.days if isinstance(missing, Carry) else 0
            self.feature(metric.feature, back)
            if metric.fades:
                self._metric(self.catalog.metrics[metric.feature.metric], max(back, metric.fades.gone))
            match metric.normaliser:
                case GoalLine(goal=goal):
                    self.goal(goal, back)
                case TargetRatio(of=target) if target:
                    self.names((target,), back)
        if card.roll_up and card.roll_up.by:
            self.names((card.roll_up.by,))
        for condition in (card.applies_to, *(exception.when for exception in card.forced)):
            self.names(condition.names if condition else ())

    def _compared(self, card: Scorecard) -> None:
        for metric in card.metrics:
            if card.of == "account" and isinstance(metric.normaliser, Rank | Spread):
                self.compared.add((metric.feature, metric.normaliser.among))

    def names(self, names: frozenset[str] | tuple[str, ...], back: int = 0) -> None:
        for name in names:
            goal = name.removeprefix(GOAL).rpartition(".")[0] if name.startswith(GOAL) else ""
            if goal in self.catalog.goals:
                self.goal(goal, back + self.catalog.goals[goal].stuck_after)
            feature = feature_named(self.catalog, name.removeprefix("contact.").removeprefix("product."))
            if feature is not None:
                self.feature(feature, back)

    def feature(self, feature: Feature, back: int = 0) -> None:
        reach = back + feature.days * (2 if feature.window in _TWICE else 1)
        self._metric(self.catalog.metrics[feature.metric], reach)
        if feature.window is Window.DAYS_SINCE:
            self.latest.add(feature.metric)
        if feature.window is Window.RANK:
            self.compared.add((Feature(feature.metric), "all"))

    def needs(self) -> Needs:
        """Everything collected, in the shape the store reads."""
        loaded = {name: days for name, days in self.spans.items() if self.catalog.metrics[name].is_stored}
        return Needs(
            days=max([30, *loaded.values(), *self.events.values()]),
            metrics=frozenset(loaded) - self.contact_metrics - self.product_metrics,
            latest=frozenset(name for name in loaded if name in self.latest or self._never_stale(name)),
            contact_metrics=frozenset(self.contact_metrics & loaded.keys()),
            events=frozenset(self.events),
            goals=frozenset(self.goals),
            spans=loaded | self.events,
            product_metrics=frozenset(self.product_metrics & loaded.keys()),
        )

    def _never_stale(self, name: str) -> bool:
        metric = self.catalog.metrics[name]
        source = metric.from_events
        return not metric.stale_after if source is None else source.silence

    def _metric(self, metric: Metric, back: int) -> None:
        source = metric.from_events
        reach = back + (metric.stale_after if source is None else source.over) + 1
        if self.spans.get(metric.name, -1) >= reach:
            return
        self.spans[metric.name] = reach
        if metric.of == "contact":
            self.contact_metrics.add(metric.name)
        if metric.of == "product":
            self.product_metrics.add(metric.name)
        if metric.formula is not None:
            self.names(metric.formula.names, back)
        if metric.from_contacts is not None and metric.from_contacts.metric is not None:
            self.feature(metric.from_contacts.metric, back)
        if source is not None and not source.is_daily:
            for event in source.loaded:
                self.events[event] = max(self.events.get(event, 0), reach + source.within)

    def goal(self, name: str, back: int) -> None:
        self.goals.add(name)
        self._actual(self.catalog.metrics[self.catalog.goals[name].metric], _GOAL_DAYS + back, back)

    def _actual(self, metric: Metric, span: int, back: int) -> None:
        self._metric(metric, span if adds_up(metric) and metric.formula is None else back)

    def _measure(self, measure: Measure, back: int) -> None:
        match measure:
            case SilenceMeasure(feature, longer_than):
                self._metric(self.catalog.metrics[feature.metric], back + longer_than)
                self.latest.add(feature.metric)
            case GoalMeasure(agreed="", metric=metric, within=within):
                self._actual(self.catalog.metrics[metric], within + back, back)
            case GoalMeasure(agreed=agreed):
                self.goal(agreed, back)
            case EventMeasure(event, within, where):
                self.events[event] = max(self.events.get(event, 0), within + back)
                self.names(where.names if where else ())
            case ConditionMeasure(condition):
                self.names(condition.names, back)
            case RankMeasure(feature, _, among):
                self.feature(feature, back)
                self.compared.add((feature, among))
            case ContactsMeasure(inner):
                self._measure(inner, back)
            case _:
                for feature in features_of(measure):
                    self.feature(feature, back)
