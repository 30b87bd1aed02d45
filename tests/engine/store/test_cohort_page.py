"""Light use beside those like it, over stored points."""

import pytest

from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.evaluation.cohorts import Use
from engine.store.cohort_page import cohorts
from engine.store.files import check
from engine.store.sessions import Store
from engine.store.tables import AccountRow, MetricRow, PointRow, SubjectRow
from tests.engine.store.futures import END, WHEN


@pytest.fixture
def using(sqlite_store: Store) -> Store:
    """In 2025 Q1 thirty began who use it well, and one who does not; in Q2 thirty-one who all do not; one is new."""
    with sqlite_store.begin() as session:
        session.add(MetricRow(id=1, name="active_users"))
        session.add_all(SubjectRow(id=number, kind="account") for number in range(1, 64))
        session.flush()
        for number in range(1, 64):
            began = 20_120 if number <= 31 else 20_210 if number <= 62 else None
            account = AccountRow(id=number, key=f"a{number}", name="x", arr=1e5, onboarded_on=began, recorded_at=WHEN)
            account.owner = "ann@example.com" if number == 31 else ""
            session.add(account)
        session.flush()
        for number in range(1, 64):
            users = 50 + number if number < 31 else 5
            session.add(PointRow(day=END, subject_id=number, metric_id=1, value=users, recorded_at=WHEN))
    return sqlite_store


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    """The definitions that are shipped."""
    found = check(".")[0].bundle
    assert found is not None
    return found


def test_light_use_is_an_outlier_or_the_norm_of_those_who_began_together(using: Store, shipped: Bundle) -> None:
    """S3-39, S3-40: by the quarter of sign-up, each account beside its cohort."""
    with using.read() as session:
        found = cohorts(session, shipped, END, "active_users", 20, "sign_up")
    assert [(one.name, one.known, one.light, one.is_light) for one in found.cohorts] == [
        ("2025 Q1", 31, 1, False),
        ("2025 Q2", 31, 31, True),
    ]
    uses = {one.key: one.use for one in found.accounts}
    assert (uses["a31"], uses["a32"], uses["a1"], uses["a63"]) == (Use.OUTLIER, Use.NORM, Use.FINE, Use.UNKNOWN)


def test_an_owner_sees_their_own_beside_everybodys(using: Store, shipped: Bundle) -> None:
    with using.read() as session:
        found = cohorts(session, shipped, END, "active_users", 20, "sign_up", "ann@example.com")
    assert [one.key for one in found.accounts] == ["a31"]
    assert found.cohorts[0].accounts == 31


def test_a_metric_that_is_not_there_is_told(using: Store, shipped: Bundle) -> None:
    with using.read() as session, pytest.raises(Refused, match='did you mean "active_users"'):
        cohorts(session, shipped, END, "active_user", 20)
