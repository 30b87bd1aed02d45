"""A bundle cut down to some rules and scorecards and what those read, so that a replay computes nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Final

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Condition, names_of
from engine.definitions.feature import Feature
from engine.definitions.rule import Guard, Rule, Success
from engine.definitions.scorecard import Scorecard
from engine.evaluation.features import feature_named
from engine.evaluation.replaying import DATED

_OF_CARDS: Final = ("score", "tier", "cause")


def narrowed(bundle: Bundle, rules: Iterable[str], cards: Iterable[str]) -> Bundle:
    """The bundle with these rules and scorecards and those they read. Nothing is started by it: no actions, no
    guards, no criteria of success, no playbooks."""
    kept_rules: dict[str, Rule] = {}
    kept_cards: dict[str, Scorecard] = {}
    open_ = [*(("rule", name) for name in rules), *(("card", name) for name in cards)]
    while open_:
        kind, name = open_.pop()
        if kind == "rule" and name in bundle.rules and name not in kept_rules:
            kept_rules[name] = _signals_only(bundle.rules[name])
            open_ += _definitions(rule_names(bundle.rules[name]))
        elif kind == "card" and name in bundle.scorecards and name not in kept_cards:
            kept_cards[name] = bundle.scorecards[name]
            open_ += _definitions(card_names(bundle.scorecards[name]))
    in_order = {name: kept_rules[name] for name in bundle.rules if name in kept_rules}
    cards_in_order = {name: kept_cards[name] for name in bundle.scorecards if name in kept_cards}
    return replace(bundle, rules=in_order, scorecards=cards_in_order, playbooks={}, messages={}, reports={})


def _signals_only(rule: Rule) -> Rule:
    guard = Guard(flapping=rule.guard.flapping)  # a flapping signal says something else
    return replace(rule, actions=(), guard=guard, challenge=replace(rule.challenge, success=Success(0)), examples=())


def _definitions(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        head, _, rest = name.partition(".")
        if head in _OF_CARDS:
            yield "card", rest.partition(".")[0]
        elif head == "signal" and "." in rest:
            yield "rule", rest.rpartition(".")[0]


def rule_names(rule: Rule) -> frozenset[str]:
    """Every name the signals of a rule and its ``when`` read; not those of its actions and guard."""
    found = set(rule.when.names)
    for signal in rule.signals.values():
        found |= _names_in(signal.measure) | _names_in(signal.clears)
    return frozenset(found)


def _names_in(part: object) -> set[str]:
    """The names in a measure, whatever it is made of: conditions, features, bare names of metrics and dates."""
    if isinstance(part, Condition):
        return set(part.names)
    if isinstance(part, str):
        return {part}
    if isinstance(part, Feature):
        return {part.name}
    if isinstance(part, tuple):
        return {name for each in part for name in _names_in(each)}
    if is_dataclass(part):
        return {name for field in fields(part) for name in _names_in(getattr(part, field.name))}
    return set()


def card_names(card: Scorecard) -> frozenset[str]:
    """Every name a scorecard reads."""
    conditions = (card.applies_to, *(exception.when for exception in card.forced))
    found = {metric.name for metric in card.metrics}
    return frozenset(found.union(*(condition.names for condition in conditions if condition)))


def todays(bundle: Bundle, names: Iterable[str]) -> tuple[str, ...]:
    """The names among these (and what they are made of) of which only today's value is known, sorted."""
    fields = (name for name in made_of(bundle, names) if name.startswith("account."))
    return tuple(sorted(name for name in fields if name.removeprefix("account.") not in DATED | {"segment"}))


def made_of(bundle: Bundle, names: Iterable[str]) -> frozenset[str]:
    """These names and all that they are made of: metrics behind features, formulas, segments, signals, scores."""
    open_, done = list(names), set[str]()
    while open_:
        name = open_.pop()
        if name not in done:
            done.add(name)
            open_ += _below(bundle, name)
    return frozenset(done)


def _below(bundle: Bundle, name: str) -> Iterable[str]:
    """What a name is made of: segments of conditions, formulas of metrics, signals and scores of what they read."""
    segments: Mapping[str, Condition] = bundle.catalog.segments
    if name == "account.segment":
        return [each for condition in segments.values() for each in condition.names]
    if name.startswith("in_segment.") and name.removeprefix("in_segment.") in segments:
        return segments[name.removeprefix("in_segment.")].names
    found: list[str] = []
    for kind, other in _definitions([name]):
        if kind == "card" and other in bundle.scorecards:
            found += card_names(bundle.scorecards[other])
        elif kind == "rule" and other in bundle.rules:
            found += rule_names(bundle.rules[other])
    feature = feature_named(bundle.catalog, name.removeprefix("contact."))
    if feature is not None:
        formula = bundle.catalog.metrics[feature.metric].formula
        found += [feature.metric, *(names_of(formula.tree) if formula else ())]
    return found
