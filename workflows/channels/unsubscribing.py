"""Unsubscribe links: signed, without an expiry, because a person may want to leave after years (RFC 8058)."""

from typing import Final

from itsdangerous import BadData, URLSafeSerializer

SECRET: Final = "unsubscribe"  # noqa: S105 # the name under which the store keeps it
_SALT: Final = "unsubscribe"


def make_token(secret: bytes, address: str, category: str) -> str:
    """The token that takes this address out of this category."""
    return _serializer(secret).dumps([address, category])


def read_token(secret: bytes, token: str) -> tuple[str, str] | None:
    """The address and category of a token; None for anything that is not one of ours."""
    try:
        address, category = _serializer(secret).loads(token)
    except (BadData, TypeError, ValueError):
        return None
    return str(address), str(category)


def link(base_url: str, token: str) -> str:
    """The address of the page that unsubscribes, by a button or by a mail program's one click."""
    return f"{base_url.rstrip('/')}/u/{token}"


def _serializer(secret: bytes) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=_SALT)
