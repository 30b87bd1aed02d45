"""Data is taken in whole or not at all, as often as it comes, and counted into the metrics made of events."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import select

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog
from engine.errors import BadData, Refused
from engine.evaluation.incoming import rows
from engine.evaluation.incoming.rows import Format
from engine.store import bundles, ingests
from engine.store.ingests import Ingested, Kind
from engine.store.sessions import Store
from engine.store.tables import (
    AccountRow,
    ContactRow,
    CorrectionRow,
    EventRow,
    GoalRow,
    MetricRow,
    PointRow,
    ProductRow,
    SubjectRow,
    WordRow,
)

MakeStore = Callable[[], AbstractContextManager[Store]]
AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
EPOCH = date(1970, 1, 1)

ACCOUNTS = "key,name,arr\nacme,Acme,5000\nzeta,Zeta,100\n"
CONTACTS = "key,account,name,email,roles\nann,acme,Ann,ann@acme.com,champion;user\nbob,acme,Bob,bob@acme.com,user\n"


@pytest.fixture
def catalog(small_bundle: Bundle) -> Catalog:
    return small_bundle.catalog


def push(store: Store, catalog: Catalog, kind: str, text: str, at: datetime = AT) -> Ingested:
    with store.begin() as session:
        return ingests.ingest(session, Kind(kind), [text.encode()], Format.CSV, catalog, at)


def people(store: Store, catalog: Catalog) -> None:
    push(store, catalog, "accounts", ACCOUNTS)
    push(store, catalog, "contacts", CONTACTS)


def points(store: Store) -> set[tuple[str, str, str, float]]:
    """Subject, metric, day and value of every point."""
    with store.read() as session:
        subjects = {row.id: row.key for row in session.scalars(select(AccountRow))}
        subjects |= {row.id: row.key for row in session.scalars(select(ContactRow))}
        metrics = {row.id: row.name for row in session.scalars(select(MetricRow))}
        return {
            (
                subjects[row.subject_id],
                metrics[row.metric_id],
                date.fromordinal(row.day + EPOCH.toordinal()).isoformat(),
                row.value,
            )
            for row in session.scalars(select(PointRow))
        }


def account(store: Store, key: str) -> AccountRow:
    with store.read() as session:
        return session.scalars(select(AccountRow).where(AccountRow.key == key)).one()


def contact(store: Store, key: str) -> ContactRow:
    with store.read() as session:
        return session.scalars(select(ContactRow).where(ContactRow.key == key)).one()


def count(store: Store, *tables: type) -> int:
    with store.read() as session:
        return sum(len(session.scalars(select(table)).all()) for table in tables)


def days(day: str) -> int:
    return (date.fromisoformat(day) - EPOCH).days


def test_points_of_accounts_and_of_contacts_are_stored(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    text = (
        "account,metric,day,value,contact\n"
        "acme,active_users,2026-03-01,7,\nacme,pulse,2026-03-01,4,ann\nzeta,trained,2026-03-02,true,\n"
        "zeta,done,2026-03-02,40%,\n"
    )
    assert push(store, catalog, "points", text) == Ingested("points", 4, 4, 0, 0)
    assert points(store) == {
        ("acme", "active_users", "2026-03-01", 7.0),
        ("ann", "pulse", "2026-03-01", 4.0),
        ("zeta", "trained", "2026-03-02", 1.0),
        ("zeta", "done", "2026-03-02", 0.4),
    }
    assert push(store, catalog, "points", text) == Ingested("points", 4, 0, 0, 4)


def test_several_points_of_a_day_are_combined_as_the_metric_says(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    text = "account,metric,day,value\n" + "acme,orders,2026-03-01,2\nacme,active_users,2026-03-01,2\n" * 3
    assert push(store, catalog, "points", text).new == 2
    assert points(store) == {("acme", "orders", "2026-03-01", 6.0), ("acme", "active_users", "2026-03-01", 2.0)}


def test_one_bad_row_keeps_all_others_out(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    text = "account,metric,day,value\nacme,active_users,2026-03-01,7\nacme,active_users,2026-03-02,seven\n"
    with pytest.raises(BadData) as caught:
        push(store, catalog, "points", text)
    assert [(row.line, row.column, row.code) for row in caught.value.rows] == [(3, "value", "bad_value")]
    assert count(store, PointRow, MetricRow) == 0


def test_a_contact_of_another_account_is_not_mistaken_for_ones_own(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    with pytest.raises(BadData, match="is not at the account"):
        push(store, catalog, "points", "account,metric,day,value,contact\nzeta,pulse,2026-03-01,4,ann\n")
    with pytest.raises(BadData, match="leave the contact empty"):
        push(store, catalog, "points", "account,metric,day,value,contact\nacme,seats,2026-03-01,4,ann\n")
    with pytest.raises(BadData, match="is not at the account"):
        push(store, catalog, "events", "account,event,at,contact\nzeta,login,2026-03-01,ann\n")


def test_accounts_keep_what_a_push_does_not_say(store: Store, catalog: Catalog) -> None:
    text = (
        "key,name,owner,arr,stage,stage_since,renewal_on,suppressed,region,seats_max,"
        "goals.orders.target,goals.orders.start,goals.orders.end\n"
        "acme,Acme,Jo@Example.com,5000,onboarding,2026-01-01,2026-12-31,true,EU,10,100,2026-01-01,2026-12-31\n"
    )
    assert push(store, catalog, "accounts", text).new == 1
    assert push(store, catalog, "accounts", text).same == 1
    assert push(store, catalog, "accounts", "key,arr,seats_max\nacme,6000,\n").changed == 1
    row = account(store, "acme")
    assert (row.name, row.owner, row.arr, row.stage) == ("Acme", "jo@example.com", 6000.0, "onboarding")
    assert (row.stage_since, row.renewal_on, row.suppressed) == (days("2026-01-01"), days("2026-12-31"), True)
    assert row.fields == {"region": "EU"}
    with store.read() as session:
        goal = session.scalars(select(GoalRow)).one()
    assert (goal.goal, goal.target, goal.start_value) == ("orders", 100.0, 0.0)
    assert (goal.start_day, goal.end_day) == (days("2026-01-01"), days("2026-12-31"))


def test_an_empty_cell_takes_a_value_back(store: Store, catalog: Catalog) -> None:
    push(store, catalog, "accounts", ACCOUNTS)
    push(store, catalog, "accounts", "key,name,arr,owner\nacme,,,\n")
    row = account(store, "acme")
    assert (row.name, row.arr, row.owner) == ("acme", None, "")


def test_a_new_stage_is_dated_by_the_day_it_is_heard_of(store: Store, catalog: Catalog) -> None:
    push(store, catalog, "accounts", "key,stage\nacme,onboarding\n")
    assert account(store, "acme").stage_since is None
    push(store, catalog, "accounts", "key,stage\nacme,adoption\n")
    assert account(store, "acme").stage_since == days("2026-03-10")


def test_a_changed_goal_is_a_change_of_the_account(store: Store, catalog: Catalog) -> None:
    text = "key,goals.orders.target,goals.orders.start,goals.orders.end\nacme,{},2026-01-01,2026-12-31\n"
    push(store, catalog, "accounts", text.format(100))
    assert push(store, catalog, "accounts", text.format(120)).changed == 1
    assert push(store, catalog, "accounts", text.format(120)).same == 1


def test_contacts_are_added_changed_and_stay_at_their_account(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    assert push(store, catalog, "contacts", CONTACTS).same == 2
    text = "key,account,departed_on\nann,acme,2026-03-01\n"
    assert push(store, catalog, "contacts", text).changed == 1
    row = contact(store, "ann")
    assert (row.roles, row.email, row.departed_on) == (["champion", "user"], "ann@acme.com", days("2026-03-01"))
    with pytest.raises(BadData, match='is there at the account "acme"'):
        push(store, catalog, "contacts", "key,account\nann,zeta\n")
    with pytest.raises(BadData, match='no account "acmee"; did you mean "acme"'):
        push(store, catalog, "contacts", "key,account\ncyd,acmee\n")
    assert count(store, ContactRow) == 2
    assert count(store, SubjectRow) == 4


def test_events_are_counted_per_day_for_accounts_and_contacts(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    text = (
        "account,event,at,contact,severity\n"
        "acme,login,2026-03-01T08:00:00Z,ann,\nacme,login,2026-03-01T09:00:00Z,ann,\nacme,login,2026-03-01,bob,\n"
        "acme,login,2026-03-02T00:30:00+02:00,bob,\nacme,escalation,2026-03-03,,2\n"
        "acme,reply,2026-03-04,ann,\nacme,reply,2026-03-05,bob,\nacme,call,2026-03-06,,\n"
    )
    assert push(store, catalog, "events", text).new == 8
    expected = {
        ("ann", "logins", "2026-03-01", 2.0),
        ("bob", "logins", "2026-03-01", 2.0),
        ("acme", "people", "2026-03-01", 2.0),
        ("acme", "escalations", "2026-03-03", 1.0),
        ("acme", "days_since_contact", "2026-03-04", 1.0),
    }
    assert points(store) == expected
    assert push(store, catalog, "events", text).same == 8
    assert points(store) == expected


def test_an_event_keeps_its_fields(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    push(store, catalog, "events", "account,event,at,severity,text,urgent\nacme,escalation,2026-03-03,2,Help,yes\n")
    with store.read() as session:
        assert session.scalars(select(EventRow)).one().fields == {"severity": 2.0, "text": "Help", "urgent": True}


def test_the_key_of_an_event_belongs_to_one_event(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    text = "account,event,at,key\nacme,login,2026-03-01,k1\n"
    assert push(store, catalog, "events", text + "acme,login,2026-03-01,k2\n").new == 2
    assert push(store, catalog, "events", text).same == 1
    with pytest.raises(BadData, match="stands for another event"):
        push(store, catalog, "events", "account,event,at,key\nacme,login,2026-03-02,k1\n")
    with pytest.raises(BadData, match="stands for another event"):
        push(store, catalog, "events", "account,event,at,key\nacme,login,2026-03-02,k3\nacme,login,2026-03-03,k3\n")
    assert count(store, EventRow) == 2


def test_a_departure_is_known_of_the_contact_whatever_the_order(store: Store, catalog: Catalog) -> None:
    people(store, catalog)
    for day in ("2026-03-05", "2026-03-02"):
        push(store, catalog, "events", f"account,event,at,contact\nacme,contact_departed,{day},ann\n")
    assert contact(store, "ann").departed_on == days("2026-03-05")
    assert contact(store, "bob").departed_on is None


def test_what_counts_by_role_follows_the_roles_contacts_have(store: Store, catalog: Catalog) -> None:
    """S4-43, S4-46: the push itself counts, and a touch with somebody else does not."""
    people(store, catalog)
    push(store, catalog, "events", "account,event,at,contact\nacme,reply,2026-03-04,ann\nacme,reply,2026-03-05,bob\n")
    assert points(store) == {("acme", "days_since_contact", "2026-03-04", 1.0)}
    push(store, catalog, "contacts", "key,account,roles\nann,acme,user\nbob,acme,champion\n")
    assert points(store) == {("acme", "days_since_contact", "2026-03-05", 1.0)}
    assert count(store, CorrectionRow) == 1


def test_a_metric_that_counts_otherwise_is_counted_again_when_it_is_published(
    store: Store, small_bundle: Bundle, catalog_text: str
) -> None:
    with store.begin() as session:
        bundles.publish(session, small_bundle, "", AT)
    people(store, small_bundle.catalog)
    push(store, small_bundle.catalog, "events", "account,event,at,contact\nacme,reply,2026-03-04,bob\n")
    assert points(store) == set()
    changed = reading.read({"rules/catalog.yaml": catalog_text.replace("with_roles: [champion]", "with_roles: [user]")})
    assert changed.bundle is not None
    with store.begin() as session:
        bundles.publish(session, changed.bundle, "", AT)
    assert points(store) == {("acme", "days_since_contact", "2026-03-04", 1.0)}


def test_the_same_request_is_answered_as_before_and_another_body_refused(store: Store) -> None:
    answer = Ingested("points", 4, 4, 0, 0)
    with store.begin() as session:
        assert ingests.earlier_answer(session, "warehouse", "k", "hash") is None
        ingests.keep_answer(session, "warehouse", "k", "hash", answer, AT)
    with store.begin() as session:
        assert ingests.earlier_answer(session, "warehouse", "k", "hash") == answer
        assert ingests.earlier_answer(session, "other sender", "k", "another") is None
        with pytest.raises(Refused, match="another body"):
            ingests.earlier_answer(session, "warehouse", "k", "another")


def test_simultaneous_pushes_of_the_same_data_store_it_once(store: Store, catalog: Catalog) -> None:
    def push_all(_: int) -> list[int]:
        people(store, catalog)
        text = "account,metric,day,value\n" + "".join(f"acme,seats,2026-03-0{day},{day}\n" for day in range(1, 9))
        happened = "account,event,at,contact\nacme,login,2026-03-01,ann\nacme,reply,2026-03-01,ann\n"
        return [push(store, catalog, kind, what).new for kind, what in (("points", text), ("events", happened))]

    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(push_all, range(4)))
    assert [sum(each) for each in zip(*new, strict=True)] == [8, 2]
    assert count(store, SubjectRow) == 4
    assert count(store, CorrectionRow) == 0


LINES = (
    "acme,login,2026-03-01T08:00:00Z,ann,",
    "acme,login,2026-03-01T08:00:00Z,ann,k1",
    "acme,login,2026-03-01T10:00:00+02:00,bob,",
    "acme,login,2026-03-02,bob,",
    "acme,reply,2026-03-01,ann,",
    "acme,reply,2026-03-01,bob,",
    "acme,call,2026-03-03,,",
    "zeta,escalation,2026-03-01,,",
    "zeta,escalation,2026-03-01,,k2",
    "acme,contact_departed,2026-03-02,bob,",
    "acme,contact_departed,2026-03-01,bob,",
)
Batches = list[list[str]]


def after(make_store: MakeStore, catalog: Catalog, batches: Batches) -> tuple[object, object]:
    with make_store() as store:
        people(store, catalog)
        for number, lines in enumerate(batches):
            text = "\n".join(["account,event,at,contact,key", *lines, ""])
            push(store, catalog, "events", text, AT + timedelta(minutes=number))
        return points(store), contact(store, "bob").departed_on


@pytest.fixture(scope="module")
def once(make_store: MakeStore, small_bundle: Bundle) -> tuple[object, object]:
    """What the lines leave when each comes once, all in one batch."""
    return after(make_store, small_bundle.catalog, [list(LINES)])


@settings(max_examples=20, deadline=None)
@given(data=st.data(), again=st.lists(st.sampled_from(LINES), max_size=6))
def test_any_order_and_duplication_of_events_gives_the_same_state(
    make_store: MakeStore,
    small_bundle: Bundle,
    once: tuple[object, object],
    data: st.DataObject,
    again: list[str],
) -> None:
    """F19, P2: permuted, duplicated and split differently, the same events leave the same state."""
    shuffled = data.draw(st.permutations([*LINES, *again]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled) - 1), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    assert sorted(chain(*batches)) == sorted(shuffled)
    assert after(make_store, small_bundle.catalog, batches) == once


def test_accounts_lie_below_others_and_never_in_a_circle(store: Store, catalog: Catalog) -> None:
    text = "key,parent,notice_on\ngroup,,\nacme,group,2026-10-01\nlab,acme,\n"
    assert push(store, catalog, "accounts", text).new == 3
    assert push(store, catalog, "accounts", text).same == 3
    assert account(store, "acme").parent_id == account(store, "group").id
    assert account(store, "acme").notice_on == days("2026-10-01")
    for circle in ("key,parent\ngroup,lab\n", "key,parent\nlab,lab\n", "key,parent\na,b\nb,c\nc,a\n"):
        with pytest.raises(BadData, match="cannot be above itself"):
            push(store, catalog, "accounts", circle)
    with pytest.raises(BadData, match='no account "grop"; did you mean "group"'):
        push(store, catalog, "accounts", "key,parent\nlab,grop\n")
    assert push(store, catalog, "accounts", "key,parent\nacme,\nlab,group\n").changed == 2
    assert account(store, "acme").parent_id is None
    assert push(store, catalog, "accounts", "key,parent\ngroup,acme\n").changed == 1


def test_an_account_uses_products_and_points_can_be_about_one_of_them(store: Store, catalog_text: str) -> None:
    metric = (
        "  incidents: {title: Incidents, of: product, source: feedback, evidence: observe, type: number, better: lower,"
        " bears_on_value: They wait.}\nevents:\n"
    )
    checked = reading.read({"rules/catalog.yaml": catalog_text.replace("events:\n", metric, 1)})
    assert checked.bundle is not None, checked.problems
    catalog = checked.bundle.catalog
    assert push(store, catalog, "accounts", "key,products\nacme,Mail; Chat;Mail\nzeta,\n").new == 2
    assert push(store, catalog, "accounts", "key,products\nacme,Mail\n").same == 1
    assert push(store, catalog, "accounts", "key,products\nacme,Mail;Docs\n").changed == 1
    with store.read() as session:
        named = session.execute(
            select(ProductRow.name, SubjectRow.kind).join(SubjectRow, SubjectRow.id == ProductRow.id)
        )
        assert sorted(map(tuple, named)) == [("Chat", "product"), ("Docs", "product"), ("Mail", "product")]
    text = "account,metric,day,value,product\nacme,incidents,2026-03-01,2,Mail\nacme,incidents,2026-03-01,3,Chat\n"
    assert push(store, catalog, "points", text).new == 2
    with store.read() as session:
        rows = select(ProductRow.name, PointRow.value).join(PointRow, PointRow.subject_id == ProductRow.id)
        assert {row[0]: row[1] for row in session.execute(rows)} == {"Mail": 2.0, "Chat": 3.0}
    with pytest.raises(BadData, match='the account "acme" has no product "Mial"; did you mean "Mail"'):
        push(store, catalog, "points", "account,metric,day,value,product\nacme,incidents,2026-03-01,2,Mial\n")


def test_contacts_have_a_seniority_a_department_and_a_first_day(store: Store, catalog_text: str) -> None:
    checked = reading.read({"rules/catalog.yaml": catalog_text + "seniority: [staff, manager, executive]\n"})
    assert checked.bundle is not None, checked.problems
    catalog = checked.bundle.catalog
    push(store, catalog, "accounts", ACCOUNTS)
    text = "key,account,seniority,department,joined_on\nann,acme,executive,Finance,2026-02-01\n"
    assert push(store, catalog, "contacts", text).new == 1
    row = contact(store, "ann")
    assert (row.seniority, row.department, row.joined_on) == ("executive", "Finance", days("2026-02-01"))
    assert push(store, catalog, "contacts", "key,account\nann,acme\n").same == 1
    assert push(store, catalog, "contacts", "key,account,department\nann,acme,\n").changed == 1
    assert contact(store, "ann").department is None
    with pytest.raises(BadData, match='there is no seniority "exec"'):
        push(store, catalog, "contacts", "key,account,seniority\nann,acme,exec\n")


KINDS = (
    "  plan: {title: Plan, source: commercial, evidence: observe, type: text, better: neither,"
    " bears_on_value: They buy.}\n"
    "  signed: {title: Signed, source: commercial, evidence: observe, type: date, better: neither,"
    " bears_on_value: They sign.}\nevents:\n  note: {fields: {text: text}}\n"
)


def test_every_kind_of_value_comes_in_and_is_read_back_as_it_was(store: Store, catalog_text: str) -> None:
    """S0-42: a number, yes or no, a category, a date, a stream of events and a note."""
    checked = reading.read({"rules/catalog.yaml": catalog_text.replace("events:\n", KINDS, 1)})
    assert checked.bundle is not None, checked.problems
    catalog = checked.bundle.catalog
    people(store, catalog)
    rows = {("seats", "12.5"), ("trained", "true"), ("plan", "gold"), ("signed", "2026-02-28")}
    text = "account,metric,day,value\n" + "".join(f"acme,{name},2026-03-01,{value}\n" for name, value in rows)
    assert push(store, catalog, "points", text).new == 4
    assert push(store, catalog, "points", text + "zeta,plan,2026-03-01,gold\nzeta,plan,2026-03-02,007\n").same == 4
    found = {(who, name, day): value for who, name, day, value in points(store)}
    with store.read() as session:
        words = {row.id: row.word for row in session.scalars(select(WordRow))}
    assert found["acme", "seats", "2026-03-01"] == 12.5
    assert found["acme", "trained", "2026-03-01"] == 1.0
    assert date.fromordinal(int(found["acme", "signed", "2026-03-01"]) + EPOCH.toordinal()) == date(2026, 2, 28)
    assert words[int(found["acme", "plan", "2026-03-01"])] == words[int(found["zeta", "plan", "2026-03-01"])] == "gold"
    assert words[int(found["zeta", "plan", "2026-03-02"])] == "007"
    happened = "account,event,at,text\n" + "".join(f"acme,login,2026-03-0{day},\n" for day in range(1, 5))
    assert (
        push(store, catalog, "events", happened + 'acme,note,2026-03-05,"They said: ""soon"", then nothing"\n').new == 5
    )
    with store.read() as session:
        notes = session.scalars(select(EventRow.fields).where(EventRow.name == "note")).all()
    assert notes == [{"text": 'They said: "soon", then nothing'}]
    assert count(store, EventRow) == 5


def test_a_category_can_change_and_what_it_was_is_kept(store: Store, catalog_text: str) -> None:
    checked = reading.read({"rules/catalog.yaml": catalog_text.replace("events:\n", KINDS, 1)})
    assert checked.bundle is not None, checked.problems
    people(store, checked.bundle.catalog)
    for plan, answer in (("gold", (1, 0)), ("silver", (0, 1)), ("silver", (0, 0)), ("gold", (0, 1))):
        done = push(store, checked.bundle.catalog, "points", f"account,metric,day,value\nacme,plan,2026-03-01,{plan}\n")
        assert (done.new, done.changed) == answer
    assert count(store, WordRow) == 2
    assert count(store, CorrectionRow) == 2


def test_what_comes_in_many_parts_is_one_body(
    sqlite_store: Store, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parents that come later, keys that come twice and columns that turn out to hold texts, across parts."""
    monkeypatch.setattr(rows, "BLOCK", 3)
    lines = [f"a{n:02d},a{n + 1:02d},{n},0{n}\n" for n in range(20)]
    text = "key,parent,size,post_code\n" + "".join(lines) + "a20,,20,\n"
    assert push(sqlite_store, catalog, "accounts", text) == Ingested("accounts", 21, 21, 0, 0)
    assert push(sqlite_store, catalog, "accounts", text) == Ingested("accounts", 21, 0, 0, 21)
    first = account(sqlite_store, "a00")
    assert (first.parent_id, first.fields) == (account(sqlite_store, "a01").id, {"size": 0.0, "post_code": "00"})
    with pytest.raises(BadData, match="is in line 2 already"):
        push(sqlite_store, catalog, "accounts", text + "a00,,1,\n")
    with pytest.raises(BadData, match="cannot be above itself"):
        push(sqlite_store, catalog, "accounts", "key,parent\n" + "b,c\nb1,\nb2,\nc,d\nd,b\n")
    assert count(sqlite_store, AccountRow) == 21
    people = "key,account\n" + "".join(f"c{n},a{n:02d}\n" for n in range(20))
    assert push(sqlite_store, catalog, "contacts", people).new == 20
    events = "account,event,at,contact\n" + "".join(f"a{n:02d},login,2026-03-0{n % 4 + 1},c{n}\n" for n in range(20))
    assert push(sqlite_store, catalog, "events", events) == Ingested("events", 20, 20, 0, 0)
    assert {value for _, name, _, value in points(sqlite_store) if name == "logins"} == {1.0}
    with pytest.raises(BadData, match="c77") as caught:
        push(sqlite_store, catalog, "events", events + "a00,login,2026-03-05,c77\na01,login,2026-03-05,c88\n")
    assert [row.line for row in caught.value.rows] == [22, 23]
