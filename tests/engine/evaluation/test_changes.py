"""The change of a score, to the micro-point: what moved, what went missing, what the model did."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings, strategies as st

from engine.definitions.scorecard import Bounded, ForcedTier, Linear, Rank, Scorecard, Spread
from engine.evaluation.changes import Change, Crossed, Moved, explain_change
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import AccountScore, ScoreLine, account_score
from engine.evaluation.facts import ScoreOverride
from engine.terms import MICRO, Tier
from tests.engine.evaluation import portfolio as p

NAMES = ("a", "b", "c", "d")
CATALOG = p.catalog(*(p.metric(name, title=f"Metric {name.upper()}") for name in NAMES))


def card(**weights: float) -> Scorecard:
    whole = sum(weights.values())
    metrics = [p.scored(name, weight=weight / whole) for name, weight in weights.items()]
    half = max(len(metrics) // 2, 1)
    if len(metrics) == 1:
        return p.scorecard(p.dimension("all", 1.0, *metrics), min_coverage=0.0)
    return p.scorecard(
        p.dimension("one", 0.4, *metrics[:half]), p.dimension("two", 0.6, *metrics[half:]), min_coverage=0.0
    )


def score(of: Scorecard, values: Mapping[str, float], **more: Any) -> AccountScore:
    known = p.facts(1, series={name: p.series({0: value}) for name, value in values.items()}, **more)
    return account_score(evaluate(p.bundle(CATALOG, cards=[of]), known).scores["health"], 0)


def change(
    before: Mapping[str, float], after: Mapping[str, float], old: Scorecard | None = None, new: Scorecard | None = None
) -> Change:
    first = old or card(a=1, b=1, c=1)
    second = new or first
    crossed = None if new is None else Crossed(score(second, before), score(first, after))
    return explain_change(CATALOG, first, score(first, before), second, score(second, after), crossed)


VALUES = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 100), min_size=1)
CARDS = st.dictionaries(st.sampled_from(NAMES), st.floats(0.05, 5), min_size=1).map(lambda weights: card(**weights))
PEOPLE = st.none() | st.integers(0, 100 * MICRO)


def overridden(of: AccountScore, micro: int | None) -> AccountScore:
    return of if micro is None else replace(of, effective=micro)


@settings(max_examples=200, deadline=None)
@given(VALUES, VALUES, CARDS, st.none() | CARDS, PEOPLE, PEOPLE)
def test_the_parts_sum_to_the_change_exactly(
    before: dict[str, float],
    after: dict[str, float],
    old: Scorecard,
    new: Scorecard | None,
    first: int | None,
    second: int | None,
) -> None:
    """S0-58."""
    earlier = overridden(score(old, before), first)
    later = overridden(score(new or old, after), second)
    crossed = None if new is None else Crossed(score(new, before), score(old, after))
    found = explain_change(CATALOG, old, earlier, new or old, later, crossed)
    if earlier.computed is None or later.computed is None:
        assert (found.micro, found.parts) == (None, ())
        return
    assert found.micro == (later.effective or 0) - (earlier.effective or 0)
    assert sum(part.micro for part in found.parts) == found.micro
    assert all(isinstance(part.micro, int) and part.micro for part in found.parts)
    lines = [{line.metric: line.contribution for line in of.lines} for of in (earlier, later)]
    for name in NAMES:
        moved = sum(part.micro for part in found.parts if part.metric == name)
        assert moved == lines[1].get(name, 0) - lines[0].get(name, 0), "each metric explains its own contribution"
    if new is None:
        assert Moved.MODEL not in {part.moved for part in found.parts}


def test_the_metric_that_fell_most_is_the_cause() -> None:
    """S0-58."""
    found = change({"a": 80, "b": 50, "c": 50}, {"a": 30, "b": 60, "c": 45})
    assert found.cause == "a"
    assert found.headline == "The score fell by 18.5 points; the cause is Metric A"
    assert [(part.metric, part.moved, part.micro) for part in found.parts] == [
        ("a", Moved.VALUE, -20 * MICRO),
        ("c", Moved.VALUE, -1_500_000),
        ("b", Moved.VALUE, 3 * MICRO),
    ]
    assert found.parts[0].sentence == "-20.0: Metric A went from 80 to 30"


def test_data_that_goes_missing_is_told_apart_from_values_that_fall() -> None:
    found = change({"a": 80, "b": 50, "c": 20}, {"a": 80, "b": 50})
    assert [(part.metric, part.moved) for part in found.parts] == [("c", Moved.WENT_MISSING), ("b", Moved.WEIGHTS)]
    assert found.parts[0].sentence == "-6.0: Metric C is no longer known (it was 20)"
    assert found.micro == 9 * MICRO


def test_data_that_comes_back_is_told_too() -> None:
    found = change({"a": 80, "b": 50}, {"a": 80, "b": 50, "c": 20})
    assert {part.moved for part in found.parts} == {Moved.CAME_BACK, Moved.WEIGHTS}


def test_a_changed_model_is_told_apart_from_changed_values() -> None:
    old = card(a=1, b=1)
    stricter = replace(
        old,
        dimensions=(
            p.dimension("one", 0.4, p.scored("a", normaliser=Linear(0, 200))),
            p.dimension("two", 0.6, p.scored("b")),
        ),
    )
    same_values = change({"a": 80, "b": 50}, {"a": 80, "b": 50}, old, stricter)
    assert [(part.metric, part.moved, part.micro) for part in same_values.parts] == [("a", Moved.MODEL, -16 * MICRO)]
    both = change({"a": 80, "b": 50}, {"a": 40, "b": 50}, old, stricter)
    # By the old model 80 → 40 is 16 points, by the new one 8; the model costs 16 before and 8 after.
    assert sorted((part.moved, part.micro) for part in both.parts) == [
        (Moved.MODEL, -12 * MICRO),
        (Moved.VALUE, -12 * MICRO),
    ]


def test_a_metric_that_left_the_scorecard_is_a_change_of_model() -> None:
    found = change({"a": 80, "b": 50}, {"a": 80, "b": 50}, card(a=1, b=1), card(a=1))
    assert {part.moved for part in found.parts} == {Moved.MODEL}
    assert found.micro == 18 * MICRO


MARKS = st.none() | st.floats(0, 100)
KINDS = st.sampled_from([Linear(0, 100), Rank("all", None), Bounded(0, 50), Spread("all", 0.05)])


@st.composite
def stored(draw: st.DrawFn, names: Sequence[str]) -> AccountScore:
    """Whatever a score may have been stored as: any marks and shares, also of ranks, and whole contributions."""
    lines = tuple(
        ScoreLine(name, draw(MARKS), draw(MARKS), draw(st.floats(0, 1)), draw(st.integers(0, 100 * MICRO)))
        for name in names
    )
    computed = sum(line.contribution for line in lines)
    effective = draw(st.none() | st.integers(0, 100 * MICRO))
    return AccountScore(computed, computed if effective is None else effective, 1.0, None, None, None, lines)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_whatever_was_stored_and_by_whatever_models_nothing_is_left_over(data: st.DataObject) -> None:
    """S0-58: ranks, bounds, missing values, lines that come and go, two models: the parts sum to the micro-point."""
    some = st.lists(st.sampled_from(NAMES), unique=True, min_size=1)
    old, new = ([p.scored(name, normaliser=data.draw(KINDS)) for name in data.draw(some)] for _ in range(2))
    cards = [p.scorecard(p.dimension("all", 1.0, *metrics)) for metrics in (old, new)]
    names = [[metric.name for metric in metrics] for metrics in (old, new)]
    before, after = data.draw(stored(names[0])), data.draw(stored(names[1]))
    other = Crossed(data.draw(stored(names[1])), data.draw(stored(names[0])))
    crossed = data.draw(st.none() | st.just(other))
    found = explain_change(CATALOG, cards[0], before, cards[1], after, crossed)
    assert sum(part.micro for part in found.parts) == found.micro == (after.effective or 0) - (before.effective or 0)
    ends = [{line.metric: line.contribution for line in score.lines} for score in (before, after)]
    for name in NAMES:
        told = sum(part.micro for part in found.parts if part.metric == name)
        assert told == ends[1].get(name, 0) - ends[0].get(name, 0)


def test_without_the_other_model_everything_is_the_models() -> None:
    old, new = card(a=1, b=1), card(a=1, b=3)
    found = explain_change(CATALOG, old, score(old, {"a": 80, "b": 50}), new, score(new, {"a": 40, "b": 50}))
    assert {part.moved for part in found.parts} == {Moved.MODEL}


@settings(max_examples=100, deadline=None)
@given(VALUES, CARDS, CARDS)
def test_where_no_value_moved_a_new_model_is_all_there_is(
    values: dict[str, float], old: Scorecard, new: Scorecard
) -> None:
    found = change(values, values, old, new)
    assert {part.moved for part in found.parts} <= {Moved.MODEL}


def test_what_happened_beside_the_points_is_said() -> None:
    """D.6 39: clamping and exceptions have lines of their own."""
    of = replace(card(a=1, b=1), forced=(ForcedTier(p.compare("b", "<", 70), Tier.REQUIRES_ATTENTION, p.PLACE),))
    found = change({"a": 120, "b": 90}, {"a": 160, "b": 65}, of)
    assert found.notes == (
        "The tier went from Doing Well to Requires Attention",
        "Now: It is Requires Attention by the exception: Metric B is below 70",
        "Metric A went from 120 to 160, but its mark cannot be more than 100",
    )
    assert found.text.splitlines()[0] == found.headline


def test_an_override_has_a_line_of_its_own() -> None:
    of, values = card(a=1, b=1), {"a": 80.0, "b": 50.0}
    person = ScoreOverride(0, "health", "they told me", "ana@example.com", "2026-12-22", micro=10 * MICRO)
    found = explain_change(CATALOG, of, score(of, values), of, score(of, values, overrides=(person,)))
    assert [(part.metric, part.moved, part.micro) for part in found.parts] == [("", Moved.OVERRIDE, -52 * MICRO)]
    assert found.cause == ""
    assert found.parts[0].sentence == "-52.0: a person's override began"
    ended = explain_change(CATALOG, of, score(of, values, overrides=(person,)), of, score(of, values))
    assert ended.parts[0].sentence == "+52.0: a person's override ended"


def test_without_a_score_on_one_side_nothing_is_decomposed() -> None:
    strict = replace(card(a=1, b=1), min_coverage=1.0)
    gone = change({"a": 80, "b": 50}, {"a": 80}, strict)
    assert (gone.micro, gone.headline) == (None, "There is no score any more: insufficient data")


def test_no_change_is_said() -> None:
    assert change({"a": 80}, {"a": 80}).headline == "The score did not change"


def test_a_rank_that_moved_by_itself_is_the_other_accounts_doing() -> None:
    ranked = p.scorecard(p.dimension("all", 1.0, p.scored("a", normaliser=Rank("all", None))))

    def marked(mark: float) -> AccountScore:
        line = ScoreLine("a", 5.0, mark, 1.0, round(mark * MICRO))
        return AccountScore(line.contribution, line.contribution, 1.0, None, None, None, (line,))

    found = explain_change(CATALOG, ranked, marked(80), ranked, marked(60))
    assert [(part.moved, part.micro) for part in found.parts] == [(Moved.PEERS, -20 * MICRO)]
    assert found.parts[0].sentence == "-20.0: Metric A did not move, but the other accounts did"
