"""What would happen, as pages that need nothing else: no script, no request, readable in light, dark and on a phone."""

from typing import Final

from markupsafe import Markup

from api.pages.rendering import ENVIRONMENT
from engine.running.timeline import Timeline, counted, walk

_WAYS: Final = {"then": "If the condition held", "else": "If it did not hold", "unknown": "If nobody knew"}


def timeline_page(timeline: Timeline) -> str:
    """The page of one run: its steps down the page, its messages as they would look."""
    return ENVIRONMENT.get_template("simulated_run.html").render(
        run=timeline,
        counts=counted(timeline),
        rows=list(walk(timeline.entries)),
        ways=_WAYS,
        letter=Markup,  # what rendering has cleaned
    )
