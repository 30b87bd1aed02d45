"""The product's own answer: the files ingested by its command, each cutoff evaluated by its engine, with a scorecard.

The scorecard written by hand has seen no answer. The fitted one is made from the same measurements at the training
cutoffs, is written as a file like any other, and is read back and checked before it scores anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.real_data.product import Product
from benchmarks.real_data.silence.tasks import Activity, Asked, Task
from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.effect.fitting import Scale, fit_scales
from engine.evaluation.columns import Floats
from engine.evaluation.evaluation import evaluate
from engine.evaluation.scoring import Scored
from engine.store.facts import load_facts
from engine.store.files import read_files
from engine.store.sessions import Store
from engine.terms import MICRO

HERE: Final = Path(__file__).resolve().parent
COUNTED: Final = {
    "cdnow": ("orders", "spend", "items"),
    "repository": ("weeks", "commits", "active_days", "files_changed", "areas"),
}
"""The metrics of each workspace: first the active day itself, then the amounts in the order of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """What one scorecard says of those a cutoff asks about: scores float64[E] (0 to 100), NaN where there is none,
    and the measured values float64[E, M] behind them."""

    scores: Floats
    values: NDArray[np.float64]


def feed(task: Task, activity: Activity, folder: Path) -> None:
    """Write accounts.csv and points.csv for ``backcast ingest`` to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    names = COUNTED[task.name]
    days = [(date(1970, 1, 1) + timedelta(days=day)).isoformat() for day in activity.days.tolist()]
    keys = [activity.accounts[row] for row in activity.rows.tolist()]
    (folder / "accounts.csv").write_text(
        "key,name,stage\n" + "".join(f"{key},{key},adoption\n" for key in activity.accounts), encoding="utf-8"
    )
    with (folder / "points.csv").open("w", encoding="utf-8") as file:
        file.write("account,metric,day,value\n")
        for key, day, amounts in zip(keys, days, activity.amounts.tolist(), strict=True):
            values = zip(names, (1, *amounts), strict=True)
            file.writelines(f"{key},{name},{day},{value:g}\n" for name, value in values)


def ingest(folder: Path, product: Product) -> None:
    """Ingest what `feed` wrote, by the product's own command."""
    for kind in ("accounts", "points"):
        product.run("ingest", kind, str((folder / f"{kind}.csv").resolve()), "--json")


def read_bundle(task: Task, scorecard: str = "") -> Bundle:
    """The task's files, with one more ``scorecard`` if its text is given. Raises ValueError where they do not check."""
    texts = dict(read_files(str(HERE / task.name)))
    if scorecard:
        texts["rules/scorecards/fitted.yaml"] = scorecard
    checked = reading.read(texts)
    if checked.bundle is None:
        raise ValueError("\n".join(problem.message for problem in checked.problems))
    return checked.bundle


def scored(store: Store, bundle: Bundle, name: str, activity: Activity, each: Asked) -> Card:
    """Evaluate one cutoff for all accounts; what is said of those asked about."""
    with store.read() as session:
        facts = load_facts(session, bundle, each.day)
    found: Scored = evaluate(bundle, facts).scores[name]
    place = {key: row for row, key in enumerate(facts.accounts.keys)}
    rows = np.array([place[activity.accounts[row]] for row in each.rows.tolist()], dtype=np.int64)
    micro = found.computed[rows].astype(np.float64)
    return Card(np.where(micro < 0, np.nan, micro / MICRO), found.values[rows])


def fitted_card(bundle: Bundle, cards: Sequence[Card], train: Sequence[Asked]) -> str:
    """A scorecard fitted to what became of those asked about at the training cutoffs, as the text of a file."""
    metrics = [metric.name for metric in bundle.scorecards["by-hand"].metrics]
    values = np.concatenate([card.values for card in cards])
    kept = ~np.concatenate([each.silent for each in train])
    return written(fit_scales(metrics, values, kept))


def written(scales: Sequence[Scale]) -> str:
    """The file of a fitted scorecard; weights are rounded to whole percents that sum to 100."""
    lines = [
        "format: 1",
        "scorecard: fitted",
        "priority: 2",
        "desired_outcome: The account stays active.",
        "dimensions:",
        "  fitted:",
        "    weight: 100%",
        "    metrics:",
    ]
    for scale, weight in zip(scales, _percents([scale.weight for scale in scales]), strict=True):
        points = ", ".join(f"[{value:g}, {mark:.1f}]" for value, mark in scale.points)
        lines.append(f"      {scale.metric}: {{piecewise: [{points}], weight: {weight}%}}")
    return "\n".join([*lines, *_TIERS, ""])


_TIERS: Final = (
    "missing: exclude",
    "min_coverage: 0%",
    "tiers:",
    "  by: score",
    "  requires_attention: {from: 0, customer_wording: We miss you}",
    "  take_notice: {from: 33, customer_wording: Good to see you}",
    "  doing_well: {from: 66, customer_wording: Going strong}",
)


def _percents(shares: Sequence[float]) -> list[float]:
    """Tenths of a percent that sum to exactly 100, by largest remainder."""
    exact = [share * 1_000 for share in shares]
    whole = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: exact[at] - whole[at], reverse=True)
    for at in by_remainder[: 1_000 - sum(whole)]:
        whole[at] += 1
    return [each / 10 for each in whole]
