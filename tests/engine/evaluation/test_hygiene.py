"""What deserves a second look is said once, and not when the file says why it is so."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.evaluation.hygiene import hygiene
from engine.evaluation.hygiene_history import correlation, hygiene_of
from engine.evaluation.replaying import Replay

TODAY = date(2026, 11, 22)
FOLDER = Path(__file__).parents[2] / "every_key"
TEXTS = {
    path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8")
    for path in FOLDER.rglob("*.*")
    if path.suffix in {".yaml", ".md"}
}
CARD, RULE, CATALOG = "rules/scorecards/health.yaml", "rules/everything.yaml", "rules/catalog.yaml"


def bundle(**changes: tuple[str, str]) -> Bundle:
    """The workspace that uses every key, with one text in a file in place of another."""
    texts = dict(TEXTS)
    for where, (old, new) in changes.items():
        path = {"card": CARD, "rule": RULE, "catalog": CATALOG, "playbook": "playbooks/everything.yaml"}[where]
        assert old in texts[path], old
        texts[path] = texts[path].replace(old, new)
    found = reading.read(texts)
    assert found.bundle is not None, found.problems
    return found.bundle


def codes(found: Bundle, today: date = TODAY) -> list[str]:
    return [problem.code for problem in hygiene(found, today)]


def test_a_model_without_a_goal_metric_is_found_unless_it_is_waived() -> None:
    """S1-08: meeting goals is not one metric among others."""
    without = ("{target_ratio: {target: 100, direction: higher}", "{linear: [0, 10]")
    assert "H001" not in codes(bundle())
    card = bundle(card=without)
    bare = replace(card, catalog=replace(card.catalog, goals={}))
    assert "H001" in codes(bare)
    waived = dict(bare.texts)
    waived[CARD] = f"# waived H001: this one is about people\n{waived[CARD]}"
    assert "H001" not in codes(replace(bare, texts=waived))
    waived[CARD] = f"# waived H001:\n{bare.texts[CARD]}"
    assert "H001" in codes(replace(bare, texts=waived)), "a waiver without a reason is none"


def test_too_many_metrics_are_not_the_critical_few() -> None:
    """S1-22."""
    more = "".join(f"      active_users.mean_{days}d: {{linear: [0, 10]}}\n" for days in range(40, 60))
    found = bundle(card=("      plan: {categorical", f"{more}      plan: {{categorical"))
    assert "H002" in codes(found)
    assert "H002" not in codes(bundle())


def test_a_review_that_is_overdue_or_that_nobody_set_is_listed() -> None:
    """S2-41: each rule has a day on which it is looked at again, and the overdue ones are named."""
    assert {"H005", "H006"} & set(codes(bundle())) == set()
    assert "H005" in codes(bundle(), date(2027, 3, 2))
    assert "H006" in codes(bundle(rule=("  review_by: 2027-03-01\n", "")))


def test_a_rule_that_is_judged_by_what_its_playbook_asks_is_found() -> None:
    assert "H004" not in codes(bundle())
    asked = ("success: {metric: active_users, change: +10%", "success: {metric: engaged, change: +10%")
    assert "H004" in codes(bundle(rule=asked))


def test_a_copied_rule_is_found() -> None:
    copied = {**TEXTS, "rules/copy.yaml": TEXTS[RULE].replace("rule: everything", "rule: copy")}
    found = reading.read(copied).bundle
    assert found is not None
    assert "H007" in codes(found)


def test_a_metric_nobody_reads_and_a_score_nobody_answers_are_named() -> None:
    """S0-01, S0-41: a warning needs a response, and metrics without one are listed."""
    said = {problem.code: problem.message for problem in hygiene(bundle(), TODAY)}
    assert '"sound"' in said["H003"]
    assert '"tickets"' in said["H008"]
    assert '"active_users"' not in said["H003"] + said["H008"]


def history(said: list[list[int]], **metrics: NDArray[np.float64]) -> tuple[Bundle, Replay]:
    verdicts = np.array(said, dtype=np.int8)
    shape, found = verdicts.shape, bundle()
    days = np.arange(shape[0]) * 7
    empty: dict[str, NDArray[Any]] = {}
    keys = tuple(f"a{row}" for row in range(shape[1]))
    return found, Replay(days, keys, np.ones(shape, dtype=bool), {"everything": verdicts}, empty, empty, empty, metrics)


@pytest.mark.parametrize(
    ("said", "code"),
    [([[-1, -1], [-1, 0]], "H020"), ([[1, 1], [1, 1]], "H021"), ([[0, 0], [0, 0]], "H022"), ([[1, -1], [1, -1]], "")],
)
def test_a_rule_that_never_or_always_fires_says_nothing(said: list[list[int]], code: str) -> None:
    """S2-41: what became of a rule is looked at, not only what it says."""
    assert [problem.code for problem in hygiene_of(*history(said))] == ([code] if code else [])


def test_two_metrics_that_say_the_same_are_found() -> None:
    """S1-22: near-duplicates count twice."""
    first = np.random.default_rng(3).normal(50, 10, (2, 40))
    second = first * 3 + np.random.default_rng(4).normal(0, 1, (2, 40))
    said = [[1, -1] * 20] * 2
    same = history(said, active_users=first, busy=second)
    (problem,) = hygiene_of(*same)
    assert (problem.code, '"active_users" and "busy"' in problem.message) == ("H023", True)
    other = np.random.default_rng(5).normal(0, 1, (2, 40))
    assert hygiene_of(*history(said, active_users=first, busy=other)) == ()


def test_a_correlation_needs_enough_accounts_that_differ() -> None:
    values, here = np.arange(30.0), np.ones(30, dtype=bool)
    assert correlation(values, values * 2, here) == pytest.approx(1.0)
    assert correlation(values, np.ones(30), here) is None
    few = here.copy()
    few[10:] = False
    assert correlation(values, values, few) is None
