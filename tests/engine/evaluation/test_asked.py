"""How much of a bundle one question reads: less than all of it, with the same answer."""

from dataclasses import replace

import pytest

from engine.definitions.bundle import Bundle
from engine.evaluation.asked import seen_by
from engine.evaluation.evaluation import evaluate
from engine.evaluation.examples import tell
from engine.evaluation.program import evaluate_condition
from engine.evaluation.reading import conditions_of, needs
from tests.starter.pack import PACK

RUNS = [(rule.name, action.playbook) for rule in PACK.rules.values() for action in rule.actions]


@pytest.mark.parametrize(("rule", "playbook"), sorted(set(RUNS)))
def test_a_run_sees_in_its_part_of_the_bundle_what_it_would_see_in_all_of_it(rule: str, playbook: str) -> None:
    part = seen_by(PACK, rule, playbook)
    for example in PACK.rules[rule].examples:
        whole, small = tell(PACK, example), tell(part, example)
        for condition in conditions_of(PACK.playbooks[playbook]):
            if any(name.startswith("contact.") for name in condition.names):
                continue
            verdicts = [evaluate_condition(condition.tree, seen.columns, 1).verdicts for seen in (whole, small)]
            assert verdicts[0].tolist() == verdicts[1].tolist()
        for name, observed in small.signals.items():
            assert observed.verdicts.tolist() == whole.signals[name].verdicts.tolist()
        assert small.rules[rule].tolist() == whole.rules[rule].tolist()


def test_a_run_reads_a_few_metrics_of_many() -> None:
    part = needs(seen_by(PACK, "seats-unused", "seat-activation"))
    whole = needs(PACK)
    assert part.metrics < whole.metrics
    assert len(part.events) * 4 < len(whole.events)


def test_a_run_begun_by_hand_reads_what_its_steps_ask() -> None:
    part: Bundle = seen_by(PACK, "", "seat-activation")
    assert part.rules == {}
    assert "active_users" in needs(part).metrics
    assert evaluate(part, replace(tell(PACK, PACK.rules["seats-unused"].examples[0]).facts)).rules == {}
