"""Campaigns as a customer-success team means them: at each period to who is there then, and to thousands by itself."""

from datetime import timedelta

from sqlalchemy import insert, select

from engine.store import runs
from engine.store.forecasting import forecast
from engine.store.run_tables import ApprovalRow, RunRow, TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, SubjectRow
from engine.terms import RunState
from tests.workflows.activities.scenery import AT, BO, TODAY, Stage, playbook_file, read, stage
from workflows.activities.cycle import run_cycle

RULE = """format: 1
rule: {name}
challenge:
  title: {title}
  kind: opportunity
  why: People who hear of it regularly come back to it, and say so when we ask them.
  owner: cs-ops
  review_by: 2030-01-01
  success: {{metric: active_users, at_least: 1, within: 30d}}
actions:
  - playbook: {playbook}
    mode: automatic
guard: {{cooldown: 7d, max_new_runs: 5000}}
existing: enrol
signals:
  it: {signal}
when: {{any: [it]}}
"""
MANY = 2_000


def _rule(name: str, playbook: str, signal: str) -> dict[str, str]:
    text = RULE.format(name=name, title=f"About {name}", playbook=playbook, signal=signal)
    return {f"rules/adoption/{name}.yaml": text}


def _evaluate(here: Stage) -> list[int]:
    """One cycle; the runs of our playbook that it started."""
    before = _runs(here)
    run_cycle(here.store, here.bundle, here.at, day_seconds=86_400)
    return [run for run in _runs(here) if run not in before]


def _runs(here: Stage) -> list[int]:
    with here.store.read() as session:
        return list(session.scalars(select(RunRow.id).where(RunRow.playbook == "ours").order_by(RunRow.id)))


def test_a_scheduled_campaign_goes_at_each_period_to_who_is_there_then(sqlite_store: Store) -> None:
    """S0-61: the first working day of each month, once, to the users of that day; nobody gets anything twice."""
    bundle = read(
        playbook_file("ours", "- email: {to: user, message: first}"),
        _rule("monthly", "ours", "{every: month, on: first working day}"),
    )
    here = stage(sqlite_store, bundle)
    (september,) = _evaluate(here)
    assert _evaluate(here) == [], "a second cycle of the same day starts nothing"
    here.go(september)
    here.go(september)
    assert here.post.to == ["bo@acme.example", "cy@acme.example"]
    for day in (1, 7, 15, 29):
        here.at = AT + timedelta(days=day)
        assert _evaluate(here) == [], f"nothing starts on {here.at:%Y-%m-%d}"
    with sqlite_store.begin() as session:
        session.get_one(ContactRow, BO).departed_on = TODAY + 10
        session.add(SubjectRow(id=21, kind="contact"))
        session.flush()
        new = {"key": "c21", "name": "Eve New", "email": "eve@acme.example", "roles": ["user"]}
        session.add(ContactRow(id=21, account_id=1, recorded_at=AT, **new))
    here.at = AT + timedelta(days=30)
    (october,) = _evaluate(here)
    here.go(october)
    assert here.post.to[2:] == ["cy@acme.example", "eve@acme.example"]


def _newcomers(store: Store) -> None:
    """Two thousand small accounts, just signed, each with one person."""
    with store.begin() as session:
        ids = range(1_000, 1_000 + MANY)
        people = range(10_000, 10_000 + MANY)
        subjects = [{"id": number, "kind": "account"} for number in ids]
        subjects += [{"id": number, "kind": "contact"} for number in people]
        session.execute(insert(SubjectRow), subjects)
        account = {"owner": "", "arr": 900.0, "stage": "onboarding", "fields": {}, "recorded_at": AT}
        rows = [{"id": number, "key": f"n{number}", "name": f"New {number}", **account} for number in ids]
        session.execute(insert(AccountRow), rows)
        contact = {"roles": ["champion"], "recorded_at": AT}
        session.execute(
            insert(ContactRow),
            [
                {"id": person, "key": f"p{person}", "account_id": account_id, "name": f"Pat {person}"}
                | {"email": f"p{person}@new.example", **contact}
                for person, account_id in zip(people, ids, strict=True)
            ],
        )


def test_onboarding_runs_for_thousands_of_accounts_without_anybody_doing_anything(sqlite_store: Store) -> None:
    """S2-55: one cycle starts them all; nothing on their way waits for a colleague, and everybody is written to."""
    steps = "- campaign: {to: champion, every: 3d, lessons: [first, second, third]}"
    onboarding = '{condition: {"==": [{var: account.stage}, onboarding]}}'
    bundle = read(playbook_file("ours", steps), _rule("welcome", "ours", onboarding))
    here = stage(sqlite_store, bundle)
    _newcomers(sqlite_store)
    with sqlite_store.read() as session:
        ahead = next(one for one in forecast(session, bundle, AT, 30).playbooks if one.playbook == "ours")
    assert (ahead.starts, ahead.messages, ahead.people) == (MANY, 3 * MANY, MANY)
    assert (ahead.tasks, ahead.approvals) == (0, 0)
    started = _evaluate(here)
    assert len(started) == MANY
    for run in started[::200]:
        here.at = AT
        here.go(run)
        for _ in range(2):
            here.later(3).go(run, "elapsed")
        assert here.run(run).state is RunState.DONE
    assert len(here.post.letters) == 3 * len(started[::200])
    with sqlite_store.read() as session:
        mine = set(started)
        assert not mine & set(session.scalars(select(TaskRow.run_id)))
        assert not mine & set(session.scalars(select(ApprovalRow.run_id)))
        assert runs.find(session, started[0]).sentence == "All steps are done."
