"""Running the examples in rules: one account with the history an example tells, evaluated like any other.

A metric that the catalog derives may be given directly; it then is what the example says.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Metric
from engine.definitions.problem import Problem
from engine.definitions.rule import Example, Rule
from engine.evaluation.asked import asked_of
from engine.evaluation.columns import Column
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.evidence import evidence_of
from engine.evaluation.facts import Before, Facts
from engine.evaluation.remembering import remember
from engine.evaluation.signals import is_remembered
from engine.evaluation.told import DAY as DAY, facts_told, given_columns
from engine.terms import Verdict

_SAID: Final = {Verdict.HOLDS: "fires", Verdict.FAILS: "clear", Verdict.UNKNOWN: "unknown"}


def check_examples(bundle: Bundle) -> tuple[Problem, ...]:
    """Run every example of every rule; one problem (R050) for each that does not come out as written."""
    return tuple(problem for name in sorted(bundle.rules) for problem in run_examples(bundle, bundle.rules[name]))


def run_examples(bundle: Bundle, rule: Rule) -> tuple[Problem, ...]:
    """Run the examples of one rule."""
    found = (_run(bundle, rule, example) for example in rule.examples)
    return tuple(problem for problem in found if problem is not None)


def tell(bundle: Bundle, example: Example) -> Evaluation:
    """Evaluate the bundle for the one account an example tells of."""
    return evaluate(*_told(bundle, example))


def remembering(bundle: Bundle, rule: Rule, example: Example) -> Evaluation:
    """What ``rule`` reads, the same way, after the days its signals remember: what is told of scores by day."""
    told, facts, given = _told(asked_of(bundle, rule.name), example)
    lasting = [signal.lasting for signal in rule.signals.values() if is_remembered(signal.measure)]
    before = Before()
    for age in range(max(lasting, default=1) - 1, 0, -1):
        day = replace(facts, at=DAY - age, before=before)
        before = remember(evaluate(told, day, given_columns(told.catalog, example, age)))
    return evaluate(told, replace(facts, before=before), given)


def _told(bundle: Bundle, example: Example) -> tuple[Bundle, Facts, Mapping[str, Column]]:
    directly = {name: _direct(metric) for name, metric in bundle.catalog.metrics.items() if _is_direct(metric, example)}
    catalog = replace(bundle.catalog, metrics={**bundle.catalog.metrics, **directly})
    return replace(bundle, catalog=catalog), facts_told(catalog, example), given_columns(catalog, example)


def _run(bundle: Bundle, rule: Rule, example: Example) -> Problem | None:
    evaluation = remembering(bundle, rule, example)
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
