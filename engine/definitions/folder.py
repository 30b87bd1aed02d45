"""A folder's files read together: what each path is, which names they declare, and every definition in them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from engine.definitions.calendar import WEEKDAYS_ONLY, Calendars
from engine.definitions.calendar_reading import read_calendars
from engine.definitions.catalog import Catalog, Metric
from engine.definitions.catalog_parts import groups_of, merged
from engine.definitions.catalog_reading import answer_metric, empty_catalog, read_catalog
from engine.definitions.connection import Connection
from engine.definitions.connection_reading import read_connections
from engine.definitions.contact_policy import USUAL_POLICY, ContactPolicy
from engine.definitions.contact_policy_reading import read_contact_policy
from engine.definitions.feature import ValueType
from engine.definitions.message import Message
from engine.definitions.message_reading import read_messages
from engine.definitions.playbook import Playbook
from engine.definitions.playbook_reading import read_playbook
from engine.definitions.problem import Place, Problem
from engine.definitions.reading import Ledger, known
from engine.definitions.report import Report
from engine.definitions.report_reading import read_report
from engine.definitions.rolled_up import is_of_accounts, rolled_up_metric
from engine.definitions.rule import Rule
from engine.definitions.rule_reading import read_rule
from engine.definitions.scope import Outline, account_scope
from engine.definitions.scorecard import Scorecard
from engine.definitions.scorecard_reading import read_scorecard
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode, read_source

CATALOG: Final = "rules/catalog.yaml"
CALENDARS: Final = "rules/calendars.yaml"
CONNECTIONS: Final = "rules/connections.yaml"
CONTACT: Final = "rules/contact.yaml"
ALONE: Final = frozenset({CATALOG, CALENDARS, CONNECTIONS, CONTACT})
"""Files there is one of."""
MAX_RULES: Final = 500

Definition = TypeVar("Definition", Rule, Scorecard, Playbook, Report)
_MESSAGE: Final = re.compile(r"playbooks/messages/([^/]+)/([^/.]+)(?:\.([^/]*))?\.md")
_KINDS: Final = (
    ("catalog part", re.compile(r"rules/catalog/[^/]+\.yaml")),
    ("scorecard", re.compile(r"rules/scorecards/.+\.yaml")),
    ("rule", re.compile(r"rules/.+\.yaml")),
    ("report", re.compile(r"playbooks/reports/.+\.yaml")),
    ("playbook", re.compile(r"playbooks/[^/]+\.yaml")),
)


@dataclass(slots=True)
class Folder:
    """All definitions of a folder, as far as they could be read, with the problems and notes found on the way."""

    catalog: Catalog = field(default_factory=lambda: empty_catalog(CATALOG))
    calendars: Calendars = WEEKDAYS_ONLY
    contact_policy: ContactPolicy = USUAL_POLICY
    connections: dict[str, Connection] = field(default_factory=dict)
    scorecards: dict[str, Scorecard] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    playbooks: dict[str, Playbook] = field(default_factory=dict)
    messages: dict[tuple[str, str], Message] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def ledger(self, letter: str) -> Ledger:
        """Where readers of one kind of file write what they find."""
        return Ledger(letter, self.problems, self.notes)


def read_folder(texts: Mapping[str, str]) -> Folder:
    """Read every file; a file that cannot be read at all is left out, and its problem says so."""
    folder = Folder()
    nodes = _nodes(texts, folder)
    if CALENDARS in nodes:
        folder.calendars = read_calendars(nodes[CALENDARS], folder.ledger("K"))
    if CONNECTIONS in nodes:
        folder.connections = read_connections(nodes[CONNECTIONS], folder.ledger("N"))
    parts = dict(_of(nodes, "catalog part"))
    if CATALOG in nodes:
        whole = merged(nodes[CATALOG], parts, folder.ledger("C"))
        folder.catalog = replace(read_catalog(whole, folder.ledger("C"), _added(nodes)), groups=groups_of(parts))
    elif CATALOG not in texts:
        folder.ledger("B").problem(Place(CATALOG), 5, "there is no catalog", "backcast init lays one down")
    lost = [path for path in texts if (path == CATALOG or _kind(path) == "catalog part") and path not in nodes]
    if not lost and CONTACT in nodes:
        folder.contact_policy = read_contact_policy(nodes[CONTACT], folder.catalog, folder.ledger("T"))
    if not lost:  # against a catalog that cannot be read, every name would be wrong
        _read_definitions(texts, nodes, folder)
    return folder


def _nodes(texts: Mapping[str, str], folder: Folder) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for path in sorted(texts):
        if path in ALONE or _kind(path):
            node = read_source(path, texts[path], folder.problems)
            if node is not None:
                found[path] = node
        elif not _MESSAGE.fullmatch(path):
            _stray(path, folder)
    return found


def _stray(path: str, folder: Folder) -> None:
    if path.endswith(".yml"):
        folder.ledger("B").problem(Place(path), 6, "this file is not read: its name ends in .yml", "rename it to .yaml")
    elif path.endswith((".yaml", ".md")) and not path.lower().endswith("readme.md"):
        hint = "rules are under rules/, playbooks in playbooks/, messages in playbooks/messages/<playbook>/"
        folder.ledger("B").problem(Place(path), 6, "nothing is read from this place", hint)


def _kind(path: str) -> str:
    if path in ALONE:
        return ""
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(path)), "")


def _of(nodes: Mapping[str, Node], kind: str) -> Iterable[tuple[str, Node]]:
    return ((path, node) for path, node in nodes.items() if _kind(path) == kind)


def _named(node: Node, key: str) -> ScalarNode | None:
    found = node.get(key) if isinstance(node, MapNode) else None
    return found if isinstance(found, ScalarNode) else None


def _names(texts: Mapping[str, str], nodes: Mapping[str, Node], kind: str) -> tuple[str, ...]:
    """The names files declare; of a file that cannot be read, what looks like its name, so that it is not missed."""
    lost = [text for path, text in texts.items() if path not in nodes and _kind(path) == kind]
    guessed = [found for text in lost for found in re.findall(rf"^{kind}: *([a-z0-9_-]+) *$", text, re.MULTILINE)]
    return (*(found.text for _, node in _of(nodes, kind) if (found := _named(node, kind))), *guessed)


def _added(nodes: Mapping[str, Node]) -> dict[str, Metric]:
    """The metrics that playbooks and reports bring along, from the names in their files alone."""
    found: dict[str, Metric] = {}
    for _, node in _of(nodes, "playbook"):
        if playbook := _named(node, "playbook"):
            metric = _response(playbook)
            found[metric.name] = metric
    for _, node in _of(nodes, "report"):
        sections = node.get("sections") if isinstance(node, MapNode) else None
        for section in sections.items if isinstance(sections, ListNode) else ():
            question = section.get("question") if isinstance(section, MapNode) else None
            metric_name, ask = (_named(question, "metric"), _named(question, "ask")) if question else (None, None)
            if metric_name and ask:
                found[metric_name.text] = answer_metric(metric_name.text, ask.text, "say", metric_name.place)
    rolled = (rolled_up_metric(node) for _, node in _of(nodes, "scorecard"))
    return found | {metric.name: metric for metric in rolled if metric}


def _response(playbook: ScalarNode) -> Metric:
    """1 where an account's goal was met after the playbook, 0 where not; its mean over a span is a share."""
    return Metric(
        name=f"response.{playbook.text}",
        title=f"Goal met after {playbook.text}",
        source="feedback",
        evidence="do",
        type=ValueType.SHARE,
        better="higher",
        place=playbook.place,
        decimals=0,
    )


def _outline(nodes: Mapping[str, Node]) -> Outline:
    signals: dict[str, tuple[str, ...]] = {}
    for _, node in _of(nodes, "rule"):
        written = node.get("signals") if isinstance(node, MapNode) else None
        if rule := _named(node, "rule"):
            signals[rule.text] = tuple(key.text for key, _ in written.entries) if isinstance(written, MapNode) else ()
    cards: dict[str, tuple[str, ...]] = {}
    for _, node in _of(nodes, "scorecard"):
        if (card := _named(node, "scorecard")) and is_of_accounts(node):
            cards[card.text] = tuple(_scored_names(node))
    return Outline(signals, cards)


def _scored_names(node: Node) -> Iterable[str]:
    dimensions = node.get("dimensions") if isinstance(node, MapNode) else None
    for _, dimension in dimensions.entries if isinstance(dimensions, MapNode) else ():
        metrics = dimension.get("metrics") if isinstance(dimension, MapNode) else None
        yield from (key.text for key, _ in metrics.entries) if isinstance(metrics, MapNode) else ()


def _read_definitions(texts: Mapping[str, str], nodes: Mapping[str, Node], folder: Folder) -> None:
    catalog, scope = folder.catalog, account_scope(folder.catalog, _outline(nodes))
    playbooks, reports, cards = (_names(texts, nodes, kind) for kind in ("playbook", "report", "scorecard"))
    messages, variants = _messages(texts)
    for _, node in _of(nodes, "scorecard"):
        _keep(read_scorecard(node, catalog, scope, folder.ledger("S")), folder.scorecards, "scorecard", folder)
    for _, node in _of(nodes, "report"):
        _keep(read_report(node, catalog, cards, folder.ledger("D")), folder.reports, "report", folder)
    for _, node in _of(nodes, "playbook"):
        name = _named(node, "playbook")
        own = [message for playbook, message in messages if name and playbook == name.text]
        more = folder.connections, playbooks
        read = read_playbook(node, catalog, scope, own, reports, folder.ledger("P"), *more)
        _keep(read, folder.playbooks, "playbook", folder)
    for _, node in _of(nodes, "rule"):
        _keep(read_rule(node, catalog, scope, playbooks, folder.ledger("R")), folder.rules, "rule", folder)
    for (playbook, _), path in messages.items():
        known(ScalarNode(playbook, Place(path)), playbook, playbooks, folder.ledger("B"), "playbook")
    folder.messages.update(read_messages(messages, variants, texts, catalog, folder.ledger("M")))


def _messages(texts: Mapping[str, str]) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str, str], str]]:
    """The messages by playbook and name, and their variants by language as well: where each stands."""
    found = [(path, match) for path in sorted(texts) if (match := _MESSAGE.fullmatch(path))]
    plain = {(match[1], match[2]): path for path, match in found if match[3] is None}
    return plain, {(match[1], match[2], match[3]): path for path, match in found if match[3] is not None}


def _keep(definition: Definition, kept: dict[str, Definition], what: str, folder: Folder) -> None:
    if definition.name in kept:
        message = f'there are two {what}s called "{definition.name}"'
        folder.ledger("B").problem(definition.place, 2, message, f"the other stands in {kept[definition.name].place}")
    elif definition.name:
        kept[definition.name] = definition
