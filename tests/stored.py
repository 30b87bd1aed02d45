"""Rows that the engine packs, made by hand for tests of what reads them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from engine.store.decision_tables import ScoreRow, SignalStatesRow
from engine.store.name_lists import number_of
from engine.store.packing import pack_lines
from engine.store.states import STATE, State


def score_row(session: Session, lines: Sequence[Sequence[Any]], **fields: Any) -> ScoreRow:
    """A score with its lines: per metric name, value, normalised, share and contribution; None is unknown."""
    names = [line[0] for line in lines]
    table = np.array([line[1:] for line in lines], dtype=np.float64).reshape(1, len(lines), 4)
    return ScoreRow(names_id=number_of(session, names), packed=pack_lines(table)[0], **fields)


def states_row(session: Session, day: int, found: Sequence[State]) -> SignalStatesRow:
    """The signal states of one account as of ``day``."""
    table = np.zeros(len(found), dtype=STATE)
    for at, one in enumerate(found):
        value = np.nan if one.value is None else one.value
        table[at] = (one.verdict, one.known, one.since, 1, value, 0, 0, -1, 1)
    names = [f"{one.rule}.{one.signal}" for one in found]
    return SignalStatesRow(
        account_id=found[0].account_id, day=day, names_id=number_of(session, names), packed=table.tobytes()
    )
