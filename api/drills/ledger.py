"""What must hold of an installation after any drill (I1 to I9), read from its database, its logs and the witness."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select, text

from api.drills import texts
from api.drills.result import Found
from api.drills.site import OWNER, Site
from engine.store import inbox
from engine.store.decision_tables import DecisionRow
from engine.store.run_tables import DeliveryRow, RunRow
from engine.terms import DeliveryState, RunState

_SETTLED = (DeliveryState.SENT, DeliveryState.NOT_SENT, DeliveryState.AMBIGUOUS)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger of deliveries."""

    message_id: str
    state: DeliveryState
    step: str
    run: int
    reason: str
    retries: int


def entries(site: Site) -> tuple[Entry, ...]:
    """The whole ledger."""
    with site.store.read() as session:
        rows = session.scalars(select(DeliveryRow).order_by(DeliveryRow.id)).all()
        return tuple(
            Entry(row.message_id, DeliveryState(row.state), row.step, row.run_id, row.reason, row.retries)
            for row in rows
        )


def states(site: Site) -> Counter[str]:
    """How many runs are in each state."""
    with site.store.read() as session:
        rows = session.execute(select(RunRow.state, func.count()).group_by(RunRow.state)).all()
    return Counter({state: count for state, count in rows})  # noqa: C416 # rows are no pairs to mypy


def account_for(found: Found, site: Site, delivered: Mapping[str, int], expected: int) -> None:
    """Count every delivery into ``found``, and require that none came twice, none is lost and none is misjudged.

    ``delivered``: how often the witness took each Message-ID; ``expected``: how many deliveries there should be.
    """
    ledger = entries(site)
    count = Counter(one.state for one in ledger)
    arrived = {one.message_id: delivered.get(one.message_id, 0) for one in ledger}
    figures = {
        "deliveries": expected,
        "delivered": sum(arrived.values()),
        "twice": sum(arrived[one.message_id] > 1 + one.retries for one in ledger),
        "lost": expected - sum(count[state] for state in _SETTLED),
        "sent": count[DeliveryState.SENT],
        "not_sent": count[DeliveryState.NOT_SENT],
        "ambiguous": count[DeliveryState.AMBIGUOUS],
        "ambiguous_arrived": sum(
            one.state is DeliveryState.AMBIGUOUS and arrived[one.message_id] > 0 for one in ledger
        ),
    }
    for name, value in figures.items():
        found.counts[name] = int(found.counts.get(name, 0)) + value
    found.broken += list(_misjudged(site, ledger, arrived))[:_SHOWN]
    found.require(
        len(ledger) == expected, f"I2: the ledger of {site.name} has {len(ledger)} deliveries, not {expected}"
    )
    listed = min(figures["ambiguous"], inbox.LIMIT)  # the page lists so many, and says how many there are
    found.require(_on_page(site) == listed, f"{listed} ambiguous deliveries of {site.name} are not in the inbox")


def look_over(found: Found, site: Site, *, open_runs: int = 0) -> None:
    """Require what holds after every drill, whatever it did. ``open_runs``: how many may still be open."""
    left = site.open_runs()
    found.require(left <= open_runs, f"I5: {left} runs of {site.name} are still open, not {open_runs}")
    found.require(not _doubled_decisions(site), f"I6: an episode of {site.name} has two decisions of one kind")
    found.require(_is_whole(site), f"I8: the database of {site.name} is damaged")
    said = site.logs()
    found.require(texts.MARKER not in said, f"I9: a log of {site.name} holds the address of a contact")
    nameless = [line for line in said.splitlines() if _is_nameless_error(line)]
    found.require(not nameless, f"I9: {len(nameless)} errors in the log of {site.name} name no run: {nameless[:1]}")


def _on_page(site: Site) -> int:
    with site.store.read() as session:
        return len(inbox.inbox(session, OWNER).doubtful)


def _misjudged(site: Site, ledger: tuple[Entry, ...], arrived: Mapping[str, int]) -> Iterator[str]:
    for one in ledger:
        times = arrived[one.message_id]
        if times > 1 + one.retries:
            yield f"I1: {one.step} of run {one.run} ({site.name}) arrived {times} times"
        if one.state not in _SETTLED:
            yield f"I2: {one.step} of run {one.run} ({site.name}) is still {one.state}"
        if one.state is DeliveryState.SENT and not times:
            yield f"I3: {one.step} of run {one.run} ({site.name}) is sent but never arrived"
        if one.state is DeliveryState.NOT_SENT and times:
            yield f"I3: {one.step} of run {one.run} ({site.name}) is not sent but arrived"


def _doubled_decisions(site: Site) -> int:
    same = (DecisionRow.account_id, DecisionRow.rule, DecisionRow.episode_id, DecisionRow.kind)
    with site.store.read() as session:
        twice = select(*same).where(DecisionRow.kind != "refuse").group_by(*same).having(func.count() > 1)
        return len(session.execute(twice).all())


def _is_whole(site: Site) -> bool:
    with site.store.read() as session:
        if session.get_bind().dialect.name == "sqlite":
            return (
                session.scalar(text("PRAGMA integrity_check")) == "ok"
                and not session.execute(text("PRAGMA foreign_key_check")).all()
            )
        orphans = select(func.count()).select_from(DeliveryRow).where(~DeliveryRow.run_id.in_(select(RunRow.id)))
        return session.scalar(orphans) == 0


_OF_A_RUN = re.compile(r"run[:_ ]|workflow")
_FAILED_ACTIVITY = re.compile(r"Completing (?:local )?activity as failed|Failed activation")


def _is_nameless_error(line: str) -> bool:
    return bool(_FAILED_ACTIVITY.search(line)) and not _OF_A_RUN.search(line)


def done(site: Site) -> int:
    """How many runs ended as they should."""
    return states(site)[RunState.DONE.value]
