"""Charts of a backtest: shares and rankings with their intervals, leads by week. Looks come from the style sheet."""

import math
from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 150
_HEIGHT: Final = 22


def share(rate: float, low: float, high: float, label: str, reach: float = 1.0) -> Markup:
    """A share as a bar from 0 to ``reach`` with its interval as a line across its end."""
    if math.isnan(rate):
        return Markup("")
    rate, low, high = (part / reach for part in (rate, low, high))
    body = Markup('<rect class="track" x="0" y="6" width="{}" height="10" rx="2"/>').format(WIDTH)
    body += Markup('<rect class="filled" x="0" y="6" width="{:.1f}" height="10" rx="2"/>').format(rate * WIDTH)
    return _svg(WIDTH, _HEIGHT, label, body + _whisker(low * WIDTH, high * WIDTH))


def placed(value: float, low: float, high: float, ends: tuple[float, float, float], label: str) -> Markup:
    """A value with its interval on a scale from the first to the last of ``ends``; the middle one is the line that
    means nothing (half for a ranking, zero for a difference)."""
    if math.isnan(value):
        return Markup("")
    first, middle, last = ends

    def spot(at: float) -> float:
        return min(max((at - first) / (last - first), 0.0), 1.0) * (WIDTH - 12) + 6

    kind = "good" if low > middle else "bad" if high < middle else "open"
    body = Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="{1}"/>').format(spot(middle), _HEIGHT)
    if not math.isnan(low):
        body += Markup('<g class="{}">{}</g>').format(kind, _whisker(spot(low), spot(high)))
    body += Markup('<circle class="{}" cx="{:.1f}" cy="11" r="4.5"/>').format(kind, spot(value))
    return _svg(WIDTH, _HEIGHT, label, body)


def weeks(counts: Sequence[int], label: str) -> Markup:
    """How many outcomes were first warned of in which week before them: the outcome is at the right end."""
    if not sum(counts):
        return Markup("")
    height, room = 90, 16
    width = max(len(counts) * 22, 200)
    step, most = width / len(counts), max(counts)
    body = Markup("")
    for at, count in enumerate(reversed(counts)):
        size = count / most * (height - room - 14)
        left, top = at * step + 2, height - room - size
        body += Markup('<rect class="filled" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>').format(
            left, top, step - 4, size
        )
        if count:
            body += Markup('<text class="middle" x="{:.1f}" y="{:.1f}">{}</text>').format(
                left + step / 2 - 2, top - 3, count
            )
    body += Markup('<line class="axis" x1="0" x2="{0}" y1="{1}" y2="{1}"/>').format(width, height - room)
    body += Markup('<text x="0" y="{}">{} weeks before</text>').format(height - 3, len(counts))
    body += Markup('<text class="end" x="{}" y="{}">the week before</text>').format(width, height - 3)
    return _svg(width, height, label, body)


def _whisker(low: float, high: float) -> Markup:
    line = Markup('<line class="range" x1="{:.1f}" x2="{:.1f}" y1="11" y2="11"/>').format(low, high)
    ends = Markup("").join(
        Markup('<line class="range" x1="{0:.1f}" x2="{0:.1f}" y1="7.5" y2="14.5"/>').format(end) for end in (low, high)
    )
    return line + ends


def _svg(width: float, height: float, label: str, body: Markup) -> Markup:
    return Markup(
        '<svg role="img" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" aria-label="{2}">'
        "<title>{2}</title>{3}</svg>"
    ).format(width, height, escape(label), body)
