"""Were people right when they overrode a score? Held against what happened, and silent where there is too little."""

import pytest

from engine.evaluation.override_accuracy import Overridden, judge
from engine.terms import MICRO


def cases(computed: int, said: int, *, stayed: bool, count: int = 20) -> list[Overridden]:
    return [Overridden(computed * MICRO, said * MICRO, stayed)] * count


@pytest.mark.parametrize(
    ("found", "who"),
    [
        (cases(80, 20, stayed=False), "People were nearer"),
        (cases(80, 20, stayed=True), "The model was nearer"),
        (cases(50, 50, stayed=True), "People were as right as the model"),
    ],
)
def test_what_was_computed_and_what_was_said_are_held_against_what_happened(found: list[Overridden], who: str) -> None:
    """D.5 29: overrides are scored for accuracy."""
    assert judge(found).sentence.startswith(who)


def test_the_figures_are_mean_squared_distances() -> None:
    found = judge(cases(80, 20, stayed=False) + cases(80, 20, stayed=True))
    assert (found.count, round(found.model or 0, 6), round(found.people or 0, 6)) == (40, 0.34, 0.34)


def test_few_cases_say_nothing() -> None:
    found = judge(cases(80, 20, stayed=False, count=19))
    assert (found.model, found.people) == (None, None)
    assert found.sentence == "19 overridden scores are old enough to be judged; 20 are needed"
