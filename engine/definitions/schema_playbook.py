"""The JSON Schemas of playbooks and reports."""

from typing import Final, get_args

from engine.definitions.contact_policy_reading import PRIORITIES
from engine.definitions.outward_steps import ON_AMBIGUOUS, SENDERS
from engine.definitions.playbook import Category
from engine.definitions.playbook_reading import EXITS, OPEN_TASKS, RE_ENTRY
from engine.definitions.report_reading import HEALTH
from engine.definitions.schema_kit import (
    CONDITION,
    COUNT,
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
from engine.definitions.step_reading import MAX_ARMS, ON_EXPIRY

_STEPS: Final[Schema] = {"type": "array", "items": {"$ref": "#/$defs/step"}, "minItems": 1}
_MEMBER: Final = told(TEXT, "owner, manager, a role of members, or a member's e-mail address")
_MEMBERS: Final = told(lists(_MEMBER), "the first of them who is there")
_TO: Final = either(
    told(TEXT, "a role, signal.<name> (the people it names), or respondent"),
    mapping(("role",), role=NAME, idle_for=LENGTH),
)
_ESCALATE: Final = mapping(("after",), after=LENGTH, to=_MEMBER)
_BODY: Final = names({"type": ["string", "number", "boolean"]})
_OPEN: Final[dict[str, Schema]] = {
    "due": LENGTH,
    "wait_for_done": LENGTH,
    "remind": told(LENGTH, "how long before it is due"),
    "escalate": _ESCALATE,
}
_KINDS: Final[dict[str, Schema]] = {
    "task": mapping(
        ("title", "to"),
        title=TEXT,
        to=_MEMBERS,
        outcomes=told(lists(NAME), "one of them is chosen to finish it"),
        causes=told(lists(NAME), "causes of the catalog, or all"),
        checklist=lists(TEXT),
        **_OPEN,
    ),
    "ask": mapping(("to", "questions"), to=_MEMBERS, questions=lists(NAME), **_OPEN),
    "email": mapping(
        ("to", "message"),
        to=_TO,
        message=NAME,
        sender=words(SENDERS),
        copy_owner=TRUTH,
        max_lateness=told(LENGTH, "how long it may wait for a window or a cap before it is left out"),
        on_ambiguous=words(ON_AMBIGUOUS),
    ),
    "campaign": mapping(("to", "every", "lessons"), to=_TO, every=LENGTH, lessons=lists(NAME), stop_when=CONDITION),
    "wait": either(
        LENGTH,
        mapping(
            ("at_most",),
            until=CONDITION,
            until_date=told(TEXT, "account.renewal_on, or another date of the account"),
            before=LENGTH,
            event=NAME,
            where=CONDITION,
            at_most=LENGTH,
        ),
    ),
    "branch": {
        **mapping(("if", "then"), if_=CONDITION, then=_STEPS, else_=_STEPS, unknown=_STEPS),
    },
    "parallel": {"type": "array", "items": _STEPS, "minItems": 2, "maxItems": MAX_ARMS},
    "approve": mapping(
        ("by", "expires", "steps"),
        by=_MEMBERS,
        expires=LENGTH,
        on_expiry=words(ON_EXPIRY),
        steps=_STEPS,
        remind=told(LENGTH, "after how long"),
        escalate=_ESCALATE,
    ),
    "report": mapping(("use", "share_with"), use=NAME, share_with=NAME, expires=LENGTH),
    "webhook": mapping(("to",), to=NAME, body=_BODY),
    "guide": mapping(("to", "audience"), to=NAME, audience=_TO, body=_BODY),
    "note": mapping(("to",), to=NAME, body=_BODY),
    "notify": mapping(("to", "text"), to=told(lists(TEXT), "chats by their connection, or members"), text=TEXT),
    "set": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}, "maxProperties": 1},
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
            superseded_by=told(lists(NAME), "playbooks whose start ends this one's run"),
            max_duration=LENGTH,
            re_entry=either(words(RE_ENTRY), mapping(at_most=COUNT, per=LENGTH, min_gap=LENGTH)),
            priority=told(words(PRIORITIES), "what goes first where not everything may"),
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
