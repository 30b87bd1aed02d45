"""From a read model to HTML: the templates, and what every page needs besides its own content."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.exc import SQLAlchemyError

from api.pages import charts, wording
from engine.store import standing

TEMPLATES: Final = Path(__file__).parent / "templates"

_FAILURES: Final[Mapping[int, str]] = {
    401: "Please sign in",
    403: "Not allowed",
    404: "Not found",
    405: "Not like this",
    409: "Not possible like this",
    422: "That does not fit yet",
    429: "Too many requests",
    503: "One moment, please",
}


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(wording.FILTERS)
    made.globals.update(charts=charts)
    return made


ENVIRONMENT: Final = _environment()


def fragment(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a template by itself (a customer's page, or a part that htmx puts into a page)."""
    identity = getattr(request.state, "identity", None)
    text = ENVIRONMENT.get_template(template).render(
        identity=identity,
        csrf=identity.csrf if identity else "",
        now=request.app.state.clock(),
        path=request.url.path,
        **context,
    )
    return HTMLResponse(text, status_code=status)


def page(request: Request, template: str, status: int = 200, refusal: str = "", **context: Any) -> HTMLResponse:
    """Render a whole page for a member: with what waits in the outbox, what a redirect wants said, and what was
    refused."""
    said = wording.SAID.get(request.query_params.get("said", ""), "")
    return fragment(request, template, status, standing=_standing(request), said=said, refusal=refusal, **context)


def failure_page(request: Request, status: int, detail: str) -> HTMLResponse:
    """The calm page for anything that did not work."""
    customer = request.url.path.startswith(("/r/", "/u/"))
    template = "customer_failure.html" if customer else "failure.html"
    title = _FAILURES.get(status, "Something failed on our side")
    said_too = {
        "title": title,
        "detail": detail,
        "number": status,
        "standing": standing.CALM,
        "said": "",
        "refusal": "",
    }
    return fragment(request, template, status, **said_too)


def is_htmx(request: Request) -> bool:
    """Whether the answer is put into a page by our script, rather than shown as a page."""
    return request.headers.get("hx-request") == "true"


def back_to(path: str, said: str) -> RedirectResponse:
    """After a form: to a page, which then says what has happened."""
    return RedirectResponse(f"{path}?said={said}", status_code=303)


def _standing(request: Request) -> standing.Standing:
    try:
        with request.app.state.store.read() as session:
            return standing.read(session, request.app.state.clock())
    except SQLAlchemyError:  # the page itself was already read; its banner may be missing
        return standing.CALM
