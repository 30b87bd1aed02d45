"""Read model: what a CSM reads in the morning: which accounts changed, why, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.one_line import STEADY
from engine.evaluation.wording import points
from engine.store.attention import Turn, queue
from engine.store.before import end_of
from engine.store.book import Book, read_book
from engine.store.decision_tables import DecisionRow, EpisodeRow, ScoreRow
from engine.store.glances import OPEN_STATES
from engine.store.run_tables import ApprovalRow, RunRow, TaskRow
from engine.terms import ApprovalState, DecisionKind, TaskState, Tier


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of a digest: what ``changed``, ``why``, the ``next`` step, ``place`` in the order of attention."""

    key: str
    name: str
    place: int
    changed: tuple[str, ...]
    why: tuple[str, ...]
    next: str


def digest(session: Session, bundle: Bundle, day: int, owner: str | None, days: int = 1) -> tuple[Entry, ...]:
    """What changed for an owner's accounts (None: all) in the ``days`` up to ``day``, or waits for somebody."""
    book, turns = read_book(session), queue(session, day, owner)
    rows = {account: row for row, account in enumerate(book.ids.tolist())}
    before, decided = _scores(session, day - days), _decided(session, day, days)
    steps = _steps(session, bundle)
    found = []
    for turn in turns:
        row = rows[turn.account_id]
        moved = _moved(book, row, before.get(turn.account_id))
        changed = (*moved, *(kind for kind, _ in decided.get(turn.account_id, ())))
        waits = steps.get(turn.account_id)
        if changed or waits:
            why = (*_cause(bundle, book, row, moved), *(why for _, why in decided.get(turn.account_id, ())))
            found.append(Entry(turn.key, turn.name, turn.place, changed, why, waits or _otherwise(turn)))
    return tuple(found)


def _scores(session: Session, day: int) -> Mapping[int, tuple[int | None, str | None]]:
    last = session.scalar(select(func.max(ScoreRow.day)).where(ScoreRow.day <= day, ScoreRow.leads))
    query = select(ScoreRow.account_id, ScoreRow.effective, ScoreRow.tier).where(ScoreRow.day == last, ScoreRow.leads)
    return {account: (micro, tier) for account, micro, tier in session.execute(query)} if last is not None else {}


def _moved(book: Book, row: int, before: tuple[int | None, str | None] | None) -> tuple[str, ...]:
    """How score and tier moved; a change of less than a point within the same tier is none."""
    if before is None:
        return ()
    micro, tier, now = before[0], before[1], book.tier_of(row)
    said = []
    if tier != (now.value if now else None):
        said.append(f"{_label(Tier(tier) if tier else None)} became {_label(now)}")
    score = book.micro[row]
    if micro is not None and score is not None and abs(score - micro) >= STEADY:
        said.append(f"score {points(micro)} to {points(score)}")
    return tuple(said)


def _label(tier: Tier | None) -> str:
    return tier.label if tier else "Insufficient data"


def _cause(bundle: Bundle, book: Book, row: int, moved: tuple[str, ...]) -> tuple[str, ...]:
    cause = book.causes[row]
    if not moved or not cause:
        return ()
    metric = bundle.catalog.metrics.get(cause)
    return (f"most by {metric.title if metric else cause}",)


_KINDS = {
    DecisionKind.START: "started {}",
    DecisionKind.REFUSE: "not started: {}",
    DecisionKind.HOLD_OUT: "held out: {}",
}


def _decided(session: Session, day: int, days: int) -> dict[int, list[tuple[str, str]]]:
    """What was decided, and on what evidence, by account."""
    found: dict[int, list[tuple[str, str]]] = {}
    span = (DecisionRow.decided_at >= end_of(day - days), DecisionRow.decided_at < end_of(day))
    for row in session.scalars(select(DecisionRow).where(*span).order_by(DecisionRow.id)):
        said = _KINDS[DecisionKind(row.kind)].format(row.playbook)
        found.setdefault(row.account_id, []).append((said, row.sentence))
    return found


def _steps(session: Session, bundle: Bundle) -> dict[int, str]:
    """What waits for a person, or goes on by itself: the most pressing of each account."""
    found: dict[int, str] = {}
    titles = {name: rule.challenge.title for name, rule in bundle.rules.items()}
    still = select(EpisodeRow.account_id, EpisodeRow.rule).where(EpisodeRow.closed_on.is_(None)).order_by(EpisodeRow.id)
    for account, rule in session.execute(still):
        found[account] = f"look at it: {titles.get(rule, rule)}"
    runs = select(RunRow.account_id, RunRow.playbook, RunRow.sentence).where(RunRow.state.in_(OPEN_STATES))
    for account, playbook, sentence in session.execute(runs.order_by(RunRow.id)):
        found[account] = f"{playbook} goes on: {sentence}" if sentence else f"{playbook} goes on"
    tasks = select(TaskRow).where(TaskRow.state == TaskState.OPEN.value)
    for task in session.scalars(tasks.order_by(TaskRow.due_at.is_(None).desc(), TaskRow.due_at.desc(), TaskRow.id)):
        due = f", due {task.due_at:%Y-%m-%d}" if task.due_at else ""
        found[task.account_id] = f"{task.title}{due}"
    asked = select(ApprovalRow).where(ApprovalRow.state == ApprovalState.PENDING.value)
    for approval in session.scalars(asked.order_by(ApprovalRow.expires_at.desc())):
        found[approval.account_id] = f"decide what waits for a yes until {approval.expires_at:%Y-%m-%d}"
    return found


def _otherwise(turn: Turn) -> str:
    renewal = "" if turn.renewal is None else f"; it renews in {turn.renewal} days"
    return f"nothing waits{renewal}"
