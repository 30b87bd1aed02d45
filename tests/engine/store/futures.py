"""A portfolio whose scores foretell what becomes of it: the lower the likelier it churns, the higher the likelier it
grows. Rows as the engine writes them."""

from datetime import UTC, datetime

import numpy as np
from sqlalchemy.orm import Session

from engine.store.bulk import upsert
from engine.store.decision_tables import ScoreRow
from engine.store.name_lists import number_of
from engine.store.packing import pack_lines
from engine.store.tables import AccountRow, EventRow, SubjectRow
from engine.terms import MICRO

END = 20_600
STEP = 14
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def live(session: Session, accounts: int = 500, steps: int = 34, seed: int = 3) -> None:
    """``accounts`` with a score every 14 days up to `END`; some churn, some upgrade, as their scores say."""
    draw = np.random.default_rng(seed)
    scores = draw.uniform(5, 95, accounts)
    start = END - STEP * (steps - 1)
    churned = _first(draw, 0.10 * np.exp(-scores / 18), steps) * STEP + start + 3
    grown = draw.random((steps, accounts)) < 0.04 * np.exp(-(100 - scores) / 18)
    session.add_all(SubjectRow(id=number + 1, kind="account") for number in range(accounts))
    session.flush()
    session.add_all(_account(number, int(churned[number])) for number in range(accounts))
    session.flush()
    for step, number in np.argwhere(grown).tolist():
        if (day := start + STEP * step + 5) < min(churned[number], END):
            session.add(_event(number, day))
    session.add(_event(0, END) if churned[0] > END else _event(1, END, "note"))
    session.flush()
    for step in range(steps):
        day = start + STEP * step
        here = np.flatnonzero(churned > day)
        shown = np.clip(scores[here] + draw.normal(0, 4, len(here)), 0, 100)
        _scores(session, day, here, shown)


def _first(draw: np.random.Generator, chance: np.ndarray, steps: int) -> np.ndarray:
    happens = draw.random((steps, len(chance))) < chance
    return np.where(happens.any(axis=0), happens.argmax(axis=0), 10_000)


def _account(number: int, churned: int) -> AccountRow:
    gone = churned <= END
    return AccountRow(
        id=number + 1,
        key=f"a{number}",
        name=f"Account {number}",
        owner="ann@example.com" if number % 2 else "bob@example.com",
        arr=1_000.0 * (1 + number % 7),
        stage="churned" if gone else "adoption",
        stage_since=churned if gone else None,
        renewal_on=END + 30 * (number % 9),
        recorded_at=WHEN,
    )


def _event(number: int, day: int, name: str = "upgraded") -> EventRow:
    return EventRow(key=f"{name}{number}-{day}", name=name, account_id=number + 1, day=day, at=WHEN, recorded_at=WHEN)


def _scores(session: Session, day: int, here: np.ndarray, shown: np.ndarray) -> None:
    lines = np.stack([shown, shown, np.ones(len(here)), np.round(shown * MICRO)], axis=1)[:, None, :]
    size, micro = len(here), np.round(shown * MICRO).astype(int).tolist()
    tiers = ["requires_attention" if one < 50 else "take_notice" if one < 75 else "doing_well" for one in shown]
    upsert(
        session,
        ScoreRow,
        {
            "day": [day] * size,
            "scorecard": ["health"] * size,
            "account_id": (here + 1).tolist(),
            "computed": micro,
            "effective": micro,
            "coverage": [1.0] * size,
            "raw_tier": tiers,
            "computed_tier": tiers,
            "tier": tiers,
            "last_tier": tiers,
            "pending": [0] * size,
            "names_id": [number_of(session, ["usage"])] * size,
            "packed": pack_lines(lines),
            "bundle": [""] * size,
            "cause": [None] * size,
            "leads": [True] * size,
        },
    )
