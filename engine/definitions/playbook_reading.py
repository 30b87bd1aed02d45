"""Reading playbooks (codes P)."""

from collections.abc import Collection
from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.fields import Fields
from engine.definitions.playbook import (
    Category,
    Playbook,
)
from engine.definitions.reading import Ledger, word
from engine.definitions.scope import Scope
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.definitions.step_parts import Desk
from engine.definitions.step_reading import read_steps

MAX_STEPS: Final = 200
EXITS: Final[tuple[Choice["goal_met", "signal_cleared"], ...]] = ("goal_met", "signal_cleared")
OPEN_TASKS: Final[tuple[Choice["cancel", "keep"], ...]] = ("cancel", "keep")


def read_playbook(
    node: Node, catalog: Catalog, scope: Scope, messages: Collection[str], reports: Collection[str], ledger: Ledger
) -> Playbook:
    """Read one playbook. ``scope``: what its conditions on the account may name; ``messages`` are its own."""
    fields = Fields(node, ledger, "a playbook")
    read_format(fields)
    desk = Desk(catalog, scope, messages, reports, ledger, reserved=frozenset(_explicit_ids(node)))
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
    )
    if on_exit:
        on_exit.close()
    fields.close()
    if desk.count > MAX_STEPS:
        message = f"a playbook has at most {MAX_STEPS} steps, this one has {desk.count}"
        ledger.problem(playbook.place, 12, message, "split it into two")
    return playbook


def _explicit_ids(node: Node) -> list[str]:
    if isinstance(node, ListNode):
        return [found for item in node.items for found in _explicit_ids(item)]
    if not isinstance(node, MapNode):
        return []
    own = [value.text for key, value in node.entries if key.text == "id" and isinstance(value, ScalarNode)]
    return own + [found for _, value in node.entries for found in _explicit_ids(value)]
