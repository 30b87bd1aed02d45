"""All definitions in force, checked together, with the fingerprint that names them."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.definitions.catalog import Catalog
from engine.definitions.message import Message
from engine.definitions.playbook import Playbook
from engine.definitions.problem import Problem
from engine.definitions.report import Report
from engine.definitions.rule import Rule
from engine.definitions.scorecard import Scorecard


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything the engine works with. ``texts`` (path → text) is what the fingerprint is the SHA-256 of."""

    catalog: Catalog
    scorecards: Mapping[str, Scorecard]
    rules: Mapping[str, Rule]
    playbooks: Mapping[str, Playbook]
    messages: Mapping[tuple[str, str], Message]
    reports: Mapping[str, Report]
    texts: Mapping[str, str]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a folder's files gave: a bundle if there was no problem, and notes that are not problems."""

    bundle: Bundle | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def read(texts: Mapping[str, str]) -> Checked:
    """Read and check all files (relative path → text) together; report every problem of every file."""
    raise NotImplementedError
