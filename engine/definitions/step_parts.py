"""What the readers of all steps share: the desk they work at, ids, times, people and audiences (codes P)."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.definitions.catalog import Catalog
from engine.definitions.connection import Connection
from engine.definitions.fields import Fields
from engine.definitions.playbook import Audience, Escalation, Span
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, known, length, listed, name, scalar, suggest, texts_of
from engine.definitions.scope import Scope
from engine.definitions.source import MapNode, Node, ScalarNode
from engine.definitions.template_checking import check_inline

PEOPLE: Final = ("owner", "manager")
"""Words for members that every account has."""
_ADDRESS: Final = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


@dataclass(slots=True)
class Desk:
    """What the reader of one playbook needs at hand, and the step ids given so far."""

    catalog: Catalog
    scope: Scope
    messages: Collection[str]
    reports: Collection[str]
    ledger: Ledger
    connections: Mapping[str, Connection] = field(default_factory=dict)
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
    return span_of(node, fields.ledger, f'"{key}"')


def span_of(node: Node, ledger: Ledger, what: str) -> Span:
    """A length of time."""
    found = length(node, ledger, what)
    return Span(found.days, found.working)


def template(fields: Fields, key: str, desk: Desk) -> str:
    """A text with variables, checked."""
    text, node = fields.text(key), fields.find(key)
    if node and text:
        check_inline(text, node.place, desk.catalog, desk.ledger)
    return text


def members(fields: Fields, key: str, desk: Desk, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Whom to ask, in this order: owner, manager, a role of members, an e-mail address, or one of ``more``."""
    found = fields.texts(key, required=True)
    for node in found:
        _member(node, desk, tuple(more))
    if key in fields and not found and not _is_refused(fields.find(key)):
        fields.ledger.problem(fields.key_place(key), 11, f'"{key}" names nobody', f"write {key}: owner")
    return texts_of(found)


def _is_refused(node: Node | None) -> bool:
    """Whether it has been said already that this is no list."""
    return isinstance(node, MapNode) or (isinstance(node, ScalarNode) and node.is_empty)


def _member(node: ScalarNode, desk: Desk, more: tuple[str, ...]) -> None:
    options = (*PEOPLE, *desk.catalog.member_roles, *more)
    if node.text in options or _ADDRESS.fullmatch(node.text):
        return
    hint = suggest(node.text, options) or f"write {listed((*options, 'an e-mail address'))}"
    what = "a member or a chat" if more else "a member"
    desk.ledger.problem(node, 14, f'"{node.text[:60]}" is not {what}', hint)


def escalation(fields: Fields, desk: Desk) -> Escalation | None:
    """``escalate: {after: 2 working days, to: manager}``."""
    inner = fields.fields("escalate")
    if inner is None:
        return None
    after, node = span(inner, "after", required=True) or Span(1.0), inner.find("to")
    to = "manager" if node is None else scalar(node, desk.ledger, '"to"') or ""
    if isinstance(node, ScalarNode) and to:
        _member(node, desk, ())
    inner.close()
    return Escalation(after, to)


def codes(fields: Fields, key: str, what: str) -> tuple[str, ...]:
    """Names the author made up for what can be chosen."""
    found = fields.texts(key)
    for node in found:
        name(node, fields.ledger, what)
    return texts_of(found)


def audience(fields: Fields, desk: Desk, key: str = "to", *, required: bool = True) -> Audience | None:
    """Who a message goes to."""
    node = fields.need(key) if required else fields.find(key)
    if node is None:
        return None
    if isinstance(node, MapNode):
        inner = Fields(node, desk.ledger, f'"{key}"')
        role = inner.need("role")
        text = scalar(role, desk.ledger, '"role"') or "" if role else ""
        if role and text:
            known(role, text, desk.catalog.roles, desk.ledger, "role")
        found = Audience(role=text, idle_for=inner.days("idle_for", 0))
        inner.close()
        return found
    text = scalar(node, desk.ledger, f'"{key}"') or ""
    if text.startswith("signal."):
        return Audience(signal=text.removeprefix("signal."))
    if text == "respondent":
        return Audience(respondent=True)
    if text:
        known(node, text, desk.catalog.roles, desk.ledger, "role")
    return Audience(role=text)
