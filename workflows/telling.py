"""What a rehearsed run has written, told as entries: read after each stretch, from the rows a real run leaves too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.running.timeline import Call, Entry, Mail, Todo, Yes
from engine.store import steps
from engine.store.run_tables import ApprovalRow, DeliveryRow, TaskRow, WaitRow
from engine.store.runs import Run
from engine.store.steps import StepDone
from engine.store.tables import ContactRow
from engine.terms import DeliveryState, StepState
from workflows.channels.letter import Letter

NO_CALLS: Final[Mapping[str, Call]] = {}


class Telling:
    """The entries of one run so far. ``forced``: branches whose way was chosen beforehand."""

    def __init__(self, run: Run, forced: Mapping[str, int]) -> None:
        self._run = run
        self._numbers = {line.step: number for number, line in enumerate(run.lines)}
        self._entries: dict[str, Entry] = {}
        self._forced = frozenset(forced)
        self._seen: dict[str, StepDone] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """In the order the run came to them."""
        return tuple(sorted(self._entries.values(), key=lambda entry: (entry.at, entry.number)))

    def pass_over(self, session: Session) -> None:
        """Leave out what has happened so far, before the rehearsal; of where the run stands only what comes of it."""
        self._seen = {done.step: done for done in steps.of_run(session, self._run.id)}

    def look(
        self, session: Session, at: datetime, letters: Sequence[Letter], calls: Mapping[str, Call] = NO_CALLS
    ) -> None:
        """Tell what has changed since the last look."""
        for done in steps.of_run(session, self._run.id):
            if done.step in self._forced or self._seen.get(done.step) == done:
                continue
            self._seen[done.step] = done
            entry = self._entry(session, done, at, letters)
            ours = {row.message_id for row in self._deliveries(session, done.step)}
            self._entries[done.step] = replace(entry, calls=tuple(calls[each] for each in sorted(ours & calls.keys())))

    def _entry(self, session: Session, done: StepDone, at: datetime, letters: Sequence[Letter]) -> Entry:
        before = self._entries.get(done.step)
        number = self._numbers.get(done.step, len(self._numbers))
        entry = before or Entry(at, number, done.step, done.kind, "", "")
        entry = replace(entry, state=done.state.value, sentence=done.sentence)
        if done.kind in {"task", "ask"}:
            return replace(entry, todo=self._todo(session, done.step))
        if done.kind == "gate":
            return replace(entry, yes=self._yes(session, done.step))
        if done.kind == "wait":
            return replace(entry, until=self._until(session, done, entry))
        went, more = tuple(mail for mail in entry.mails if not mail.why_not), self._mails(session, done.step, letters)
        waited = at > entry.at and any(not mail.why_not for mail in more)
        return replace(entry, mails=(*went, *more), until=at if waited else entry.until)

    def _todo(self, session: Session, step: str) -> Todo | None:
        row = session.scalar(select(TaskRow).where(TaskRow.run_id == self._run.id, TaskRow.step == step))
        if row is None:
            return None
        parts = [*row.questions.values(), *row.codes.get("checklist", ())]
        return Todo(row.title, row.assignee, row.due_at, tuple(map(str, parts)))

    def _yes(self, session: Session, step: str) -> Yes | None:
        row = session.scalar(select(ApprovalRow).where(ApprovalRow.run_id == self._run.id, ApprovalRow.step == step))
        if row is None:
            return None
        return Yes(row.approver, row.expires_at, tuple(f"{item['to']}: {item['subject']}" for item in row.content))

    def _until(self, session: Session, done: StepDone, entry: Entry) -> datetime | None:
        if done.state is not StepState.WAITING:
            return done.at if entry.state else None
        row = session.get(WaitRow, (self._run.id, done.step))
        return row.until if row else None

    def _mails(self, session: Session, step: str, letters: Sequence[Letter]) -> tuple[Mail, ...]:
        ours = {row.message_id: row for row in self._deliveries(session, step)}
        went = [_mail(letter) for letter in letters if letter.message_id in ours]
        kept = {letter.message_id for letter in letters}
        not_sent = (
            row
            for row in ours.values()
            if row.message_id not in kept and row.state == DeliveryState.NOT_SENT and row.contact_id is not None
        )
        return (*went, *(self._kept_back(session, row) for row in not_sent))

    def _deliveries(self, session: Session, step: str) -> Iterable[DeliveryRow]:
        mine = select(DeliveryRow).where(DeliveryRow.run_id == self._run.id, DeliveryRow.step == step)
        return session.scalars(mine.order_by(DeliveryRow.id))

    def _kept_back(self, session: Session, row: DeliveryRow) -> Mail:
        contact = session.get(ContactRow, row.contact_id)
        name, address = (contact.name, masked(contact.email)) if contact else ("", "")
        return Mail(name, address, "", row.subject, "", why_not=row.reason)


def masked(address: str) -> str:
    """An address as pages show it."""
    local, _, domain = address.partition("@")
    return f"{local[:1]}…@{domain}"


def _mail(letter: Letter) -> Mail:
    return Mail(letter.to_name, masked(letter.to_address), letter.sender, letter.subject, letter.text, letter.html)
