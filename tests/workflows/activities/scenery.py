"""An account, its people, playbooks of every kind of step, and a channel that keeps its letters: for tests of runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.store import bundles, points, runs, steps
from engine.store.decision_tables import DecisionRow, EpisodeRow, OutcomeRow
from engine.store.files import read_files
from engine.store.run_tables import ApprovalRow, OutboxRow, ReportRow, TaskRow, WaitRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, ContactRow, EventRow, GoalRow, MemberRow, SubjectRow
from engine.terms import DeliveryState, Mode
from tests.seeding import ANY_TIME
from workflows.activities.stretch import Stretches
from workflows.channels.letter import Letter, Verdict
from workflows.payloads import Outcome, StretchInput, StretchResult

AT = datetime(2026, 9, 1, 10, tzinfo=UTC)
TODAY = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days
ROOT = Path(__file__).parents[3]
OWNER, ANA, BO, CY, GONE = "mia@example.org", 11, 12, 13, 14

PLAYBOOK = """format: 1
playbook: {name}
title: Try it
category: education
{head}
steps:
{steps}
"""
MESSAGES = {
    "hello": """Seats at {{ account.name }}
Hello {{ contact.first_name }},

{{ metrics.active_users | default("Some") | number }} people use it.
""",
    "first": "Lesson one\nRead this, {{ contact.name }}.\n",
    "second": "Lesson two\nRead that.\n",
    "third": "Lesson three\nRead on.\n",
}


@dataclass
class Post:
    """A channel that keeps its letters. ``verdicts`` by address decide otherwise than *sent*."""

    name: str = "test"
    letters: list[Letter] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def send(self, letter: Letter) -> Verdict:
        """Keep the letter, unless something else was arranged for its address."""
        verdict = self.verdicts.get(letter.to_address, Verdict(DeliveryState.SENT))
        if verdict.state is not DeliveryState.NOT_SENT:
            self.letters.append(letter)
        return verdict

    @property
    def to(self) -> list[str]:
        """Who got a letter, in order."""
        return [letter.to_address for letter in self.letters]


@dataclass
class Stage:
    """One store with one account, and the activities of runs on it."""

    store: Store
    bundle: Bundle
    post: Post
    stretches: Stretches
    at: datetime = AT

    def begin(self, playbook: str, mode: Mode = Mode.AUTOMATIC, *, rule: str = "", day_seconds: float = 86_400) -> int:
        """Request a run, as a decision does."""
        with self.store.begin() as session:
            decision, episode = _decided(session, playbook, rule) if rule else (None, None)
            return runs.request(
                session,
                bundle=self.bundle,
                account_id=1,
                rule=rule,
                playbook=playbook,
                mode=mode,
                decision_id=decision,
                episode_id=episode,
                day_seconds=day_seconds,
                at=self.at,
            )

    def go(
        self, run_id: int, outcome: Outcome = "begin", *, cursor: int | None = None, skips: tuple[str, ...] = ()
    ) -> StretchResult:
        """Do one stretch from where the run stands."""
        at = self.run(run_id).cursor if cursor is None else cursor
        return self.stretches.run_stretch(StretchInput(run_id, at, outcome, self.at.isoformat(), list(skips)))

    def later(self, days: float) -> "Stage":
        """The clock goes on."""
        self.at += timedelta(days=days)
        return self

    def run(self, run_id: int) -> runs.Run:
        """The run as it stands."""
        with self.store.read() as session:
            return runs.find(session, run_id)

    def steps(self, run_id: int) -> dict[str, tuple[str, str]]:
        """What happened, by step: state and sentence."""
        with self.store.read() as session:
            return {one.step: (one.state.value, one.sentence) for one in steps.of_run(session, run_id)}

    def approval(self) -> ApprovalRow:
        """The newest approval."""
        with self.store.read() as session:
            return session.scalars(select(ApprovalRow).order_by(ApprovalRow.id.desc())).first() or ApprovalRow()

    def tasks(self) -> list[TaskRow]:
        """All tasks."""
        with self.store.read() as session:
            return list(session.scalars(select(TaskRow).order_by(TaskRow.id)))

    def waits(self) -> list[WaitRow]:
        """What runs wait for."""
        with self.store.read() as session:
            return list(session.scalars(select(WaitRow)))

    def outbox(self, kind: str) -> list[dict[str, object]]:
        """The payloads of one kind of message to Temporal."""
        with self.store.read() as session:
            found = session.scalars(select(OutboxRow).where(OutboxRow.kind == kind).order_by(OutboxRow.id))
            return [row.payload for row in found]

    def reports(self) -> list[ReportRow]:
        """All reports."""
        with self.store.read() as session:
            return list(session.scalars(select(ReportRow).order_by(ReportRow.id)))

    def point(self, metric: str, value: float, *, days_ago: int = 0, subject: int = 1) -> None:
        """Record one point."""
        with self.store.begin() as session:
            points.record(
                session, subject, metric, (self.at - datetime(1970, 1, 1, tzinfo=UTC)).days - days_ago, value, AT
            )

    def login(self, contact: int, *, days_ago: int = 0) -> None:
        """Record one login of a contact, and the count that ingesting makes of it."""
        with self.store.begin() as session:
            day = (self.at - datetime(1970, 1, 1, tzinfo=UTC)).days - days_ago
            about = {"account_id": 1, "contact_id": contact, "day": day, "at": self.at}
            session.add(EventRow(key=f"login-{contact}-{day}", name="login", recorded_at=AT, **about))
            points.record(session, contact, "logins", day, 1, AT)


def playbook_file(name: str, steps: str, head: str = "") -> dict[str, str]:
    """A playbook and its messages as files."""
    indented = "\n".join(f"  {line}" for line in steps.strip("\n").splitlines())
    files = {f"playbooks/messages/{name}/{key}.md": text for key, text in MESSAGES.items() if key in steps}
    return {f"playbooks/{name}.yaml": PLAYBOOK.format(name=name, steps=indented, head=head), **files}


def read(*files: Mapping[str, str]) -> Bundle:
    """The shipped pack with more files, and with a contact policy by which nothing waits."""
    texts = dict(read_files(str(ROOT))) | {"rules/contact.yaml": ANY_TIME}
    for more in files:
        texts |= more
    checked = reading.read(texts)
    assert checked.bundle is not None, checked.problems
    return checked.bundle


def stage(store: Store, bundle: Bundle) -> Stage:
    """Account 1 with a champion, two users, somebody who left, and an owner."""
    with store.begin() as session:
        bundles.publish(session, bundle, author="test", at=AT)
        session.add(MemberRow(email=OWNER, name="Mia Owner", roles=["csm", "admin"]))
        session.add(SubjectRow(id=1, kind="account"))
        session.flush()
        account = {"key": "acme", "name": "Acme", "owner": OWNER, "arr": 20_000.0, "stage": "adoption"}
        session.add(AccountRow(id=1, recorded_at=AT, **account))
        session.flush()
        for number, name, roles, departed in (
            (ANA, "Ana Lee", ["champion", "sponsor"], None),
            (BO, "Bo Li", ["user"], None),
            (CY, "Cy Ray", ["user"], None),
            (GONE, "Di Gone", ["champion", "user"], TODAY - 5),
        ):
            session.add(SubjectRow(id=number, kind="contact"))
            session.flush()
            session.add(
                ContactRow(
                    id=number,
                    key=f"c{number}",
                    account_id=1,
                    name=name,
                    email=f"{name.split()[0].lower()}@acme.example",
                    roles=roles,
                    departed_on=departed,
                    recorded_at=AT,
                )
            )
        session.add(
            GoalRow(
                account_id=1,
                goal="tickets_deflected",
                target=100,
                start_value=0,
                start_day=TODAY - 50,
                end_day=TODAY + 50,
            )
        )
    post = Post()
    return Stage(store, bundle, post, Stretches(store, post, "https://cs.example", "cs@example.com"))


def _decided(session: Session, playbook: str, rule: str) -> tuple[int, int]:
    episode = EpisodeRow(account_id=1, rule=rule, opened_on=TODAY)
    session.add(episode)
    session.flush()
    decision = DecisionRow(
        account_id=1,
        episode_id=episode.id,
        rule=rule,
        playbook=playbook,
        kind="start",
        arm="treated",
        sentence="it fires",
        evidence=[],
        bundle="",
        decided_at=AT,
    )
    session.add(decision)
    session.flush()
    session.add(
        OutcomeRow(
            decision_id=decision.id,
            account_id=1,
            rule=rule,
            playbook=playbook,
            arm="treated",
            baseline=0.2,
            decided_on=TODAY,
            due_on=TODAY + 45,
            state="due",
        )
    )
    session.flush()
    return decision.id, episode.id
