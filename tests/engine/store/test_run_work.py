"""Tasks, score overrides and reports of an account, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.store import bundles, points, reports, runs, score_overrides, tasks, waits
from engine.store.files import read_files
from engine.store.run_tables import OutboxRow, ReportRow, TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, GoalRow, MetricRow, PointRow, SubjectRow
from engine.terms import MICRO, Mode, ReportState, TaskState, Tier
from tests.stored import score_row

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
TODAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    checked = reading.read(read_files(str(Path(__file__).parents[3])))
    assert checked.bundle is not None
    return checked.bundle


@pytest.fixture
def acme(store: Store, shipped: Bundle) -> Store:
    """Account 1 with figures, a goal, a score, and run 1."""
    with store.begin() as session:
        bundles.publish(session, shipped, "test", AT)
        session.add(SubjectRow(id=1, kind="account"))
        session.flush()
        session.add(AccountRow(id=1, key="acme", name="Acme", owner="mia@example.org", arr=777_777.0, recorded_at=AT))
        session.flush()
        for metric, value in (("active_users", 42), ("seats_sold", 100), ("tickets_deflected", 45), ("escalations", 3)):
            points.record(session, 1, metric, TODAY - 1, value, AT)
        line = {"start_value": 0, "start_day": TODAY - 50, "target": 100, "end_day": TODAY + 50}
        session.add(GoalRow(account_id=1, goal="tickets_deflected", **line))
        score = {"computed": 69_300_000, "effective": 69_300_000, "tier": "take_notice", "coverage": 1.0}
        session.add(score_row(session, [], day=TODAY, scorecard="health", account_id=1, bundle="", **score))
        runs.request(
            session,
            bundle=shipped,
            account_id=1,
            rule="",
            playbook="usage-recovery",
            mode=Mode.AUTOMATIC,
            decision_id=None,
            episode_id=None,
            day_seconds=86_400,
            at=AT,
        )
    return store


def values(session: Session, metric: str) -> list[float]:
    query = select(PointRow.value).join(MetricRow, MetricRow.id == PointRow.metric_id).where(MetricRow.name == metric)
    return list(session.scalars(query.where(PointRow.subject_id == 1)))


def ask(session: Session) -> int:
    tasks.open_task(
        session,
        account_id=1,
        run_id=1,
        step="ask",
        title="Answer",
        assignee="mia@example.org",
        at=AT,
        questions={"engaged_on_calls": "How engaged were they on calls?"},
    )
    return session.scalars(select(TaskRow.id).order_by(TaskRow.id.desc())).first() or 0


def finish(session: Session, task: int, value: float, member: str = "mia@example.org", version: int = 1) -> None:
    answers = {"engaged_on_calls": value}
    tasks.finish(session, task, version=version, member=member, answers=answers, note="done", at=AT)


def test_answers_become_points_and_the_run_that_waits_for_them_is_woken_once(acme: Store) -> None:
    with acme.begin() as session:
        task = ask(session)
        waits.begin(session, 1, "ask/wait", condition=None, until=AT + timedelta(days=5))
    with acme.begin() as session:
        finish(session, task, 4)
    with acme.read() as session:
        assert values(session, "engaged_on_calls") == [4]
        woken = session.scalars(select(OutboxRow.payload).where(OutboxRow.kind == "wake")).all()
        assert woken == [{"outcome": "satisfied", "step": "ask/wait"}]
        assert tasks.find(session, task).state is TaskState.DONE


def test_a_run_that_does_not_wait_is_not_woken(acme: Store) -> None:
    with acme.begin() as session:
        finish(session, ask(session), 4)
        assert session.scalars(select(OutboxRow).where(OutboxRow.kind == "wake")).all() == []


def test_of_two_who_finish_a_task_one_wins_and_its_answer_stands(acme: Store) -> None:
    with acme.begin() as session:
        task = ask(session)

    def one(value: int) -> str:
        try:
            with acme.begin() as session:
                finish(session, task, value, f"m{value}")
        except Refused as refused:
            return str(refused)
        return ""

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(one, range(1, 5)))
    with acme.read() as session:
        winner = tasks.find(session, task).done_by
        assert [f"m{value}" for value in range(1, 5) if not said[value - 1]] == [winner]
        assert values(session, "engaged_on_calls") == [float(winner[1:])]
    assert all(f"{winner} finished this at" in refusal for refusal in said if refusal)


@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({}, "is not answered"),
        ({"engaged_on_calls": 9}, "its scale is 1 to 5"),
        ({"engaged_on_calls": float("nan")}, "its scale is 1 to 5"),
        ({"engaged_on_calls": 3, "arr": 1}, '"arr" is not asked here'),
    ],
)
def test_an_answer_that_is_missing_or_off_its_scale_is_refused(
    acme: Store, answers: dict[str, float], what: str
) -> None:
    with acme.begin() as session:
        task = ask(session)
        with pytest.raises(Refused, match=what):
            tasks.finish(session, task, version=1, member="m", answers=answers, note="", at=AT)
        assert tasks.find(session, task).state is TaskState.OPEN


def test_open_tasks_of_a_run_are_cancelled_with_the_reason_and_cannot_be_finished(acme: Store) -> None:
    with acme.begin() as session:
        task = ask(session)
        assert tasks.close_open(session, 1, "The goal is met.", AT) == 1
        session.expire_all()
        with pytest.raises(Refused, match="cancelled: The goal is met"):
            finish(session, task, 3, version=2)


def test_an_override_keeps_its_reason_and_ends_the_one_before(acme: Store) -> None:
    """S2-39."""
    with acme.begin() as session:
        for score in (40.0, 35.5):
            score_overrides.override(
                session,
                1,
                "health",
                score=score,
                tier=Tier.REQUIRES_ATTENTION,
                reason="their sponsor told me",
                member="mia@example.org",
                expires_at=AT + timedelta(days=30),
                at=AT,
            )
        found = score_overrides.in_force(session, 1, AT)
        assert [(one.micro, one.tier, one.author) for one in found] == [
            (round(35.5 * MICRO), Tier.REQUIRES_ATTENTION, "mia@example.org")
        ]
        assert score_overrides.in_force(session, 1, AT + timedelta(days=30)) == ()


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"reason": " "}, "Say why"),
        ({"score": None}, "Give a score or a tier"),
        ({"score": 101.0}, "between 0 and 100"),
        ({"expires_at": AT}, "ends on a day"),
        ({"expires_at": AT + timedelta(days=91)}, "2026-11-30"),
    ],
)
def test_an_override_without_reason_value_or_a_near_end_is_refused(
    acme: Store, changed: dict[str, object], what: str
) -> None:
    wanted: dict[str, object] = {"score": 40.0, "tier": None, "reason": "so", "expires_at": AT + timedelta(days=9)}
    with acme.begin() as session, pytest.raises(Refused, match=what):
        score_overrides.override(session, 1, "health", member="m", at=AT, **wanted | changed)  # type: ignore[arg-type]  # any of its fields


def test_an_override_that_a_member_takes_back_is_over_and_still_on_record(acme: Store) -> None:
    with acme.begin() as session:
        one = score_overrides.override(
            session, 1, "health", score=1, tier=None, reason="so", member="m", expires_at=AT + timedelta(days=9), at=AT
        )
        score_overrides.end(session, one, "bo", AT)
        assert score_overrides.in_force(session, 1, AT) == ()
        with pytest.raises(Refused, match="not in force"):
            score_overrides.end(session, one, "bo", AT)


def compose(store: Store, shipped: Bundle) -> int:
    with store.begin() as session:
        return reports.compose_for(session, shipped, 1, "quarterly", AT)


def share(store: Store, report: int) -> str:
    with store.begin() as session:
        return reports.approve(session, report, member="mia@example.org", at=AT, expires_days=30)


def test_shared_figures_equal_the_internal_ones_and_nothing_else_is_in_the_report(acme: Store, shipped: Bundle) -> None:
    """S2-44, S2-45, S2-47."""
    with acme.read() as session:
        content = reports.find(session, compose(acme, shipped)).content
    goals, adoption, health = content["sections"][:3]
    shown = {one["figure"]["metric"]: one["figure"]["value"] for one in adoption["metrics"]}
    assert shown["active_users"] == 42
    assert shown["license_utilization"] == 0.42
    assert shown["features_used"] is None
    assert (goals["goals"][0]["figure"]["value"], goals["goals"][0]["line"]) == (45, 50)
    assert health["wording"] == "Good, with room to grow"
    text = str(content)
    assert "777" not in text
    assert "escalations" not in text
    assert "69" not in health["wording"]


def test_a_report_is_frozen_when_it_is_shared(acme: Store, shipped: Bundle) -> None:
    report = compose(acme, shipped)
    share(acme, report)
    with acme.begin() as session:
        points.record(session, 1, "active_users", TODAY, 1, AT)
        with pytest.raises(Refused, match="approved already"):
            reports.approve(session, report, member="m", at=AT, expires_days=30)
        with pytest.raises(Refused, match="draft"):
            reports.edit_next_steps(session, report, "more")
        assert "42" in str(reports.find(session, report).content)


def test_the_database_holds_only_the_hash_of_a_link(acme: Store, shipped: Bundle) -> None:
    token = share(acme, compose(acme, shipped))
    with acme.read() as session:
        row = session.scalars(select(ReportRow)).one()
        assert row.token_hash
        assert token not in {str(value) for value in vars(row).values()}
    assert len(token) >= 43


def test_unknown_expired_and_revoked_links_are_refused_alike(acme: Store, shipped: Bundle) -> None:
    first, second = compose(acme, shipped), compose(acme, shipped)
    old, revoked = share(acme, first), share(acme, second)
    said = set()
    with acme.begin() as session:
        reports.revoke(session, second, member="mia@example.org", at=AT)
        for token, at in (("nonsense", AT), (old, AT + timedelta(days=30)), (revoked, AT)):
            with pytest.raises(NotFound) as caught:
                reports.open_by_token(session, token, at)
            said.add(str(caught.value))
        assert reports.find(session, second).state is ReportState.REVOKED
    assert len(said) == 1


def test_the_customers_answer_becomes_a_point_and_can_be_changed(acme: Store, shipped: Bundle) -> None:
    token = share(acme, compose(acme, shipped))
    with acme.begin() as session:
        reports.answer(session, token, "report_agreement", 2, "not yet", AT)
        reports.answer(session, token, "report_agreement", 4, "", AT)
    with acme.begin() as session:
        assert values(session, "report_agreement") == [4]
        assert reports.open_by_token(session, token, AT).answers == {"report_agreement": 4}
        with pytest.raises(Refused, match="from 1 to 5"):
            reports.answer(session, token, "report_agreement", 9, "", AT)
        with pytest.raises(Refused, match="does not ask"):
            reports.answer(session, token, "active_users", 3, "", AT)


def test_next_steps_are_the_owners_words_and_stay_when_a_draft_is_composed_anew(acme: Store, shipped: Bundle) -> None:
    with acme.begin() as session:
        report = reports.compose_for(session, shipped, 1, "quarterly", AT, 1, "report")
        reports.edit_next_steps(session, report, " We meet in May. ")
        assert reports.compose_for(session, shipped, 1, "quarterly", AT, 1, "report") == report
        steps = [part for part in reports.find(session, report).content["sections"] if part["kind"] == "next_steps"]
        assert steps[0]["text"] == "We meet in May."
