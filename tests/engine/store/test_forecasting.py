"""The days ahead of a small portfolio: open runs from where they stand, and those that start now."""

from dataclasses import replace

import pytest

from engine.definitions.contact_policy import USUAL_POLICY
from engine.running.forecast import Forecast, values_of
from engine.store import suppressions
from engine.store.forecasting import forecast
from engine.store.runs import CHURNED
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, SubjectRow
from tests.workflows.activities.scenery import AT, OWNER, Stage, playbook_file, read, stage

STEPS = """
- email: {to: champion, message: hello}
- task: {title: "Call {{ account.name }}", to: owner, due: 2 working days}
- wait: {at_most: 7d}
- campaign: {to: {role: user}, every: 7d, lessons: [first, second]}
- approve: {by: owner, expires: 3 working days, on_expiry: skip, steps: [{email: {to: sponsor, message: third}}]}
"""


@pytest.fixture
def here(sqlite_store: Store) -> Stage:
    bundle = read(playbook_file("try-it", STEPS), playbook_file("other", "- email: {to: user, message: first}"))
    made = stage(sqlite_store, bundle)
    made.bundle = replace(bundle, contact_policy=USUAL_POLICY)
    made.stretches.looking_at = AT
    return made


def _ahead(here: Stage, days: int = 30) -> Forecast:
    with here.store.read() as session:
        return forecast(session, here.bundle, here.at, days)


def test_an_open_run_is_followed_from_where_it_stands(store: Store) -> None:
    """One mail has gone already; two lessons to two users and one message to the sponsor are ahead."""
    here = stage(store, read(playbook_file("try-it", STEPS)))
    here.go(here.begin("try-it"))
    assert [letter.subject for letter in here.post.letters] == ["Seats at Acme"]
    found = _ahead(here)
    (row,) = found.playbooks
    assert (row.playbook, row.open_runs, row.starts, row.messages, row.people) == ("try-it", 1, 0, 5, 3)
    assert (found.mails.planned, found.mails.going) == (5, 5)
    assert found.mails.per_day[7] == 2, "the first lesson, a week from now"
    assert found.mails.per_person == {1: 1, 2: 2}
    assert sum(found.approvals[OWNER]) == 1


def test_what_the_forecast_says_is_what_the_run_then_sends(here: Stage) -> None:
    """The same people on the same days, when people do what is assumed."""
    run_id = here.begin("try-it")
    here.go(run_id)
    ahead = _ahead(here)
    sent_before = len(here.post.letters)
    here.later(7).go(run_id, "elapsed")
    assert len(here.post.letters) - sent_before == ahead.mails.per_day[7]


def test_a_run_that_is_not_begun_gives_its_task_to_the_owner_this_week(here: Stage) -> None:
    here.begin("try-it")
    assert _ahead(here).tasks == {OWNER: (1, 0, 0, 0, 0)}


def test_what_lies_beyond_the_days_is_not_counted(here: Stage) -> None:
    here.go(here.begin("try-it"))
    found = _ahead(here, days=5)
    assert found.mails.planned == 0
    assert found.playbooks[0].approvals == 0


def test_playbooks_that_mean_the_same_people_are_named_with_the_one_that_waits(here: Stage) -> None:
    run_id = here.begin("try-it")
    here.go(run_id)
    here.later(7)
    here.begin("other")
    found = _ahead(here)
    (collision,) = found.collisions
    assert (collision.playbooks, collision.people) == (("other", "try-it"), 2)
    assert found.mails.capped_people == 2
    assert found.mails.going == found.mails.planned, "one goes on another day"


def test_who_has_unsubscribed_gets_nothing_and_is_counted(here: Stage) -> None:
    here.begin("try-it")
    with here.store.begin() as session:
        suppressions.suppress(session, "bo@acme.example", "education", "asked", AT)
    found = _ahead(here)
    assert found.mails.left_out == {"unsubscribed": 2}


def test_one_person_at_two_accounts_is_one_person(here: Stage) -> None:
    here.begin("try-it")
    with here.store.begin() as session:
        session.add_all([SubjectRow(id=2, kind="account"), SubjectRow(id=21, kind="contact")])
        session.flush()
        session.add(AccountRow(id=2, key="two", name="Two", owner=OWNER, stage="adoption", recorded_at=AT))
        session.flush()
        session.add(
            ContactRow(
                id=21, key="c21", account_id=2, name="B", email="BO@acme.example", roles=["user"], recorded_at=AT
            )
        )
    assert sum(_ahead(here).mails.per_person.values()) == 3


def test_nothing_is_ahead_of_an_account_that_has_churned(here: Stage) -> None:
    here.begin("try-it")
    with here.store.begin() as session:
        session.get_one(AccountRow, 1).stage = CHURNED
    assert _ahead(here).mails.planned == 0


def test_rules_that_fire_start_runs_now(here: Stage) -> None:
    """Thirty of a hundred seats for ten days: the shipped rule would enrol the account, but asks first."""
    for age in range(12):
        here.point("active_users", 30, days_ago=age)
    here.point("seats_sold", 100, days_ago=11)
    with here.store.read() as session:
        asked = forecast(session, here.bundle, here.at, 30)
        found = forecast(session, here.bundle, here.at, 30, released=True)
    assert any("seats-unused" in ask for ask in asked.asks)
    assert (asked.starts, asked.held_out) == (0, 0)
    assert found.starts + found.held_out >= 1


def test_a_forecast_is_plain_values_for_programs(here: Stage) -> None:
    values = values_of(_ahead(here))
    assert values["first"] == (AT.date()).isoformat()
    assert len(values["mails"]["per_day"]) == 30


MONTHLY = """format: 1
rule: monthly
challenge:
  title: People hear of what is new
  kind: opportunity
  why: People who hear of it regularly come back to it, and say so when we ask them.
  owner: cs-ops
  review_by: 2030-01-01
  success: {{metric: active_users, at_least: 1, within: 30d}}
actions:
  - playbook: other
    mode: automatic
guard: {{cooldown: {cooldown}, max_new_runs: 1}}
existing: enrol
signals:
  it: {{every: month, on: first working day}}
when: {{any: [it]}}
"""


@pytest.mark.parametrize(("cooldown", "later"), [("7d", 3), ("40d", 0)])
def test_what_a_schedule_starts_later_is_in_the_forecast(sqlite_store: Store, cooldown: str, later: int) -> None:
    """S0-61: on the first working day of each month, unless a cooldown is longer than that."""
    rule = {"rules/adoption/monthly.yaml": MONTHLY.format(cooldown=cooldown)}
    here = stage(sqlite_store, read(playbook_file("other", "- email: {to: user, message: first}"), rule))
    found = _ahead(here, days=95)
    assert (found.starts, found.later_starts) == (1, later)
    assert found.mails.per_day[30] == (2 if cooldown == "7d" else 0), "the first of October, two users"
    assert found.mails.planned == 2 * (1 + later)
