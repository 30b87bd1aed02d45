"""What the next evaluation must know of this one: signal states that survive unknowns, tiers, scores, causes.

The store keeps the same in its tables; the simulation, which has none, calls this.
"""

import numpy as np

from engine.evaluation.columns import Bytes, Floats
from engine.evaluation.evaluation import Evaluation, score_column
from engine.evaluation.facts import Before


def remember(evaluation: Evaluation, week_ago: Evaluation | None = None) -> Before:
    """The `Before` of an evaluation that follows ``evaluation`` over the same accounts.

    ``week_ago`` is the evaluation seven days before the next one; without it, no week-old scores are known.
    """
    before = evaluation.facts.before
    return Before(
        firing={name: last_known(seen.verdicts, before.firing.get(name)) for name, seen in evaluation.signals.items()},
        tiers={name: scored.computed_tier for name, scored in evaluation.scores.items()},
        scores=_scores(evaluation),
        scores_week_ago={} if week_ago is None else _scores(week_ago),
        causes={name: evaluation.columns[f"cause.{name}"] for name in evaluation.scores},
        contributions_week_ago={} if week_ago is None else _contributions(week_ago),
    )


def last_known(verdicts: Bytes, before: Bytes | None) -> Bytes:
    """Verdicts, and where they are unknown the ones of before: an outage of the data forgets nothing."""
    return verdicts if before is None else np.where(verdicts == 0, before, verdicts).astype(np.int8)


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
