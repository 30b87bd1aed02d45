"""Running the examples in rules: one account with the history an example tells, evaluated like any other.

A plain value is taken to have been so all along (``seats_sold: 100``), except of metrics whose points are amounts of
a day. A metric that the catalog derives may be given directly; it then is what the example says.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog, Metric
from engine.definitions.feature import ValueType
from engine.definitions.problem import Problem
from engine.definitions.rule import Example, ExampleEvent, ExampleGoal, Rule
from engine.evaluation.columns import Column, Numbers, Texts
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.evidence import evidence_of
from engine.evaluation.facts import Agreed, Contacts, Facts, Happenings, Series, Subjects
from engine.evaluation.goals import adds_up
from engine.terms import Verdict

DAY: Final = date(2026, 6, 1).toordinal() - date(1970, 1, 1).toordinal()
"""The day on which examples take place; ages count back from it."""

_ALWAYS: Final = 800
_SAID: Final = {Verdict.HOLDS: "fires", Verdict.FAILS: "clear", Verdict.UNKNOWN: "unknown"}

Value = float | str | bool


def check_examples(bundle: Bundle) -> tuple[Problem, ...]:
    """Run every example of every rule; one problem (R050) for each that does not come out as written."""
    return tuple(problem for name in sorted(bundle.rules) for problem in run_examples(bundle, bundle.rules[name]))


def run_examples(bundle: Bundle, rule: Rule) -> tuple[Problem, ...]:
    """Run the examples of one rule."""
    found = (_run(bundle, rule, example) for example in rule.examples)
    return tuple(problem for problem in found if problem is not None)


def tell(bundle: Bundle, example: Example) -> Evaluation:
    """Evaluate the bundle for the one account an example tells of."""
    directly = {name: _direct(metric) for name, metric in bundle.catalog.metrics.items() if _is_direct(metric, example)}
    catalog = replace(bundle.catalog, metrics={**bundle.catalog.metrics, **directly})
    return evaluate(replace(bundle, catalog=catalog), _facts(catalog, example), _given(catalog, example))


def _run(bundle: Bundle, rule: Rule, example: Example) -> Problem | None:
    evaluation = tell(bundle, example)
    said = _SAID[Verdict(int(evaluation.rules[rule.name][0]))]
    if said == example.then:
        return None
    seen = evidence_of(rule, bundle.catalog, evaluation, 0)
    measured = ". ".join(f"{each.signal} {_SAID[Verdict(each.verdict)]}: {each.sentence}" for each in seen)
    message = f'the example "{example.name}" says {example.then}, but the rule says {said}'
    return Problem(example.place, "R050", message, measured)


def _is_direct(metric: Metric, example: Example) -> bool:
    silent = metric.from_events is not None and metric.from_events.silence
    made = metric.formula or metric.from_events or metric.from_contacts or metric.across
    return metric.name in example.given and not silent and made is not None


def _direct(metric: Metric) -> Metric:
    return replace(metric, formula=None, from_events=None, from_contacts=None, of="account", across=None)


def _given(catalog: Catalog, example: Example) -> Mapping[str, Column]:
    """Columns for names that are no points: features, scores, segments, and the days of a silence."""
    found: dict[str, Column] = {}
    for name, values in example.given.items():
        metric = catalog.metrics.get(name)
        is_points = metric is not None and (metric.from_events is None or not metric.from_events.silence)
        is_points &= metric is None or metric.type is not ValueType.TEXT
        if values and not is_points and not name.startswith("account."):
            found[name] = _column(values[min(values)])
    return found


def _facts(catalog: Catalog, example: Example) -> Facts:
    points = {
        name: _series(catalog.metrics[name], values)
        for name, values in example.given.items()
        if name in catalog.metrics
    }
    fields = {
        name.removeprefix("account."): _column(values[min(values)])
        for name, values in example.given.items()
        if name.startswith("account.") and values
    }
    return Facts(
        at=DAY,
        accounts=Subjects(np.ones(1, dtype=np.int64), ("example",)),
        fields=fields,
        series=points,
        contacts=_contacts(catalog),
        events={name: _happenings(catalog, name, example) for name in catalog.events},
        goals={goal.goal: _agreed(goal) for goal in example.agreed},
    )


def _agreed(goal: ExampleGoal) -> Agreed:
    start = DAY - goal.age
    told = (goal.target, goal.at_start, start, start + goal.within)
    return Agreed(*(np.array([value], dtype=np.float64) for value in told))


def _series(metric: Metric, values: Mapping[int, Value]) -> Series:
    told = dict(values)
    if set(told) == {0} and not adds_up(metric):
        told = dict.fromkeys(range(_ALWAYS), told[0])
    ages = sorted((age for age in told if not isinstance(told[age], str)), reverse=True)
    numbers = np.array([float(told[age]) for age in ages], dtype=np.float64)
    return Series(np.zeros(len(ages), dtype=np.int64), DAY - np.array(ages, dtype=np.int64), numbers)


def _contacts(catalog: Catalog) -> Contacts:
    """One contact for each role of the catalog, and one without any."""
    size = len(catalog.roles) + 1
    return Contacts(
        ids=np.arange(size, dtype=np.int64) + 2,
        keys=(*catalog.roles, "somebody"),
        account_rows=np.zeros(size, dtype=np.int64),
        roles=(*(frozenset({role}) for role in catalog.roles), frozenset[str]()),
        departed=np.zeros(size, dtype=np.bool_),
    )


def _happenings(catalog: Catalog, name: str, example: Example) -> Happenings:
    told = example.happened or tuple(ExampleEvent(kind, age) for kind, ages in example.events.items() for age in ages)
    events = sorted((event for event in told if event.event == name), key=lambda event: -event.age)
    people = [catalog.roles.index(event.role) if event.role else len(catalog.roles) for event in events]
    return Happenings(
        ids=np.arange(len(events), dtype=np.int64) + 1,
        rows=np.zeros(len(events), dtype=np.int64),
        contact_rows=np.array(people, dtype=np.int64),
        days=DAY - np.array([event.age for event in events], dtype=np.int64),
        fields={field: _values([event.fields.get(field) for event in events]) for field in catalog.events[name].fields},
    )


def _column(value: Value) -> Column:
    return _values([value])


def _values(values: list[Value | None]) -> Column:
    """A column of what was told; texts that are ISO dates are days."""
    texts = {value for value in values if isinstance(value, str)}
    if texts and not all(_is_date(text) for text in texts):
        words = tuple(sorted(texts))
        return Texts(np.array([words.index(each) if isinstance(each, str) else -1 for each in values]), words)
    return Numbers(np.array([_number(value) for value in values], dtype=np.float64))


def _number(value: Value | None) -> float:
    if isinstance(value, str):
        return float(date.fromisoformat(value).toordinal() - date(1970, 1, 1).toordinal())
    return np.nan if value is None else float(value)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
