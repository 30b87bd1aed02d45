"""Nothing but noise sets off no rule: a portfolio in which nothing happens stays quiet for two months."""

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.evaluation.columns import Numbers, Texts
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.evaluation.facts import Agreed, Contacts, Facts, Happenings, Series, Subjects
from engine.terms import Verdict
from tests.starter.pack import PACK
from tests.starter.test_starter_pack import CORE

ACCOUNTS = 200
TODAY = 20_000
HISTORY = 150
WEEKLY_RHYTHM = np.array([1.0, 1.05, 1.05, 1.0, 0.95, 0.3, 0.25])


def series(values: NDArray[np.float64]) -> Series:
    """Turn values [account, day] into points, the last of them today's."""
    accounts, days = values.shape
    when = np.tile(np.arange(TODAY - days + 1, TODAY + 1), accounts)
    return Series(np.repeat(np.arange(accounts), days), when, values.ravel())


def noisy(random: np.random.Generator, size: NDArray[np.float64], *, rhythm: bool) -> Series:
    """Counts around a size that never changes, with or without quiet week-ends."""
    days = np.arange(TODAY - HISTORY + 1, TODAY + 1)
    level = size[:, None] * (WEEKLY_RHYTHM[days % 7] if rhythm else np.ones(HISTORY))
    return series(random.poisson(level).astype(np.float64))


def replies(random: np.random.Generator) -> Happenings:
    """A reply of the champion about every ten days, never more than three weeks apart."""
    found = []
    for account in range(ACCOUNTS):
        day = TODAY - HISTORY
        while (day := day + int(random.integers(4, 20))) <= TODAY:
            found.append((account, day))
    rows, days = np.array(found, dtype=np.int64).T
    return Happenings(np.arange(len(rows)), rows, rows.copy(), days, {})


def quiet(random: np.random.Generator, at: int) -> Facts:
    """Return a portfolio of mid-sized accounts, two thirds of whose seats are in use, all on their goal's line."""
    seats = random.integers(30, 300, ACCOUNTS).astype(np.float64)
    deflected = random.uniform(20, 200, ACCOUNTS)
    people = np.arange(ACCOUNTS)
    return Facts(
        at=at,
        accounts=Subjects(people + 1, tuple(f"account-{row}" for row in people)),
        fields={"arr": Numbers(np.full(ACCOUNTS, 50_000.0)), "stage": Texts(np.zeros(ACCOUNTS, np.int64), ("value",))},
        series={
            "active_users": noisy(random, seats * 0.65, rhythm=False),
            "seats_sold": series(np.repeat(seats[:, None], HISTORY, axis=1)),
            "tickets_deflected": noisy(random, deflected, rhythm=True),
            "nps": series(np.full((ACCOUNTS, HISTORY), 50.0)),
        },
        contacts=Contacts(
            ids=people + 1,
            keys=tuple(f"champion-{row}" for row in people),
            account_rows=people,
            roles=(frozenset({"champion"}),) * ACCOUNTS,
            departed=np.zeros(ACCOUNTS, dtype=np.bool_),
        ),
        events={"reply": replies(random)},
        goals={
            "tickets_deflected": Agreed(
                target=deflected * float(WEEKLY_RHYTHM.mean()) * 365,
                start_value=np.zeros(ACCOUNTS),
                start_day=np.full(ACCOUNTS, TODAY - HISTORY + 1.0),
                end_day=np.full(ACCOUNTS, TODAY - HISTORY + 366.0),
            )
        },
    )


@pytest.fixture(scope="module")
def days() -> list[Evaluation]:
    """Evaluate the same noise on several days of two months."""
    return [evaluate(PACK, quiet(np.random.default_rng(7), at)) for at in range(TODAY - 60, TODAY + 1, 10)]


@pytest.mark.parametrize("rule", sorted(PACK.rules))
def test_noise_alone_sets_off_no_rule(days: list[Evaluation], rule: str) -> None:
    fired = [int((day.rules[rule] == Verdict.HOLDS).sum()) for day in days]
    assert fired == [0] * len(days)


@pytest.mark.parametrize("rule", sorted(CORE))
def test_the_quiet_is_an_answer_and_not_a_lack_of_data(days: list[Evaluation], rule: str) -> None:
    """Every rule that the data is there for knows that it is clear; none of them is merely unknown."""
    assert all((day.rules[rule] == Verdict.FAILS).all() for day in days)


def test_a_quiet_portfolio_does_well(days: list[Evaluation]) -> None:
    scores = days[-1].scores["health"].effective
    assert (scores > 60_000_000).all()
