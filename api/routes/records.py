"""Source records as JSON: the points and events behind a metric of an account."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.dependencies import Allowed, Now, Pass, Reading, bundle_in_force
from api.described import SESSION
from engine.store.records import records

router = APIRouter(prefix="/v1/accounts/{key}/records", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]
_EPOCH = date(1970, 1, 1)
_USUAL = timedelta(days=90)


class RecordAnswer(BaseModel):
    """One source record. ``kind``: ``point`` (in force), ``correction`` (it was replaced) or ``event``; ``of``: the
    contact's key or the product's name, empty for the account; ``id``: an event's key."""

    kind: str
    name: str
    of: str
    day: date
    value: float | None
    recorded_at: datetime
    replaced_at: datetime | None
    id: str
    fields: dict[str, Any]


@router.get("/{metric}")
def of_metric(
    key: str,
    metric: str,
    session: Reading,
    now: Now,
    allowed: Readable,
    since: Annotated[date | None, Query(alias="from", description="The first day (default: 90 days before).")] = None,
    to: Annotated[date | None, Query(description="The last day (default: today).")] = None,
) -> list[RecordAnswer]:
    """The records behind a metric or a feature of it, the newest first; a formula leads to what it is made of."""
    catalog = bundle_in_force(session).catalog
    until = to or now.astimezone(UTC).date()
    days = ((since or until - _USUAL) - _EPOCH).days, (until - _EPOCH).days
    return [
        RecordAnswer(
            kind=one.kind,
            name=one.name,
            of=one.of,
            day=_EPOCH + timedelta(days=one.day),
            value=one.value,
            recorded_at=one.recorded_at,
            replaced_at=one.replaced_at,
            id=one.id,
            fields=one.fields,
        )
        for one in records(session, catalog, key, allowed.owner, metric, *days)
    ]
