"""What routes and pages ask FastAPI for: the store, the moment, and a member who is allowed to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Form, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from api import auth
from api.access import Scope, scope_of
from api.auth import Identity
from api.errors import Forbidden, SignInNeeded
from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.settings import Settings
from engine.store import bundles, members
from engine.store.sessions import Store


def get_store(request: Request) -> Store:
    """The installation's database."""
    found: Store = request.app.state.store
    return found


def get_settings(request: Request) -> Settings:
    """The installation's settings."""
    found: Settings = request.app.state.settings
    return found


def get_now(request: Request) -> datetime:
    """The moment of the request, aware, in UTC."""
    moment: datetime = request.app.state.clock()
    return moment


def get_reading(store: Annotated[Store, Depends(get_store)]) -> Iterator[Session]:
    """A reading transaction as long as the request."""
    with store.read() as session:
        yield session


async def plain_text(request: Request) -> None:
    """Refuse characters that no text has, in the path, the query and the fields of a form: nobody sees them, and not
    every database can keep them. Raises `RequestValidationError` naming each place."""
    # A token that is none is answered like any other that is none: it is only ever hashed, never stored.
    said = [("path", name, str(value)) for name, value in request.path_params.items() if name != "token"]
    said += [("query", name, value) for name, value in request.query_params.multi_items()]
    route = request.scope.get("route")
    if isinstance(route, APIRoute) and route.dependant.body_params:
        form = await request.form()  # has been read already: the route asks for its fields
        said += [("body", name, value) for name, value in form.multi_items() if isinstance(value, str)]
    wrong = [(place, _UNSEEN.sub("?", name)) for place, name, value in said if _UNSEEN.search(name + value)]
    if wrong:
        message = "Take the control characters out"
        raise RequestValidationError([{"loc": loc, "msg": message, "type": "plain_text"} for loc in wrong])


_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

TheStore = Annotated[Store, Depends(get_store)]
TheSettings = Annotated[Settings, Depends(get_settings)]
Now = Annotated[datetime, Depends(get_now)]
Reading = Annotated[Session, Depends(get_reading)]


def bundle_in_force(session: Session) -> Bundle:
    """The definitions in force. Raises `Refused` before there are any."""
    found = bundles.in_force(session)
    if found is None:
        raise Refused("No definitions are in force yet: nothing is scored, asked or overridden.")
    return found


@dataclass(frozen=True, slots=True)
class Pass:
    """A member who may, and how far."""

    identity: Identity
    scope: Scope

    @property
    def owner(self) -> str | None:
        """The owner whose accounts are meant; None means everybody's."""
        return None if self.scope is Scope.ALL else self.identity.email

    def may(self, resource: str, action: str) -> bool:
        """Whether the member may do something else as well; decides which buttons a page has."""
        return scope_of(self.identity.roles, resource, action) is not Scope.NONE


def who(request: Request, session: Session, settings: Settings, at: datetime) -> Identity | None:
    """The signed-in member, or None."""
    token = auth.session_token(request, settings)
    found = members.by_session(session, token, at) if token else None
    if found is None:
        return None
    return Identity(found.email, found.name, frozenset(found.roles), found.csrf)


class Allowed:
    """A dependency: somebody is signed in and may do ``action`` to ``resource``."""

    def __init__(self, resource: str, action: str) -> None:
        self.resource = resource
        self.action = action

    def __call__(self, request: Request, session: Reading, settings: TheSettings, at: Now) -> Pass:
        """Let the member in. Raises `SignInNeeded` or `Forbidden`."""
        identity = who(request, session, settings, at)
        if identity is None:
            raise SignInNeeded
        scope = scope_of(identity.roles, self.resource, self.action)
        if scope is Scope.NONE:
            raise Forbidden(f"Your roles do not allow this ({self.action} {self.resource}). Ask an administrator.")
        request.state.identity = identity
        return Pass(identity, scope)


class Acting:
    """The same for a request that changes something: it must come from a form of ours."""

    def __init__(self, resource: str, action: str) -> None:
        self.allowed = Allowed(resource, action)

    def __call__(
        self,
        request: Request,
        store: TheStore,
        settings: TheSettings,
        at: Now,
        csrf: Annotated[str, Form()] = "",
        x_csrf_token: Annotated[str, Header()] = "",
    ) -> Pass:
        """Let the member act. Raises `Forbidden` as well when the form is not ours."""
        with store.read() as session:  # ends before the route's own writing transaction begins
            found = self.allowed(request, session, settings, at)
        given = x_csrf_token or csrf
        ours = compare_digest(given.encode(), found.identity.csrf.encode())
        if not ours or not auth.same_origin(request, settings):
            raise Forbidden("This form is no longer valid. Please load the page again and repeat what you did.")
        with store.begin() as session:  # whoever acts is there: the session's end by idleness moves on
            members.touch(session, auth.session_token(request, settings), at)
        return found
