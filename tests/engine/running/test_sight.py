"""What compares an account with others needs the others."""

import pytest

from engine.running.sight import needs_portfolio


@pytest.mark.parametrize("name", ["active_users.rank", "score.health", "tier.health", "cause.health", "signal.r.s"])
def test_a_rank_a_score_and_what_is_made_of_them_need_the_portfolio(name: str) -> None:
    assert needs_portfolio(frozenset({"active_users", name}))


def test_an_accounts_own_figures_do_not() -> None:
    assert not needs_portfolio(frozenset({"active_users.mean_7d", "account.arr", "contact.logins", "scored_goals"}))
