"""The model is what a company writes into its files: metrics, scores and rules of its own, without a change of code."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pytest

from engine.definitions.problem import Place
from engine.definitions.rule import Example, ExampleEvent
from engine.evaluation.columns import Numbers
from engine.evaluation.deciding import Past, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.examples import tell
from engine.evaluation.explaining import account_score
from engine.terms import MICRO, Mode, Tier, Verdict
from tests.bad_files.workspace import bundle_of
from tests.engine.evaluation import portfolio as p

METRICS: Final = (
    "users",
    "logins",
    "features",
    "expected_logins",
    "value_earned",
    "spend",
    "search_volume",
    "email_clicks",
    "lead_conversion",
    "mood",
    "milestones_late",
)
FORMULAS: Final = {
    "roi": '{"/": [{var: value_earned}, {var: spend}]}',
    "net_roi": '{"/": [{"-": [{var: value_earned}, {var: spend}]}, {var: spend}]}',
    "frequency": '{"/": [{var: logins}, {var: expected_logins}]}',
    "response_rate": '{"/": [{var: survey_answered_count}, {var: survey_sent_count}]}',
    "price_to_value": '{"/": [{var: spend}, {var: users}]}',
}
FACTS: Final = "source: adoption, evidence: do, type: number, better: higher, bears_on_value: They stay"
CATALOG: Final = "\n".join(
    [
        "format: 1\nnorth_star: weekly teams\nmetrics:",
        *(f"  {name}: {{title: {name}, {FACTS}}}" for name in METRICS),
        *(f"  {name}: {{title: {name}, {FACTS}, formula: {formula}}}" for name, formula in FORMULAS.items()),
        *(
            f"  {name}_count: {{title: {name}, {FACTS}, from_events: {{event: {name}, count: events, over: 30d}}}}"
            for name in ("upgrade", "review", "story", "survey_sent", "survey_answered")
        ),
        "events: {upgrade: {}, review: {fields: {rating: number}}, story: {}, survey_sent: {}, survey_answered: {}}",
        "stages: [onboarding, adoption, churned]",
        "segments: {big_new: {and: [{'>=': [{var: account.arr}, 1000]}, {'==': [{var: account.stage}, onboarding]}]}}",
        "",
    ]
)
TIERS: Final = """
tiers:
  requires_attention: {from: 0, customer_wording: a}
  take_notice: {from: 50, customer_wording: b}
  doing_well: {from: 75, customer_wording: c}
"""


def card(*metrics: str, more: str = "") -> str:
    """A scorecard file of one dimension; each metric as ``name: normaliser``, all of equal weight."""
    return (
        "format: 1\nscorecard: health\ndesired_outcome: They renew.\n"
        f"{more}dimensions: {{all: {{weight: 100%, metrics: {{{', '.join(metrics)}}}}}}}{TIERS}"
    )


def rule(signals: str, when: str) -> str:
    """A rule file with those signals and that ``when``."""
    return (
        "format: 1\nrule: own\nchallenge: {title: Something to act upon, kind: risk, why: Because it was so before, "
        "owner: cs-ops, success: {metric: users, at_least: 9, within: 30d}}\n"
        f"actions: [{{playbook: help, mode: manual}}]\nsignals: {signals}\nwhen: {when}\n"
    )


PLAYBOOK: Final = (
    "format: 1\nplaybook: help\ntitle: Help\ncategory: review\nsteps: [{task: {title: Call, to: owner}}]\n"
)


def seen(files: Mapping[str, str], *events: ExampleEvent, **given: float | str) -> Evaluation:
    """What one account with these values looks like through these files; ``_`` in a field's name stands for its dot."""
    names = {name.replace("account_", "account."): {0: value} for name, value in given.items()}
    ages: dict[str, tuple[int, ...]] = {}
    for one in events:
        ages[one.event] = (*ages.get(one.event, ()), one.age)
    return tell(
        bundle_of({"rules/catalog.yaml": CATALOG, **files}), Example("it", names, "fires", Place("it"), ages, events)
    )


def scored(text: str, **given: Any) -> float | None:
    """The score by a scorecard file, None where the data is insufficient."""
    found = seen({"rules/scorecards/health.yaml": text}, **given).scores["health"]
    return None if found.computed[0] < 0 else int(found.computed[0]) / MICRO


def fires(signals: str, when: str = "{all: [it]}", **given: Any) -> int:
    """The verdict of a rule file."""
    files = {"rules/own.yaml": rule(signals, when), "playbooks/help.yaml": PLAYBOOK}
    return int(seen(files, **given).rules["own"][0])


def number(name: str, *events: ExampleEvent, **given: Any) -> float:
    """One value of the account."""
    files = {"rules/scorecards/health.yaml": card("users: {linear: [0, 9]}")}
    column = seen(files, *events, **given).columns[name]
    assert isinstance(column, Numbers)
    return float(column.values[0])


def test_two_models_score_the_same_data_differently() -> None:
    """S0-27, S1-14, S3-02: by files only."""
    data: dict[str, Any] = {"users": 80, "logins": 20}
    assert scored(card("users: {linear: [0, 100]}"), **data) == 80
    assert scored(card("logins: {linear: [0, 100]}"), **data) == 20
    assert scored(card("users: {linear: [0, 100]}", "logins: {threshold: {good: 20, poor: 5}}"), **data) == 90


def test_a_score_of_one_metric_works_and_grows() -> None:
    """S1-21: what was scored alone keeps its value beside what is added."""
    alone = "users: {linear: [0, 100]}"
    assert scored(card(alone), users=60) == 60
    assert scored(card(alone, "logins: {linear: [0, 100]}"), users=60, logins=80) == 70
    assert scored(card(alone, "logins: {linear: [0, 100]}", more="min_coverage: 50%\n"), users=60) == 60


def test_many_measurements_are_one_number() -> None:
    """S0-21: twelve metrics with weights of their own, against the sum worked out apart."""
    metrics = [p.scored(f"m{at}", weight=(at + 1) / 78, zero=0, full=50 + at) for at in range(12)]
    catalog = p.catalog(*(p.metric(f"m{at}") for at in range(12)))
    known = p.facts(1, series={f"m{at}": p.series({0: 3.7 * at}) for at in range(12)})
    bundle = p.bundle(catalog, cards=[p.scorecard(p.dimension("all", 1.0, *metrics))])
    by_hand = sum((at + 1) / 78 * min(3.7 * at / (50 + at), 1) for at in range(12)) * 100
    assert evaluate(bundle, known).scores["health"].computed[0] / MICRO == pytest.approx(by_hand, abs=1e-6)


def test_every_score_is_out_of_100_with_its_tier() -> None:
    """S0-15, S3-27, S3-28: high on breadth, frequency and depth is healthy, low on all three is not."""
    three = card("users: {linear: [0, 50]}", "logins: {linear: [0, 20]}", "features: {linear: [0, 8]}")
    files = {"rules/scorecards/health.yaml": three}
    for level, score, tier in ((1.0, 100, Tier.DOING_WELL), (0.1, 10, Tier.REQUIRES_ATTENTION), (9.0, 100, None)):
        found = account_score(seen(files, users=50 * level, logins=20 * level, features=8 * level).scores["health"], 0)
        assert found.effective is not None
        assert found.effective == pytest.approx(score * MICRO, abs=1)
        assert found.tier is (tier or Tier.DOING_WELL)


def test_a_rating_can_be_relative_to_the_other_accounts() -> None:
    """S0-16: one account passes another, and both ratings change."""
    bundle = p.bundle(p.catalog(p.metric("a")), cards=[p.scorecard(p.dimension("all", 1.0, p.scored("a.rank")))])

    def ratings(*values: float) -> list[float]:
        # Five of each: fewer than twenty accounts cannot be compared.
        known = p.facts(5 * len(values), series={"a": p.series(*({0: value} for value in values * 5))})
        return [micro / MICRO for micro in evaluate(bundle, known).scores["health"].computed.tolist()][: len(values)]

    assert ratings(10, 20, 30, 40) == [25, 50, 75, 100]
    assert ratings(25, 20, 30, 40) == [50, 25, 75, 100]


def test_usage_is_measured_against_what_was_expected() -> None:
    """S0-22: 15 logins of 20 expected are 0.75."""
    assert number("frequency", logins=15, expected_logins=20) == 0.75


def test_the_price_is_compared_with_what_the_customer_gets() -> None:
    """S1-24: a value of the account that rules can read."""
    assert number("price_to_value", spend=900, users=30) == 30
    expensive = "{it: {metric: price_to_value, threshold: {above: 25}}}"
    assert fires(expensive, spend=900, users=30) == Verdict.HOLDS
    assert fires(expensive, spend=900, users=90) == Verdict.FAILS
    assert fires(expensive, spend=900, users=0) == Verdict.UNKNOWN


def test_return_on_investment_has_its_two_definitions_and_a_say_in_the_score() -> None:
    """S0-45, S4-54: 15 earned for 1 spent is 15:1, and 1400 % net."""
    assert number("roi", value_earned=15, spend=1) == 15
    assert number("net_roi", value_earned=15, spend=1) == 14
    files = {"rules/scorecards/health.yaml": card("users: {linear: [0, 100]}", "roi: {linear: [0, 30]}")}
    lines = account_score(seen(files, users=50, value_earned=15, spend=1).scores["health"], 0).lines
    assert {line.metric: line.contribution for line in lines} == {"users": 25 * MICRO, "roi": 25 * MICRO}


def test_a_win_and_use_without_a_return_are_signals_of_their_own() -> None:
    """S4-55, S4-57."""
    win = "{it: {metric: roi, threshold: {above: 10}}}"
    busy = "{used: {metric: logins, threshold: {at_least: 20}}, poor: {metric: roi, threshold: {below: 1}}}"
    assert fires(win, value_earned=15, spend=1) == Verdict.HOLDS
    assert fires(win, value_earned=10, spend=1) == Verdict.FAILS
    assert fires(busy, "{all: [used, poor]}", logins=30, value_earned=1, spend=2) == Verdict.HOLDS
    assert fires(busy, "{all: [used, poor]}", logins=30, value_earned=3, spend=2) == Verdict.FAILS


@pytest.mark.parametrize("name", ["search_volume", "email_clicks", "lead_conversion"])
def test_the_customers_own_figures_are_metrics_like_any_other(name: str) -> None:
    """S0-46: in a rule and in a score."""
    own: dict[str, Any] = {name: 40}
    assert scored(card(f"{name}: {{linear: [0, 100]}}"), **own) == 40
    assert fires(f"{{it: {{metric: {name}, threshold: {{below: 50}}}}}}", **own) == Verdict.HOLDS


def test_an_outlier_to_the_score_is_a_rule() -> None:
    """S1-41: a power user whose colleague says is unhappy."""
    signals = "{power: {metric: logins, threshold: {at_least: 20}}, sad: {metric: mood, threshold: {at_most: 2}}}"
    assert fires(signals, "{all: [power, sad]}", logins=40, mood=1) == Verdict.HOLDS
    assert fires(signals, "{all: [power, sad]}", logins=40, mood=5) == Verdict.FAILS
    assert fires(signals, "{all: [power, sad]}", logins=4, mood=1) == Verdict.FAILS


@pytest.mark.parametrize("name", ["upgrade", "review", "story"])
def test_what_happens_is_counted(name: str) -> None:
    """S1-48, S1-49, S4-37: upgrades bought, reviews left, success stories signed on to."""
    happened = (ExampleEvent(name, 3), ExampleEvent(name, 20), ExampleEvent(name, 40))
    assert number(f"{name}_count", *happened) == 2
    assert number(f"{name}_count", *happened, ExampleEvent(name, 1)) == 3


def test_the_share_of_surveys_that_were_answered() -> None:
    """S0-54: in a window, and unknown where none was sent."""
    sent = [ExampleEvent("survey_sent", age) for age in (2, 5, 9, 25, 40)]
    assert (
        number("response_rate", *sent, ExampleEvent("survey_answered", 4), ExampleEvent("survey_answered", 35)) == 0.25
    )
    assert np.isnan(number("response_rate", ExampleEvent("survey_answered", 4)))


@pytest.mark.parametrize("name", ["features", "users"])
def test_use_that_is_too_little_or_too_shallow_fires(name: str) -> None:
    """S2-19, S2-21."""
    low = f"{{it: {{metric: {name}, threshold: {{below: 3}}}}}}"
    few: dict[str, Any] = {name: 2}
    enough: dict[str, Any] = {name: 3}
    assert fires(low, **few) == Verdict.HOLDS
    assert fires(low, **enough) == Verdict.FAILS
    assert fires(low) == Verdict.UNKNOWN


def test_a_project_behind_its_milestones_fires() -> None:
    """S2-22."""
    late = "{it: {metric: milestones_late, threshold: {at_least: 1}}}"
    assert fires(late, milestones_late=1) == Verdict.HOLDS
    assert fires(late, milestones_late=0) == Verdict.FAILS


def test_a_segment_has_several_conditions() -> None:
    """S2-54, S0-24: revenue and stage at once; a scorecard of its own for those."""
    own = card("users: {linear: [0, 100]}", more="applies_to: {var: in_segment.big_new}\n")
    files = {"rules/scorecards/health.yaml": own}
    for arr, stage, applies in ((2000, "onboarding", True), (2000, "adoption", False), (10, "onboarding", False)):
        found = seen(files, users=50, account_arr=arr, account_stage=stage)
        assert bool(found.scores["health"].applies[0]) is applies


def test_a_wire_is_moved_by_editing_its_file() -> None:
    """S2-02, S0-17: another limit, other accounts."""
    for limit, verdict in ((40, Verdict.HOLDS), (30, Verdict.FAILS)):
        assert fires(f"{{it: {{metric: users, threshold: {{below: {limit}}}}}}}", users=35) == verdict


def test_the_alarm_sounds_so_many_days_before_the_renewal() -> None:
    """S3-30."""
    near = bundle_of(
        {
            "rules/catalog.yaml": CATALOG,
            "rules/own.yaml": rule(
                '{it: {condition: {"<=": [{var: account.renewal_in_days}, 120]}}}',
                "{all: [it]}",
            ),
            "playbooks/help.yaml": PLAYBOOK,
        }
    )
    days = p.numbers(121, 120, 119, float("nan"))
    verdicts = evaluate(near, p.facts(4), {"account.renewal_in_days": days}).rules["own"].tolist()
    assert verdicts == [Verdict.FAILS, Verdict.HOLDS, Verdict.HOLDS, Verdict.UNKNOWN]


def test_the_mode_and_the_action_depend_on_the_stage() -> None:
    """S2-15: the same rule asks first in one stage and goes by itself in the other."""
    actions = (
        'actions:\n  - {playbook: help, mode: approve, for: {"==": [{var: account.stage}, onboarding]}}\n'
        "  - {playbook: help, mode: automatic}\nexisting: enrol\n"
    )
    text = rule("{it: {metric: users, threshold: {below: 9}}}", "{all: [it]}")
    text = text.replace("actions: [{playbook: help, mode: manual}]\n", actions)
    made = bundle_of({"rules/catalog.yaml": CATALOG, "rules/own.yaml": text, "playbooks/help.yaml": PLAYBOOK})
    found = {}
    for stage in ("onboarding", "adoption"):
        given: dict[str, Any] = {"users": {0: 1.0}, "account.stage": {0: stage}}
        evaluation = tell(made, Example("it", given, "fires", Place("it")))
        (decision,) = decide(made, evaluation, Past(), datetime(2026, 6, 1, tzinfo=UTC)).decisions
        found[stage] = decision.mode
    assert found == {"onboarding": Mode.APPROVE, "adoption": Mode.AUTOMATIC}
