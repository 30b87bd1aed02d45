"""What a rehearsal begins with: a run that is asked for, or one that is open, and what is in its way taken away.

All of it in the transaction that is undone. What is taken away, or taken for granted, is said in sentences.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.running.ways import origin
from engine.running.working_time import DAY_SECONDS
from engine.store import bundles, runs
from engine.store.member_tables import HoldRow
from engine.store.run_tables import ApprovalRow, RunRow, WaitRow
from engine.store.runs import Run, Wanted
from engine.terms import ApprovalState, Mode, RunState


@dataclass(frozen=True, slots=True)
class Setting:
    """What is rehearsed: a playbook for an account, as ``rule`` (empty: a member) would start it at ``at``; or, where
    ``run`` is one, that run from where it stands."""

    bundle: Bundle
    account_id: int
    playbook: str
    mode: Mode
    at: datetime
    rule: str = ""
    run: int = 0
    base_url: str = ""
    sender: str = "customer-success@example.com"


def set_out(session: Session, setting: Setting) -> tuple[Run, list[str]]:
    """The run that is rehearsed, and what has to be said about it. Raises NotFound."""
    held = update(HoldRow).where(HoldRow.released_at.is_(None)).values(released_at=setting.at)
    reasons = session.scalars(held.returning(HoldRow.reason)).all()
    said = [f"Nothing goes out now ({reason}); this is what goes once it is released." for reason in reasons]
    if setting.run:
        return _taken_up(session, setting, said), said
    if bundles.fingerprint_in_force(session) != setting.bundle.fingerprint:
        bundles.publish(session, setting.bundle, author="", at=setting.at)  # its contact policy counts, too
    mine = (RunRow.account_id == setting.account_id, RunRow.playbook == setting.playbook)
    is_open = RunRow.state.in_([state.value for state in RunState if state.is_open])
    gone = update(RunRow).where(*mine, is_open).values(state=RunState.CANCELLED.value).returning(RunRow.id)
    said += [
        f"Run {number} of this playbook is open for the account; this is a new one, not what is left."
        for number in session.scalars(gone).all()
    ]
    wanted = Wanted(setting.account_id, setting.playbook, setting.mode, setting.rule)
    return runs.find(session, runs.request_all(session, setting.bundle, [wanted], DAY_SECONDS, setting.at)[0]), said


def _taken_up(session: Session, setting: Setting, said: list[str]) -> Run:
    run = runs.find(session, setting.run)
    if run.state is RunState.PAUSED:
        said.append("The run is paused; this is what it does once it goes on.")
        runs.move(session, run.id, state=RunState.WAITING, cursor=run.cursor, sentence=run.sentence, at=setting.at)
    return runs.find(session, setting.run)


def stands(session: Session, run: Run) -> Iterator[tuple[int, datetime]]:
    """The lines a run stands at, and until when at most."""
    numbers = {line.step: number for number, line in enumerate(run.lines)}
    waits = select(WaitRow.step, WaitRow.until).where(WaitRow.run_id == run.id)
    pending = (ApprovalRow.run_id == run.id, ApprovalRow.state == ApprovalState.PENDING.value)
    gates = select(ApprovalRow.step, ApprovalRow.expires_at).where(*pending)
    for step, until in [*session.execute(waits), *session.execute(gates)]:
        number = numbers.get(step, numbers.get(origin(step)))
        if number is not None:
            yield number, until


def forks_around(run: Run, number: int) -> list[int]:
    """The lines of the forks in whose rows line ``number`` lies, the outermost first."""
    return [at for at, line in enumerate(run.lines[:number]) if line.kind == "fork" and number < line.target]
