"""What things are called on pages: titles and units from the bundle in force, else the bare name made readable."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from api.pages.wording import number, percent, signed_percent, spoken
from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Metric
from engine.definitions.condition import Condition, Var
from engine.definitions.feature import Feature, ValueType, Window, feature_type, parse_feature
from engine.definitions.rule import GoalMeasure, SilenceMeasure, ThresholdMeasure, TrendMeasure
from engine.definitions.scorecard import Categorical, GoalLine
from engine.errors import EngineError
from engine.evaluation.conversions import metric_value
from engine.evaluation.evidence import is_scope
from engine.evaluation.wording import condition_text
from engine.store import bundles
from engine.terms import Tier

_SEEN_AS = {
    Window.MEAN: "mean of {} days",
    Window.SUM: "sum of {} days",
    Window.CHANGE: "change over {} days",
    Window.PREVIOUS: "{} days before that",
    Window.SLOPE: "slope over {} days",
    Window.DAYS: "days above zero in {} days",
    Window.AGO: "{} days ago",
    Window.DAYS_SINCE: "days since",
    Window.RANK: "rank",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Titles of one bundle; with None every name is only made readable."""

    bundle: Bundle | None

    def metric(self, name: str) -> str:
        """A feature's title: the metric's, and the window it is seen through."""
        feature = parse_feature(name) or Feature(name)
        found = self._metric(feature.metric)
        title = found.title if found else spoken(feature.metric.replace(".", " "))
        if feature.window is Window.LATEST:
            return title
        return f"{title} ({_SEEN_AS[feature.window].format(feature.days)})"

    def value(self, name: str, value: float | None) -> str:
        """A feature's value as people read it, with its unit; ``unknown`` stays unknown."""
        return f"{self.figure(name, value)} {self.unit(name) if value is not None else ''}".rstrip()

    def scored(self, scorecard: str, name: str, value: float | None) -> str:
        """A metric's value as the scorecard counts it: of an agreed goal the share attained, else the value, with its
        unit unless the title beside it says it already."""
        card = self.bundle.scorecards.get(scorecard) if self.bundle else None
        found = next((each for each in card.metrics if each.name == name), None) if card else None
        if value is not None and found is not None and self.bundle is not None:
            if isinstance(found.normaliser, GoalLine) and not found.normaliser.final:
                return f"{percent(value)} of today's goal"
            if found.is_attainment or isinstance(found.normaliser, Categorical):
                return metric_value(self.bundle.catalog, found, value)
        return (self.figure if self.unit(name).lower() in self.metric(name).lower() else self.value)(name, value)

    def figure(self, name: str, value: float | None) -> str:
        """The same without its unit, for tables that say it once."""
        feature = parse_feature(name) or Feature(name)
        found = self._metric(feature.metric)
        if value is None or found is None:
            return number(value)
        kind = feature_type(found.type, feature.window)
        if kind is ValueType.SHARE:
            return percent(value)
        if kind is ValueType.BOOLEAN:
            return "yes" if value else "no"
        return number(value, found.decimals if feature.window is Window.LATEST else max(found.decimals, 1))

    def unit(self, name: str) -> str:
        """A feature's unit; empty for shares, booleans and what has none."""
        feature = parse_feature(name) or Feature(name)
        found = self._metric(feature.metric)
        return "days" if feature.window is Window.DAYS_SINCE else found.unit if found else ""

    def bears(self, name: str) -> str:
        """Why the metric matters, in its author's words."""
        found = self._metric((parse_feature(name) or Feature(name)).metric)
        return found.bears_on_value if found else ""

    def rule(self, name: str) -> str:
        """A rule's challenge."""
        found = self.bundle.rules.get(name) if self.bundle else None
        return found.challenge.title if found else spoken(name)

    def playbook(self, name: str) -> str:
        """A playbook's title."""
        found = self.bundle.playbooks.get(name) if self.bundle else None
        return found.title if found else spoken(name)

    def success(self, rule: str) -> str:
        """The success criterion a rule declared, in one line."""
        found = self.bundle.rules.get(rule) if self.bundle else None
        if found is None:
            return ""
        wanted = found.challenge.success
        what = self.metric(wanted.feature.name) if wanted.feature else spoken(wanted.event or "its condition")
        if wanted.change is not None:
            what += f" changes by {signed_percent(wanted.change)} %"
        elif wanted.limit is not None and wanted.feature is not None:
            what += f" {wanted.limit.bound.replace('_', ' ')} {self.value(wanted.feature.name, wanted.limit.value)}"
        return f"{what} within {wanted.within} days"

    def goal(self, name: str) -> str:
        """What an agreed goal is about."""
        found = self.bundle.catalog.goals.get(name) if self.bundle else None
        return self.metric(found.metric) if found else spoken(name)

    def measured(self, rule: str, signal: str, value: float | None) -> str:
        """What a signal measured, as its measure counts; empty where that is unknown."""
        found = self.bundle.rules.get(rule) if self.bundle else None
        measure = found.signals[signal].measure if found and signal in found.signals else None
        match measure:
            case _ if value is None:
                return ""
            case TrendMeasure():
                return f"{signed_percent(value)} % in {measure.over} days"
            case ThresholdMeasure() | SilenceMeasure():
                return self.value(measure.feature.name, value)
            case GoalMeasure():
                return f"{percent(value)} attained"
        return ""

    def is_scope(self, rule: str, signal: str) -> bool:
        """Whether a signal only says whom its rule is for, so that it is no news while it holds."""
        found = self.bundle.rules.get(rule) if self.bundle else None
        return found is not None and signal in found.signals and is_scope(found.signals[signal].measure)

    def forced(self, scorecard: str, tier: Tier) -> tuple[str, ...]:
        """The exceptions of a scorecard that put an account into ``tier`` whatever its points are, in words."""
        card = self.bundle.scorecards.get(scorecard) if self.bundle else None
        return tuple(self._condition(each.when) for each in card.forced if each.tier is tier) if card else ()

    def _condition(self, condition: Condition) -> str:
        if self.bundle is None:
            return ""
        signals = {f"signal.{rule.name}.{name}": rule for rule in self.bundle.rules.values() for name in rule.signals}
        tree = condition.tree
        if isinstance(tree, Var) and tree.name in signals:
            return signals[tree.name].challenge.title
        return condition_text(self.bundle.catalog, tree)

    def scale(self, question: str) -> range:
        """The answers a question allows."""
        found = self.bundle.catalog.questions.get(question) if self.bundle else None
        return range(found.low, found.high + 1) if found else range(1, 6)

    def _metric(self, name: str) -> Metric | None:
        return self.bundle.catalog.metrics.get(name) if self.bundle else None


def names(session: Session, fingerprint: str = "") -> Names:
    """The titles of the bundle in force, or of the one named; bare names where it can no longer be read."""
    try:
        return Names(bundles.by_fingerprint(session, fingerprint) if fingerprint else bundles.in_force(session))
    except EngineError:
        return Names(None)
