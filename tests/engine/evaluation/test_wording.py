"""Numbers and conditions in words."""

import pytest

from engine.definitions.condition import All, AnyOf, Arithmetic, Compare, If, In, Literal, Missing, Not, Tree, Var
from engine.definitions.feature import Feature, ValueType, Window
from engine.evaluation.wording import condition_text, feature_title, feature_value, number, points, share
from tests.engine.evaluation import portfolio as p

CATALOG = p.catalog(
    p.metric("users", title="Weekly active users", unit="people"),
    p.metric("use", title="Licence utilisation", type=ValueType.SHARE),
    p.metric("calls", title="Escalations in 30 days", unit="escalations"),
)
X = Var("users", ValueType.NUMBER)


def literal(value: float) -> Literal:
    return Literal(value, ValueType.NUMBER)


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (69_250_000, "69.2"),
        (69_340_000, "69.3"),
        (69_350_000, "69.4"),
        (69_250_001, "69.3"),
        (100_000_000, "100.0"),
        (-18_500_000, "-18.5"),
        (-20_000, "0.0"),
        (0, "0.0"),
    ],
)
def test_a_score_has_one_decimal_rounded_half_to_even(micro: int, text: str) -> None:
    """S4-59: 69.25 is shown as 69.2 and 69.34 as 69.3."""
    assert points(micro) == text


def test_numbers_have_no_trailing_zeros_and_shares_are_percentages() -> None:
    assert [number(value) for value in (1240.0, 3.5, 0.0, -0.001, 39.96)] == ["1,240", "3.5", "0", "0", "39.96"]
    assert [share(value) for value in (0.31, 0.3996, 1.0, -0.2)] == ["31 %", "39.96 %", "100 %", "-20 %"]


def test_a_value_has_its_unit_unless_the_title_says_it_already() -> None:
    assert feature_value(CATALOG, Feature("users"), 12) == "12 people"
    assert feature_value(CATALOG, Feature("calls"), 2) == "2"
    assert feature_value(CATALOG, Feature("use"), 0.31) == "31 %"
    assert feature_value(CATALOG, Feature("users", Window.CHANGE, 30), -0.2) == "-20 %"
    assert feature_value(CATALOG, Feature("users", Window.DAYS_SINCE), 3) == "3 days"
    assert feature_value(CATALOG, Feature("users"), None) == "not known"


def test_a_feature_is_called_by_its_metric_and_window() -> None:
    assert feature_title(CATALOG, Feature("users")) == "Weekly active users"
    assert feature_title(CATALOG, Feature("users", Window.MEAN, 7)) == "mean of Weekly active users over 7 days"


LOW = Compare("<", X, literal(5))
HIGH = Compare(">=", Arithmetic("+", (X, literal(1)), ValueType.NUMBER), literal(9))


LOW_TEXT, HIGH_TEXT = "Weekly active users is below 5", "(Weekly active users + 1) is at least 9"


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (LOW, "Weekly active users is below 5"),
        (HIGH, "(Weekly active users + 1) is at least 9"),
        (All((HIGH, AnyOf((LOW, LOW)))), f"{HIGH_TEXT} and ({LOW_TEXT} or {LOW_TEXT})"),
        (Not(LOW), "not (Weekly active users is below 5)"),
        (
            In(Var("account.stage", ValueType.TEXT), (Literal("value", ValueType.TEXT),)),
            "the account's stage is one of value",
        ),
        (Missing(("users", "account.arr")), "Weekly active users or the account's ARR is missing"),
        (
            Compare("==", If(LOW, X, literal(0), ValueType.NUMBER), literal(1)),
            "(Weekly active users if Weekly active users is below 5, else 0) is 1",
        ),
        (
            Compare("<", Arithmetic("max", (X, literal(1)), ValueType.NUMBER), literal(2)),
            "max(Weekly active users, 1) is below 2",
        ),
    ],
)
def test_a_condition_can_be_read_aloud(tree: Tree, text: str) -> None:
    assert condition_text(CATALOG, tree) == text
