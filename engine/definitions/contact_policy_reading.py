"""Reading rules/contact.yaml (codes T): caps, priorities, quiet times, and the window in which messages go."""

from typing import Final, Literal as Choice, get_args

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.contact_policy import USUAL_POLICY, ContactPolicy, OwnerChange, Priority
from engine.definitions.fields import Fields
from engine.definitions.playbook import Span
from engine.definitions.quantities import parse_hours
from engine.definitions.reading import Ledger, known, listed, texts_of, word
from engine.definitions.source import MapNode, Node, ScalarNode
from engine.definitions.step_parts import span_of

PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
OWNER_CHANGES: Final[tuple[OwnerChange, ...]] = ("none", "engine_tasks", "all")
DAYS: Final[tuple[Choice["working", "every"], ...]] = ("working", "every")
WINDOWS: Final = ("calendar", "always")
NONE: Final = "none"
_USUAL: Final = USUAL_POLICY


def read_contact_policy(node: Node, catalog: Catalog, ledger: Ledger) -> ContactPolicy:
    """Read the contact policy. What is left out is as usual; events must be those of the catalog."""
    fields = Fields(node, ledger, "the contact policy")
    read_format(fields)
    quiet = Fields(fields.find("quiet") or _nothing(fields), ledger, '"quiet"')
    escalation = Fields(quiet.find("escalation") or _nothing(fields), ledger, '"escalation"')
    window, is_always = _window(fields)
    found = ContactPolicy(
        per_day=fields.whole("per_day", _USUAL.per_day, 1, 100),
        per_week=fields.whole("per_week", _USUAL.per_week, 1, 500),
        priorities=_priorities(fields),
        quiet_after_conversation=_quiet(quiet, "after_conversation", _USUAL.quiet_after_conversation),
        conversation_events=_events(quiet, "conversations", _USUAL.conversation_events, catalog),
        quiet_after_survey=_quiet(quiet, "after_survey", _USUAL.quiet_after_survey),
        survey_events=_events(quiet, "surveys", _USUAL.survey_events, catalog),
        quiet_in_escalation=quiet.truth("in_escalation", default=True),
        escalation_opened=_events(escalation, "opened", _USUAL.escalation_opened, catalog),
        escalation_closed=_events(escalation, "closed", _USUAL.escalation_closed, catalog),
        escalation_lasts=_quiet(escalation, "at_most", _USUAL.escalation_lasts) or _USUAL.escalation_lasts,
        window=window,
        window_days=fields.word("days", DAYS, "working"),
        is_open_always=is_always,
        spread_minutes=fields.whole("spread_minutes", _USUAL.spread_minutes, 0, 240),
        max_reschedules=fields.whole("max_reschedules", _USUAL.max_reschedules, 1, 1000),
        owner_change=fields.word("owner_change", OWNER_CHANGES, "engine_tasks"),
        place=fields.place,
    )
    for inner in (escalation, quiet, fields):
        inner.close()
    if found.per_day > found.per_week:
        message = f"{found.per_day} messages a day are more than {found.per_week} in seven days"
        ledger.problem(fields.key_place("per_day"), 11, message, "the smaller number always wins: make them agree")
    return found


def _nothing(fields: Fields) -> Node:
    return MapNode((), fields.place)


def _priorities(fields: Fields) -> tuple[Priority, ...]:
    found = tuple(word(node, PRIORITIES, fields.ledger, '"priorities"') for node in fields.texts("priorities"))
    return found or _USUAL.priorities


def _quiet(fields: Fields, key: str, usual: Span | None) -> Span | None:
    """A length of time, or ``none``."""
    node = fields.find(key)
    if node is None:
        return usual
    if isinstance(node, ScalarNode) and node.text == NONE:
        return None
    return span_of(node, fields.ledger, f'"{key}"')


def _events(fields: Fields, key: str, usual: tuple[str, ...], catalog: Catalog) -> tuple[str, ...]:
    found = fields.texts(key)
    for node in found:
        known(node, node.text, catalog.events, fields.ledger, "event")
    return texts_of(found) if key in fields else usual


def _window(fields: Fields) -> tuple[tuple[int, int] | None, bool]:
    """``calendar``, ``always``, or hours of the day; and whether it is ``always``."""
    text, node = fields.text("window", "calendar"), fields.find("window")
    hours = None if text in WINDOWS else parse_hours(text)
    if node is not None and text and text not in WINDOWS and hours is None:
        begins, _, ends = text.partition("-")
        if begins.strip() == ends.strip():
            said, hint = "nothing would ever go out: this window has no time in it", "write 08:00-18:00, or always"
        else:
            said = f'"window" must be {listed(WINDOWS)}, or hours from morning to evening, not "{text[:60]}"'
            hint = "write 08:00-18:00"
        fields.ledger.problem(node, 10, said, hint)
    return hours, text == "always"
