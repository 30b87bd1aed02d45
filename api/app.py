"""The web application: routes, pages, static files, security headers, and how failures are answered."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import errors
from api.dependencies import plain_text
from api.pages import rendering, routers as page_routers
from api.pages.throttle import PER_MINUTE, Throttle
from api.routes import routers as json_routers
from engine.settings import Settings
from engine.store.sessions import Store

STATIC: Final = Path(__file__).parent / "pages" / "static"

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CUSTOMER_CSP: Final = CSP.replace("script-src 'self'", "script-src 'none'").replace("connect-src 'self'; ", "")
CUSTOMER_PATHS: Final = ("/r/", "/u/")

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def utc_now() -> datetime:
    """The moment by this machine's clock."""
    return datetime.now(UTC)


def create_app(store: Store, settings: Settings, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Build the application on an open, migrated store. ``clock`` gives aware UTC moments."""
    app = FastAPI(
        title="Backcast",
        version="0.1.0",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        dependencies=[Depends(plain_text)],
    )
    app.state.store = store
    app.state.settings = settings
    app.state.clock = clock
    app.state.throttle = Throttle(PER_MINUTE)
    app.state.failure_page = rendering.failure_page
    errors.install(app)
    app.add_middleware(SecurityHeaders, https=settings.base_url.startswith("https://"))
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in (*json_routers(), *page_routers()):
        app.include_router(router)
    return app


class SecurityHeaders:
    """Puts the same protective headers on every answer, failures included."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; dress its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._dress(MutableHeaders(scope=message), path)
            await send(message)

        await self.app(scope, receive, dressed)

    def _dress(self, headers: MutableHeaders, path: str) -> None:
        customer = path.startswith(CUSTOMER_PATHS)
        headers.update(HEADERS)
        headers["Content-Security-Policy"] = CUSTOMER_CSP if customer else CSP
        # `same-origin`, not `no-referrer`, inside: browsers send `Origin: null` with the latter, and forms need it.
        headers["Referrer-Policy"] = "no-referrer" if customer else "same-origin"
        if customer:
            headers["X-Robots-Tag"] = "noindex, nofollow"
        headers["Cache-Control"] = "no-cache" if path.startswith("/static/") else "no-store"
        if self.https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
