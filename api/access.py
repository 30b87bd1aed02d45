"""Who may do what: one table, read by every route and by every button on a page.

What is not listed is not allowed. ``OWN`` means the accounts the member owns; an object outside it answers like a
missing one. Writing metrics is not here: that needs an ingest key, never a member.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final

from engine.terms import Role


class Scope(IntEnum):
    """How far a permission reaches; the widest of a member's roles counts."""

    NONE = 0
    OWN = 1
    ALL = 2


_N, _O, _A = Scope.NONE, Scope.OWN, Scope.ALL

_ROWS: Final = (
    # resource, action        admin author csm viewer
    ("inbox", "read", (_O, _O, _O, _N)),
    ("account", "read", (_A, _A, _O, _A)),
    ("account", "override", (_A, _N, _O, _N)),
    ("account", "note", (_A, _N, _O, _N)),
    ("account", "leave_out", (_A, _N, _O, _N)),
    ("account", "stop", (_A, _N, _O, _N)),
    ("delivery", "resolve", (_A, _N, _O, _N)),
    ("contact", "read", (_A, _N, _O, _N)),
    ("approval", "decide", (_A, _N, _O, _N)),
    ("task", "finish", (_A, _N, _O, _N)),
    ("run", "read", (_A, _A, _O, _A)),
    ("run", "start", (_A, _N, _O, _N)),
    ("run", "act", (_A, _N, _O, _N)),
    ("run", "cancel", (_A, _A, _O, _N)),
    ("report", "read", (_A, _A, _O, _A)),
    ("report", "share", (_A, _N, _O, _N)),
    ("me", "read", (_O, _O, _O, _O)),
    ("me", "edit", (_O, _O, _O, _O)),
    ("member", "leave", (_A, _N, _N, _N)),
    ("hold", "read", (_A, _A, _O, _A)),
    ("hold", "set", (_A, _A, _O, _N)),
    ("hold", "release", (_A, _N, _N, _N)),
    ("notice", "read", (_O, _O, _O, _O)),
    ("notice", "choose", (_O, _O, _O, _O)),
    ("effect", "read", (_A, _A, _A, _A)),
    ("rule", "read", (_A, _A, _A, _A)),
    ("rule", "release", (_A, _A, _N, _N)),
    ("rule", "apply", (_A, _A, _N, _N)),
)

TABLE: Final[Mapping[tuple[Role, str, str], Scope]] = {
    (role, resource, action): scope
    for resource, action, scopes in _ROWS
    for role, scope in zip((Role.ADMIN, Role.AUTHOR, Role.CSM, Role.VIEWER), scopes, strict=True)
}

OPEN: Final = frozenset(
    {
        ("GET", "/healthz"),
        ("GET", "/v1/health"),
        ("GET", "/sign-in"),
        ("GET", "/sign-in/{token}"),
        ("POST", "/sign-in/{token}"),
        ("GET", "/r/{token}"),
        ("POST", "/r/{token}"),
        ("GET", "/u/{token}"),
        ("POST", "/u/{token}"),
        ("POST", "/u/{token}/preferences"),
    }
)
"""Routes without a member: each is protected by the token in its path, or says nothing about anybody."""


def scope_of(roles: Iterable[Role], resource: str, action: str) -> Scope:
    """The widest scope any of the roles gives; `Scope.NONE` where nothing is listed."""
    return max((TABLE.get((role, resource, action), Scope.NONE) for role in roles), default=Scope.NONE)
