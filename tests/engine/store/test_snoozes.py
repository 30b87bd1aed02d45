"""Members leave accounts out of rules: snoozed until a day, or excluded; and what cycles make of it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.store import bundles, exclusions, notes, points, runs, snoozes
from engine.store.decision_tables import DecisionRow, EpisodeRow, OutcomeRow
from engine.store.run_tables import RunRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow, SubjectRow
from engine.store.why import why
from engine.terms import Mode, Reason, RunState
from workflows.activities.cycle import run_cycle

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY_ZERO = datetime(1970, 1, 1, tzinfo=UTC)
OMAR = "omar@vendor.example"
FILES = {
    "rules/test/low.yaml": """format: 1
rule: low
challenge:
  title: Hardly used
  kind: risk
  why: Whoever does not use it does not renew.
  owner: cs-ops
  review_by: 2027-06-01
  success: {metric: active_users.mean_7d, change: +15%, within: 30d}
actions:
  - playbook: help
    mode: automatic
guard: {cooldown: 1d}
existing: ignore
signals:
  few: {metric: active_users, threshold: {below: 20}}
  small: {metric: seats, threshold: {below: 5}}
when: {any: [few, small]}
examples:
  - {name: fires, given: {active_users: 10, seats: 10}, then: fires}
  - {name: clear, given: {active_users: 90, seats: 10}, then: clear}
""",
    "playbooks/help.yaml": """format: 1
playbook: help
title: Help
category: operational
steps:
  - task: {title: Call them, to: owner}
""",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """An installation with one account, whose figures are said day by day."""

    store: Store
    bundle: Bundle
    account: int

    def cycle(self, day: int, users: float, seats: float = 10.0) -> list[DecisionRow]:
        """Say what a day is like, run its cycle, and give back the decisions it made."""
        at = AT + timedelta(days=day)
        with self.store.begin() as session:
            known = session.scalars(select(DecisionRow.id)).all()
            for name, value in (("active_users", users), ("seats", seats)):
                points.record(session, self.account, name, (at - DAY_ZERO).days, value, at)
        run_cycle(self.store, self.bundle, at, day_seconds=86_400.0)
        with self.store.read() as session:
            return list(session.scalars(select(DecisionRow).where(DecisionRow.id.not_in(known))))

    def snooze(self, day: int, until: int, **more: Any) -> int:
        """Omar snoozes the rule on a day until another one."""
        given = {"reason": "wrong moment", "text": "they move offices"} | more
        at = AT + timedelta(days=day, hours=1)
        with self.store.begin() as session:
            end = AT + timedelta(days=until)
            return snoozes.snooze(session, self.bundle, self.account, "low", member=OMAR, until=end, at=at, **given)

    def exclude(self, day: int, until: int | None) -> int:
        """Omar excludes the account from the rule."""
        at = AT + timedelta(days=day, hours=1)
        ends = None if until is None else AT + timedelta(days=until)
        with self.store.begin() as session:
            given: dict[str, Any] = {"reason": "a test account of ours", "member": OMAR, "expires_at": ends, "at": at}
            return exclusions.exclude(session, self.bundle, self.account, "low", **given)


@pytest.fixture
def shop(sqlite_store: Store, catalog_text: str) -> Shop:
    return _shop(sqlite_store, catalog_text)


@pytest.fixture
def both(store: Store, catalog_text: str) -> Shop:
    return _shop(store, catalog_text)


def _shop(store: Store, catalog_text: str) -> Shop:
    checked = reading.read({"rules/catalog.yaml": catalog_text, **FILES})
    assert checked.bundle is not None, checked.problems
    with store.begin() as session:
        bundles.publish(session, checked.bundle, "tests", AT - timedelta(days=1))
        subject = SubjectRow(kind="account")
        session.add(subject)
        session.flush()
        session.add(AccountRow(id=subject.id, key="acme", name="Acme", owner=OMAR, recorded_at=AT))
        account = subject.id
    shop = Shop(store, checked.bundle, account)
    assert shop.cycle(-1, users=50) == []  # the rule is known and clear
    return shop


def test_a_snoozed_rule_starts_nothing_says_so_once_and_is_decided_anew_when_the_snooze_is_over(both: Shop) -> None:
    both.snooze(0, until=5)
    (refused,) = both.cycle(1, users=10)
    assert (refused.kind, refused.reason) == ("refuse", Reason.SNOOZED)
    assert refused.sentence == (
        "Hardly used: omar@vendor.example snoozed it until 2026-03-07: wrong moment; they move offices"
    )
    assert both.cycle(2, users=10) == []
    (started,) = both.cycle(5, users=10)
    assert (started.kind, started.playbook, started.episode_id) == ("start", "help", refused.episode_id)


def test_a_snooze_of_a_rule_that_clears_meanwhile_starts_nothing_afterwards(shop: Shop) -> None:
    shop.snooze(0, until=5)
    shop.cycle(1, users=10)
    assert shop.cycle(2, users=50) == []
    with shop.store.read() as session:
        assert session.scalar(select(EpisodeRow.closed_on)) is not None
    assert shop.cycle(6, users=50) == []


def test_a_signal_that_fires_besides_wakes_what_was_snoozed(both: Shop) -> None:
    both.snooze(0, until=20)
    both.cycle(1, users=10)
    (woken,) = both.cycle(2, users=10, seats=2)
    assert woken.kind == "start"
    assert "it was snoozed until 2026-03-22 and has become worse: 2 of its signals fire, 1 did" in woken.sentence
    with both.store.read() as session:
        assert snoozes.in_force(session, both.account, AT + timedelta(days=2, hours=1)) == ()


def test_whoever_cancels_a_run_and_snoozes_its_rule_gets_another_run_later_and_it_is_judged_once(shop: Shop) -> None:
    (first,) = shop.cycle(0, users=10)
    with shop.store.begin() as session:
        session.execute(update(RunRow).values(state=RunState.CANCELLED.value, ended_at=AT + timedelta(hours=1)))
    shop.snooze(0, until=3)
    assert shop.cycle(1, users=10) == []
    (second,) = shop.cycle(3, users=10)
    assert (second.kind, second.episode_id) == ("start", first.episode_id)
    with shop.store.read() as session:
        assert session.scalars(select(OutcomeRow.decision_id)).all() == [first.id]


def test_a_run_that_goes_on_is_not_started_again_by_a_snooze(shop: Shop) -> None:
    shop.cycle(0, users=10)
    shop.snooze(0, until=3)
    assert shop.cycle(3, users=10) == []


def test_a_snooze_that_is_ended_by_hand_is_over(shop: Shop) -> None:
    number = shop.snooze(0, until=5)
    shop.cycle(1, users=10)
    with shop.store.begin() as session:
        snoozes.end(session, number, "dana@vendor.example", AT + timedelta(days=1, hours=2))
    with shop.store.begin() as session, pytest.raises(Refused, match=r"dana@vendor\.example ended it at"):
        snoozes.end(session, number, OMAR, AT + timedelta(days=1, hours=3))
    (started,) = shop.cycle(2, users=10)
    assert started.kind == "start"


def test_an_excluded_account_is_refused_until_the_exclusion_ends(both: Shop) -> None:
    number = both.exclude(0, None)
    (refused,) = both.cycle(1, users=10)
    assert (refused.kind, refused.reason) == ("refuse", Reason.EXCLUDED)
    assert refused.sentence == (
        "Hardly used: omar@vendor.example excluded the account from this rule: a test account of ours"
    )
    assert both.cycle(40, users=10) == []
    with both.store.begin() as session:
        exclusions.end(session, number, OMAR, AT + timedelta(days=40, hours=1))
    (started,) = both.cycle(41, users=10)
    assert started.kind == "start"


def test_an_exclusion_with_a_day_is_over_on_it(shop: Shop) -> None:
    shop.exclude(0, 10)
    assert [one.reason for one in shop.cycle(1, users=10)] == [Reason.EXCLUDED]
    assert shop.cycle(9, users=10) == []
    assert [one.kind for one in shop.cycle(11, users=10)] == ["start"]


def test_why_says_who_left_the_account_out(shop: Shop) -> None:
    shop.snooze(0, until=5)
    shop.exclude(0, None)
    shop.cycle(1, users=10)
    with shop.store.read() as session:
        day = (AT - DAY_ZERO).days + 1
        found = why(session, shop.bundle, "acme", "low", day, AT + timedelta(days=1))
    assert found is not None
    assert "  omar@vendor.example excluded the account from this rule: a test account of ours" in found.trace
    assert any(line.startswith("  omar@vendor.example snoozed it until 2026-03-07") for line in found.trace)


@pytest.mark.parametrize(
    ("given", "until", "why"),
    [
        ({"reason": "bored"}, 5, '"bored" is no reason to snooze: choose one of known already, waiting'),
        ({"reason": "other", "text": " "}, 5, "Say why in a few words"),
        ({}, 31, "A snooze ends on a day between tomorrow and 2026-04-01"),
        ({}, 0, "A snooze ends on a day between"),
    ],
)
def test_a_snooze_without_reason_or_beyond_thirty_days_is_refused(
    shop: Shop, given: dict[str, Any], until: int, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        shop.snooze(0, until, **given)


def test_what_is_snoozed_or_excluded_already_is_refused_naming_who_did(shop: Shop) -> None:
    shop.snooze(0, 5)
    with pytest.raises(Refused, match=r"omar@vendor\.example snoozed this until 2026-03-07 already"):
        shop.snooze(0, 6)
    shop.exclude(0, None)
    with pytest.raises(Refused, match=r"Nothing was changed: omar@vendor\.example excluded"):
        shop.exclude(0, 9)
    with pytest.raises(Refused, match=r"An exclusion ends on a day after today"):
        shop.exclude(0, -1)


def test_what_is_not_there_is_not_found(shop: Shop) -> None:
    with shop.store.begin() as session:
        for rule, account in (("low", 999), ("high", shop.account)):
            with pytest.raises(NotFound):
                _exclude(session, shop, account, rule)
        with pytest.raises(NotFound):
            exclusions.end(session, 7, OMAR, AT)
        with pytest.raises(NotFound):
            snoozes.end(session, 7, OMAR, AT)


def _exclude(session: Session, shop: Shop, account: int, rule: str) -> None:
    given: dict[str, Any] = {"reason": "why", "member": OMAR, "expires_at": None, "at": AT}
    exclusions.exclude(session, shop.bundle, account, rule, **given)


def test_notes_stand_newest_first_and_stay_with_their_run(shop: Shop) -> None:
    with shop.store.begin() as session:
        run = runs.start_by_hand(session, shop.bundle, shop.account, "help", OMAR, "a feeling", AT, 86_400.0)
        notes.add(session, shop.account, "They moved.\r\nNew office.", member=OMAR, at=AT)
        notes.add(session, shop.account, "Called twice.", member=OMAR, at=AT, run_id=run)
        with pytest.raises(Refused, match="needs a text"):
            notes.add(session, shop.account, " \n", member=OMAR, at=AT)
        with pytest.raises(Refused, match="at most 10,000 characters; this one has 10,001"):
            notes.add(session, shop.account, "x" * 10_001, member=OMAR, at=AT)
        with pytest.raises(NotFound):
            notes.add(session, shop.account, "x", member=OMAR, at=AT, run_id=run + 1)
    with shop.store.read() as session:
        assert [one.text for one in notes.of_account(session, shop.account)] == [
            "Called twice.",
            "They moved.\nNew office.",
        ]
        assert [one.run_id for one in notes.of_account(session, shop.account, run)] == [run]
        assert session.get_one(RunRow, run).mode == Mode.AUTOMATIC
