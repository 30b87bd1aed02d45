"""Wherever the points of an evaluation are read from, and in whatever parts, it says the same; and what was not known
at a moment is not seen when that moment is looked back to."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.bundle import Bundle, read
from engine.evaluation import windows
from engine.evaluation.evaluation import Evaluation, evaluate, needs
from engine.evaluation.facts import Grid, Needs, Series
from engine.store import points
from engine.store.columns import columns_in
from engine.store.facts import load_facts
from engine.store.files import check
from engine.store.point_series import PointTable
from engine.store.points import PointColumns
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow, ProductRow, SubjectRow, WordRow
from tests.conftest import MakeStore

AT = datetime(2026, 9, 1, 20, tzinfo=UTC)
TODAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
ACCOUNTS, PEOPLE = 12, 20


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    checked, _ = check(str(Path(__file__).parents[3]))
    assert checked.bundle is not None
    return checked.bundle


@pytest.fixture
def portfolio(store: Store, shipped: Bundle) -> Store:
    """Accounts 1 to 12 with contacts 13 to 32 and gaps in the data of a hundred days, of every metric that is read."""
    random = np.random.default_rng(7)
    wanted = needs(shipped)
    with store.begin() as session:
        session.add_all(SubjectRow(id=1 + at, kind="account") for at in range(ACCOUNTS))
        session.add_all(SubjectRow(id=1 + ACCOUNTS + at, kind="contact") for at in range(PEOPLE))
        session.flush()
        session.add_all(
            AccountRow(id=1 + at, key=f"a{at}", name=f"A{at}", stage="adoption", stage_since=TODAY - 90, recorded_at=AT)
            for at in range(ACCOUNTS)
        )
        session.flush()
        owners = random.integers(1, ACCOUNTS + 1, PEOPLE).tolist()
        session.add_all(
            ContactRow(
                id=1 + ACCOUNTS + at, key=f"c{at}", account_id=owner, name="", roles=["champion"], recorded_at=AT
            )
            for at, owner in enumerate(owners)
        )
        for names, subjects in ((wanted.metrics, range(1, 13)), (wanted.contact_metrics, range(13, 33))):
            for number in points.metric_ids(session, names).values():
                table = np.array([(day, subject) for day in range(TODAY - 100, TODAY + 2) for subject in subjects])
                table = table[random.random(len(table)) < random.choice([0.02, 0.5, 0.95])]
                values = np.round(random.random(len(table)) * 50, 2)
                session.flush()
                points.add(session, PointColumns(table[:, 1], np.full(len(table), number), table[:, 0], values), AT)
    return store


def assert_the_same(one: Evaluation, other: Evaluation, rows: Sequence[int]) -> None:
    """``one`` says of its accounts what ``other`` says of those in ``rows``."""
    for name, scored in other.scores.items():
        np.testing.assert_array_equal(one.scores[name].computed, scored.computed[rows])
        np.testing.assert_array_equal(one.scores[name].contributions, scored.contributions[rows])
    for name, observed in other.signals.items():
        np.testing.assert_array_equal(one.signals[name].verdicts, observed.verdicts[rows])
        np.testing.assert_array_equal(one.signals[name].values, observed.values[rows])


@pytest.mark.parametrize("back", [0, 1, 40])
def test_columns_and_database_lead_to_the_same_evaluation(
    portfolio: Store, shipped: Bundle, tmp_path: Path, back: int
) -> None:
    """S1-28: as of any day, from the packed columns as from the points themselves."""
    with columns_in(portfolio, str(tmp_path / "columns")) as packed, portfolio.read() as session:
        facts = load_facts(session, shipped, TODAY - back, columns=packed)
        from_columns = evaluate(shipped, facts)
        from_points = evaluate(shipped, load_facts(session, shipped, TODAY - back))
    assert {type(each) for each in facts.series.values()} == {Grid, Series}  # full ones, and nearly empty ones
    assert_the_same(from_columns, from_points, range(ACCOUNTS))
    known = [each.verdicts for each in from_points.signals.values()]
    assert {-1, 0, 1} <= {int(verdict) for verdicts in known for verdict in verdicts}


def test_a_part_of_the_accounts_reads_the_same_from_columns_as_from_the_database(
    portfolio: Store, shipped: Bundle, tmp_path: Path
) -> None:
    part = [9, 2, 3]
    with columns_in(portfolio, str(tmp_path / "columns")) as packed, portfolio.read() as session:
        from_columns = evaluate(shipped, load_facts(session, shipped, TODAY, part, columns=packed))
        from_points = evaluate(shipped, load_facts(session, shipped, TODAY, part))
        nobody = load_facts(session, shipped, TODAY, [], columns=packed)
    assert from_columns.facts.accounts.ids.tolist() == sorted(part)
    assert_the_same(from_columns, from_points, range(len(part)))
    assert len(nobody.accounts) == len(nobody.contacts.ids) == 0


def test_products_parents_words_and_what_is_known_of_people_are_read(store: Store, shipped: Bundle) -> None:
    with store.begin() as session:
        session.add_all(SubjectRow(id=at, kind=kind) for at, kind in ((1, "account"), (2, "account"), (3, "contact")))
        session.add_all(SubjectRow(id=at, kind="product") for at in (4, 5))
        session.flush()
        session.add(AccountRow(id=1, key="holding", name="H", recorded_at=AT))
        session.flush()
        session.add(AccountRow(id=2, key="plant", name="P", parent_id=1, notice_on=TODAY + 90, recorded_at=AT))
        session.flush()
        person = {"seniority": "director", "department": "finance", "joined_on": TODAY - 10, "departed_on": TODAY}
        session.add(ContactRow(id=3, key="ana", account_id=2, name="Ana", recorded_at=AT, **person))
        session.add(ProductRow(id=4, account_id=2, name="Billing", recorded_at=AT))
        session.add(ProductRow(id=5, account_id=1, name="Payroll", recorded_at=AT))
    with store.read() as session:
        facts, today = load_facts(session, shipped, TODAY, [2]), load_facts(session, shipped, TODAY)
    fields = {name: column for name, column in facts.fields.items() if name in {"parent", "notice_on"}}
    assert fields["parent"].words == ("holding",)  # type: ignore[union-attr]
    assert fields["notice_on"].values.tolist() == [TODAY + 90]  # type: ignore[union-attr]
    assert facts.products.names == ("Billing",)
    assert today.products.account_rows.tolist() == [1, 0]
    assert facts.contacts.fields["seniority"].words == ("director",)  # type: ignore[union-attr]
    assert facts.contacts.fields["joined_on"].values.tolist() == [TODAY - 10]  # type: ignore[union-attr]
    assert facts.contacts.departed.tolist() == [True]


def test_the_words_of_a_text_metric_stand_at_their_numbers(sqlite_store: Store, catalog_text: str) -> None:
    mood = "{title: Mood, source: feedback, evidence: say, type: text, better: neither, bears_on_value: They say.}"
    text = catalog_text.replace("\nevents:", f"\n  mood: {mood}\nevents:")
    checked = read(
        {"rules/catalog.yaml": text.replace("\nsegments:", '\nsegments:\n  content: {"==": [{var: mood}, fine]}')}
    )
    assert checked.bundle is not None, checked.problems
    with sqlite_store.begin() as session:
        session.add_all([WordRow(id=3, word="bad"), WordRow(id=5, word="fine")])
    with sqlite_store.read() as session:
        assert load_facts(session, checked.bundle, TODAY).words == ("", "", "", "bad", "", "fine")


Change = tuple[tuple[int, int], float | None]
"""(subject, age in days), and the value, or None where the point is taken away."""

KEYS = st.tuples(st.integers(1, 3), st.integers(0, 6) | st.integers(30, 40))
BATCHES = st.lists(st.lists(st.tuples(KEYS, st.none() | st.integers(0, 4).map(float)), max_size=5), max_size=6)
WANTED = Needs(20, frozenset({"used"}), frozenset({"used"}), frozenset(), frozenset(), frozenset(), {"used": 20})


def apply(store: Store, changes: Sequence[Change], at: datetime) -> None:
    with store.begin() as session:
        number = points.metric_ids(session, ["used"])["used"]
        for (subject, age), value in changes:
            at_key = np.array([subject]), np.array([number]), np.array([TODAY - age])
            one = PointColumns(*at_key, np.array([0.0 if value is None else value]))
            if value is None:
                points.remove(session, one, at)
            else:
                points.add(session, one, at)


def seen(store: Store, known_at: datetime | None, subjects: Sequence[int] | None = None) -> dict[int, float]:
    """Sum of 20 days, and, as 100 + subject, the last value however old, of each subject of whom that is known."""
    ids = np.array([1, 2, 3])
    with store.read() as session:
        asked = None if subjects is None else np.array(subjects)
        series = PointTable(session, WANTED, TODAY, asked, known_at).series(frozenset({"used"}), ids).get("used")
    if series is None:
        return {}
    sums, counts = windows.total(series, 3, TODAY, 20, 0)
    last = windows.latest(series, 3, TODAY)
    found = {int(one): float(amount) for one, amount, count in zip(ids, sums, counts, strict=True) if count}
    return found | {100 + int(one): float(value) for one, value in zip(ids, last, strict=True) if np.isfinite(value)}


def expected(known: Mapping[tuple[int, int], float]) -> dict[int, float]:
    """The same, from the points as a plain dictionary."""
    found: dict[int, float] = {}
    for (subject, age), value in sorted(known.items(), key=lambda item: -item[0][1]):
        if age < 20:
            found[subject] = found.get(subject, 0.0) + value
        found[100 + subject] = value
    return found


@settings(max_examples=40, deadline=None)
@given(BATCHES)
def test_a_past_moment_sees_exactly_what_was_known_then(make_store: MakeStore, batches: list[list[Change]]) -> None:
    """S1-28: late, corrected and withdrawn points do not change what a past moment knew."""
    with make_store() as store:
        states: list[dict[tuple[int, int], float]] = [{}]
        for number, batch in enumerate(batches):
            apply(store, batch, AT + timedelta(hours=number))
            after = dict(states[-1])
            for key, value in batch:
                after.pop(key, None)
                after |= {} if value is None else {key: value}
            states.append(after)
        for number, state in enumerate(states):
            moment = AT + timedelta(hours=number, minutes=-30)
            assert seen(store, moment) == expected(state)
            assert seen(store, moment, [1, 2, 3]) == expected(state)
        assert seen(store, None) == expected(states[-1])


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(KEYS, st.integers(0, 4).map(float), max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_points_come_makes_no_difference(
    make_store: MakeStore, known: dict[tuple[int, int], float], random: Random
) -> None:
    batches = list(known.items())
    random.shuffle(batches)
    with make_store() as store:
        for number, change in enumerate(batches):
            apply(store, [change], AT + timedelta(hours=number))
        assert seen(store, None) == expected(known)


def test_what_came_late_or_was_corrected_is_not_known_earlier(portfolio: Store, shipped: Bundle) -> None:
    """On both databases, through the door that evaluations use; for one account, some and all."""
    later, kind = AT + timedelta(days=3), min(needs(shipped).events)
    with portfolio.begin() as session:
        number = points.metric_ids(session, ["active_users"])["active_users"]
        points.add(
            session, PointColumns(np.full(9, 4), np.full(9, number), TODAY - np.arange(9), np.full(9, 999.0)), later
        )
        happened = {"day": TODAY, "at": AT.replace(microsecond=999_999), "fields": {}, "recorded_at": later}
        session.add(EventRow(id=1, key="e", name=kind, account_id=4, **happened))
    for part in (None, [4], [4, 5]):
        with portfolio.read() as session:
            then = load_facts(session, shipped, TODAY, part, known_at=AT)
            now = load_facts(session, shipped, TODAY, part, known_at=later)
            today = load_facts(session, shipped, TODAY, part)
        row = then.accounts.ids.tolist().index(4)
        size = len(then.accounts)
        assert windows.latest(now.series["active_users"], size, TODAY)[row] == 999.0
        assert windows.latest(today.series["active_users"], size, TODAY)[row] == 999.0
        assert windows.latest(then.series["active_users"], size, TODAY)[row] != 999.0
        assert [len(each.events[kind].days) for each in (then, now, today)] == [0, 1, 1]
        times = now.events[kind].times
        assert times is not None
        assert times.tolist() == [int(AT.timestamp())]
        assert now.events[kind].rows.tolist() == [row]
