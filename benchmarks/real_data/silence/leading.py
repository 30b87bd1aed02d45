"""How long before an account counted as gone it was seen coming.

An account that went silent is gone once it has been silent for so long that the task no longer asks about it. It
counts as flagged where it stood in the riskiest fifth of those asked about; the lead is the time from the first cutoff
since its last active day at which that was so to the day it was gone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.real_data.silence.tasks import Activity, Asked, Past, Task
from engine.evaluation.columns import Floats

RISKIEST: Final = 0.2


def lead_days(task: Task, activity: Activity, risks: Sequence[Floats], test: Sequence[Asked]) -> dict[str, float]:
    """Median lead in days over the flagged accounts that went silent, and the share of the silent that were flagged."""
    flagged: dict[tuple[int, int], int] = {}
    silent: set[tuple[int, int]] = set()
    for each, risk in zip(test, risks, strict=True):
        last = each.day - Past(activity, each.day).days_since()[each.rows].astype(np.int64)
        cut = np.quantile(risk, 1 - RISKIEST)
        for row, quiet_since, high, gone in zip(each.rows, last, risk >= cut, each.silent, strict=True):
            spell = (int(row), int(quiet_since))
            if gone:
                silent.add(spell)
            if high:
                flagged.setdefault(spell, each.day)
    leads = [since + task.seen_within - flagged[row, since] for row, since in silent & flagged.keys()]
    share = len(leads) / len(silent) if silent else float("nan")
    return {"median": float(np.median(leads)) if leads else float("nan"), "flagged": round(share, 4)}
