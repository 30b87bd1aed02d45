"""JSON Schemas and readers say the same: what is shipped fits both, and a key that one does not know fits neither.

The readers are code, so the schemas are a second place. These tests hold the two together: a reader that asks for a key
the schema does not list, or a schema that lists one nobody asks for, fails here.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from engine.definitions import bundle as reading, fields as fields_module
from engine.definitions.fields import Fields
from engine.definitions.folder import CALENDARS, CATALOG, CONNECTIONS, CONTACT, _kind
from engine.definitions.schema import FILES, schemas, texts
from engine.definitions.source import ListNode, MapNode, Node

ROOT = Path(__file__).parents[3]
WORKSPACES = {"shipped": ROOT, "authoring": ROOT / "tests/starter/authoring", "every-key": ROOT / "tests/every_key"}
KINDS = {"a rule": "rule", "a scorecard": "scorecard", "a playbook": "playbook", "a report": "report"}
KINDS |= {"the catalog": "catalog", "a part of the catalog": "catalog-part", "the calendars": "calendars"}
KINDS |= {"the connections": "connections", "the contact policy": "contact"}
ALONE = {CATALOG: "catalog", CALENDARS: "calendars", CONNECTIONS: "connections", CONTACT: "contact"}


def texts_of(workspace: Path) -> dict[str, str]:
    paths = (path for folder in ("rules", "playbooks") for path in (workspace / folder).rglob("*"))
    return {
        path.relative_to(workspace).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if path.suffix in {".yaml", ".md"}
    }


def kind_of(path: str) -> str:
    return ALONE.get(path) or _kind(path).replace(" ", "-")


def plain(text: str) -> Any:
    """YAML as an editor hands it to a schema: dates are texts."""
    yaml = YAML(typ="safe", pure=True)
    return json.loads(json.dumps(yaml.load(text), default=str))


def documents() -> Iterator[tuple[str, str]]:
    for workspace in WORKSPACES.values():
        yield from ((path, text) for path, text in texts_of(workspace).items() if kind_of(path))


@pytest.mark.parametrize("kind", schemas())
def test_every_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(schemas()[kind])


@pytest.mark.parametrize(("path", "text"), [*documents()], ids=[path for path, _ in documents()])
def test_what_checks_fits_its_schema(path: str, text: str) -> None:
    """S2-06: the schema asks for challenge, actions and signals, as the reader does."""
    errors = [*Draft202012Validator(schemas()[kind_of(path)]).iter_errors(plain(text))]
    assert [(list(error.absolute_path), error.message) for error in errors] == []


def test_the_workspace_that_uses_every_key_checks() -> None:
    checked = reading.read(texts_of(WORKSPACES["every-key"]))
    assert checked.problems == ()


@pytest.fixture(scope="module")
def asked() -> dict[tuple[str, ...], set[str]]:
    """Path inside a file (its kind first, ``[]`` for an entry of a list) → the keys the readers asked for there."""
    found: dict[tuple[str, ...], set[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        made: list[Fields] = []
        patch.setattr(fields_module, "Fields", Fields)
        patch.setattr(Fields, "__init__", _recording(Fields.__init__, made))
        for workspace in WORKSPACES.values():
            made.clear()
            reading.read(texts_of(workspace))
            places: dict[int, tuple[str, ...]] = {}
            for one in made:
                if one.what in KINDS:
                    _walk(one.node, (KINDS[one.what],), places)
            for one in made:
                if id(one.node) in places:
                    found.setdefault(places[id(one.node)], set()).update(one._asked)
    return found


def _recording(init: Any, made: list[Fields]) -> Any:
    def recorded(self: Fields, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named)
        made.append(self)

    return recorded


def _walk(node: Node, path: tuple[str, ...], places: dict[int, tuple[str, ...]]) -> None:
    places[id(node)] = path
    if isinstance(node, MapNode):
        for key, value in node.entries:
            _walk(value, (*path, key.text), places)
    elif isinstance(node, ListNode):
        for value in node.items:
            _walk(value, (*path, "[]"), places)


def nodes_at(path: tuple[str, ...]) -> list[tuple[int, Mapping[str, Any]]]:
    """The parts of the schema that describe a place, by identity: several where a value can have several shapes."""
    whole = SCHEMAS[path[0]]
    found = _shapes(whole, whole)
    for part in path[1:]:
        found = [inner for shape in found for step in _below(shape, part) for inner in _shapes(step, whole)]
    return [(id(shape.get("properties")), shape) for shape in found if "properties" in shape]


SCHEMAS = schemas()


def _shapes(shape: Mapping[str, Any], whole: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "$ref" in shape:
        return _shapes(whole["$defs"][shape["$ref"].removeprefix("#/$defs/")], whole)
    return [shape, *(inner for way in shape.get("anyOf", ()) for inner in _shapes(way, whole))]


def _below(shape: Mapping[str, Any], part: str) -> Iterator[Mapping[str, Any]]:
    if part == "[]":
        if "items" in shape:
            yield shape["items"]
    elif part in shape.get("properties", {}):
        yield shape["properties"][part]
    elif isinstance(shape.get("additionalProperties"), dict):
        yield shape["additionalProperties"]


def test_every_key_a_reader_asks_for_stands_in_the_schema(asked: dict[tuple[str, ...], set[str]]) -> None:
    missing = {}
    for path, keys in asked.items():
        known = {key for _, shape in nodes_at(path) for key in shape["properties"]}
        if unknown := keys - known:
            missing["/".join(path)] = sorted(unknown)
    assert missing == {}


def test_every_key_of_a_schema_is_asked_for_by_a_reader(asked: dict[tuple[str, ...], set[str]]) -> None:
    listed: dict[int, set[str]] = {}
    used: dict[int, set[str]] = {}
    for path, keys in asked.items():
        for place, shape in nodes_at(path):
            listed[place] = set(shape["properties"])
            used.setdefault(place, set()).update(keys)
    never = [sorted(listed[place] - used[place]) for place in listed if listed[place] - used[place]]
    assert never == [], "no reader asks for these, or no file under tests/every_key uses what they stand in"


@pytest.mark.parametrize("kind", ["rule", "scorecard", "playbook", "report", "catalog"])
def test_an_unknown_key_fits_neither_the_schema_nor_the_reader(kind: str) -> None:
    text = next(text for path, text in texts_of(WORKSPACES["authoring"]).items() if kind_of(path) == kind)
    path = next(path for path in texts_of(WORKSPACES["authoring"]) if kind_of(path) == kind)
    wrong = f"{text}\nplaybok: 7\n"
    assert not Draft202012Validator(SCHEMAS[kind]).is_valid(plain(wrong))
    checked = reading.read({**texts_of(WORKSPACES["authoring"]), path: wrong})
    assert any('unknown key "playbok"' in problem.message for problem in checked.problems)


def test_editors_are_told_which_schema_is_for_which_file() -> None:
    written = texts("schemas")
    mapped = json.loads(written[".vscode/settings.json"])["yaml.schemas"]
    assert set(mapped) == {f"./schemas/{kind}.json" for kind in FILES}
    assert all(path.removeprefix("./") in written for path in mapped)
    assert set(FILES) == set(SCHEMAS)
