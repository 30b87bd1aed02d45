"""The simulated CSM of ``demo --once``: decides, edits, answers and skips as a person would, through the same rows."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import Refused
from engine.store import acts, approvals, tasks
from engine.store.finishing import Codes
from engine.store.run_tables import ApprovalRow, RunRow, TaskRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.terms import ApprovalState, RunAct, TaskState

_AT_ONCE = 3
"""Tasks and refusals between two looks at the approvals: those expire."""
POSTSCRIPT = "P.S. I will call you on Thursday to see how it goes."


class Colleague:
    """One CSM. ``skips``: (account key, rule) of the runs that this person does not carry out; ``story_key``: the
    account whose first message is edited before it goes."""

    def __init__(self, store: Store, email: str, story_key: str, skips: Collection[tuple[str, str]]) -> None:
        self._store = store
        self._email = email
        self._story_key = story_key
        self._skips = frozenset(skips)

    def work(self, at: datetime) -> None:
        """Do what lies in the inbox now: every approval, the most urgent first, and a few of the rest."""
        self._decide(at)
        self._finish(at)
        self._decline(at)

    def _decline(self, at: datetime) -> None:
        with self._store.read() as session:
            found = session.execute(
                select(RunRow.id, RunRow.rule, AccountRow.key)
                .join(AccountRow, AccountRow.id == RunRow.account_id)
                .where(RunRow.state.in_(("active", "waiting")))
            ).all()
        skipped = [run for run, rule, key in found if (key, rule) in self._skips]
        for run in skipped[:_AT_ONCE]:
            self._try(
                partial(
                    acts.request,
                    run_id=run,
                    kind=RunAct.CANCEL,
                    member=self._email,
                    reason="We are on it by phone already.",
                    at=at,
                )
            )

    def _decide(self, at: datetime) -> None:
        with self._store.read() as session:
            found = session.execute(
                select(ApprovalRow.id, ApprovalRow.version, ApprovalRow.content, AccountRow.key)
                .join(AccountRow, AccountRow.id == ApprovalRow.account_id)
                .where(ApprovalRow.state == ApprovalState.PENDING.value, ApprovalRow.expires_at > at)
                .order_by(ApprovalRow.expires_at)
            ).all()
        for approval, version, content, key in found:
            shown = version
            letters = [number for number, item in enumerate(content) if item["contact_id"] is not None]
            if key == self._story_key and version == 1 and letters:
                shown = self._edit(approval, version, letters[0], content[letters[0]], at)
            self._try(
                partial(
                    approvals.decide,
                    approval_id=approval,
                    version=shown,
                    approve=True,
                    member=self._email,
                    reason="",
                    at=at,
                )
            )

    def _edit(self, approval: int, version: int, item: int, letter: dict[str, str], at: datetime) -> int:
        with self._store.begin() as session:
            return approvals.edit(
                session,
                approval,
                version=version,
                item=item,
                subject=letter["subject"],
                text=f"{letter['text']}\n\n{POSTSCRIPT}",
                member=self._email,
                at=at,
            )

    def _finish(self, at: datetime) -> None:
        with self._store.read() as session:
            found = session.execute(
                select(TaskRow.id, TaskRow.version, TaskRow.questions, TaskRow.codes)
                .where(TaskRow.state == TaskState.OPEN.value)
                .order_by(TaskRow.id)
                .limit(_AT_ONCE)
            ).all()
        for task, version, questions, stored in found:
            codes = Codes.of(stored)
            self._try(
                partial(
                    tasks.finish,
                    task_id=task,
                    version=version,
                    member=self._email,
                    answers=dict.fromkeys(questions, 4.0),
                    note="Done.",
                    at=at,
                    outcome=next(iter(codes.outcomes), ""),
                    cause=next(iter(codes.causes), ""),
                    ticked=codes.checklist,
                )
            )

    def _try(self, act: Callable[[Session], object]) -> None:
        """Act in a transaction of its own; somebody or something else may have been first."""
        with suppress(Refused), self._store.begin() as session:
            act(session)
