"""The names a condition may use at one place of the files, and their types."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.feature import WINDOWS, ValueType, Window, feature_type, parse_feature
from engine.definitions.reading import listed, suggest
from engine.terms import Tier

ACCOUNT_FIELDS: Final[Mapping[str, ValueType]] = {
    "key": ValueType.TEXT,
    "name": ValueType.TEXT,
    "arr": ValueType.NUMBER,
    "segment": ValueType.TEXT,
    "stage": ValueType.TEXT,
    "days_in_stage": ValueType.NUMBER,
    "onboarded_on": ValueType.DATE,
    "renewal_on": ValueType.DATE,
    "renewal_in_days": ValueType.NUMBER,
    "owner": ValueType.TEXT,
    "notice_on": ValueType.DATE,
    "notice_in_days": ValueType.NUMBER,
    "stage_since": ValueType.DATE,
    "parent": ValueType.TEXT,
    "products": ValueType.NUMBER,
}

CONTACT_FIELDS: Final[Mapping[str, ValueType]] = {
    "seniority": ValueType.TEXT,
    "department": ValueType.TEXT,
    "joined_on": ValueType.DATE,
    "days_since_joined": ValueType.NUMBER,
}


_SEGMENTS: Final = ("account.segment", "in_segment")
_WRITE_OUT: Final = "formulas and segments cannot read segments: write the condition out"

GOAL_STATUSES: Final = frozenset({"on_track", "behind", "stuck"})
"""How an agreed goal can stand: at 100 % of its line or more, under it, or under 80 % or without any progress."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Names with their types.

    ``names`` are exact; ``metrics`` may also be seen through a window (``active_users.mean_30d``). ``words`` are the
    only texts a name can be equal to. ``elsewhere`` says of a name that is known, but not here, what to do instead.
    """

    names: Mapping[str, ValueType]
    metrics: Mapping[str, ValueType]
    words: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    def type_of(self, name: str) -> ValueType | None:
        """The type of a name, None where it is not known here."""
        if name in self.names:
            return self.names[name]
        if name in self.metrics:
            return self.metrics[name]
        feature = parse_feature(name)
        if feature is None or feature.window is Window.LATEST or feature.metric not in self.metrics:
            return None
        return feature_type(self.metrics[feature.metric], feature.window)

    def hint(self, name: str) -> str:
        """What the author of an unknown name may have meant."""
        feature = parse_feature(name)
        metric = name.rpartition(".")[0]
        for other, why in self.elsewhere.items():
            if name == other or name.startswith(other + "."):
                return why
        if feature is not None and feature.metric in self.metrics and feature.window is not Window.LATEST:
            return (
                f'"{feature.metric}" is a {self.metrics[feature.metric].value}; only its latest value and .days_since'
            )
        if metric in self.metrics:
            return f'after "{metric}." write one of {listed(WINDOWS)} (1 to 3,650 days)'
        return suggest(name, [*self.names, *self.metrics]) or self._kinds()

    def _kinds(self) -> str:
        """How names look here: one of each kind."""
        found = {name.partition(".")[0]: name for name in reversed(list(self.names))}
        plain = [name for name in self.metrics if "." not in name]
        kinds = [*plain[:1], *reversed(found.values())]
        return f"names look like {listed(kinds)}" if kinds else "no name can be read here"

    def meant(self, text: str) -> str:
        """How a name that is written bare where its value is needed would be read."""
        names = [name for name in (text, f"in_segment.{text}", f"signal.{text}") if self.type_of(name)]
        return f"write {{var: {names[0]}}}" if names else ""

    def with_names(self, names: Mapping[str, ValueType], words: Mapping[str, frozenset[str]] | None = None) -> "Scope":
        """The same scope with more names."""
        return replace(self, names={**self.names, **names}, words={**self.words, **(words or {})})


@dataclass(frozen=True, slots=True)
class Outline:
    """The names the files declare, known before any condition is read: rule → signals, scorecard → metrics."""

    signals: Mapping[str, tuple[str, ...]]
    scorecards: Mapping[str, tuple[str, ...]]


def segment_scope(catalog: Catalog) -> Scope:
    """What a segment or a formula may read: metrics and fields of the account, but no segment."""
    known = {**ACCOUNT_FIELDS, **catalog.account_fields}
    fields = {f"account.{name}": kind for name, kind in known.items() if name != "segment"}
    account = {
        name: metric.type
        for name, metric in catalog.metrics.items()
        if (metric.of == "account" or metric.across) and not name.startswith("score.")
    }
    words = {"account.stage": frozenset(catalog.stages)}
    return Scope(fields, account, words, {**dict(_elsewhere(catalog)), **dict.fromkeys(_SEGMENTS, _WRITE_OUT)})


def account_scope(catalog: Catalog, outline: Outline) -> Scope:
    """What a condition on an account may read."""
    names = {"account.segment": ValueType.TEXT}
    names |= {f"in_segment.{name}": ValueType.BOOLEAN for name in catalog.segments}
    names |= {name: metric.type for name, metric in catalog.metrics.items() if name.startswith("score.")}
    words = {"account.segment": frozenset(catalog.segments)}
    for card, metrics in outline.scorecards.items():
        names |= {f"score.{card}": ValueType.NUMBER, f"score.{card}.change_7d": ValueType.NUMBER}
        names |= {
            f"tier.{card}": ValueType.TEXT,
            f"tier.{card}.previous": ValueType.TEXT,
            f"cause.{card}": ValueType.TEXT,
        }
        tiers = frozenset(tier.value for tier in Tier)
        words |= {f"tier.{card}": tiers, f"tier.{card}.previous": tiers, f"cause.{card}": frozenset(metrics)}
    for goal in catalog.goals:
        names |= {f"goal.{goal}.status": ValueType.TEXT, f"goal.{goal}.attainment": ValueType.SHARE}
        words |= {f"goal.{goal}.status": GOAL_STATUSES}
    for rule, signals in outline.signals.items():
        names |= {f"signal.{rule}.{signal}": ValueType.BOOLEAN for signal in signals}
    known = segment_scope(catalog).with_names(names, words)
    return replace(known, elsewhere={name: why for name, why in known.elsewhere.items() if name not in _SEGMENTS})


def own_signals(scope: Scope, signals: Iterable[str]) -> Scope:
    """The scope inside a rule, where its own signals are called ``signal.<name>``."""
    return scope.with_names({f"signal.{name}": ValueType.BOOLEAN for name in signals})


def contact_scope(scope: Scope, catalog: Catalog) -> Scope:
    """What a condition on a contact may read: all of its account, and what is measured of the contact itself."""
    metrics = {f"contact.{name}": metric.type for name, metric in catalog.metrics.items() if metric.of == "contact"}
    fields = {f"contact.{name}": kind for name, kind in CONTACT_FIELDS.items()}
    fields |= {f"contact.in_role.{role}": ValueType.BOOLEAN for role in catalog.roles}
    words = {"contact.seniority": frozenset(catalog.seniority)} if catalog.seniority else {}
    return replace(scope.with_names(fields, words), metrics={**scope.metrics, **metrics})


def product_scope(scope: Scope, catalog: Catalog) -> Scope:
    """What a condition on a product may read: all of its account, its name, and what is measured of the product."""
    metrics = {f"product.{name}": metric.type for name, metric in catalog.metrics.items() if metric.of == "product"}
    return replace(scope.with_names({"product.name": ValueType.TEXT}), metrics={**scope.metrics, **metrics})


def event_scope(scope: Scope, catalog: Catalog, event: str) -> Scope:
    """What a condition on an event may read: all of its account, and the declared fields of the event."""
    kind = catalog.events.get(event)
    words = {"event.feature": frozenset(catalog.features)} if catalog.features else {}
    return scope.with_names({f"event.{name}": type_ for name, type_ in kind.fields.items()} if kind else {}, words)


def _elsewhere(catalog: Catalog) -> Iterable[tuple[str, str]]:
    for name, metric in catalog.metrics.items():
        how = f'to read it of the account, give the metric "{name}" an across: sum, mean, max or min'
        if metric.of == "contact" and not metric.across:
            yield name, f'"{name}" is measured per contact; where a contact is meant it is "contact.{name}"; {how}'
        elif metric.of == "product" and not metric.across:
            yield name, f'"{name}" is measured per product; {how}'
