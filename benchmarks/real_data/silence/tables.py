"""The result as Markdown tables."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_TITLES: Final = {
    "cdnow": "CDNOW: no purchase in the next 91 days",
    "repository": "Repository activity: no commit in the next 13 weeks",
}


def render(results: Sequence[Mapping[str, Any]]) -> str:
    """One table per task."""
    return "\n".join(_table(result) for result in results)


def _table(result: Mapping[str, Any]) -> str:
    train, test = result["train"], result["test"]
    head = (
        f"### {_TITLES[result['task']]}\n\n"
        f"{result['accounts']:,} accounts; learnt from {train['asked']:,} answers at {train['cutoffs']} cutoffs, "
        f"judged on {test['asked']:,} at {test['cutoffs']} later ones, {test['silent']:.1%} of them silent.\n\n"
        "| | AUC | average precision | silent among the riskiest 10 % | Brier | median lead, days | silent flagged |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_row(name, figures, result["lead_days"][name]) for name, figures in result["figures"].items())


def _row(name: str, figures: Mapping[str, float], lead: Mapping[str, float]) -> str:
    shown = f"**{name}**" if name.startswith("scorecard") else name
    return (
        f"| {shown} | {figures['auc']:.3f} | {figures['average_precision']:.3f} | {figures['top_tenth']:.3f} "
        f"| {figures['brier']:.3f} | {lead['median']:.0f} | {lead['flagged']:.1%} |\n"
    )
