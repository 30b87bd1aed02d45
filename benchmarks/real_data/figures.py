"""Figures of a measured history: counts over all accounts, read from the database. Nothing of a single account."""

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from benchmarks.real_data.product import Product

EPOCH: Final = date(1970, 1, 1)
LATER: Final = 56
"""Days after a decision at which the accounts are looked at again: two cycles, and the time all outcomes have."""

_LETTER: Final = "SELECT state, count(*) FROM deliveries GROUP BY state"


def iso(day: int) -> str:
    """A day (since 1970-01-01) as text."""
    return (EPOCH + timedelta(days=day)).isoformat()


def cycles(product: Product) -> list[dict[str, Any]]:
    """Each evaluation: accounts by tier and their middle score; decisions by rule; for how many a rule was unknown."""
    tiers: dict[int, Counter[str]] = defaultdict(Counter)
    scores: dict[int, list[int]] = defaultdict(list)
    for day, tier, effective in product.ask("SELECT day, tier, effective FROM scores"):
        tiers[day][tier or "insufficient_data"] += 1
        if effective is not None:
            scores[day].append(effective)
    decided: dict[str, Counter[str]] = defaultdict(Counter)
    for day, rule, kind, count in product.ask(
        "SELECT date(decided_at), rule, kind, count(*) FROM decisions GROUP BY 1, 2, 3"
    ):
        decided[day][f"{rule} {kind}"] += count
    return [
        {
            "day": iso(day),
            "tiers": dict(tiers[day]),
            "median_score": round(statistics.median(scores[day]) / 1e6, 1) if scores[day] else None,
            "decisions": dict(decided[iso(day)]),
            "unknown": json.loads(unknown),
            "asks": json.loads(asks),
        }
        for day, unknown, asks in product.ask("SELECT day, unknown, asks FROM cycles ORDER BY day, id")
    ]


def tenths(product: Product) -> list[int]:
    """Scores of all evaluations by tens: 0 to 9.9, … 90 to 100."""
    found = Counter(
        min(int(score // 10_000_000), 9)
        for (score,) in product.ask("SELECT effective FROM scores WHERE effective IS NOT NULL")
    )
    return [found[tenth] for tenth in range(10)]


def decisions(product: Product) -> list[dict[str, Any]]:
    """All decisions by rule, kind and reason."""
    names = ("rule", "kind", "reason", "count")
    rows = product.ask("SELECT rule, kind, coalesce(reason, ''), count(*) FROM decisions GROUP BY 1, 2, 3")
    return [dict(zip(names, row, strict=True)) for row in rows]


def episodes(product: Product) -> list[dict[str, Any]]:
    """Episodes by rule: how many, how many have ended, and the middle of how long those took, in days."""
    lengths: dict[str, list[int]] = defaultdict(list)
    total: Counter[str] = Counter()
    for rule, opened, closed in product.ask("SELECT rule, opened_on, closed_on FROM episodes"):
        total[rule] += 1
        if closed is not None:
            lengths[rule].append(closed - opened)
    return [
        {"rule": rule, "all": count, "ended": len(lengths[rule]), "median_days": _middle(lengths[rule])}
        for rule, count in sorted(total.items())
    ]


def runs(product: Product) -> dict[str, Any]:
    """Runs, their steps and their letters; each letter of the ledger is looked for among the files, and the reverse."""
    sent = {message for (message,) in product.ask("SELECT message_id FROM deliveries WHERE state = 'sent'")}
    files = sorted(product.outgoing.glob("*.eml"))
    written = {_message_id(path.read_text(encoding="utf-8", errors="replace")) for path in files}
    by = "SELECT playbook, state, sentence, count(*) FROM runs GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    return {
        "runs": [dict(zip(("playbook", "state", "sentence", "count"), row, strict=True)) for row in product.ask(by)],
        "steps": dict(product.ask("SELECT kind || ' ' || state, count(*) FROM steps GROUP BY 1 ORDER BY 1")),
        "tasks": dict(product.ask("SELECT state, count(*) FROM tasks GROUP BY 1")),
        "deliveries": dict(product.ask(_LETTER)),
        "letters": len(files),
        "letters_not_in_the_ledger": len(written - sent),
        "in_the_ledger_without_letter": len(sent - written),
        "outbox_left": product.ask("SELECT count(*) FROM outbox WHERE done_at IS NULL")[0][0],
    }


def outcomes(product: Product) -> list[dict[str, Any]]:
    """Outcomes by rule, arm and state."""
    rows = product.ask("SELECT rule, arm, state, count(*) FROM outcomes GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
    return [dict(zip(("rule", "arm", "state", "count"), row, strict=True)) for row in rows]


def effects(product: Product) -> list[dict[str, Any]]:
    """What the product says of each experiment."""
    names = [*("rule", "playbook", "treated", "treated_met", "treated_unknown", "held_out", "held_out_met")]
    names += ["held_out_unknown", "uplift", "low", "high", "sentence"]
    rows = product.ask(f"SELECT {', '.join(names)} FROM effects ORDER BY rule, playbook")  # noqa: S608 -- our own names
    return [dict(zip(names, row, strict=True)) for row in rows]


def afterwards(product: Product) -> list[dict[str, Any]]:
    """How the score moved within `LATER` days of a decision, by rule and arm: before and after, which is no effect."""
    rows = product.ask(
        "SELECT o.rule, o.arm, s.effective, t.effective FROM outcomes o "
        "JOIN scores s ON s.account_id = o.account_id AND s.day = o.decided_on "
        "LEFT JOIN scores t ON t.account_id = o.account_id AND t.day = o.decided_on + ? "
        "WHERE o.state <> 'due'",
        LATER,
    )
    moved: dict[tuple[str, str], list[float]] = defaultdict(list)
    for rule, arm, before, after in rows:
        if before is not None and after is not None:
            moved[rule, arm].append((after - before) / 1e6)
    return [
        {
            "rule": rule,
            "arm": arm,
            "accounts": len(points),
            "mean": round(statistics.fmean(points), 1),
            "higher": sum(point > 0 for point in points),
        }
        for (rule, arm), points in sorted(moved.items())
    ]


def by_project(product: Product) -> list[dict[str, Any]]:
    """Outcomes of both arms together by project and rule: how many were judged and how many met the criterion."""
    rows = product.ask(
        "SELECT CASE WHEN a.key LIKE 'dbt-core%' THEN 'dbt-core' ELSE 'rails' END, o.rule, count(*), "
        "sum(o.state = 'met') FROM outcomes o JOIN accounts a ON a.id = o.account_id "
        "WHERE o.state IN ('met', 'not_met') GROUP BY 1, 2 ORDER BY 2, 1"
    )
    return [dict(zip(("project", "rule", "judged", "met"), row, strict=True)) for row in rows]


def by_quarter(product: Product) -> list[dict[str, Any]]:
    """Entries into each rule by the quarter of the decision, refusals aside."""
    entries: Counter[tuple[str, str]] = Counter()
    for rule, day, count in product.ask("SELECT rule, decided_on, count(*) FROM outcomes GROUP BY 1, 2"):
        at = EPOCH + timedelta(days=day)
        entries[f"{at.year} Q{(at.month + 2) // 3}", rule] += count
    return [{"quarter": quarter, "rule": rule, "entries": count} for (quarter, rule), count in sorted(entries.items())]


def _message_id(letter: str) -> str:
    found = (line for line in letter.splitlines() if line.lower().startswith("message-id:"))
    return next(found, "").partition(":")[2].strip()


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.median(found) if found else None
