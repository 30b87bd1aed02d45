"""The simulated past: data in, a cycle decides, the accounts respond, week after week on virtual time."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

from sqlalchemy import select

from api.demo.feeding import evening_of, send_days, send_records
from engine.definitions.bundle import Bundle
from engine.simulation.portfolio import Portfolio, Response
from engine.store.columns import Columns
from engine.store.decision_tables import DecisionRow
from engine.store.sessions import Store
from engine.store.tables import AccountRow
from engine.terms import Arm
from workflows.activities.cycle import run_cycle

Skip: TypeAlias = tuple[str, str]

EVERY = 14
"""Days between two cycles of the past."""


def live_through(
    store: Store,
    bundle: Bundle,
    portfolio: Portfolio,
    columns: Columns | None,
    progress: Callable[[int, int], None],
) -> None:
    """Live through the history up to the day before its last; the last day is left to be real.

    ``progress`` is told the day reached and the number of points sent in since the last call.
    """
    first = portfolio.first_day
    with store.begin() as session:
        send_records(session, bundle.catalog, portfolio, first)
    for day in cycle_days(portfolio):
        with store.begin() as session:
            sent = send_days(session, bundle.catalog, portfolio, first, day)
        run_cycle(store, bundle, evening_of(day), day_seconds=None, columns=columns)
        respond(store, portfolio, day)
        progress(day, sent)
        first = day + 1


def cycle_days(portfolio: Portfolio) -> range:
    """The days of the past on which a cycle runs, ending on the day before the last."""
    before_last = portfolio.last_day - 1
    offset = (before_last - portfolio.first_cycle) % EVERY
    return range(portfolio.first_cycle + offset, before_last + 1, EVERY)


def last_day(
    store: Store, bundle: Bundle, portfolio: Portfolio, columns: Columns | None, day_seconds: float
) -> tuple[Skip, ...]:
    """Send in the last day and decide on it for real: every start is a run that Temporal will carry out.

    Gives back (account key, rule) of the runs that a person will not carry out.
    """
    day = portfolio.last_day
    with store.begin() as session:
        send_days(session, bundle.catalog, portfolio, day, day)
    run_cycle(store, bundle, evening_of(day), day_seconds=day_seconds, columns=columns)
    return respond(store, portfolio, day)


def respond(store: Store, portfolio: Portfolio, day: int) -> tuple[Skip, ...]:
    """Let the simulated accounts answer to what was decided about them on ``day``; the runs a person skips."""
    start, end = evening_of(day), evening_of(day) + timedelta(seconds=1)
    with store.read() as session:
        decided = session.execute(
            select(AccountRow.key, DecisionRow.rule, DecisionRow.arm)
            .join(DecisionRow, DecisionRow.account_id == AccountRow.id)
            .where(DecisionRow.decided_at >= start, DecisionRow.decided_at < end, DecisionRow.arm.is_not(None))
        ).all()
    return portfolio.respond(day, [Response(key, rule, Arm(arm)) for key, rule, arm in decided if arm]).skipped
