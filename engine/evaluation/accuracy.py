"""How well a ranking or a chance told beforehand what happened: the figures every prediction is judged by.

``risks`` are numbers that are higher the likelier the outcome; only their order counts, except for chances. Who is
unknown (NaN) is not ranked and must be left out by the caller, who says how many that were.
"""

from typing import Final

import numpy as np

from engine.evaluation.columns import Flags, Floats

TOP: Final = 0.10


def auc(risks: Floats, happened: Flags) -> float:
    """The chance that one to whom it happened was ranked above one to whom it did not; ties count half (Mann-Whitney).

    NaN where it happened to all or to none.
    """
    with_it, without = int(happened.sum()), int((~happened).sum())
    if not with_it or not without:
        return float("nan")
    ordered = np.sort(risks)
    ranks = (np.searchsorted(ordered, risks, "left") + np.searchsorted(ordered, risks, "right") + 1) / 2
    return float((ranks[happened].sum() - with_it * (with_it + 1) / 2) / (with_it * without))


def average_precision(risks: Floats, happened: Flags) -> float:
    """Precision at each step down the ranking, weighted by the recall won there; ties are one step. NaN for none."""
    if not happened.any():
        return float("nan")
    order = np.argsort(-risks, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(risks[order]) != 0, True))
    found = np.cumsum(happened[order])[ends]
    precision, won = found / (ends + 1), np.diff(found, prepend=0) / happened.sum()
    return float((precision * won).sum())


def precision_at_top(risks: Floats, happened: Flags, share: float = TOP) -> float:
    """How many of the ``share`` ranked highest it happened to; where the cut falls among ties, their average."""
    count = max(round(len(risks) * share), 1)
    cut = np.sort(risks)[-count]
    above, level = risks > cut, risks == cut
    hits = happened[above].sum() + (count - above.sum()) * happened[level].mean()
    return float(hits / count)


def brier(chances: Floats, happened: Flags) -> float:
    """Mean squared difference of the chance and what happened (Brier 1950): 0 is perfect, 0.25 is a coin."""
    return float(((chances - happened) ** 2).mean())
