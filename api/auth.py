"""Who is asking: the session cookie, and the proof that a form was ours.

Sessions live in the database; the cookie is only their secret. A page of another site can neither read the session's
CSRF token nor send a same-origin request, and both are asked for.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from engine.settings import Settings
from engine.terms import Role

SESSION_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in member. ``csrf`` is the session's token for forms."""

    email: str
    name: str
    roles: frozenset[Role]
    csrf: str


def is_https(settings: Settings) -> bool:
    """Whether people reach us over TLS, which decides the cookie's name and flags."""
    return settings.base_url.startswith("https://")


def cookie_name(settings: Settings) -> str:
    """The session cookie; ``__Host-`` binds it to this very host where TLS allows that."""
    return "__Host-backcast" if is_https(settings) else "backcast"


def remember(response: Response, settings: Settings, token: str) -> None:
    """Set the session cookie."""
    response.set_cookie(
        cookie_name(settings),
        token,
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=is_https(settings),
    )


def forget(response: Response, settings: Settings) -> None:
    """Take the session cookie back."""
    response.delete_cookie(cookie_name(settings), path="/", httponly=True, samesite="lax", secure=is_https(settings))


def session_token(request: Request, settings: Settings) -> str:
    """The secret in the cookie, empty without one."""
    return request.cookies.get(cookie_name(settings), "")


def same_origin(request: Request, settings: Settings) -> bool:
    """Whether a request that changes something comes from one of our own pages, as far as the browser tells.

    Old browsers and programs say nothing; for them the CSRF token alone decides.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {urlsplit(settings.base_url).netloc, request.headers.get("host", "")}
    return urlsplit(origin).netloc in ours
