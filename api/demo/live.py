"""The last day, for real: Temporal carries out its runs while simulated days go by, one every ``day_seconds``."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from api.demo.colleague import Colleague
from api.demo.customer import Customer
from api.demo.feeding import evening_of, send_days
from api.demo.stage import AFTER, CSM, Stage
from engine.store.past import FINAL
from engine.store.run_tables import RunRow
from engine.store.waking import wake
from workflows.activities.cycle import run_cycle
from workflows.channels.choosing import OUTGOING

SEND_EVERY, CYCLE_EVERY = 5, 23
"""Days between two deliveries of data where days fly by, and between two cycles."""
PATIENCE = 45.0
"""Seconds that runs may take to end after the last simulated day."""
_BEAT = 0.2


async def play(
    stage: Stage, skips: tuple[tuple[str, str], ...], *, once: bool, progress: Callable[[int], None]
) -> None:
    """Let the days behind the history go by. ``once``: a simulated CSM and customer act, and it ends with the runs."""
    if not once:
        await _days(stage, progress, 1)
        return
    colleague = Colleague(stage.store, CSM, stage.portfolio.story_key, skips)
    customer = Customer(Path(stage.settings.data) / OUTGOING, f"{stage.portfolio.story_key}.example")
    acting = [asyncio.create_task(_again(act)) for act in (lambda: colleague.work(datetime.now(UTC)), customer.read)]
    try:
        await _days(stage, progress, SEND_EVERY)
        await _end_of_runs(stage)
        await asyncio.to_thread(customer.read)
    finally:
        for task in acting:
            task.cancel()
        await asyncio.gather(*acting, return_exceptions=True)


async def _days(stage: Stage, progress: Callable[[int], None], every: int) -> None:
    loop = asyncio.get_running_loop()
    start, length = loop.time(), stage.settings.day_seconds
    for number in range(1, AFTER + 1):
        await asyncio.sleep(max(0.0, start + number * length - loop.time()))
        if number % every == 0 or number == AFTER:
            await asyncio.to_thread(_live, stage, number, (number - 1) % every)
        progress(number)


def _live(stage: Stage, number: int, before: int) -> None:
    day = stage.portfolio.last_day + number
    with stage.store.begin() as session:
        send_days(session, stage.bundle.catalog, stage.portfolio, day - before, day)
    if number % CYCLE_EVERY == 0 or number == AFTER:
        # These decide and judge as on the days before; the runs of the last day are the ones to be carried out.
        run_cycle(stage.store, stage.bundle, evening_of(day), day_seconds=None)
    wake(stage.store, day, datetime.now(UTC))


async def _again(act: Callable[[], object]) -> None:
    while True:
        await asyncio.to_thread(act)
        await asyncio.sleep(_BEAT)


async def _end_of_runs(stage: Stage) -> None:
    for _ in range(round(PATIENCE / _BEAT)):
        if not await asyncio.to_thread(_has_open_runs, stage):
            return
        await asyncio.sleep(_BEAT)


def _has_open_runs(stage: Stage) -> bool:
    with stage.store.read() as session:
        return bool(session.scalar(select(func.count()).select_from(RunRow).where(RunRow.state.not_in(FINAL))))
