"""Points of today, straight into an installation's database."""

from collections.abc import Mapping

from api.drills.site import Site, now
from engine.evaluation.incoming.rows import Format
from engine.store.ingests import Kind, ingest


def push(site: Site, usage: Mapping[str, float]) -> None:
    """Today's usage of some accounts."""
    day = now().date().isoformat()
    text = "account,metric,day,value\n" + "".join(f"{key},usage,{day},{value}\n" for key, value in usage.items())
    with site.store.begin() as session:
        ingest(session, Kind.POINTS, [text.encode()], Format.CSV, site.bundle.catalog, now())
