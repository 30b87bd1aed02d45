"""Charts as SVG, made on the server: geometry in attributes, looks in the style sheet, words in ``<title>``.

Nothing here has a ``style`` attribute or a script, so the strictest content policy lets it pass.
"""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from markupsafe import Markup, escape

from api.pages.wording import on_date, points, signed_percent
from engine.terms import MICRO

FULL: Final = 100 * MICRO
_ROOM: Final = 2.0


def sparkline(days: Sequence[int], scores: Sequence[int | None], width: int = 120, height: int = 28) -> Markup:
    """The course of a score (micro-points by day) as a small line; a gap where it is unknown."""
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        return Markup('<span class="muted">too short</span>')
    label = f"Score from {points(known[0])} on {on_date(days[0])} to {points(known[-1])} on {on_date(days[-1])}"
    low, high = min(known), max(known)
    room = max(high - low, 10 * MICRO)  # a change of less than ten points must not look like a cliff
    middle = (low + high) / 2
    place = _scale(days, width, height, middle - room / 2, middle + room / 2)
    path = _path([(day, score) for day, score in zip(days, scores, strict=True)], place)
    end = place(days[-1], float(known[-1]))
    dot = Markup('<circle class="end" cx="{:.1f}" cy="{:.1f}" r="2.4"/>').format(*end)
    return _svg("sparkline", width, height, label, path + dot)


def course(
    days: Sequence[int], scores: Sequence[int | None], cuts: Sequence[tuple[float, str]], width: int = 720
) -> Markup:
    """A score over time on its whole scale, with the cuts of the tiers as lines (points, tier)."""
    known = [score for score in scores if score is not None]
    if len(known) < 2:
        return Markup('<p class="muted">There is no course yet: a score needs two days.</p>')
    height = 200
    label = f"Score from {points(known[0])} on {on_date(days[0])} to {points(known[-1])} on {on_date(days[-1])}"
    place = _scale(days, width - 34, height - 22, -4 * MICRO, FULL + 6 * MICRO)  # room for the marks at the ends
    parts = [_cut(cut, tier, width, place(days[0], cut * MICRO)[1]) for cut, tier in cuts]
    for mark in (0, 50, 100):
        spot = place(days[0], mark * MICRO)[1]
        parts.append(Markup('<text x="{}" y="{:.1f}">{}</text>').format(width - 30, spot + 4, mark))
    parts.append(_path(list(zip(days, scores, strict=True)), place))
    parts.append(Markup('<text x="2" y="{}">{}</text>').format(height - 4, on_date(days[0])))
    parts.append(Markup('<text class="last" x="{}" y="{}">{}</text>').format(width - 36, height - 4, on_date(days[-1])))
    return _svg("course", width, height, label, Markup("").join(parts))


def values(days: Sequence[int], numbers: Sequence[float], label: str, width: int = 720) -> Markup:
    """Any metric over time, on the scale of its own values."""
    if len(numbers) < 2:
        return Markup("")
    height = 160
    low, high = min(*numbers, 0.0), max(numbers)
    place = _scale(days, width, height, low, high if high > low else low + 1)
    return _svg("course", width, height, label, _path(list(zip(days, numbers, strict=True)), place))


def contribution(share: float, micro: int, widest: float, width: int = 220) -> Markup:
    """What a metric adds to a score (filled) out of what it could add (its share, the track)."""
    room = width / max(widest, 1e-9)
    track, filled = share * room, max(0.0, micro / FULL) * room
    label = f"{points(micro)} of {share * 100:.1f} points"
    body = Markup('<rect class="track" x="0" y="3" width="{:.1f}" height="10" rx="5"/>').format(track)
    if filled > 0.5:
        body += Markup('<rect class="filled" x="0" y="3" width="{:.1f}" height="10" rx="5"/>').format(filled)
    return _svg("bar", width, 16, label, body)


def change(micro: int, widest: int, width: int = 220) -> Markup:
    """A change of a contribution to the left (lost) or right (gained) of a middle line."""
    middle = width / 2
    size = abs(micro) / max(widest, 1) * (middle - 4)
    start = middle if micro >= 0 else middle - size
    body = Markup('<line class="axis" x1="{0}" x2="{0}" y1="0" y2="16"/>').format(middle)
    body += Markup('<rect class="{}" x="{:.1f}" y="3" width="{:.1f}" height="10" rx="2"/>').format(
        "gained" if micro >= 0 else "lost", start, max(size, 0.5)
    )
    return _svg("bar", width, 16, f"{'gained' if micro >= 0 else 'lost'} {points(abs(micro))} points", body)


def interval(uplift: float, low: float, high: float, reach: float, width: int = 320) -> Markup:
    """An uplift with its interval around zero; ``reach`` is the largest difference on the page (shares)."""
    middle = width / 2

    def spot(value: float) -> float:
        return middle + value / max(reach, 1e-9) * (middle - 8)

    label = f"uplift {signed_percent(uplift)} points, between {signed_percent(low)} and {signed_percent(high)}"
    clear = "gain" if low > 0 else "harm" if high < 0 else "open"
    body = Markup('<line class="axis" x1="{0}" x2="{0}" y1="0" y2="28"/>').format(middle)
    body += Markup('<line class="range {}" x1="{:.1f}" x2="{:.1f}" y1="14" y2="14"/>').format(
        clear, spot(low), spot(high)
    )
    for end in (low, high):
        body += Markup('<line class="range {0}" x1="{1:.1f}" x2="{1:.1f}" y1="9" y2="19"/>').format(clear, spot(end))
    body += Markup('<circle class="best {}" cx="{:.1f}" cy="14" r="5"/>').format(clear, spot(uplift))
    return _svg("interval", width, 28, label, body)


def attained(value: float, line: float | None, target: float, label: str, width: int = 560) -> Markup:
    """How far a goal is (filled), where its line says it should be today (a mark), and its target (the end)."""
    reach = max(value, line or 0.0, target) or 1.0
    body = Markup('<rect class="track" x="0" y="6" width="{:.1f}" height="12" rx="6"/>').format(target / reach * width)
    body += Markup('<rect class="filled" x="0" y="6" width="{:.1f}" height="12" rx="6"/>').format(
        max(0.0, value) / reach * width
    )
    if line is not None:
        body += Markup('<line class="axis" x1="{0:.1f}" x2="{0:.1f}" y1="0" y2="24"/>').format(line / reach * width)
    return _svg("bar goal-bar", width, 24, f"{label}: {value:g} of {target:g}", body)


def dated(course: Sequence[Sequence[str | float]], label: str, width: int = 240) -> Markup:
    """The course of a figure of a report: ``(YYYY-MM-DD, value)`` pairs, the oldest first."""
    if len(course) < 2:
        return Markup("")
    days = [date.fromisoformat(str(day)).toordinal() for day, _value in course]
    numbers = [float(value) for _day, value in course]
    place = _scale(days, width, 56, min(*numbers, 0.0), max(*numbers, 1e-9) * 1.05)
    words = f"{label}: from {numbers[0]:g} on {course[0][0]} to {numbers[-1]:g} on {course[-1][0]}"
    return _svg("sparkline", width, 56, words, _path(list(zip(days, numbers, strict=True)), place))


class _Place:
    """From a day and a value to a spot in the drawing."""

    def __init__(self, first: int, days: int, low: float, high: float, size: tuple[float, float]) -> None:
        self.first, self.days, self.low, self.high, self.size = first, max(days, 1), low, high, size

    def __call__(self, day: int, value: float) -> tuple[float, float]:
        width, height = self.size
        across = _ROOM + (day - self.first) / self.days * (width - 2 * _ROOM)
        up = (value - self.low) / (self.high - self.low)
        return across, height - _ROOM - up * (height - 2 * _ROOM)


def _scale(days: Sequence[int], width: float, height: float, low: float, high: float) -> _Place:
    return _Place(days[0], days[-1] - days[0], low, high, (width, height))


def _path(course: Sequence[tuple[int, float | None]], place: _Place) -> Markup:
    spots = [(place(day, value) if value is not None else None) for day, value in course]
    steps = [f"M{spots[0][0]:.1f} {spots[0][1]:.1f}"] if spots and spots[0] else []
    for before, spot in pairwise(spots):
        if spot is not None:
            steps.append(f"{'L' if before is not None else 'M'}{spot[0]:.1f} {spot[1]:.1f}")
    return Markup('<path class="line" d="{}"/>').format(" ".join(steps))


def _cut(cut: float, tier: str, width: int, spot: float) -> Markup:
    if cut <= 0:
        return Markup("")
    return Markup('<line class="cut {0}" x1="0" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>').format(tier, width - 34, spot)


def _svg(kind: str, width: float, height: float, label: str, body: Markup) -> Markup:
    return Markup(
        '<svg class="chart {0}" role="img" viewBox="0 0 {1:g} {2:g}" width="{1:g}" height="{2:g}" '
        'aria-label="{3}"><title>{3}</title>{4}</svg>'
    ).format(kind, width, height, escape(label), body)
