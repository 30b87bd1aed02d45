"""Runs: one row per playbook carried out for one account. Requested here, moved on by the stretch activity."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound, Refused
from engine.running.lines import VETO, Line, compile_lines
from engine.running.ways import again
from engine.store import done_again, outbox, superseding
from engine.store.accounts import parts
from engine.store.bulk import insert_all
from engine.store.queueing import Queue, queue
from engine.store.remembering import remembered
from engine.store.run_tables import RunRow
from engine.store.tables import AccountRow
from engine.terms import Mode, OutboxKind, RunState

CHURNED: Final = "churned"
_HURRY: Final = {"save": outbox.URGENT, "renewal": 2, "education": outbox.ORDINARY, "expansion": 4, "news": 5}
"""How urgent a start is, by its playbook's priority. What a member starts by hand is urgent: somebody waits for it."""
_FINAL: Final = [state.value for state in RunState if not state.is_open]


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``started_by`` and ``reason`` are set when a member started it by hand."""

    id: int
    account_id: int
    decision_id: int | None
    episode_id: int | None
    rule: str
    playbook: str
    mode: Mode
    state: RunState
    sentence: str
    lines: tuple[Line, ...]
    cursor: int
    bundle: str
    day_seconds: float
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    started_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run to be requested. ``by``: who started it by hand, and why."""

    account_id: int
    playbook: str
    mode: Mode
    rule: str = ""
    decision_id: int | None = None
    episode_id: int | None = None
    by: Mapping[str, str] = field(default_factory=dict)


def request(
    session: Session,
    *,
    bundle: Bundle,
    account_id: int,
    rule: str,
    playbook: str,
    mode: Mode,
    decision_id: int | None,
    episode_id: int | None,
    day_seconds: float,
    at: datetime,
    by: Mapping[str, str] | None = None,
) -> int:
    """Write a run as requested, with its lines frozen, and tell Temporal through the outbox. Returns its id.

    Raises Refused while the account has an open run of the playbook.
    """
    queue(session, Queue.DECIDING)  # behind a cycle that decides just now: what it starts is seen here, and ours there
    wanted = Wanted(account_id, playbook, mode, rule, decision_id, episode_id, by or {})
    number = request_all(session, bundle, [wanted], day_seconds, at)[0]
    superseding.tell_others(session, bundle, account_id, playbook, at)
    return number


def request_all(
    session: Session, bundle: Bundle, wanted: Sequence[Wanted], day_seconds: float, at: datetime
) -> list[int]:
    """`request` for many runs at once, by whoever is deciding; their ids in the same order."""
    _refuse_second(session, wanted)
    lines = {(one.playbook, one.mode): _frozen(bundle, one) for one in wanted}
    same = {
        "state": RunState.REQUESTED.value,
        "sentence": "Waits to be started",
        "cursor": 0,
        "bundle": bundle.fingerprint,
        "day_seconds": day_seconds,
        "requested_at": at,
    }
    rows = [
        {
            "account_id": one.account_id,
            "decision_id": one.decision_id,
            "episode_id": one.episode_id,
            "rule": one.rule,
            "playbook": one.playbook,
            "mode": one.mode.value,
            "frozen": {"lines": lines[one.playbook, one.mode], **one.by},
            **same,
        }
        for one in wanted
    ]
    ids = insert_all(session, RunRow, RunRow.id, rows)
    for number, one in zip(ids, wanted, strict=True):
        hurry = outbox.URGENT if one.by else _HURRY[bundle.playbooks[one.playbook].priority]
        outbox.add(session, OutboxKind.START, number, {}, at, priority=hurry)
    return ids


def _frozen(bundle: Bundle, wanted: Wanted) -> list[dict[str, Any]]:
    rule = bundle.rules.get(wanted.rule)
    actions = [one for one in (rule.actions if rule else ()) if one.playbook == wanted.playbook]
    veto = next((one.veto for one in actions if one.mode is wanted.mode and one.veto), VETO)
    return [asdict(line) for line in compile_lines(bundle.playbooks[wanted.playbook], wanted.mode, veto)]


def start_by_hand(
    session: Session,
    bundle: Bundle,
    account_id: int,
    playbook: str,
    member: str,
    reason: str,
    at: datetime,
    day_seconds: float,
    *,
    mode: Mode = Mode.AUTOMATIC,
) -> int:
    """Start a playbook because a member says so (no rule needs to fire). Returns the run's id.

    Raises NotFound for an unknown account or playbook; Refused without a reason, for a stopped, suppressed or churned
    account, or while a run of the playbook is open there.
    """
    account = session.get(AccountRow, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    if playbook not in bundle.playbooks:
        raise NotFound(f'There is no playbook "{playbook}" in force.')
    if not reason.strip():
        raise Refused("Say why you start it: the reason stands in the account's timeline.")
    if barred := why_barred(account):
        raise Refused(f"Nothing can be started for {account.name}: {barred}.")
    return request(
        session,
        bundle=bundle,
        account_id=account_id,
        rule="",
        playbook=playbook,
        mode=mode,
        decision_id=None,
        episode_id=None,
        day_seconds=day_seconds,
        at=at,
        by={"started_by": member, "reason": reason.strip()},
    )


def why_barred(account: AccountRow) -> str:
    """Why nothing may run for an account, as the end of a sentence; empty when something may."""
    if account.stopped_reason:
        return f"a member stopped the account ({account.stopped_reason})"
    if account.suppressed:
        return "the account must not be contacted"
    return "the account has churned" if account.stage == CHURNED else ""


def find(session: Session, run_id: int) -> Run:
    """One run. Raises NotFound."""
    return _run(_row(session, run_id))


def hold(session: Session, run_id: int) -> Run:
    """One run, locked until the transaction ends, so that its state and what hangs on it change together."""
    return _run(_row(session, run_id, lock=True))


def of_account(session: Session, account_id: int) -> tuple[Run, ...]:
    """All runs of an account, the newest first."""
    rows = session.scalars(select(RunRow).where(RunRow.account_id == account_id).order_by(RunRow.id.desc()))
    return tuple(_run(row) for row in rows)


def move(session: Session, run_id: int, *, state: RunState, cursor: int, sentence: str, at: datetime) -> None:
    """Write where the run is and what it is doing. The first move starts it; a final state ends it."""
    row = _row(session, run_id)
    row.state = state.value
    row.cursor = cursor
    row.sentence = sentence
    row.started_at = row.started_at or at
    row.ended_at = row.ended_at if state.is_open else (row.ended_at or at)


def _refuse_second(session: Session, wanted: Sequence[Wanted]) -> None:
    pairs = {(one.account_id, one.playbook) for one in wanted}
    for some in parts(sorted({account for account, _ in pairs})):
        query = select(RunRow.id, RunRow.account_id, RunRow.playbook).where(
            RunRow.account_id.in_(some), RunRow.state.not_in(_FINAL)
        )
        for other, account, playbook in session.execute(query):
            if (account, playbook) in pairs:
                message = f"Run {other} of {playbook} is still open for this account"
                raise Refused(f"{message}: cancel it or wait until it ends.")


def _row(session: Session, run_id: int, *, lock: bool = False) -> RunRow:
    row = session.get(RunRow, run_id, with_for_update=lock or None, populate_existing=lock)
    if row is None:
        raise NotFound(f"There is no run {run_id}.")
    remembered(session, "runs")[run_id] = row  # else the session forgets it, and reads it again each time
    return row


def _run(row: RunRow) -> Run:
    return Run(
        id=row.id,
        account_id=row.account_id,
        decision_id=row.decision_id,
        episode_id=row.episode_id,
        rule=row.rule,
        playbook=row.playbook,
        mode=Mode(row.mode),
        state=RunState(row.state),
        sentence=row.sentence,
        lines=_lines(row.frozen),
        cursor=row.cursor,
        bundle=row.bundle,
        day_seconds=row.day_seconds,
        requested_at=row.requested_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        started_by=row.frozen.get("started_by", ""),
        reason=row.frozen.get("reason", ""),
    )


def _lines(frozen: dict[str, Any]) -> tuple[Line, ...]:
    lines = [Line(**{**line, "arms": tuple(line["arms"])}) for line in frozen["lines"]]
    return again(lines, done_again.read(frozen))
