"""The catalog in parts: ``rules/catalog/<group>.yaml`` beside ``rules/catalog.yaml``, read as if they were one file.

A part declares metrics, events, features, goals, questions and fields of accounts, each name once in all of them.
What there is one of for everybody (north star, roles, stages, seniority, segments) stays in ``rules/catalog.yaml``.
"""

from collections.abc import Mapping
from typing import Final

from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger
from engine.definitions.source import MapNode, Node, ScalarNode

SECTIONS: Final = ("metrics", "events", "features", "goals", "questions", "account_fields")


def merged(main: Node, parts: Mapping[str, Node], ledger: Ledger) -> Node:
    """The catalog's node with the sections of all parts; a name that is declared twice is a problem (C032)."""
    if not isinstance(main, MapNode):
        return main
    sections = {name: list(_entries(main, name)) for name in SECTIONS}
    for _, part in sorted(parts.items()):
        for name, entries in _read_part(part, ledger).items():
            first = {key.text: key for key, _ in sections[name]}
            for key, value in entries:
                if key.text in first:
                    message = f'"{key.text}" stands in the {name.replace("_", " ")} of the catalog twice'
                    ledger.problem(key, 32, message, f"the other stands in {first[key.text].place}")
                else:
                    sections[name].append((key, value))
    rest = [(key, value) for key, value in main.entries if key.text not in SECTIONS or not _is_map(value)]
    joined = [(_key(main, name), MapNode(tuple(found), main.place)) for name, found in sections.items() if found]
    return MapNode((*rest, *joined), main.place)


def groups_of(parts: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """The metrics of each part by the part's title, in the order of the files."""
    found: dict[str, tuple[str, ...]] = {}
    for _, part in sorted(parts.items()):
        title = part.get("title") if isinstance(part, MapNode) else None
        if isinstance(title, ScalarNode):
            names = tuple(key.text for key, _ in _entries(part, "metrics"))
            found[title.text] = (*found.get(title.text, ()), *names)
    return found


def _read_part(part: Node, ledger: Ledger) -> dict[str, tuple[tuple[ScalarNode, Node], ...]]:
    fields = Fields(part, ledger, "a part of the catalog")
    version = fields.need("format")
    if version is not None and not (isinstance(version, ScalarNode) and version.text == "1"):
        ledger.problem(version, 8, "this version reads format 1 only", "write format: 1")
    fields.text("title")
    fields.text("about", "")
    found = {name: fields.entries(name) for name in SECTIONS}
    fields.close()
    return found


def _entries(node: Node, name: str) -> tuple[tuple[ScalarNode, Node], ...]:
    section = node.get(name) if isinstance(node, MapNode) else None
    return section.entries if isinstance(section, MapNode) else ()


def _is_map(node: Node) -> bool:
    return isinstance(node, MapNode) or (isinstance(node, ScalarNode) and node.is_empty)


def _key(main: MapNode, name: str) -> ScalarNode:
    return next((key for key, _ in main.entries if key.text == name), ScalarNode(name, main.place))
