"""docs/openapi.json is the document the application serves, and docs/api.md names every route of it."""

import json
from pathlib import Path
from typing import Final

from tests.installed import Site

DOCS: Final = Path(__file__).parents[2] / "docs"
AGAIN: Final = "curl -s http://127.0.0.1:8700/v1/openapi.json | python3 -m json.tool > docs/openapi.json"


def test_the_document_in_the_repository_is_the_one_that_is_served(site: Site) -> None:
    served = site.anybody().get("/v1/openapi.json").json()
    assert json.loads((DOCS / "openapi.json").read_text()) == served, f"the interface has changed: {AGAIN}"


def test_the_page_about_the_interface_names_every_route(site: Site) -> None:
    page = (DOCS / "api.md").read_text()
    routes = site.anybody().get("/v1/openapi.json").json()["paths"]
    assert len(routes) >= 9
    missing = [path for path in routes if path.replace("{run_id}", "{id}") not in page]
    assert missing == []
