"""Evidence: what each signal of a rule measured for one account and what it needed, in one sentence each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.definitions.catalog import Catalog
from engine.definitions.rule import (
    ConditionMeasure,
    EventMeasure,
    GoalMeasure,
    LaterMeasure,
    Measure,
    Rule,
    Signal,
    SilenceMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.evaluation.columns import Column, Texts
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.features import OwnNames, feature_named
from engine.evaluation.wording import (
    condition_text,
    feature_title,
    feature_value,
    limit_text,
    name_text,
    number,
    share,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a decision: a signal, what it measured, what it needed, in words, and where it is declared."""

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
        sentence = signal_sentence(catalog, signal, value, columns, row)
        found.append(Evidence(name, int(observed.verdicts[row]), value, sentence, str(signal.place)))
    return tuple(found)


def signal_sentence(
    catalog: Catalog, signal: Signal, value: float | None, columns: Mapping[str, Column], row: int
) -> str:
    """What a signal measured and needed: ``Licence utilisation is 31 %, needed below 40 % for 7 days``."""
    text = _measured(catalog, signal.measure, value, columns, row)
    lasting = f" for {signal.lasting} days" if signal.lasting > 1 else ""
    return f"{text}{lasting}"


def value_of(catalog: Catalog, name: str, column: Column | None, row: int) -> str:
    """One account's value of a name, in words."""
    if column is None:
        return "not known"
    if isinstance(column, Texts):
        return column.words[column.codes[row]] if column.codes[row] >= 0 else "not known"
    value = float(column.values[row])
    if math.isnan(value):
        return "not known"
    feature = feature_named(catalog, name.removeprefix("contact."))
    if feature is not None:
        return feature_value(catalog, feature, value)
    if name.startswith(("in_segment.", "signal.")):
        return "yes" if value else "no"
    return number(value)


def _measured(catalog: Catalog, measure: Measure, value: float | None, columns: Mapping[str, Column], row: int) -> str:
    match measure:
        case ThresholdMeasure(feature, limit):
            shown, needed = feature_value(catalog, feature, value), limit_text(catalog, feature, limit)
            return f"{_upper(feature_title(catalog, feature))} is {shown}, needed {needed}"
        case TrendMeasure():
            return _trend(catalog, measure, value)
        case GoalMeasure():
            return _goal(catalog, measure, value)
        case SilenceMeasure(feature, longer_than):
            title = catalog.metrics[feature.metric].title
            shown = "not known" if value is None else f"{number(value)} days"
            return f"{title}: silent for {shown}, needed more than {longer_than} days"
        case EventMeasure():
            return _event(measure, value)
        case ConditionMeasure(condition):
            names = sorted(condition.names)
            known = "; ".join(f"{name_text(catalog, name)} is {_shown(catalog, name, columns, row)}" for name in names)
            return f"{known}; needed: {condition_text(catalog, condition.tree)}"
        case LaterMeasure(kind):
            return f"{kind.title()} is not observed by this version, so it is not known"


def _trend(catalog: Catalog, measure: TrendMeasure, value: float | None) -> str:
    title = catalog.metrics[measure.metric].title
    needed = f"{share(measure.change)} or {'lower' if measure.change < 0 else 'higher'}"
    shown = "is not known" if value is None else f"is {share(value)}"
    return f"The change of {title} over {measure.over} days against the {measure.over} before {shown}, needed {needed}"


def _goal(catalog: Catalog, measure: GoalMeasure, value: float | None) -> str:
    metric = catalog.goals[measure.agreed].metric if measure.agreed else measure.metric
    shown = "not known" if value is None else share(value)
    whole = "today's line" if measure.of == "line" else "the target"
    return f"{catalog.metrics[metric].title} is at {shown} of {whole}, needed below {share(measure.attained_below)}"


def _event(measure: EventMeasure, value: float | None) -> str:
    who = f" ({' or '.join(measure.roles)})" if measure.roles else ""
    what = f"{measure.event.replace('_', ' ')}{who}"
    if value is None:
        return f"No {what} in the last {measure.within} days"
    when = "today" if value == 0 else "yesterday" if value == 1 else f"{number(value)} days ago"
    return f"{_upper(what)} {when}, needed within {measure.within} days"


def _shown(catalog: Catalog, name: str, columns: Mapping[str, Column], row: int) -> str:
    return value_of(catalog, name, columns.get(name), row)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
