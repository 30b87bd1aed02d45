"""Reading how a metric becomes a mark, how missing data counts, and whom a scorecard is for."""

from collections.abc import Mapping

import pytest

from engine.definitions.feature import ValueType
from engine.definitions.scorecard import (
    Bounded,
    Carry,
    Categorical,
    Criteria,
    Fades,
    GoalLine,
    Linear,
    Normaliser,
    Piecewise,
    Rank,
    RollUp,
    ScoredMetric,
    Shown,
    Spread,
    Standard,
    TargetRatio,
)
from tests.bad_files.workspace import BASE, CARD, CATALOG, bundle_of, notes_of, sentences_of, with_edit

HAPPY = "{threshold: {good: 4, poor: 2}}"
KNOWN = "  seats_sold: {title: Seats sold, source: commercial"
PLAIN = "evidence: say, better: higher, bears_on_value: They stay"
WIDER = with_edit(
    CATALOG,
    KNOWN,
    f"  mood: {{title: Mood, source: feedback, type: text, words: [good, bad], {PLAIN}}}\n"
    f"  reference: {{title: Reference, source: feedback, type: boolean, {PLAIN}}}\n"
    f"  arr_of_product: {{title: ARR, of: product, source: commercial, type: number, {PLAIN}}}\n"
    f"  use: {{title: Use, of: product, source: adoption, type: number, {PLAIN}}}\n{KNOWN}",
)


def read(metric: str, scale: str, texts: Mapping[str, str] = WIDER) -> ScoredMetric:
    """The line of a scorecard that says ``metric: scale``."""
    return bundle_of(written(metric, scale, texts)).scorecards["health"].metrics[2]


def written(metric: str, scale: str, texts: Mapping[str, str] = WIDER) -> dict[str, str]:
    return with_edit(CARD, f"      happy: {HAPPY}", f"      {metric}: {scale}", texts)


@pytest.mark.parametrize(
    ("metric", "scale", "expected"),
    [
        ("happy", "{linear: [1, 5]}", Linear(1, 5)),
        ("happy", "{bounded: [1, 5]}", Bounded(1, 5)),
        ("happy", "{piecewise: [[1, 0], [3, 80], [5, 100]]}", Piecewise(((1, 0), (3, 80), (5, 100)))),
        ("happy", "{criteria: {acceptable: 3, highest: 5}}", Criteria(3, 5)),
        ("happy", "{target_ratio: 4}", TargetRatio(4)),
        ("happy", "{target_ratio: {target: 4, direction: lower}}", TargetRatio(4, lower_is_better=True)),
        ("happy", "{target_ratio: active_users.mean_30d}", TargetRatio(of="active_users.mean_30d")),
        ("happy", "{target_ratio: account.arr}", TargetRatio(of="account.arr")),
        ("happy.days_since", "{target_ratio: 30}", TargetRatio(30, lower_is_better=True)),
        ("mood", "{categorical: {good: 100, bad: 0}}", Categorical((("good", 100), ("bad", 0)))),
        ("reference", '{categorical: {"true": 100, "false": 40}}', Categorical((("false", 40), ("true", 100)))),
        ("reference", "{linear: [0, 1]}", Linear(0, 1)),
        ("happy", "{rank: {among: all, floor: 2, scale: 10, otherwise: {linear: [1, 5]}}}",
         Rank("all", 2, scale=10, otherwise=Linear(1, 5))),
        ("seats_sold", "{rank: {among: stage, direction: lower}}", Rank("stage", None, lower_is_better=True)),
        ("happy", "{linear: {winsorise: 10%, among: segment, floor: 1, otherwise: {target_ratio: 4}}}",
         Spread("segment", 0.1, 1, otherwise=TargetRatio(4))),
        ("active_users", "{goal: {agreed: more_users, of: target}}", GoalLine("more_users", final=True)),
    ],
)  # fmt: skip
def test_every_normaliser_is_read(metric: str, scale: str, expected: Normaliser) -> None:
    assert read(metric, scale).normaliser == expected


def test_criteria_are_the_standard_at_once() -> None:
    assert read("happy", "{criteria: {acceptable: 3, highest: 5}}").standard == Standard(3, 5)


def test_the_standard_of_a_goal_is_a_share_of_its_line() -> None:
    line = read("active_users", "{goal: agreed, standard: {acceptable: 80%, highest: 100%}}")
    assert line.standard == Standard(0.8, 1.0)


def test_a_metric_may_say_itself_what_missing_data_means_and_when_it_fades() -> None:
    assert read("happy", "{linear: [1, 5], missing: worst}").missing == "worst"
    assert read("happy", "{linear: [1, 5], missing: {carry: 30d}}").missing == Carry(30)
    assert read("happy", "{linear: [1, 5], fades: 60d}").fades == Fades(60, 60)
    assert read("happy", "{linear: [1, 5], fades: {from: 30d, gone: 80d}}").fades == Fades(30, 80)
    card = bundle_of({**BASE, CARD: BASE[CARD] + "missing: fail\n"}).scorecards["health"]
    assert (card.missing, card.missing_of(card.metrics[0])) == ("fail", "fail")


def test_a_weight_that_fades_after_the_value_is_stale_is_pointed_out() -> None:
    said = written("happy", "{linear: [1, 5], fades: 90d}", BASE)
    assert notes_of(said) == ['"happy" is unknown after 90 days, before its weight fades']


def test_a_metric_may_be_shown_without_being_scored() -> None:
    """S1-23: the others share the dimension as if it were not there."""
    texts = with_edit(CARD, f"      happy: {HAPPY}", f"      happy: {HAPPY}\n      seats_sold: {{scored: false}}")
    metrics = bundle_of(texts).scorecards["health"].metrics
    assert (metrics[3].normaliser, metrics[3].weight, metrics[2].weight) == (Shown(), 0.0, 1.0)
    also = with_edit(
        CARD, f"      happy: {HAPPY}", f"      happy: {HAPPY}\n      seats_sold: {{scored: false, weight: 9%}}"
    )
    assert notes_of(also) == ['"seats_sold" is not scored, so "weight" has no effect']


TIERS = BASE[CARD][BASE[CARD].index("tiers:") :]
PEOPLE = (
    "format: 1\nscorecard: people\nof: contact\nroles: [user]\nroll_up: worst\ndesired_outcome: They come back.\n"
    f"dimensions: {{use: {{weight: 100%, metrics: {{logins.sum_7d: {{linear: [0, 20]}}}}}}}}\n{TIERS}"
)
PARTS = (
    "format: 1\nscorecard: parts\nof: product\nroll_up: {weighted_by: arr_of_product}\ndesired_outcome: Used.\n"
    "applies_to: {'>': [{var: product.use}, 0]}\n"
    f"dimensions: {{use: {{weight: 100%, metrics: {{use: {{linear: [0, 20]}}}}}}}}\n{TIERS}"
)


def with_subjects(line: str = f"      happy: {HAPPY}") -> dict[str, str]:
    texts = with_edit(CARD, f"      happy: {HAPPY}", line, WIDER)
    return {**texts, "rules/scorecards/people.yaml": PEOPLE, "rules/scorecards/parts.yaml": PARTS}


def test_contacts_and_products_have_scorecards_that_roll_up_into_a_metric_of_the_account() -> None:
    """S1-02, S3-11, S3-12."""
    bundle = bundle_of(with_subjects("      score.people: {linear: [0, 100]}"))
    people, parts = bundle.scorecards["people"], bundle.scorecards["parts"]
    assert (people.of, people.roles, people.roll_up) == ("contact", ("user",), RollUp("worst"))
    assert (parts.of, parts.roll_up) == ("product", RollUp("weighted", "arr_of_product"))
    metric = bundle.catalog.metrics["score.people"]
    assert (metric.title, metric.type, metric.of) == ("People, the worst of its contacts", ValueType.NUMBER, "account")
    assert bundle.scorecards["health"].metrics[2].name == "score.people"


def test_a_rule_may_read_a_rolled_up_score_but_no_tier_of_many() -> None:
    rule = "rules/seats-unused.yaml"
    condition = "  lonely: {condition: {'<': [{var: score.people}, 50]}}\n"
    texts = with_subjects()
    clean = {**texts, rule: texts[rule].replace("signals:\n", f"signals:\n{condition}")}
    assert "lonely" in bundle_of(clean).rules["seats-unused"].signals
    many = {**texts, rule: texts[rule].replace("signals:\n", f"signals:\n{condition.replace('score.', 'tier.')}")}
    assert [said.split(" ")[0] for said in sentences_of(many)] == ["J006"]


def test_a_circle_through_a_rolled_up_score_is_refused() -> None:
    people = PEOPLE.replace("roles: [user]", "applies_to: {'>': [{var: score.health}, 50]}")
    texts = {**with_subjects("      score.people: {linear: [0, 100]}"), "rules/scorecards/people.yaml": people}
    assert any(said.startswith("B003") for said in sentences_of(texts))


def test_only_one_number_is_kept_of_a_rolled_up_score() -> None:
    texts = with_subjects("      score.people.mean_7d: {linear: [0, 100]}")
    assert sentences_of(texts) == ['B012 of "score.people" only the present value is kept']


def second(priority: str = "") -> dict[str, str]:
    return {
        **BASE,
        "rules/scorecards/second.yaml": BASE[CARD].replace("scorecard: health", f"scorecard: second{priority}"),
    }


def test_of_several_scorecards_the_files_say_which_comes_first() -> None:
    """D.6 40: ties are an error."""
    assert sentences_of(second("\npriority: 1")) == [
        'S023 there are 2 scorecards of accounts, and "health" has no priority'
    ]
    both = {**second("\npriority: 1"), CARD: BASE[CARD].replace("format: 1\n", "format: 1\npriority: 1\n")}
    assert sentences_of(both) == ['S023 "second" and "health" have the same priority (1)']
    clean = {**both, CARD: both[CARD].replace("priority: 1", "priority: 2")}
    assert [card.priority for card in bundle_of(clean).scorecards.values()] == [2, 1]


def test_a_scorecard_says_how_it_bears_on_the_north_star_and_where_feedback_on_it_is_asked() -> None:
    """S1-36, S1-37."""
    texts = {**BASE, CARD: BASE[CARD] + "north_star: Healthy teams close more plans.\nfeedback: happy\n"}
    card = bundle_of(texts).scorecards["health"]
    assert (card.north_star, card.feedback) == ("Healthy teams close more plans.", "happy")
    unknown = {**BASE, CARD: BASE[CARD] + "feedback: hapy\n"}
    assert sentences_of(unknown) == ['B001 there is no question "hapy"']


def test_the_dwell_of_tiers_is_three_evaluations_and_one_by_criteria() -> None:
    assert bundle_of(BASE).scorecards["health"].dwell == 3
    assert bundle_of({**BASE, CARD: BASE[CARD] + "  dwell: 7\n"}).scorecards["health"].dwell == 7
    by = with_edit(
        CARD, "tiers:\n", "tiers:\n  by: criteria\n", written("happy", "{criteria: {acceptable: 3, highest: 5}}")
    )
    assert bundle_of(by).scorecards["health"].dwell == 1


@pytest.mark.parametrize(
    ("metric", "scale", "sentence"),
    [
        ("happy", "{bounded: [5]}", "S011 bounded has two ends: the value that scores 0 and the one that scores 100"),
        ("happy", "{rank: all}", 'S002 "rank" must have keys and values, not "all"'),
        ("seats_sold", "{rank: {among: all}}",
         'S017 of "seats_sold" neither more nor less is better, so this needs a direction'),
        ("happy", "{piecewise: [[1, 0]]}", "S018 piecewise needs at least two points"),
        ("happy", "{piecewise: [[3, 0], [1, 9]]}", "S018 the values of piecewise must rise from point to point"),
        ("happy", "{piecewise: [[1, 0], [2]]}", "S018 a point is a value and its mark of 0 to 100"),
        ("happy", "{piecewise: [[1, 0], [2, 120]]}", 'S005 a mark must be between 0 and 100, not "120"'),
        ("happy", "{categorical: {good: 1, bad: 2}}",
         'S019 "happy" is a number; categorical is for texts and booleans'),
        ("mood", "{categorical: {good: 100}}", 'S019 "mood" can also be bad, which has no mark'),
        ("mood", "{categorical: {good: 100, bad: 0, ugly: 1}}", 'S019 "mood" is never "ugly"'),
        ("mood", "{linear: [0, 1]}", 'B012 "mood" is no number: "mood" is a text'),
        ("reference", '{categorical: {"true": 1}}', 'S019 "reference" can also be false, which has no mark'),
        ("happy", "{target_ratio: 0}", 'S005 a target must be more than 0, not "0"'),
        ("happy", "{target_ratio: seats_solt}", 'B001 there is no metric or field "seats_solt"'),
        ("happy", "{target_ratio: account.stage}", 'B012 "account.stage" is no number: it is a text'),
        ("happy", "{criteria: {acceptable: 3, highest: 3}}", "S012 acceptable and highest are the same value"),
        ("happy", "{criteria: {acceptable: 3, highest: 5}, standard: {acceptable: 1, highest: 2}}",
         "S016 criteria are the standard already"),
        ("happy", "{rank: {among: all, otherwise: {rank: {among: all}}}}", 'S004 unknown key "rank"'),
        ("happy", "{linear: {winsorise: 60%, among: all}}",
         'S005 "winsorise" must be between 0% and 49%, not "60%"'),
        ("happy", "{linear: [1, 5], fades: {from: 9d, gone: 3d}}", "S021 the weight is gone before it starts to fade"),
        ("happy", "{linear: [1, 5], missing: forget}",
         'S003 "missing" must be exclude, neutral, worst or fail, not "forget"'),
        ("happy", "{linear: [1, 5], goal: agreed, rank: {}}",
         ("S010 a scored metric needs exactly one of linear, threshold, goal, rank, target_ratio, piecewise, "
          "categorical, bounded and criteria")),
        ("logins", "{linear: [1, 5]}", 'B011 "logins" is measured per contact; a number of the account is needed here'),
    ],
)  # fmt: skip
def test_a_line_refuses(metric: str, scale: str, sentence: str) -> None:
    """S2-34."""
    assert sentence in sentences_of(written(metric, scale))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("roll_up: worst", "S022 contacts and products are rolled up into their account; accounts are not"),
        ("roles: [user]", "S022 only contacts have roles"),
        ("of: team", 'S003 "of" must be account, contact or product, not "team"'),
    ],
)
def test_a_scorecard_of_accounts_refuses(more: str, sentence: str) -> None:
    assert sentence in sentences_of({**BASE, CARD: BASE[CARD] + more + "\n"})


def test_a_scorecard_of_contacts_refuses_what_is_for_accounts() -> None:
    texts = with_subjects()
    both = PEOPLE.replace("roll_up: worst", "roll_up: best\npriority: 3")
    assert sentences_of({**texts, "rules/scorecards/people.yaml": both}) == [
        'S003 "roll_up" must be worst or mean, not "best"',
        "S022 a priority decides between scorecards of accounts",
    ]
    ranked = PEOPLE.replace("linear: [0, 20]", "rank: {among: all, floor: 1, otherwise: {linear: [0, 20]}}")
    assert sentences_of({**texts, "rules/scorecards/people.yaml": ranked}) == [
        "S024 this compares accounts, and contacts are not compared with each other"
    ]
    assert 'B001 there is no role "usr"' in sentences_of(
        {**texts, "rules/scorecards/people.yaml": PEOPLE.replace("[user]", "[usr]")}
    )
