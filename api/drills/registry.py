"""Every drill by its number: one line each."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from api.drills import (
    calls,
    changed_code,
    copies,
    doors,
    keys,
    killing,
    network,
    people,
    places,
    putting_off,
    relay,
    temporal_away,
    versions,
)
from api.drills.ground import Database, Ground
from api.drills.result import Found, Report
from engine.errors import EngineError


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill: what is done to what, in a line, and what does it."""

    title: str
    run: Callable[[Ground], Found]


DRILLS: Final[Mapping[str, Drill]] = {
    "F01": Drill("worker killed (−9) at random moments of sending", killing.killed_at_random),
    "F02": Drill("worker killed at seven places of a letter, a webhook, a task and a report", places.killed_at_places),
    "F03": Drill("worker stands still for longer than its time-out, another one at work", killing.standing_still),
    "F04": Drill("Temporal server killed (−9) while runs start, wait and write", temporal_away.killed),
    "F05": Drill("Temporal away for a minute", temporal_away.away),
    "F06": Drill("API killed (−9) while data comes in", doors.killed_while_data_comes_in),
    "F07": Drill("API killed between the commit of a decision and its answer", doors.killed_after_a_decision),
    "F08": Drill("worker and Temporal server killed in the same moment", killing.all_at_once),
    "F11": Drill("relay fails in every phase of the conversation", relay.every_phase),
    "F12": Drill("relay refuses one of a thousand recipients for good", relay.one_of_many),
    "F13": Drill("relay goes away after the final dot, three policies", relay.after_the_dot),
    "F14": Drill("relay answers a byte a second", relay.slow),
    "F15": Drill("receivers of webhooks fail in twelve ways", calls.receivers_fail),
    "F20": Drill("ten processes evaluate the same portfolio at once", doors.evaluators_race),
    "F23": Drill("playbooks edited, deleted and renamed under open runs", versions.changed_under_open_runs),
    "F24": Drill("eight members decide each approval at once", people.decided_at_once),
    "F26": Drill("a worker with changed code comes to open runs", changed_code.mistaken),
    "F28": Drill("people opt out while a campaign is being sent", people.opting_out),
    "F29": Drill("everything is put on hold while letters go out", people.held_back),
    "F30": Drill("yesterday's backup is restored, elsewhere and in place", copies.restored),
    "F32": Drill("a message that one account of a thousand cannot be written", versions.one_cannot_be_written),
    "F33": Drill("a run that hears five thousand signals", versions.a_long_life),
    "F34": Drill("messages put off again and again by hours, caps and quiet", putting_off.round_and_round),
    "F35": Drill("the secret of a webhook replaced under open runs", keys.replaced),
    "F36": Drill("the network slow, cut, half open and gone", network.faults_between),
    "F37": Drill("workers and doors replaced one after another under load", killing.rolling),
}


def run(
    number: str, seed: int, database: Database, *, small: bool, scale: float = 1.0, kept: Path | None = None
) -> Report:
    """Run one drill from an empty folder to its report; ``kept``: a new folder that stays."""
    drill, began = DRILLS[number], time.monotonic()
    try:
        with Ground(seed, database, small, scale, kept / number if kept else None) as ground:
            found = drill.run(ground)
    except EngineError as error:
        found = Found(broken=[f"the drill could not go on: {error}"])
    return Report(number, drill.title, seed, database, small, scale, round(time.monotonic() - began, 1), found)
