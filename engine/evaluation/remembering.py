"""What the next evaluation must know of this one: signal states that survive unknowns, tiers, scores, causes.

The store keeps the same in its tables; the simulation, which has none, calls this.
"""

import numpy as np

from engine.evaluation.columns import Bytes, Floats, Ints
from engine.evaluation.evaluation import Evaluation, score_column
from engine.evaluation.facts import Before
from engine.evaluation.history import lengthened as lengthened


def remember(evaluation: Evaluation, week_ago: Evaluation | None = None) -> Before:
    """The `Before` of an evaluation that follows ``evaluation`` over the same accounts.

    ``week_ago`` is the evaluation seven days before the next one; without it, no week-old scores are known.
    """
    before, day = evaluation.facts.before, evaluation.facts.at
    seen = {name: observed.verdicts for name, observed in evaluation.signals.items()}
    return Before(
        firing={name: last_known(verdicts, before.firing.get(name)) for name, verdicts in seen.items()},
        verdicts=seen,
        since={name: since(verdicts, before, name, day) for name, verdicts in seen.items()},
        history={
            name: lengthened(before.history.get(name), observed.remembered)
            for name, observed in evaluation.signals.items()
        },
        tiers={name: scored.last_tier for name, scored in evaluation.every_score.items()},
        pending={name: scored.pending for name, scored in evaluation.every_score.items()},
        scores=_scores(evaluation),
        scores_week_ago={} if week_ago is None else _scores(week_ago),
        causes={name: evaluation.columns[f"cause.{name}"] for name in evaluation.scores},
        contributions_week_ago={} if week_ago is None else _contributions(week_ago),
    )


def last_known(verdicts: Bytes, before: Bytes | None) -> Bytes:
    """Verdicts, and where they are unknown the ones of before: an outage of the data forgets nothing."""
    return verdicts if before is None else np.where(verdicts == 0, before, verdicts).astype(np.int8)


def since(verdicts: Bytes, before: Before, name: str, day: int) -> Ints:
    """Since which day the verdicts of ``day`` are what they are."""
    began = before.since.get(name)
    if began is None:
        return np.full(len(verdicts), day, dtype=np.int64)
    return np.where((began >= 0) & (before.verdicts[name] == verdicts), began, day)


def _scores(evaluation: Evaluation) -> dict[str, Floats]:
    return {name: score_column(scored) for name, scored in evaluation.scores.items()}


def _contributions(evaluation: Evaluation) -> dict[str, dict[str, Floats]]:
    return {
        name: {
            metric: np.where(scored.computed >= 0, scored.contributions[:, at].astype(np.float64), np.nan)
            for at, metric in enumerate(scored.metrics)
        }
        for name, scored in evaluation.scores.items()
    }
