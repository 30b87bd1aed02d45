"""Reading playbooks (codes P)."""

from collections.abc import Collection, Mapping
from typing import Final, Literal as Choice, TypeAlias, get_args

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.connection import Connection
from engine.definitions.contact_policy_reading import PRIORITIES
from engine.definitions.fields import Fields
from engine.definitions.playbook import Category, Playbook, ReEntry, WaitStep, walk
from engine.definitions.reading import Ledger, known, texts_of, word
from engine.definitions.scope import Scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.definitions.step_parts import Desk
from engine.definitions.step_reading import read_steps

Exit: TypeAlias = Choice["goal_met", "signal_cleared", "unsubscribed"]
OpenTasks: TypeAlias = Choice["cancel", "keep", "hand_over"]

MAX_STEPS: Final = 200
LONGEST_RUN: Final = 730
EXITS: Final[tuple[Exit, ...]] = get_args(Exit)
OPEN_TASKS: Final[tuple[OpenTasks, ...]] = get_args(OpenTasks)
RE_ENTRY: Final = ("each_match", "never")


def read_playbook(
    node: Node,
    catalog: Catalog,
    scope: Scope,
    messages: Collection[str],
    reports: Collection[str],
    ledger: Ledger,
    connections: Mapping[str, Connection] | None = None,
    playbooks: Collection[str] = (),
) -> Playbook:
    """Read one playbook. ``scope``: what its conditions on the account may name; ``messages`` are its own."""
    fields = Fields(node, ledger, "a playbook")
    read_format(fields)
    reserved = frozenset(_explicit_ids(node))
    desk = Desk(catalog, scope, messages, reports, ledger, connections or {}, reserved=reserved)
    written, on_exit = fields.need("steps"), fields.fields("on_exit")
    exits = tuple(word(item, EXITS, ledger, '"exit"') for item in fields.texts("exit"))
    playbook = Playbook(
        name=fields.name("playbook"),
        title=fields.text("title"),
        category=fields.word("category", get_args(Category)),
        steps=read_steps(written, desk, "a playbook") if written else (),
        place=fields.key_place("playbook"),
        exit=exits,
        open_tasks=on_exit.word("open_tasks", OPEN_TASKS, "cancel") if on_exit else "cancel",
        superseded_by=_successors(fields, playbooks),
        max_duration=fields.days("max_duration", LONGEST_RUN),
        re_entry=_re_entry(fields),
        priority=fields.word("priority", PRIORITIES, "education"),
    )
    if on_exit:
        on_exit.close()
    fields.close()
    if desk.count > MAX_STEPS:
        message = f"a playbook has at most {MAX_STEPS} steps, this one has {desk.count}"
        ledger.problem(playbook.place, 12, message, "split it into two")
    _note_long_waits(playbook, ledger)
    return playbook


def _note_long_waits(playbook: Playbook, ledger: Ledger) -> None:
    """A run does not outlive its longest time, whatever it waits for."""
    for step in walk(playbook.steps):
        if isinstance(step, WaitStep) and not step.at_most.working and step.at_most.days > playbook.max_duration:
            what = f"a run of this playbook ends after {playbook.max_duration} days, and this may wait for longer"
            ledger.note(step.place, 50, f"{what}: raise max_duration, or lower at_most")


def _successors(fields: Fields, playbooks: Collection[str]) -> tuple[str, ...]:
    found = fields.texts("superseded_by")
    for node in found:
        known(node, node.text, playbooks, fields.ledger, "playbook")
    return texts_of(found)


def _re_entry(fields: Fields) -> ReEntry:
    """``each_match``, ``never``, or at most so many runs, per so many days, with a gap between them."""
    node = fields.find("re_entry")
    if node is None:
        return ReEntry()
    if isinstance(node, ScalarNode):
        return ReEntry(at_most=1) if word(node, RE_ENTRY, fields.ledger, '"re_entry"') == "never" else ReEntry()
    inner = Fields(node, fields.ledger, '"re_entry"')
    most = inner.whole("at_most", 1, 1, 1000) if inner.find("at_most") else None
    per = inner.days("per", 1) if inner.find("per") else None
    found = ReEntry(most, per, inner.days("min_gap", 0))
    inner.close()
    if per and not most:
        message = '"per" says in which time "at_most" runs may start, and that is missing'
        fields.ledger.problem(inner.key_place("per"), 22, message, "write re_entry: {at_most: 2, per: 365d}")
    elif isinstance(node, MapNode) and not node.entries:
        fields.ledger.problem(node, 22, '"re_entry" says nothing', "write re_entry: {at_most: 2, per: 365d}")
    return found


def _explicit_ids(node: Node) -> list[str]:
    if isinstance(node, ListNode):
        return [found for item in node.items for found in _explicit_ids(item)]
    if not isinstance(node, MapNode):
        return []
    own = [value.text for key, value in node.entries if key.text == "id" and isinstance(value, ScalarNode)]
    return own + [found for _, value in node.entries for found in _explicit_ids(value)]
