"""How much of a bundle one question reads: why a rule says what it says, or what a run sees of its account."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Feature, Window
from engine.definitions.measure import RankMeasure
from engine.definitions.playbook import CampaignStep, EmailStep, walk
from engine.definitions.rule import Rule
from engine.definitions.scorecard import Rank, Spread
from engine.evaluation.narrowing import narrowed
from engine.evaluation.reading import conditions_of


def asked_of(bundle: Bundle, rule: str) -> Bundle:
    """The bundle as far as one rule reads it, its guard and the conditions of its actions included."""
    declared = bundle.rules[rule]
    rules, cards = _others(_names_beside(declared))
    found = narrowed(bundle, [rule, *rules], cards)
    return replace(found, rules={**found.rules, rule: declared})


def seen_by(bundle: Bundle, rule: str, playbook: str) -> Bundle:
    """The bundle as far as a run looks at its account: its rule with its success, what the playbook's steps ask, and
    the signals that say whom they are for. A run that a member began by hand has no ``rule``."""
    steps = walk(bundle.playbooks[playbook].steps)
    names = {name for condition in conditions_of(bundle.playbooks[playbook]) for name in condition.names}
    names |= {f"signal.{step.to.signal}" for step in steps if isinstance(step, EmailStep | CampaignStep)}
    declared = {rule: bundle.rules[rule]} if rule in bundle.rules else {}
    for each in declared.values():
        success = each.challenge.success
        names |= {*_names_beside(each), *(success.condition.names if success.condition else ())}
    rules, cards = _others(names)
    found = narrowed(bundle, [*declared, *rules], cards)
    return replace(found, rules={**found.rules, **declared}, playbooks={playbook: bundle.playbooks[playbook]})


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
