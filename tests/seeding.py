"""A small, fixed installation for tests of pages: rows as the engine writes them, with every state a page can show."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle, read
from engine.running.lines import Line
from engine.store import bundles, files, members
from engine.store.approvals import Item, begin
from engine.store.decision_tables import (
    DecisionRow,
    EffectRow,
    EpisodeRow,
    OutcomeRow,
)
from engine.store.run_tables import ApprovalRow, DeliveryRow, RunRow, StepRow, TaskRow, WaitRow
from engine.store.sessions import Store
from engine.store.states import State
from engine.store.tables import AccountRow, ContactRow, GoalRow, MetricRow, PointRow, SubjectRow
from engine.terms import MICRO, Role
from tests.stored import score_row, states_row

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days
OWNER = "dana@vendor.example"
OTHER = "omar@vendor.example"
ADMIN = "ada@vendor.example"
AUTHOR = "aino@vendor.example"
VIEWER = "vera@vendor.example"

ACCOUNTS = (
    # name, owner, ARR, stage, renewal in days, score, tier
    ("Northwind Health", OWNER, 84_000, "renewal", 41, 38.4, "requires_attention"),
    ("Acorn Logistics", OWNER, 46_500, "adoption", 190, 61.2, "take_notice"),
    ("Blue Harbor Bank", OWNER, 210_000, "value", 260, 86.9, "doing_well"),
    ("Cedar Schools", OWNER, 18_000, "onboarding", 320, None, None),
    ("Delta Foundry", OTHER, 64_000, "adoption", 95, 44.7, "requires_attention"),
    ("Elm Insurance", OWNER, 132_000, "value", 150, 71.5, "take_notice"),
    ("Fjord Travel", OWNER, 27_500, "expansion", 210, 91.3, "doing_well"),
)
METRICS = (
    # feature, dimension share of the whole, normalised now, value now, normalised 30 days ago, value 30 days ago
    ("tickets_deflected", 0.50, 0.0, 0.62, 10.0, 0.71),
    ("license_utilization", 0.18, -18.0, 0.41, 5.0, 0.58),
    ("features_used", 0.12, 12.0, 5.0, 12.0, 5.0),
    ("days_since_contact", 0.09, -8.0, 34.0, 10.0, 12.0),
    ("escalations", 0.075, -30.0, 2.0, 20.0, 0.0),
    ("nps", 0.035, 0.0, None, 0.0, None),
)
SERIES: dict[str, Callable[[int], float]] = {
    "active_users": lambda age: 40 + min(age, 60) // 5,
    "tickets_deflected": lambda age: 12 + age % 3,
    "seats_sold": lambda _age: 90,
    "features_used": lambda age: 5 if age < 45 else 4,
}
LINES = (
    Line("ask", "ask-1"),
    Line("gate", "approve-run", target=5, days=3),
    Line("email", "what-changed", outward=True),
    Line("wait", "wait-1", days=5),
    Line("lesson", "seat-campaign/what-is-new", outward=True),
    Line("end", "end"),
)
LETTER = """Hello Maria,

Fewer people at Northwind Health have signed in over the last weeks than in the month before. There may be a good \
reason: holidays, a new project, a new tool.

Would you tell me in a sentence what happened? If something of ours is in the way, I want to fix it. If you are just \
busy, that is a fine answer as well.

Dana Whitfield"""


ANY_TIME = """format: 1
per_day: 100
per_week: 500
window: always
quiet: {after_conversation: none, after_survey: none, in_escalation: false}
"""
"""A contact policy for tests that are not about it: nothing waits."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """Ids of what was made."""

    accounts: dict[str, int]
    run: int
    waiting_run: int
    approval: int
    foreign_approval: int
    task: int
    foreign_task: int
    bundle: Bundle


def seed(store: Store) -> Seeded:
    """Fill an empty store."""
    checked = read(dict(files.read_files(".")) | {"rules/contact.yaml": ANY_TIME})
    assert checked.bundle is not None
    bundle = checked.bundle
    with store.begin() as session:
        bundles.publish(session, bundle, "tests", NOW - timedelta(days=60))
        _members(session)
        accounts = {row[0]: _account(session, number, row, bundle) for number, row in enumerate(ACCOUNTS)}
        run = _run(session, accounts["Northwind Health"], bundle, "waiting", 1)
        foreign = _run(session, accounts["Delta Foundry"], bundle, "waiting", 1)
        waiting = _run(session, accounts["Acorn Logistics"], bundle, "waiting", 3)
        _history(session, accounts["Acorn Logistics"], waiting)
        approval = _approval(session, accounts["Northwind Health"], run, OWNER)
        other = _approval(session, accounts["Delta Foundry"], foreign, OTHER)
        task = _task(session, accounts["Acorn Logistics"], waiting, OWNER)
        foreign_task = _task(session, accounts["Delta Foundry"], foreign, OTHER)
        _effects(session)
    return Seeded(accounts, run, waiting, approval, other, task, foreign_task, bundle)


def sign_in(store: Store, email: str, at: datetime = NOW) -> members.SignedIn:
    """A session of a member, by the one-time link."""
    with store.begin() as session:
        link = members.sign_in_link(session, members.find(session, email).id, at)
    with store.begin() as session:
        return members.sign_in(session, link, at)


def _members(session: Session) -> None:
    for email, name, role in (
        (OWNER, "Dana Whitfield", Role.CSM),
        (OTHER, "Omar Haddad", Role.CSM),
        (ADMIN, "Ada Keller", Role.ADMIN),
        (AUTHOR, "Aino Salo", Role.AUTHOR),
        (VIEWER, "Vera Novak", Role.VIEWER),
    ):
        members.add(session, email, name, [role])


def _subject(session: Session, kind: str) -> int:
    row = SubjectRow(kind=kind)
    session.add(row)
    session.flush()
    return row.id


def _account(session: Session, number: int, row: tuple[object, ...], bundle: Bundle) -> int:
    name, owner, arr, stage, renewal, score, tier = row
    account_id = _subject(session, "account")
    session.add(
        AccountRow(
            id=account_id,
            key=str(name).lower().replace(" ", "-"),
            name=name,
            owner=owner,
            arr=arr,
            stage=stage,
            renewal_on=DAY + int(str(renewal)),
            recorded_at=NOW,
        )
    )
    session.flush()
    for contact, roles in (("Maria Lindqvist", ["champion"]), ("Tom Becker", ["sponsor"]), ("Ravi Shah", ["user"])):
        contact_id = _subject(session, "contact")
        first = contact.split(maxsplit=1)[0].lower()
        session.add(
            ContactRow(
                id=contact_id,
                key=f"{number}-{first}",
                account_id=account_id,
                name=contact,
                email=f"{first}@{str(name).split()[0].lower()}.example",
                roles=roles,
                recorded_at=NOW,
            )
        )
    session.add(
        GoalRow(
            account_id=account_id,
            goal="tickets_deflected",
            target=2_000,
            start_value=400,
            start_day=DAY - 200,
            end_day=DAY + 100,
        )
    )
    _points(session, account_id, number)
    _scores(session, account_id, score if isinstance(score, float) else None, str(tier or ""), bundle)
    _signals(session, account_id, firing=tier == "requires_attention")
    return account_id


def _points(session: Session, account_id: int, number: int) -> None:
    for metric_id, name in enumerate(SERIES, start=900):
        if session.get(MetricRow, metric_id) is None:
            session.add(MetricRow(id=metric_id, name=name))
    session.flush()
    for metric_id, series in enumerate(SERIES.values(), start=900):
        for age in range(120):
            value = series(age) - (number if metric_id == 900 else 0)
            session.add(
                PointRow(day=DAY - age, subject_id=account_id, metric_id=metric_id, value=value, recorded_at=NOW)
            )


def _scores(session: Session, account_id: int, score: float | None, tier: str, bundle: Bundle) -> None:
    for age in range(0, 90, 3):
        ease = (min(age, 30) / 30) * (1 if account_id % 3 else -0.4) + 0.12 * ((age * 7 + account_id) % 5 - 2) / 2
        lines = [_line(metric, score, ease) for metric in METRICS]
        computed = None if score is None else sum(int(str(line[4])) for line in lines)
        session.add(
            score_row(
                session,
                day=DAY - age,
                scorecard="health",
                account_id=account_id,
                computed=computed,
                effective=computed,
                coverage=0.93 if score is not None else 0.41,
                raw_tier=tier or None,
                computed_tier=tier or None,
                tier=tier or None,
                lines=lines,
                bundle=bundle.fingerprint,
            )
        )


def _line(
    metric: tuple[str, float, float, float | None, float, float | None], score: float | None, ease: float
) -> list[object]:
    name, share, off, value, before, value_before = metric
    if value is None or value_before is None or score is None:
        return [name, None, None, share, 0]
    normalised = min(100.0, max(0.0, score + off + (before - off) * ease))
    return [name, round(value + (value_before - value) * ease, 2), normalised, share, round(normalised * share * MICRO)]


def _signals(session: Session, account_id: int, *, firing: bool) -> None:
    found = [
        State(account_id, rule, signal, verdict, verdict, DAY - (6 if verdict == 1 else 40), value)
        for rule, signal, verdict, value in (
            ("usage-falling", "usage_falling", 1 if firing else -1, -0.31 if firing else 0.02),
            ("seats-unused", "seats_unused", -1, 0.41),
            ("gone-quiet", "quiet", 0, None),
        )
    ]
    session.add(states_row(session, DAY, found))


def _decision(session: Session, account_id: int, kind: str, reason: str | None, arm: str | None, at: datetime) -> int:
    episode = EpisodeRow(account_id=account_id, rule="usage-falling", opened_on=DAY - 6, closed_on=DAY - 1)
    session.add(episode)
    session.flush()
    row = DecisionRow(
        account_id=account_id,
        episode_id=episode.id,
        rule="usage-falling",
        playbook="usage-recovery",
        kind=kind,
        reason=reason,
        mode="approve",
        arm=arm,
        sentence="Weekly active users fell by 31 % in 30 days, from 42 to 29; the rule needs a fall of 20 %.",
        evidence=[
            {
                "signal": "usage_falling",
                "verdict": 1,
                "value": -0.31,
                "sentence": "Weekly active users: 29 against 42 before, −31 %; fires from −20 % on, for 3 days now.",
                "place": "rules/adoption/usage-falling.yaml:18:3",
            },
            {
                "signal": "still_a_customer",
                "verdict": 1,
                "value": None,
                "sentence": "The stage is not churned.",
                "place": "rules/adoption/usage-falling.yaml:22:3",
            },
        ],
        bundle="",
        decided_at=at,
    )
    session.add(row)
    session.flush()
    return row.id


def _run(session: Session, account_id: int, bundle: Bundle, state: str, cursor: int) -> int:
    decision = _decision(session, account_id, "start", None, "treated", NOW - timedelta(hours=5))
    row = RunRow(
        account_id=account_id,
        decision_id=decision,
        rule="usage-falling",
        playbook="usage-recovery",
        mode="approve",
        state=state,
        sentence="Waits for a yes." if cursor == 1 else "Waits five days before it looks again.",
        frozen={"lines": [asdict(line) for line in LINES]},
        cursor=cursor,
        bundle=bundle.fingerprint,
        day_seconds=86_400.0,
        requested_at=NOW - timedelta(hours=5),
        started_at=NOW - timedelta(hours=5),
    )
    session.add(row)
    session.flush()
    for number, line in enumerate(LINES[:cursor]):
        session.add(
            StepRow(
                run_id=row.id,
                step=line.step,
                kind=line.kind,
                state="done",
                sentence="Asked Dana Whitfield." if number == 0 else "",
                at=NOW - timedelta(hours=5 - number),
            )
        )
    return row.id


def _approval(session: Session, account_id: int, run_id: int, approver: str) -> int:
    items = [
        Item("what-changed", "email", 1, "Maria Lindqvist", "Did something change on your side?", LETTER,
             "<p>Hello Maria,</p><p>Fewer people have signed in.</p>", "m…@northwind.example"),
        Item("call", "task", None, OWNER, "Call Northwind Health if nobody answers in five days"),
    ]  # fmt: skip
    begin(
        session,
        account_id=account_id,
        run_id=run_id,
        step="approve-run",
        approver=approver,
        items=items,
        expires_at=NOW + timedelta(days=2, hours=3),
        at=NOW - timedelta(hours=4),
    )
    session.flush()
    return session.query(ApprovalRow).filter_by(run_id=run_id).one().id


def _task(session: Session, account_id: int, run_id: int, assignee: str) -> int:
    row = TaskRow(
        account_id=account_id,
        run_id=run_id,
        step="ask-1",
        title="How do the calls with this account go?",
        assignee=assignee,
        questions={
            "engaged_on_calls": "How engaged are they on calls?",
            "happy_with_product": "How happy are they with the product?",
        },
        state="open",
        due_at=NOW + timedelta(days=1, hours=4),
        created_at=NOW - timedelta(hours=5),
    )
    session.add(row)
    session.flush()
    return row.id


def _history(session: Session, account_id: int, run_id: int) -> None:
    contact = session.query(ContactRow).filter_by(account_id=account_id).order_by(ContactRow.id).first()
    assert contact is not None
    for step, state, reason in (
        ("what-changed", "sent", ""),
        ("seat-campaign/what-is-new", "ambiguous", "The connection broke after the message was handed over."),
    ):
        session.add(
            DeliveryRow(
                account_id=account_id,
                run_id=run_id,
                step=step,
                receiver=f"contact:{contact.id}",
                contact_id=contact.id,
                channel="file",
                message_id=f"<{run_id}-{step}@backcast>",
                subject="Did something change on your side?" if state == "sent" else "What is new for you",
                content_hash="",
                state=state,
                reason=reason,
                claimed_at=NOW - timedelta(hours=3),
                decided_at=NOW - timedelta(hours=3),
            )
        )
    session.add(WaitRow(run_id=run_id, step="wait-1", condition=None, until=NOW + timedelta(days=5)))
    _decision(session, account_id, "refuse", "cooldown", None, NOW - timedelta(days=20))
    held = _decision(session, account_id, "hold_out", None, "held_out", NOW - timedelta(days=70))
    session.add(
        OutcomeRow(
            decision_id=held,
            account_id=account_id,
            rule="usage-falling",
            playbook="usage-recovery",
            arm="held_out",
            decided_on=DAY - 70,
            due_on=DAY - 40,
            state="not_met",
            judged_on=DAY - 40,
        )
    )


def _effects(session: Session) -> None:
    for rule, playbook, numbers, found, sentence in (
        (
            "seats-unused", "seat-activation", (142, 86, 3, 37, 11, 1), (0.308, 0.132, 0.452),
            "Seat activation raises the share that reaches the goal by 31 points (13 to 45).",
        ),
        (
            "usage-falling", "usage-recovery", (64, 24, 2, 12, 4, 0), (0.042, -0.231, 0.262),
            "The interval still holds zero: about 260 more accounts are needed to see an effect of this size.",
        ),
        (
            "gone-quiet", "check-in", (9, 4, 0, 1, 0, 0), (None, None, None),
            "Not enough data: 10 accounts are judged, about 120 are needed.",
        ),
    ):  # fmt: skip
        session.add(
            EffectRow(
                rule=rule,
                playbook=playbook,
                treated=numbers[0],
                treated_met=numbers[1],
                treated_unknown=numbers[2],
                held_out=numbers[3],
                held_out_met=numbers[4],
                held_out_unknown=numbers[5],
                uplift=found[0],
                low=found[1],
                high=found[2],
                sentence=sentence,
                estimated_on=DAY,
            )
        )
