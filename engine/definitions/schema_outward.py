"""The JSON Schemas of what holds for everything that goes out: connections and the contact policy."""

from engine.definitions.connection_reading import CONNECTION_KINDS
from engine.definitions.contact_policy_reading import DAYS, NONE, OWNER_CHANGES, PRIORITIES, WINDOWS
from engine.definitions.schema_kit import (
    COUNT,
    FORMAT,
    HOURS,
    LENGTH,
    NAME,
    TEXT,
    TRUTH,
    Schema,
    document,
    either,
    lists,
    mapping,
    names,
    told,
    words,
)


def connections() -> Schema:
    """``rules/connections.yaml``."""
    connection = mapping(
        ("kind", "url"),
        kind=words(CONNECTION_KINDS),
        url=told(TEXT, "https://…, or env:NAME where the address is a secret itself"),
        secret=told(
            {"type": "string", "pattern": "^env:[A-Z][A-Z0-9_]*$"}, "env:NAME of the key calls are signed with"
        ),
        internal=told(TRUTH, "the address is one inside; the operator must allow it too"),
        retries=COUNT,
    )
    return document(
        "rules/connections.yaml", mapping(("format", "connections"), format=FORMAT, connections=names(connection))
    )


def contact_policy() -> Schema:
    """``rules/contact.yaml``."""
    quiet = either(LENGTH, words((NONE,)))
    return document(
        "rules/contact.yaml",
        mapping(
            ("format",),
            format=FORMAT,
            per_day=told(COUNT, "messages to one person, over all playbooks"),
            per_week=told(COUNT, "in seven days"),
            priorities=told(lists(words(PRIORITIES)), "the most important first"),
            quiet=mapping(
                after_conversation=quiet,
                conversations=told(lists(NAME), "events that are a conversation with a person"),
                after_survey=quiet,
                surveys=lists(NAME),
                in_escalation=TRUTH,
                escalation=mapping(opened=lists(NAME), closed=lists(NAME), at_most=quiet),
            ),
            window=told(either(words(WINDOWS), HOURS), "the recipient's working hours, any time, or 08:00-18:00"),
            days=words(DAYS),
            spread_minutes=COUNT,
            max_reschedules=COUNT,
            owner_change=told(words(OWNER_CHANGES), "what of its open work goes to an account's new owner"),
        ),
    )
