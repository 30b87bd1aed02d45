"""Evidence: what each signal of a rule measured for one account and how that stands to its limit, in one sentence."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.condition import Compare, Condition, Literal, Var, typed_names
from engine.definitions.feature import Feature, ValueType
from engine.definitions.measure import (
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    Limit,
    Measure,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.definitions.rule import Rule, Signal
from engine.evaluation.columns import Column, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.features import OwnNames, feature_named
from engine.evaluation.history import LOOKED_AT, changes
from engine.evaluation.measure_sentences import NOT_KNOWN as _NOT_KNOWN, Seen, Words as _Words, compared_sentence
from engine.evaluation.observed import Observed
from engine.evaluation.wording import (
    comparison_text,
    condition_text,
    feature_title,
    feature_value,
    limit_text,
    name_text,
    number,
    share,
)
from engine.terms import Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a decision: a signal, what it measured and its limit in words, and where it is declared."""

    signal: str
    verdict: int
    value: float | None
    sentence: str
    place: str


def evidence_of(rule: Rule, catalog: Catalog, evaluation: Evaluation, row: int) -> tuple[Evidence, ...]:
    """The evidence for one account, one entry per signal in the order of the file."""
    columns = OwnNames(rule.name, evaluation.columns)
    found = []
    for name, signal in rule.signals.items():
        observed = evaluation.signals[f"{rule.name}.{name}"]
        measured = float(observed.values[row])
        value = None if math.isnan(measured) else measured
        verdict = Verdict(int(observed.verdicts[row]))
        seen = _seen(evaluation, observed, value, row)
        sentence = signal_sentence(catalog, signal, verdict, value, columns, row, seen)
        sentence += _flapping(rule, name, evaluation, observed, row)
        found.append(Evidence(name, int(verdict), value, sentence, str(signal.place)))
    return tuple(found)


def _seen(evaluation: Evaluation, observed: Observed, value: float | None, row: int) -> Seen:
    contacts = evaluation.facts.contacts
    rows = () if observed.people is None else np.flatnonzero(observed.people & (contacts.account_rows == row)).tolist()
    parts = {name: float(part[row]) for name, part in observed.parts.items()}
    return Seen(value, parts, tuple(contacts.keys[contact] for contact in rows))


def _flapping(rule: Rule, name: str, evaluation: Evaluation, observed: Observed, row: int) -> str:
    if observed.flapping is None or not observed.flapping[row]:
        return ""
    history = evaluation.facts.before.history[f"{rule.name}.{name}"][row : row + 1]
    often = f"it changed {int(changes(history)[0])} times in its last {LOOKED_AT} known states"
    return f"; {often}, so it counts as unknown until it settles"


def telling(rule: Rule, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """The evidence that tells why: without the signals that hold and only say whom the rule is for.

    That a customer is still one is no news. Where nothing else is left, all of it stays.
    """
    news = tuple(
        each for each in evidence if each.verdict != Verdict.HOLDS or not is_scope(rule.signals[each.signal].measure)
    )
    return news or tuple(evidence)


def is_scope(measure: Measure) -> bool:
    """Whether a measure only says whom a rule is for: a condition that reads nothing but words an account is described
    by, such as its stage or its segments; no measurement, no amount and no date."""
    if not isinstance(measure, ConditionMeasure):
        return False
    read = list(typed_names(measure.condition.tree))
    return bool(read) and all(
        name.startswith("in_segment.") or (name.startswith("account.") and kind is ValueType.TEXT)
        for name, kind in read
    )


def signal_sentence(
    catalog: Catalog,
    signal: Signal,
    verdict: Verdict,
    value: float | None,
    columns: Mapping[str, Column],
    row: int,
    seen: Seen | None = None,
) -> str:
    """What a signal measured and how that stands to its limit: ``Licence utilisation is 31 %, below 40 % for 7 days``.

    Where the signal does not hold the limit is denied (``not below 40 %``), where it is unknown it is named
    (``needed: below 40 %``).
    """
    words = _Words(verdict, f" for {signal.lasting} days" if signal.lasting > 1 else "")
    match signal.measure:
        case ThresholdMeasure(feature, limit):
            return _threshold(catalog, signal.clears, feature, limit, value, words)
        case TrendMeasure():
            return _trend(catalog, signal.measure, value, words)
        case GoalMeasure():
            return _goal(catalog, signal.measure, value, words)
        case SilenceMeasure(feature, longer_than):
            title = catalog.metrics[feature.metric].title
            shown = _NOT_KNOWN if value is None else f"{number(value)} days"
            return f"{title}: silent for {shown}{words.said(f'more than {longer_than} days')}"
        case EventMeasure():
            return _event(signal.measure, value)
        case ConditionMeasure(condition):
            return _condition(catalog, condition, words, columns, row)
    return compared_sentence(catalog, signal.measure, seen or Seen(value, {}), words)


def value_of(catalog: Catalog, name: str, column: Column | None, row: int) -> str:
    """One account's value of a name, in words."""
    if column is None:
        return _NOT_KNOWN
    if isinstance(column, Texts):
        return column.words[column.codes[row]] if column.codes[row] >= 0 else _NOT_KNOWN
    value = float(column.values[row])
    if math.isnan(value):
        return _NOT_KNOWN
    feature = feature_named(catalog, name.removeprefix("contact."))
    if feature is not None:
        return feature_value(catalog, feature, value)
    if name.startswith("goal."):
        return share(value)
    if name.startswith(("in_segment.", "signal.")):
        return "yes" if value else "no"
    return number(value)


def _threshold(
    catalog: Catalog,
    clears: Limit | Condition | None,
    feature: Feature,
    limit: Limit,
    value: float | None,
    words: _Words,
) -> str:
    text = f"{_upper(feature_title(catalog, feature))} is {feature_value(catalog, feature, value)}"
    needed = limit_text(catalog, feature, limit)
    if value is None or words.verdict is not Verdict.HOLDS or _meets(limit, value):
        return f"{text}{words.said(needed)}"
    return f"{text}: it was {needed}{words.lasting}{_until(catalog, feature, clears)}"


def _until(catalog: Catalog, feature: Feature, clears: Limit | Condition | None) -> str:
    match clears:
        case Limit():
            return f" and is not {limit_text(catalog, feature, clears)} yet"
        case Condition(tree=tree):
            return f" and it does not hold yet that {condition_text(catalog, tree)}"
    return ""


def _meets(limit: Limit, value: float) -> bool:
    match limit.bound:
        case "below":
            return value < limit.value
        case "at_most":
            return value <= limit.value
        case "above":
            return value > limit.value
    return value >= limit.value


def _trend(catalog: Catalog, measure: TrendMeasure, value: float | None, words: _Words) -> str:
    title, over = catalog.metrics[measure.metric].title, measure.over
    limit = f"{'down' if measure.change < 0 else 'up'} by {share(abs(measure.change))} or more"
    if value is None:
        return f"{title} cannot be compared with the {over} days before{words.said(limit)}"
    moved = f"went {'down' if value < 0 else 'up'} by {share(abs(value))}" if value else "did not change"
    return f"{title} {moved} in {over} days against the {over} days before{words.said(limit)}"


def _goal(catalog: Catalog, measure: GoalMeasure, value: float | None, words: _Words) -> str:
    metric = catalog.goals[measure.agreed].metric if measure.agreed else measure.metric
    whole = "what the goal asks for by today" if measure.of == "line" else "the goal"
    shown = f"{_NOT_KNOWN} against the goal" if value is None else f"at {share(value)} of {whole}"
    return f"{catalog.metrics[metric].title} is {shown}{words.said(f'below {share(measure.attained_below)}')}"


def _event(measure: EventMeasure, value: float | None) -> str:
    who = f" ({' or '.join(role.replace('_', ' ') for role in measure.roles)})" if measure.roles else ""
    what = f"{measure.event.replace('_', ' ')}{who}"
    if value is None:
        return f"No {what} in the last {measure.within} days"
    when = "today" if value == 0 else "yesterday" if value == 1 else f"{number(value)} days ago"
    return f"{_upper(what)}: {when}, within the last {measure.within} days"


def _condition(catalog: Catalog, condition: Condition, words: _Words, columns: Mapping[str, Column], row: int) -> str:
    match condition.tree:
        case Compare(operator, Var(name), Literal() as limit):
            text = f"{_upper(name_text(catalog, name))} is {_shown(catalog, name, columns, row)}"
            if operator.startswith("==") and words.verdict is Verdict.HOLDS:
                return text
            how = ", " if words.verdict is Verdict.HOLDS else "; needed: "
            return f"{text}{how}{comparison_text(catalog, name, operator, limit)}{words.lasting}"
    values = [(name_text(catalog, name), _shown(catalog, name, columns, row)) for name in sorted(condition.names)]
    if words.verdict is Verdict.HOLDS:
        values = [(name, shown) for name, shown in values if shown != _NOT_KNOWN] or values
    known = "; ".join(f"{name} is {shown}" for name, shown in values)
    asked = f"needed: {condition_text(catalog, condition.tree)}{words.lasting}"
    return _upper(f"{known}; {asked}" if known else asked)


def _shown(catalog: Catalog, name: str, columns: Mapping[str, Column], row: int) -> str:
    return value_of(catalog, name, columns.get(name), row)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
