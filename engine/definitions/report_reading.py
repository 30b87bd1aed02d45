"""Reading customer reports (codes D)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal as Choice

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format, read_scale
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, items, known, listed, suggest, texts_of
from engine.definitions.report import (
    AdoptionSection,
    DoneSection,
    GoalsSection,
    HealthSection,
    NextStepsSection,
    QuestionSection,
    Report,
    Section,
)
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.definitions.template_checking import check_inline

HEALTH: Final[tuple[Choice["wording", "score", "none"], ...]] = ("wording", "score", "none")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the sections of one report may show."""

    allow: tuple[str, ...]
    catalog: Catalog
    scorecards: Collection[str]


def read_report(node: Node, catalog: Catalog, scorecards: Collection[str], ledger: Ledger) -> Report:
    """Read one report. ``scorecards``: the names a health section may use."""
    fields = Fields(node, ledger, "a report")
    read_format(fields)
    title, at = fields.text("title"), fields.find("title")
    if at and title:
        check_inline(title, at.place, catalog, ledger)
    allow = fields.texts("allow", required=True)
    for metric in allow:
        _may_be_seen(metric, catalog, ledger)
    written = fields.need("sections")
    shelf = Shelf(texts_of(allow), catalog, scorecards)
    parts = items(written, ledger, '"sections"') if written else ()
    sections = [section for part in parts if (section := _section(part, shelf, ledger))]
    if isinstance(written, ListNode) and not written.items:
        ledger.problem(written, 10, "a report needs at least one section")
    report = Report(fields.name("report"), title, texts_of(allow), tuple(sections), fields.key_place("report"))
    fields.close()
    return report


def _may_be_seen(node: ScalarNode, catalog: Catalog, ledger: Ledger) -> None:
    if known(node, node.text, catalog.metrics, ledger, "metric") and not catalog.metrics[node.text].customer_may_see:
        hint = "set customer_may_see: true on it in rules/catalog.yaml, if that is what you want"
        ledger.problem(node, 11, f'the customer may not see "{node.text}"', hint)


def _section(node: Node, shelf: Shelf, ledger: Ledger) -> Section | None:
    if not isinstance(node, MapNode) or len(node.entries) != 1:
        ledger.problem(node, 12, "a section is one kind with its details", f"kinds: {listed(KINDS)}")
        return None
    key, value = node.entries[0]
    if key.text not in KINDS:
        ledger.problem(
            key, 4, f'unknown kind of section "{key.text}"', suggest(key.text, KINDS) or f"kinds: {listed(KINDS)}"
        )
        return None
    fields = Fields(value, ledger, f'a section "{key.text}"')
    section = KINDS[key.text](fields, shelf)
    fields.close()
    return section


def _goals(fields: Fields, shelf: Shelf) -> Section:
    show = fields.texts("show", required=True)
    for node in show:
        if known(node, node.text, shelf.catalog.goals, fields.ledger, "goal"):
            metric = shelf.catalog.goals[node.text].metric
            if metric in shelf.catalog.metrics:  # otherwise the goal itself has a problem
                _allowed(node, metric, shelf.allow, fields.ledger)
    return GoalsSection(texts_of(show))


def _adoption(fields: Fields, shelf: Shelf) -> Section:
    show = fields.texts("show", required=True)
    for node in show:
        _allowed(node, node.text, shelf.allow, fields.ledger)
    return AdoptionSection(texts_of(show), fields.days("trend", 90))


def _allowed(node: ScalarNode, metric: str, allow: tuple[str, ...], ledger: Ledger) -> None:
    if metric not in allow:
        hint = suggest(metric, allow) or 'add it to "allow"'
        ledger.problem(node, 13, f'"{metric}" is not in the allow list of this report', hint)


def _health(fields: Fields, shelf: Shelf) -> Section:
    node, text = fields.need("scorecard"), ""
    if isinstance(node, ScalarNode):
        text = node.text
        known(node, text, shelf.scorecards, fields.ledger, "scorecard")
    return HealthSection(text, fields.word("show", HEALTH, "wording"))


def _done(_: Fields, __: Shelf) -> Section:
    return DoneSection()


def _next_steps(fields: Fields, _: Shelf) -> Section:
    return NextStepsSection(fields.truth("ask_owner", default=True))


def _question(fields: Fields, _: Shelf) -> Section:
    low, high = read_scale(fields)
    return QuestionSection(fields.text("ask"), low, high, fields.name("metric"))


KINDS: Final[Mapping[str, Callable[[Fields, Shelf], Section]]] = {
    "goals": _goals,
    "adoption": _adoption,
    "health": _health,
    "what_we_did": _done,
    "next_steps": _next_steps,
    "question": _question,
}
