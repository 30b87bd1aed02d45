"""From a metric of an account down to the records that were sent in."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.dependencies import Allowed, Pass, Reading
from api.pages.naming import names
from api.pages.rendering import page
from engine.definitions.catalog import Metric
from engine.definitions.feature import Feature, parse_feature
from engine.errors import NotFound
from engine.store.glances import glances
from engine.store.sources import Sources, sources

router = APIRouter(include_in_schema=False)


@router.get("/accounts/{account_id}/metrics/{metric}")
def show(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("account", "read"))],
    account_id: int,
    metric: str,
    session: Reading,
) -> Response:
    """The points, corrections and events behind a metric, or the metrics its formula is made of."""
    known = names(session)
    base = (parse_feature(metric) or Feature(metric)).metric
    declared = known.bundle.catalog.metrics.get(base) if known.bundle else None
    events = declared.from_events.loaded if declared and declared.from_events else ()
    found = sources(session, account_id, allowed.owner, base, events)
    if declared is None and not found.points:
        raise NotFound("There is no such metric.")
    return page(
        request,
        "metric.html",
        account=glances(session, [account_id])[account_id],
        metric=base,
        declared=declared,
        inputs=_inputs(declared),
        sources=found,
        names=known,
        course=_course(found),
    )


def _inputs(declared: Metric | None) -> list[str]:
    if declared is None:
        return []
    counted = declared.from_contacts.metric if declared.from_contacts else None
    return [counted.name] if counted else sorted(declared.formula.names) if declared.formula else []


def _course(found: Sources) -> list[tuple[int, float]]:
    own = [(point.day, point.value) for point in found.points if not point.contact]
    return sorted(own)
