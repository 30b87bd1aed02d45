"""All definitions in force, checked together, with the fingerprint that names them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.definitions.between import check_between
from engine.definitions.calendar import WEEKDAYS_ONLY, Calendars
from engine.definitions.catalog import Catalog
from engine.definitions.connection import Connection
from engine.definitions.contact_policy import USUAL_POLICY, ContactPolicy
from engine.definitions.folder import read_folder
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
    calendars: Calendars = WEEKDAYS_ONLY
    contact_policy: ContactPolicy = USUAL_POLICY
    connections: Mapping[str, Connection] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking a folder's files gave: a bundle if there was no problem, and notes that are not problems."""

    bundle: Bundle | None
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def read(texts: Mapping[str, str]) -> Checked:
    """Read and check all files (relative POSIX path → text) together; report every problem of every file."""
    folder = read_folder(texts)
    check_between(folder)
    problems, notes = _heard(folder.problems), tuple(sorted(set(folder.notes)))
    if problems:
        return Checked(None, problems, notes)
    bundle = Bundle(
        catalog=folder.catalog,
        scorecards=folder.scorecards,
        rules=folder.rules,
        playbooks=folder.playbooks,
        messages=folder.messages,
        reports=folder.reports,
        texts=dict(texts),
        fingerprint=fingerprint_of(texts),
        calendars=folder.calendars,
        contact_policy=folder.contact_policy,
        connections=folder.connections,
    )
    return Checked(bundle, (), notes)


def _heard(found: Iterable[Problem]) -> tuple[Problem, ...]:
    """The problems in file order; where the YAML itself is refused, nothing more is said about what stands there."""
    problems = sorted(set(found))
    refused = {problem.place for problem in problems if problem.code.startswith("Y")}
    return tuple(each for each in problems if each.code.startswith("Y") or each.place not in refused)


def fingerprint_of(texts: Mapping[str, str]) -> str:
    """The SHA-256 (hex) of all files: the same for the same paths and texts in any order."""
    digest = hashlib.sha256()
    for path in sorted(texts):
        for part in (path.encode(), texts[path].encode("utf-8", "surrogatepass")):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
