"""What the readers of all steps share: the desk they work at, ids, times, people and audiences (codes P)."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.fields import Fields
from engine.definitions.playbook import (
    Audience,
    Span,
)
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, known, length, scalar
from engine.definitions.scope import Scope
from engine.definitions.source import MapNode, Node
from engine.definitions.template_checking import check_inline

_ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


@dataclass(slots=True)
class Desk:
    """What the reader of one playbook needs at hand, and the step ids given so far."""

    catalog: Catalog
    scope: Scope
    messages: Collection[str]
    reports: Collection[str]
    ledger: Ledger
    ids: dict[str, Place] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Head:
    """What every step starts with: the id the author gave, its kind, its place."""

    given: str
    kind: str
    place: Place

    def id(self, desk: Desk, name: str = "") -> str:
        """The author's id, or kind and name with a number where that is taken."""
        if self.given:
            return self.given
        plain = f"{self.kind}-{name}" if name else self.kind
        candidate, number = plain, 1
        while candidate in desk.ids or candidate in desk.reserved:
            number += 1
            candidate = f"{plain}-{number}"
        desk.ids[candidate] = self.place
        return candidate


def step_fields(node: Node, head: Head, desk: Desk) -> Fields:
    """The keys of a step."""
    return Fields(node, desk.ledger, f'a step "{head.kind}"')


def span(fields: Fields, key: str, *, required: bool = False) -> Span | None:
    """A length of time of a step."""
    node = fields.need(key) if required else fields.find(key)
    if node is None:
        return Span(1.0) if required else None
    found = length(node, fields.ledger, f'"{key}"')
    return Span(found.days, found.working)


def template(fields: Fields, key: str, desk: Desk) -> str:
    """A text with variables, checked."""
    text, node = fields.text(key), fields.find(key)
    if node and text:
        check_inline(text, node.place, desk.catalog, desk.ledger)
    return text


def member(fields: Fields, key: str) -> str:
    """A member: the owner, or an e-mail address."""
    text, node = fields.text(key), fields.find(key)
    if node and text and text != "owner" and not _ADDRESS.fullmatch(text):
        fields.ledger.problem(node, 14, f'"{text[:60]}" is not a member', "write owner, or a member's e-mail address")
    return text


def audience(fields: Fields, desk: Desk) -> Audience:
    """Who a message goes to."""
    node = fields.need("to")
    if node is None:
        return Audience()
    if isinstance(node, MapNode):
        inner = Fields(node, desk.ledger, '"to"')
        role = inner.need("role")
        text = scalar(role, desk.ledger, '"role"') or "" if role else ""
        if role and text:
            known(role, text, desk.catalog.roles, desk.ledger, "role")
        found = Audience(role=text, idle_for=inner.days("idle_for", 0))
        inner.close()
        return found
    text = scalar(node, desk.ledger, '"to"') or ""
    if text.startswith("signal."):
        return Audience(signal=text.removeprefix("signal."))
    if text == "respondent":
        desk.ledger.note(node, 50, "this version does not follow who answered: nobody is a respondent yet")
        return Audience(respondent=True)
    if text:
        known(node, text, desk.catalog.roles, desk.ledger, "role")
    return Audience(role=text)
