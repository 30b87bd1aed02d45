"""The JSON Schema (2020-12) of every kind of file, and which files it is for."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.definitions.schema_data import calendars, catalog, catalog_part, scorecard
from engine.definitions.schema_kit import Schema
from engine.definitions.schema_outward import connections, contact_policy
from engine.definitions.schema_playbook import playbook, report
from engine.definitions.schema_rule import rule

KINDS: Final[Mapping[str, Callable[[], Schema]]] = {
    "catalog": catalog,
    "catalog-part": catalog_part,
    "calendars": calendars,
    "connections": connections,
    "contact": contact_policy,
    "scorecard": scorecard,
    "rule": rule,
    "report": report,
    "playbook": playbook,
}
_NO_RULES: Final = ("catalog", "calendars", "connections", "contact")
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    "catalog": ("rules/catalog.yaml",),
    "catalog-part": ("rules/catalog/*.yaml",),
    "calendars": ("rules/calendars.yaml",),
    "connections": ("rules/connections.yaml",),
    "contact": ("rules/contact.yaml",),
    "scorecard": ("rules/scorecards/**/*.yaml",),
    "rule": (
        "rules/**/*.yaml",
        "!rules/scorecards/**",
        "!rules/catalog/**",
        *(f"!rules/{name}.yaml" for name in _NO_RULES),
    ),
    "report": ("playbooks/reports/**/*.yaml",),
    "playbook": ("playbooks/*.yaml",),
}
"""Kind → the files of a workspace it is for, as editors match them (``!`` takes away)."""


def schemas() -> dict[str, Schema]:
    """Kind of file → its schema."""
    return {kind: make() for kind, make in KINDS.items()}


def texts(folder: str) -> dict[str, str]:
    """The files that make editors complete and check a workspace: path → text.

    ``folder`` (relative to the workspace) holds the schemas; ``.vscode/settings.json`` maps them to the files.
    """
    found = {f"{folder}/{kind}.json": _json(schema) for kind, schema in schemas().items()}
    mapped: dict[str, Any] = {f"./{folder}/{kind}.json": list(paths) for kind, paths in FILES.items()}
    return found | {".vscode/settings.json": _json({"yaml.schemas": mapped})}


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
