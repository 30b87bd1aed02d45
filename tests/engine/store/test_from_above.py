"""The portfolio from above: sums of children, one line for everybody, families, and categories by name."""

import pytest
from sqlalchemy import update

from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.evaluation.rollups import Total
from engine.store.files import check
from engine.store.from_above import Branch, families, segments
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from tests.engine.store.futures import END, live
from tests.seeding import DAY, OTHER, OWNER, seed


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The definitions that are shipped."""
    found = check(".")[0].bundle
    assert found is not None
    return found


def test_every_branch_is_the_sum_of_its_children(store: Store, shipped: Bundle) -> None:
    """S0-43: all > segment > stage > account, on both databases."""
    with store.begin() as session:
        live(session, accounts=120, steps=6)
        found = segments(session, shipped, END, ("segment", "owner"))
    seen = list(_walk(found))
    assert len([branch for branch in seen if not branch.children]) == found.total.accounts > 100
    for branch in seen:
        if branch.children:
            assert branch.total == sum((child.total for child in branch.children), Total())


def test_a_group_and_an_account_are_one_line_each(sqlite_store: Store, shipped: Bundle) -> None:
    """S3-21: tier, number, trend and cause, the same for everybody."""
    seed(sqlite_store)
    with sqlite_store.read() as session:
        found = segments(session, shipped, DAY)
    lines = {branch.name: branch.line for branch in _walk(found)}
    assert lines["cedar-schools"] == "Cedar Schools: insufficient data"
    assert lines["northwind-health"].startswith("Northwind Health: Requires Attention, ")
    assert lines["northwind-health"].split(", ")[2].startswith("down ")
    assert lines["all"].startswith("all: 7 accounts, ")
    assert "2 of them (148,000) Requires Attention" in lines["all"]
    assert {branch.name for branch in found.children} == {"enterprise", "mid", "small"}


def test_accounts_are_summed_up_under_the_account_they_belong_to(sqlite_store: Store, shipped: Bundle) -> None:
    numbers = seed(sqlite_store).accounts
    with sqlite_store.begin() as session:
        child = update(AccountRow).where(AccountRow.id == numbers["Fjord Travel"])
        session.execute(child.values(parent_id=numbers["Elm Insurance"]))
        (found,) = families(session, shipped)
    assert found.name == "elm-insurance"
    assert {child.name for child in found.children} == {"elm-insurance", "fjord-travel"}
    assert found.total.arr == (132_000 + 27_500) * 100


def test_an_owner_sees_sums_of_their_own(sqlite_store: Store, shipped: Bundle) -> None:
    seed(sqlite_store)
    with sqlite_store.read() as session:
        counts = [segments(session, shipped, DAY, owner=owner).total.accounts for owner in (OWNER, OTHER, "nobody")]
    assert counts == [6, 1, 0]


def test_an_unknown_category_is_told_with_those_there_are(sqlite_store: Store, shipped: Bundle) -> None:
    seed(sqlite_store)
    with sqlite_store.read() as session, pytest.raises(Refused, match='"segmnt"; did you mean "segment"'):
        segments(session, shipped, DAY, ("segmnt",))


def _walk(branch: Branch) -> list[Branch]:
    return [branch, *(below for child in branch.children for below in _walk(child))]
