"""What would happen, as pages that need nothing else: no script, no request, readable in light, dark and on a phone."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from api.pages.rendering import ENVIRONMENT
from engine.running.forecast import Forecast
from engine.running.timeline import Timeline, in_words, walk

_WAYS: Final = {"then": "If the condition held", "else": "If it did not hold", "unknown": "If nobody knew"}


def timeline_page(timeline: Timeline) -> str:
    """The page of one run: its steps down the page, its messages as they would look."""
    return ENVIRONMENT.get_template("simulated_run.html").render(
        run=timeline,
        told=in_words(timeline),
        rows=list(walk(timeline.entries)),
        ways=_WAYS,
        letter=Markup,  # what rendering has cleaned
    )


def forecast_page(found: Forecast) -> str:
    """The page of the days ahead: charts of messages and approvals by day, tasks by week, who gets in whose way."""
    approvals = [sum(day) for day in zip(*found.approvals.values(), strict=True)]
    return ENVIRONMENT.get_template("simulated_portfolio.html").render(
        found=found,
        last=found.first + timedelta(days=found.days - 1),
        weeks=[found.first + timedelta(days=7 * week) for week in range(-(-found.days // 7))],
        messages=bars(found.mails.per_day, found.first, "messages"),
        approvals=bars(approvals, found.first, "approvals") if any(approvals) else "",
        tasks=sorted(found.tasks.items(), key=lambda pair: (-sum(pair[1]), pair[0])),
    )


def bars(counts: Sequence[int], first: date, what: str, width: int = 900, height: int = 140) -> Markup:
    """Counts by day as bars, with the most at the left and the first and last day below."""
    most, room, ground = max(counts, default=0), 34.0, height - 18.0
    step = (width - room) / max(len(counts), 1)
    drawn = Markup("").join(
        Markup(
            '<rect class="bar" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        ).format(
            room + number * step,
            ground - (size := count / most * (ground - 12)),
            max(step - 1, 0.8),
            size,
            f"{first + timedelta(days=number)}: {count}",
        )
        for number, count in enumerate(counts)
        if count
    )
    last = first + timedelta(days=max(len(counts) - 1, 0))
    label = f"{sum(counts)} {what} from {first} to {last}, at most {most} a day"
    return Markup(
        '<svg role="img" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-label="{2}"><title>{2}</title>{3}'
        '<line class="axis" x1="{4}" x2="{0}" y1="{5}" y2="{5}"/><text x="0" y="14">{6}</text>'
        '<text x="{4}" y="{1}">{7}</text><text x="{8}" y="{1}">{9}</text></svg>'
    ).format(width, height, label, drawn, room, ground, most, first, width - 62, last)
