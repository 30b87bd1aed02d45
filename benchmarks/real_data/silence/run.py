"""Who goes silent? The product's scorecards beside what others would do, on two real histories, out of time.

    python -m benchmarks.real_data.silence.run FOLDER_WITH_THE_FILES WORK_FOLDER

Trains on the early cutoffs, judges on the late ones, and writes ``result.json`` and ``tables.md`` to the work folder.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.real_data.product import Product
from benchmarks.real_data.silence import scored, tables
from benchmarks.real_data.silence.baselines import baselines
from benchmarks.real_data.silence.leading import lead_days
from benchmarks.real_data.silence.tasks import Activity, Asked, Task, asked, present, read
from engine.effect.logistic import fit_logistic
from engine.evaluation.accuracy import auc, average_precision, brier, precision_at_top
from engine.evaluation.columns import Floats
from engine.store.sessions import connect


def measure(task: Task, source: Path, work: Path) -> dict[str, Any]:
    """One task in a fresh installation below ``work``."""
    activity = read(task, source)
    train = [asked(task, activity, day) for day in task.train]
    test = [asked(task, activity, day) for day in task.test]
    every = [*train, *test]
    risks: dict[str, Sequence[Floats]] = dict(baselines(activity, train, every))
    by_hand, fitted, text = _by_the_product(task, activity, train, every, work / task.name)
    risks |= {"scorecard by hand": by_hand, "scorecard fitted": fitted}
    return {
        "task": task.name,
        "accounts": len(activity.accounts),
        "train": _counts(train),
        "test": _counts(test),
        "figures": {name: _figures(found, train, test) for name, found in risks.items()},
        "lead_days": {name: lead_days(task, activity, found[len(train) :], test) for name, found in risks.items()},
        "fitted": text,
    }


def _by_the_product(
    task: Task, activity: Activity, train: Sequence[Asked], every: Sequence[Asked], work: Path
) -> tuple[list[Floats], list[Floats], str]:
    """Risks by the scorecard written by hand and by the fitted one, and the fitted one's file."""
    shutil.rmtree(work, ignore_errors=True)
    product = Product(work.resolve() / "data", scored.HERE / task.name)
    scored.feed(task, activity, work / "feed")
    scored.ingest(work / "feed", product)
    store = connect(f"sqlite:///{product.folder / 'backcast.db'}")
    bundle = scored.read_bundle(task)
    cards = [scored.scored(store, bundle, "by-hand", activity, each) for each in every]
    text = scored.fitted_card(bundle, cards[: len(train)], train)
    again = scored.read_bundle(task, text)
    fitted = [scored.scored(store, again, "fitted", activity, each).scores for each in every]
    store.close()
    return [-card.scores for card in cards], [-scores for scores in fitted], text


def _counts(cutoffs: Sequence[Asked]) -> dict[str, float]:
    silent = np.concatenate([each.silent for each in cutoffs])
    return {"cutoffs": len(cutoffs), "asked": len(silent), "silent": round(float(silent.mean()), 4)}


def _figures(risks: Sequence[Floats], train: Sequence[Asked], test: Sequence[Asked]) -> Mapping[str, float]:
    """The figures of the test cutoffs taken together; the chance behind Brier is learnt on the training cutoffs."""
    early, late = np.concatenate(risks[: len(train)]), np.concatenate(risks[len(train) :])
    before, silent = (np.concatenate([each.silent for each in part]) for part in (train, test))
    if np.isnan(late).any() or np.isnan(early).any():
        raise ValueError("somebody has no score: a figure over the others alone would not be comparable")
    middle, spread = early.mean(), early.std()
    chances = fit_logistic((early[:, None] - middle) / spread, before).chances((late[:, None] - middle) / spread)
    found = {
        "auc": auc(late, silent),
        "average_precision": average_precision(late, silent),
        "top_tenth": precision_at_top(late, silent),
        "brier": brier(chances, silent),
    }
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the gzip files docs/real-data.md names")
    parser.add_argument("work", type=Path, help="folder for the installations and the results")
    wanted = parser.parse_args()
    tasks = list(present(wanted.source))
    if not tasks:
        parser.error(f"neither file is in {wanted.source}; they are not shipped, docs/real-data.md says what they are")
    results = [measure(task, wanted.source, wanted.work) for task in tasks]
    (wanted.work / "result.json").write_text(json.dumps(results, indent=1), encoding="utf-8")
    (wanted.work / "tables.md").write_text(tables.render(results), encoding="utf-8")
    print(tables.render(results))


if __name__ == "__main__":
    main()
