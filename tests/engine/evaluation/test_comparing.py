"""What a change of definitions does, account by account, and when it is more than may happen in passing."""

from dataclasses import replace
from datetime import UTC, datetime

from engine.definitions.bundle import Bundle
from engine.definitions.feature import Feature
from engine.definitions.measure import Limit, ThresholdMeasure
from engine.definitions.rule import Guard
from engine.evaluation.comparing import Blast, Effect, blast_of, compare
from engine.evaluation.deciding import Past, Plan, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.terms import DecisionKind
from tests.engine.evaluation import portfolio as made

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
CATALOG = made.catalog(made.metric("usage"))
FACTS = made.facts(4, series={"usage": made.series({0: 5}, {0: 15}, {0: 25}, {})})


def below(limit: float, cut: float = 50.0, most: int | None = None) -> Bundle:
    """A rule that fires below a limit, and a scorecard whose metric scores 100 at ``cut``."""
    measure = ThresholdMeasure(Feature("usage"), Limit("below", limit))
    rule = made.rule("low-usage", {"low": measure}, guard=Guard(max_new_runs=most))
    card = made.scorecard(made.dimension("use", 1.0, made.scored("usage", 0, cut)))
    return made.bundle(CATALOG, rule, cards=[card])


def evaluated(bundle: Bundle) -> Evaluation:
    return evaluate(bundle, FACTS)


def planned(bundle: Bundle) -> Plan:
    return decide(bundle, evaluated(bundle), Past(known_rules={"low-usage"}), MOMENT)


def effect(before: Bundle | None, after: Bundle) -> Effect:
    return compare(evaluated(before) if before else None, evaluated(after), planned(after))


def test_a_moved_limit_names_whom_it_reaches_and_whom_it_lets_go() -> None:
    wider = effect(below(10), below(20)).rules["low-usage"]
    assert (wider.fires, wider.stops) == (("a1",), ())
    assert [one.account_key for one in wider.starts] == ["a0", "a1"], "whoever enters now, by the new definitions"
    assert effect(below(20), below(10)).rules["low-usage"].stops == ("a1",)


def test_what_is_new_and_what_is_gone_is_said() -> None:
    first = effect(None, below(10)).rules["low-usage"]
    assert (first.was_there, first.is_there, first.fires) == (False, True, ("a0",))
    without = replace(below(10), rules={})
    gone = compare(evaluated(below(10)), evaluated(without), planned(without)).rules["low-usage"]
    assert (gone.is_there, gone.stops) == (False, ("a0",))
    same = compare(evaluated(below(10)), evaluated(below(10)), Plan(MOMENT, (), (), {}, {}))
    assert all(one.is_nothing for one in same.rules.values())


def test_accounts_that_change_tier_are_named_with_both_tiers() -> None:
    moves = effect(below(10, cut=50), below(10, cut=20)).tiers["health"]
    assert [(move.account, move.before, move.after) for move in moves] == [
        ("a1", "requires_attention", "doing_well"),
        ("a2", "take_notice", "doing_well"),
    ]
    assert effect(None, below(10)).tiers == {}, "an account without a tier before did not change it"


def test_nothing_is_beyond_the_limits_in_a_small_change() -> None:
    assert blast_of(effect(below(10), below(20)), planned(below(10)), planned(below(20))) == Blast()


def test_a_rule_that_goes_beyond_its_own_limit_is_asked_about() -> None:
    after = below(20, most=1)
    found = blast_of(effect(below(10), after), planned(below(10)), planned(after))
    assert found.size == 2
    assert "rule low-usage would go beyond its limit for 2 accounts" in found.asks[0]
    assert blast_of(effect(after, after), planned(after), planned(after)) == Blast(), "it was stopped before already"
    assert all(one.kind is DecisionKind.REFUSE for one in planned(after).decisions)


def test_more_than_a_tenth_changing_tier_is_asked_about_but_never_ten() -> None:
    def many(count: int) -> Effect:
        facts = made.facts(100, series={"usage": made.series(*({0: 25.0 if row < count else 5} for row in range(100)))})
        before, after = below(1, cut=50), below(1, cut=25)
        return compare(evaluate(before, facts), evaluate(after, facts), Plan(MOMENT, (), (), {}, {}))

    assert len(many(11).tiers["health"]) == 11
    assert blast_of(many(10), None, Plan(MOMENT, (), (), {}, {})) == Blast()
    found = blast_of(many(11), None, Plan(MOMENT, (), (), {}, {}))
    assert found.size == 11
    assert "scorecard health would move 11 of 100 accounts" in found.asks[0]
