"""Precursors, metrics that tell, and goals from history: with counts, out of time, and silent on little."""

import numpy as np
import pytest

from engine.effect.foretold import Cells
from engine.effect.patterns import patterns, ranking, suggest_goals
from engine.effect.ranked import bearing

DAYS, ACCOUNTS = 20, 300


def lived(seed: int = 1) -> tuple[Cells, np.ndarray, np.ndarray]:
    """Accounts that use much stay; below 40 users half of the cells are followed by the outcome, above 2 %."""
    draw = np.random.default_rng(seed)
    users = np.tile(draw.uniform(0, 100, ACCOUNTS), (DAYS, 1)) + draw.normal(0, 2, (DAYS, ACCOUNTS))
    happened = draw.random(users.shape) < np.where(users < 40, 0.5, 0.02)
    cells = Cells(np.arange(DAYS) * 7, 90, happened, np.ones_like(happened))
    return cells, users, draw.normal(size=users.shape)


def verdicts(holds: np.ndarray) -> np.ndarray:
    return np.where(holds, 1, -1).astype(np.int8)


def test_what_holds_more_often_before_it_is_found_with_counts_and_what_does_not_is_not() -> None:
    """S3-15: precursors over-represented before bad outcomes, with counts."""
    cells, users, noise = lived()
    (found,) = patterns({"r.few": verdicts(users < 40), "r.noise": verdicts(noise < 0)}, cells)
    assert found.signal == "r.few"
    assert found.before.known == int(cells.happened.sum())
    assert found.before.met == int((cells.happened & (users < 40)).sum())
    assert found.otherwise.known == int((~cells.happened).sum())
    assert found.accounts == int((cells.happened & (users < 40)).any(axis=0).sum())
    assert found.times == pytest.approx(found.before.rate / found.otherwise.rate)
    assert found.times > 2


def test_what_held_for_a_few_accounts_only_is_no_pattern() -> None:
    cells, users, _ = lived()
    few = np.zeros_like(users, dtype=bool)
    few[:, :19] = cells.happened[:, :19]
    assert patterns({"r.rare": verdicts(few)}, cells) == ()


def test_unknown_is_neither_held_nor_clear() -> None:
    cells, users, _ = lived()
    said = verdicts(users < 40)
    said[:10] = 0
    (found,) = patterns({"r.few": said}, cells)
    assert found.before.known == int(cells.happened[10:].sum())


def test_metrics_are_ranked_by_how_well_they_tell() -> None:
    """S3-43: feature ranking by association with retention, with counts."""
    cells, users, noise = lived()
    arr = np.full(ACCOUNTS, 100.0)
    silent = np.full_like(users, np.nan)
    found = ranking({name: bearing(values, 1, cells, arr) for name, values in
                     {"noise": noise, "silent": silent, "users": users}.items()})  # fmt: skip
    assert [name for name, _ in found] == ["users", "noise", "silent"]
    assert found[0][1].ranked.cells == DAYS * ACCOUNTS
    assert found[0][1].kept_high > found[0][1].kept_low


def test_a_goal_is_cut_where_history_parts_and_judged_on_later_days() -> None:
    """S3-32: cut-offs from history with sample size and confidence."""
    cells, users, noise = lived()
    best, *rest = suggest_goals({"users": users, "noise": noise}, {"users": 1, "noise": 1}, cells)
    assert (best.metric, best.at_least, best.is_confident) == ("users", True, True)
    assert best.cut == pytest.approx(40, abs=5)
    assert best.reached.known + best.missed.known == DAYS // 2 * ACCOUNTS
    assert best.reached.rate > 0.95
    assert best.missed.rate < 0.65
    assert [one.is_confident for one in rest] == [False]


def test_for_a_metric_that_should_be_low_the_goal_is_an_upper_one() -> None:
    cells, users, _ = lived()
    (found,) = suggest_goals({"silence": 100 - users}, {"silence": -1}, cells)
    assert not found.at_least
    assert found.cut == pytest.approx(60, abs=5)


def test_a_cut_that_only_held_in_earlier_days_is_not_confident() -> None:
    cells, users, _ = lived()
    turned = cells.happened.copy()
    turned[DAYS // 2 :] = np.random.default_rng(2).random(turned[DAYS // 2 :].shape) < 0.2
    later = Cells(cells.days, cells.within, turned, cells.known)
    (found,) = suggest_goals({"users": users}, {"users": 1}, later)
    assert not found.is_confident


def test_without_a_better_side_or_with_few_accounts_nothing_is_suggested() -> None:
    cells, users, _ = lived()
    few = np.full_like(users, np.nan)
    few[:, :25] = users[:, :25]
    assert suggest_goals({"users": users, "few": few}, {"few": 1}, cells) == ()
