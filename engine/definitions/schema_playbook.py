"""The JSON Schemas of playbooks, reports and connections."""

from typing import Final, get_args

from engine.definitions.playbook import Category
from engine.definitions.playbook_reading import EXITS, OPEN_TASKS
from engine.definitions.report_reading import HEALTH
from engine.definitions.schema_kit import (
    CONDITION,
    FORMAT,
    LENGTH,
    NAME,
    SCALE,
    TEXT,
    TRUTH,
    Schema,
    document,
    either,
    items,
    lists,
    mapping,
    names,
    told,
    words,
)
from engine.definitions.step_reading import ON_EXPIRY

_STEPS: Final[Schema] = {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}
_MEMBER: Final = told(TEXT, "owner, or a member's e-mail address")
_TO: Final = either(
    told(TEXT, "a role, signal.<name> (the people it names), or respondent"),
    mapping(("role",), role=NAME, idle_for=LENGTH),
)
_KINDS: Final[dict[str, Schema]] = {
    "task": mapping(("title", "to"), title=TEXT, to=_MEMBER, due=LENGTH, wait_for_done=LENGTH),
    "ask": mapping(("to", "questions"), to=_MEMBER, questions=lists(NAME), due=LENGTH, wait_for_done=LENGTH),
    "email": mapping(("to", "message"), to=_TO, message=NAME),
    "campaign": mapping(("to", "every", "lessons"), to=_TO, every=LENGTH, lessons=lists(NAME), stop_when=CONDITION),
    "wait": either(LENGTH, mapping(("at_most",), until=CONDITION, at_most=LENGTH)),
    "branch": {
        **mapping(("if", "then"), if_=CONDITION, then=_STEPS, else_=_STEPS, unknown=_STEPS),
    },
    "approve": mapping(
        ("by", "expires", "steps"), by=_MEMBER, expires=LENGTH, on_expiry=words(ON_EXPIRY), steps=_STEPS
    ),
    "report": mapping(("use", "share_with"), use=NAME, share_with=NAME, expires=LENGTH),
    "webhook": mapping(("to",), to=NAME, body=names({"type": ["string", "number", "boolean"]})),
}
_STEP: Final[dict[str, Schema]] = {
    "step": {
        **mapping(**_KINDS, id=NAME),
        "oneOf": [{"required": [kind]} for kind in _KINDS],
    }
}


def playbook() -> Schema:
    """``playbooks/*.yaml``."""
    return document(
        "playbooks/*.yaml",
        mapping(
            ("format", "playbook", "title", "category", "steps"),
            format=FORMAT,
            playbook=NAME,
            title=TEXT,
            category=told(words(get_args(Category)), "what people unsubscribe from"),
            exit=lists(words(EXITS)),
            on_exit=mapping(open_tasks=words(OPEN_TASKS)),
            steps=_STEPS,
        ),
        _STEP,
    )


_SECTION: Final = {
    **mapping(
        goals=mapping(("show",), show=lists(NAME)),
        adoption=mapping(("show",), show=lists(NAME), trend=LENGTH),
        health=mapping(("scorecard",), scorecard=NAME, show=words(HEALTH)),
        what_we_did=mapping(),
        next_steps=mapping(ask_owner=TRUTH),
        question=mapping(("ask", "scale", "metric"), ask=TEXT, scale=SCALE, metric=NAME),
    ),
    "minProperties": 1,
    "maxProperties": 1,
}


def report() -> Schema:
    """``playbooks/reports/*.yaml``."""
    return document(
        "playbooks/reports/*.yaml",
        mapping(
            ("format", "report", "title", "allow", "sections"),
            format=FORMAT,
            report=NAME,
            title=TEXT,
            allow=told(lists(NAME), "nothing else can appear; each must be customer_may_see"),
            sections=items(_SECTION),
        ),
    )


def connections() -> Schema:
    """``rules/connections.yaml``: kept, not read by this version, so nothing is said about it."""
    return document("rules/connections.yaml", {"type": "object"})
