"""What is known about why a run could end early: its episode and its decision."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.store.decision_tables import EpisodeRow, OutcomeRow
from engine.store.runs import Run


@dataclass(frozen=True, slots=True)
class Known:
    """``cleared``: the episode the run began with is over. ``decided_on`` (day) and ``baseline`` (the success feature
    then) are the decision's; None for a run that a member started."""

    cleared: bool
    decided_on: int | None
    baseline: float | None


def known(session: Session, run: Run) -> Known:
    """Look up a run's episode and decision."""
    episode = None if run.episode_id is None else session.get(EpisodeRow, run.episode_id)
    outcome = None if run.decision_id is None else session.get(OutcomeRow, run.decision_id)
    return Known(
        cleared=episode is not None and episode.closed_on is not None,
        decided_on=None if outcome is None else outcome.decided_on,
        baseline=None if outcome is None else outcome.baseline,
    )
