"""Charts: geometry in attributes, words for those who cannot see them, and no style attribute."""

import xml.etree.ElementTree as ET

from hypothesis import given, strategies as st

from api.pages import charts
from engine.terms import MICRO

SCORES = st.lists(st.one_of(st.none(), st.integers(0, 100 * MICRO)), min_size=2, max_size=40)


def spots(drawing: str) -> list[tuple[float, float]]:
    """Every spot of the line of a chart."""
    path = ET.fromstring(drawing).find("path")  # noqa: S314 # our own drawing
    assert path is not None
    words = path.attrib["d"].replace("M", " ").replace("L", " ").split()
    return [(float(x), float(y)) for x, y in zip(words[::2], words[1::2], strict=True)]


@given(SCORES)
def test_a_line_stays_inside_its_drawing_and_leaves_gaps_open(scores: list[int | None]) -> None:
    known = [score for score in scores if score is not None]
    drawn = charts.sparkline(range(100, 100 + len(scores)), scores)
    if len(known) < 2:
        assert "too short" in drawn
        return
    found = spots(drawn)
    assert all(0 <= x <= 120 and 0 <= y <= 28 for x, y in found)
    assert len(found) == len(known)
    assert "style=" not in drawn


def test_a_chart_says_in_words_what_it_shows() -> None:
    drawn = ET.fromstring(charts.sparkline([20_000, 20_030], [70 * MICRO, 62 * MICRO]))  # noqa: S314 # our own drawing
    title = drawn.find("title")
    assert title is not None
    assert title.text == drawn.attrib["aria-label"] == "Score from 70.0 on 4 Oct 2024 to 62.0 on 3 Nov 2024"
    assert drawn.attrib["role"] == "img"


def test_words_in_a_chart_are_escaped() -> None:
    drawn = charts.attained(1, 2, 3, '<script>"')
    assert "<script>" not in drawn
    ET.fromstring(drawn)  # noqa: S314 # our own drawing


def test_an_interval_that_holds_zero_is_open_and_one_that_does_not_is_clear() -> None:
    assert "best open" in charts.interval(0.1, -0.1, 0.3, 0.3)
    assert "best gain" in charts.interval(0.2, 0.1, 0.3, 0.3)
    assert "best harm" in charts.interval(-0.2, -0.3, -0.1, 0.3)


def test_a_contribution_is_drawn_out_of_its_share() -> None:
    drawn = ET.fromstring(charts.contribution(0.5, 25 * MICRO, 0.5, width=200))  # noqa: S314 # our own drawing
    track, filled = drawn.findall("rect")
    assert (float(track.attrib["width"]), float(filled.attrib["width"])) == (200, 100)
