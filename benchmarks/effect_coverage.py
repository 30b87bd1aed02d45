"""How often the 95 % interval covers the known truth, and how often a playbook without effect seems to have one.

    python -m benchmarks.effect_coverage --repetitions 400 --accounts 4000 --processes 2

Every repetition is a history of 180 simulated days with a cycle every 14 days and a 30 % hold-out, decided and judged
by the engine; the seed is its number. Prints one JSON object.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from engine.definitions.bundle import Bundle, read
from engine.simulation.history import History, run_history, with_hold_out

ROOT = Path(__file__).resolve().parent.parent
HOLD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class Measured:
    """One interval of one repetition against the truth."""

    rule: str
    playbook: str
    truth: float
    uplift: float
    low: float
    high: float
    treated: int
    held_out: int

    @property
    def covers(self) -> bool:
        """Whether the truth lies in the interval."""
        return self.low <= self.truth <= self.high

    @property
    def claims(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low > 0 or self.high < 0


@lru_cache
def shipped() -> Bundle:
    """The starter pack with a larger hold-out and without scorecards, which no shipped rule reads."""
    files = [path for folder in ("rules", "playbooks") for path in (ROOT / folder).rglob("*") if path.is_file()]
    checked = read({path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in files})
    if checked.bundle is None:
        raise SystemExit(f"the starter pack does not check: {checked.problems[0]}")
    return replace(with_hold_out(checked.bundle, HOLD_OUT), scorecards={})


def repetition(seed: int, accounts: int, days: int, every: int) -> list[Measured]:
    """The intervals of one history. Experiments without enough data give none."""
    return list(_measured(run_history(shipped(), seed, accounts, days, every)))


def _measured(history: History) -> Iterable[Measured]:
    for effect in history.effects:
        truth = history.truth.get((effect.rule, effect.playbook))
        if effect.interval is not None and truth is not None:
            span = effect.interval
            sizes = effect.treated.known.known, effect.held_out.known.known
            yield Measured(effect.rule, effect.playbook, truth, span.uplift, span.low, span.high, *sizes)


def summary(found: list[Measured]) -> dict[str, Any]:
    """Coverage pooled and per experiment; ``null`` holds the experiments whose truth is zero."""
    experiments = sorted({(each.rule, each.playbook) for each in found})
    return {
        "coverage": _share(each.covers for each in found),
        "null_rejected": _share(each.claims for each in found if each.truth == 0),
        "experiments": [
            _experiment([each for each in found if (each.rule, each.playbook) == it]) for it in experiments
        ],
    }


def _experiment(found: list[Measured]) -> Mapping[str, Any]:
    first, count = found[0], len(found)
    return {
        "rule": first.rule,
        "playbook": first.playbook,
        "intervals": count,
        "true_uplift": round(first.truth, 4),
        "mean_uplift": round(sum(each.uplift for each in found) / count, 4),
        "coverage": _share(each.covers for each in found),
        "excludes_zero": _share(each.claims for each in found),
        "treated": round(sum(each.treated for each in found) / count, 1),
        "held_out": round(sum(each.held_out for each in found) / count, 1),
    }


def _share(flags: Iterable[bool]) -> float | None:
    listed = list(flags)
    return round(sum(listed) / len(listed), 4) if listed else None


goals: Mapping[str, tuple[str, float]] = {"coverage": (">=", 0.93), "null_rejected": ("<=", 0.08)}


def run(*, quick: bool = False) -> dict[str, Any]:
    """A sample small enough to repeat: 100 histories (``quick``: 2) of 1,000 accounts."""
    found = [each for seed in range(2 if quick else 100) for each in repetition(seed, 1000, 180, 14)]
    return {"intervals": len(found)} | summary(found)


def main() -> None:
    """Run the repetitions and print what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("repetitions", 400), ("accounts", 4000), ("processes", 2), ("days", 180), ("every", 14)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.parse_args()
    started = perf_counter()
    work = partial(repetition, accounts=wanted.accounts, days=wanted.days, every=wanted.every)
    with ProcessPoolExecutor(wanted.processes) as pool:
        found = [each for one in pool.map(work, range(wanted.repetitions), chunksize=5) for each in one]
    print(json.dumps(vars(wanted) | summary(found) | {"seconds": round(perf_counter() - started, 1)}, indent=2))


if __name__ == "__main__":
    main()
