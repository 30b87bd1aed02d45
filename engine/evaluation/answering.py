"""Which playbooks answer the cause of a fall: those of the rules whose signals read it, the best measured first."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Final

from engine.definitions.bundle import Bundle
from engine.definitions.condition import Literal
from engine.definitions.rule import Rule
from engine.evaluation.features import feature_named
from engine.evaluation.narrowing import rule_names
from engine.evaluation.wording import number
from engine.terms import ChallengeKind

_DERIVED: Final = ("score.", "tier.", "signal.")


@dataclass(frozen=True, slots=True)
class Measured:
    """The measured effect of a playbook in a rule: the difference between the arms and its interval, as shares."""

    uplift: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One playbook that answers, by which rule, and ``basis``: why it stands where it stands in the order."""

    rule: str
    challenge: str
    playbook: str
    effect: Measured | None
    basis: str


def answers(
    bundle: Bundle, causes: Iterable[str], effects: Mapping[tuple[str, str], Measured], scorecard: str = ""
) -> tuple[Answer, ...]:
    """The playbooks for these features or metrics (a cause and what it is made of); empty: a gap in the rules.

    Proven to help come first, the largest effect leading; then those without proof in the order their author wrote
    them; those that are measured to do harm last. With ``scorecard``, rules that ask for its cause by name answer
    too. An opportunity answers no fall.
    """
    wanted = {name for each in causes for name in _with_metric(bundle, each)}
    found = [
        _answer(rule, action.playbook, effects.get((rule.name, action.playbook)))
        for rule in bundle.rules.values()
        if rule.challenge.kind is not ChallengeKind.OPPORTUNITY
        and (wanted & _read(bundle, rule) or _names_cause(rule, scorecard, wanted))
        for action in rule.actions
    ]
    return tuple(sorted(dict.fromkeys(found), key=_place))


def _place(answer: Answer) -> tuple[int, float]:
    effect = answer.effect
    if effect is not None and effect.low > 0:
        return 0, -effect.uplift
    return (2, 0.0) if effect is not None and effect.high < 0 else (1, 0.0)


def _answer(rule: Rule, playbook: str, effect: Measured | None) -> Answer:
    if effect is None:
        basis = "in the order of its author; its effect is not known yet"
    else:
        figures = f"{_points(effect.uplift)} ({_points(effect.low)} to {_points(effect.high)}) points"
        proof = "measured" if effect.low > 0 or effect.high < 0 else "in the order of its author; measured so far"
        basis = f"{proof}: {figures} more reach the goal than without it"
    return Answer(rule.name, rule.challenge.title, playbook, effect, basis)


def _points(share: float) -> str:
    return number(round(share * 100, 1))


def _with_metric(bundle: Bundle, name: str) -> Iterator[str]:
    yield name
    feature = feature_named(bundle.catalog, name)
    if feature is not None:
        yield feature.metric


def _read(bundle: Bundle, rule: Rule) -> frozenset[str]:
    """The metrics a rule's signals look at, and what those are made of; not what is behind a score they look at."""
    open_, found = list(rule_names(rule)), set[str]()
    while open_:
        name = open_.pop().removeprefix("contact.")
        feature = None if name in found or name.startswith(_DERIVED) else feature_named(bundle.catalog, name)
        if feature is not None:
            formula = bundle.catalog.metrics[feature.metric].formula
            found |= {name, feature.metric}
            open_ += formula.names - found if formula else ()
    return frozenset(found)


def _names_cause(rule: Rule, scorecard: str, wanted: set[str]) -> bool:
    """Whether a condition of the rule compares the scorecard's cause with one of these metrics."""
    if not scorecard or f"cause.{scorecard}" not in rule_names(rule):
        return False
    conditions = (getattr(signal.measure, "condition", None) for signal in rule.signals.values())
    return any(not wanted.isdisjoint(_texts(each.tree)) for each in (rule.when, *conditions) if each is not None)


def _texts(part: object) -> Iterator[str]:
    """The texts that a condition compares with."""
    if isinstance(part, Literal):
        if isinstance(part.value, str):
            yield part.value
    elif isinstance(part, tuple):
        for each in part:
            yield from _texts(each)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _texts(getattr(part, field.name))
