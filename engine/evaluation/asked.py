"""What has to be read to say why one rule says what it says of one account: a small bundle, and one row or many."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import RankMeasure
from engine.definitions.rule import Rule
from engine.definitions.scorecard import Rank, Spread
from engine.evaluation.narrowing import narrowed


def asked_of(bundle: Bundle, rule: str) -> Bundle:
    """The bundle as far as one rule reads it, its guard and the conditions of its actions included."""
    declared = bundle.rules[rule]
    rules, cards = _others(_names_beside(declared))
    found = narrowed(bundle, [rule, *rules], cards)
    return replace(found, rules={**found.rules, rule: declared})


def compares(bundle: Bundle) -> bool:
    """Whether anything in it compares an account with others, so that its own facts alone would not do."""
    return any(_compares(part) for part in (*bundle.rules.values(), *bundle.scorecards.values()))


def _names_beside(rule: Rule) -> Iterator[str]:
    """The names that whom an action is for, and who is exempt from a hold-out, depend on."""
    exempt = rule.guard.hold_out.exempt if rule.guard.hold_out else None
    for condition in (exempt, *(action.when for action in rule.actions)):
        yield from condition.names if condition else ()


def _others(names: Iterable[str]) -> tuple[list[str], list[str]]:
    rules: list[str] = []
    cards: list[str] = []
    for name in names:
        kind, _, rest = name.partition(".")
        if kind == "signal" and "." in rest:
            rules.append(rest.rpartition(".")[0])
        elif kind in {"score", "tier", "cause"}:
            cards.append(rest.partition(".")[0])
    return rules, cards


def _compares(part: object) -> bool:
    if isinstance(part, RankMeasure | Rank | Spread):
        return True
    if isinstance(part, Feature):
        return part.window is Window.RANK
    if isinstance(part, str):
        return part.endswith(".rank")
    if isinstance(part, tuple | frozenset):
        return any(_compares(each) for each in part)
    if isinstance(part, dict):
        return any(_compares(each) for each in part.values())
    if is_dataclass(part):
        return any(_compares(getattr(part, field.name)) for field in fields(part))
    return False
