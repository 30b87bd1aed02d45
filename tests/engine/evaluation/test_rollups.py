"""The portfolio from above: parents equal their children exactly."""

from hypothesis import given, strategies as st

from engine.evaluation.rollups import Group, Placed, Total, family, total_of, tree
from engine.terms import MICRO, Tier

PLACED = st.builds(
    Placed,
    key=st.text("abcdef", min_size=1, max_size=4),
    path=st.tuples(st.sampled_from(["enterprise", "mid", "small", ""]), st.sampled_from(["north", "south"])),
    arr=st.none() | st.floats(0, 1e7),
    micro=st.none() | st.integers(0, 100 * MICRO),
    tier=st.none() | st.sampled_from(list(Tier)),
)
ACME = Placed("acme", ("enterprise",), 100_000.10, 40 * MICRO, Tier.REQUIRES_ATTENTION)
BOLT = Placed("bolt", ("enterprise",), 300_000.20, 80 * MICRO, Tier.DOING_WELL)
CORD = Placed("cord", ("small",), None, None, None)


def walk(group: Group) -> list[Group]:
    return [group, *(below for child in group.children for below in walk(child))]


@given(st.lists(PLACED, max_size=30))
def test_every_group_equals_the_sum_of_its_children(accounts: list[Placed]) -> None:
    """S0-43: roll-ups over the segment tree sum exactly to their children, to the hundredth and the micro-point."""
    root = tree(accounts)
    for group in walk(root):
        if group.children:
            assert group.total == sum((child.total for child in group.children), Total())
    assert root.total == sum((total_of(account) for account in accounts), Total())
    assert root.total.accounts == len(accounts)


@given(st.lists(PLACED, max_size=15), st.randoms())
def test_the_order_of_accounts_does_not_matter(accounts: list[Placed], luck: object) -> None:
    shuffled = list(accounts)
    luck.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own random
    assert tree(shuffled).total == tree(accounts).total


def test_means_by_account_and_by_money_worked_out_by_hand() -> None:
    """(40 + 80) / 2 = 60; (40 x 100,000.10 + 80 x 300,000.20) / 400,000.30 = 70.00000…"""
    enterprise, small = tree([ACME, BOLT, CORD]).children
    assert enterprise.name == "enterprise"
    assert enterprise.total.mean_score == 60.0
    weighted = enterprise.total.weighted_score
    assert weighted is not None
    assert abs(weighted - (40 * 100_000.10 + 80 * 300_000.20) / 400_000.30) < 1e-9
    assert small.total.mean_score is None
    assert small.total.weighted_score is None


def test_money_by_tier_is_there_for_the_revenue_team() -> None:
    """S3-20: ARR by tier."""
    total = tree([ACME, BOLT, CORD]).total
    assert total.arr_by_tier == {Tier.REQUIRES_ATTENTION: 10_000_010, Tier.DOING_WELL: 30_000_020}
    assert total.tiers == {Tier.REQUIRES_ATTENTION: 1, Tier.DOING_WELL: 1}
    assert (total.accounts, total.arr_known, total.scored) == (3, 2, 2)


def test_an_account_without_a_segment_is_in_one_called_unknown() -> None:
    (group,) = tree([Placed("acme", ("",))]).children
    assert group.name == "unknown"


def test_accounts_roll_up_to_the_account_they_belong_to() -> None:
    accounts = [
        Placed("holding", ("enterprise",), 10.0),
        Placed("north", ("mid",), 20.0, parent="holding"),
        Placed("plant", ("small",), 5.0, parent="north"),
        Placed("alone", ("small",), 7.0),
    ]
    (group,) = family(accounts)
    assert (group.name, group.total.arr) == ("holding", 3_500)
    assert [child.name for child in group.children] == ["holding", "north", "plant"]


def test_accounts_that_belong_to_each_other_in_a_circle_do_not_hang() -> None:
    assert family([Placed("a", (), parent="b"), Placed("b", (), parent="a")])
