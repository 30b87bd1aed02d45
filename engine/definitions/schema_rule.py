"""The JSON Schema of a rule: challenge, actions, signals, guard, examples."""

from typing import Final, get_args

from engine.definitions.example_reading import THEN
from engine.definitions.measure import Among, On, Pattern, Period
from engine.definitions.measure_parts import BOUNDS
from engine.definitions.measure_reading import OF
from engine.definitions.rule_reading import CHOOSE, EXISTING
from engine.definitions.schema_data import SHAPE
from engine.definitions.schema_kit import (
    AMOUNT,
    CONDITION,
    DAY,
    FEATURE,
    FORMAT,
    LENGTH,
    NAME,
    NUMBER,
    SHARE,
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
from engine.terms import ChallengeKind, Mode

_LIMITS: Final[dict[str, Schema]] = dict.fromkeys(BOUNDS, AMOUNT)
_LEAST: Final[Schema] = {"type": "integer", "minimum": 1}
_DATE: Final = told(TEXT, "a date of the account: account.renewal_on")

_SUCCESS: Final = mapping(
    ("within",), **_LIMITS, metric=FEATURE, change=SHARE, event=NAME, condition=CONDITION, within=LENGTH
)
_CHALLENGE: Final = mapping(
    ("title", "kind", "why", "owner", "success"),
    title=TEXT,
    kind=words(ChallengeKind),
    why=told(TEXT, "so that a new colleague understands it"),
    owner=TEXT,
    review_by=DAY,
    success=_SUCCESS,
)
_ACTION: Final = mapping(
    ("playbook", "mode"),
    playbook=NAME,
    for_=told(CONDITION, "the first action whose condition holds is taken"),
    mode=either(words(Mode), mapping(("veto",), veto=LENGTH)),
)
_GUARD: Final = mapping(
    cooldown=LENGTH,
    max_new_runs={"type": "integer", "minimum": 1},
    hold_out=mapping(("share",), share=SHARE, except_=CONDITION, rotate=LENGTH),
    flapping=either(words(("ignore",)), mapping(starts=SHARE, ends=SHARE)),
)
_GOAL: Final = mapping(
    ("attained_below",),
    agreed=TEXT,
    attained_below=SHARE,
    of=words(OF),
    metric=NAME,
    target=AMOUNT,
    from_=_DATE,
    within=LENGTH,
    shape=SHAPE,
)
_SIGNAL: Final = mapping(
    metric=FEATURE,
    threshold=mapping(**_LIMITS),
    trend=mapping(("change", "over"), change=SHARE, over=LENGTH, min_base=NUMBER),
    goal=_GOAL,
    silence=mapping(("longer_than",), longer_than=LENGTH),
    event=NAME,
    where=CONDITION,
    roles=lists(NAME),
    for_=LENGTH,
    condition=CONDITION,
    rank=mapping(**_LIMITS, among=words(get_args(Among)), floor=AMOUNT),
    deviation=mapping(("baseline",), **_LIMITS, baseline=LENGTH, recent=LENGTH, least=_LEAST),
    rhythm=mapping(("gap", "over"), gap=told(TEXT, "2x usual"), over=LENGTH, least=_LEAST),
    contacts=mapping(roles=lists(NAME)),
    at_least=either(_LEAST, SHARE),
    slip=mapping(
        ("pattern",),
        pattern=words(get_args(Pattern)),
        over=LENGTH,
        roles=lists(NAME),
        fall=SHARE,
        broad=SHARE,
        few=SHARE,
        min_base=NUMBER,
    ),
    every=words(get_args(Period)),
    on=words(get_args(On)),
    before=_DATE,
    after=_DATE,
    by=LENGTH,
    until=LENGTH,
    lasting=told(LENGTH, "it must have held so long"),
    clears=told(mapping(**_LIMITS, condition=CONDITION), "once firing it stays so until this holds"),
)
_VALUE: Final[Schema] = {"type": ["string", "number", "boolean"]}
_GIVEN: Final = either(
    _VALUE,
    items(TEXT),
    told(names(either(_VALUE, names(_VALUE))), "values by day: {today: 5, 3d ago: 4, last 10d: 30}"),
)
_EXAMPLE: Final = mapping(
    ("name", "given", "then"),
    name=TEXT,
    given=names(_GIVEN),
    agreed=names(mapping(("target", "start", "within"), target=AMOUNT, start=TEXT, within=LENGTH, at_start=AMOUNT)),
    then=words(THEN),
)
_WHEN: Final[dict[str, Schema]] = {
    "when": {
        "anyOf": [
            {"type": "string", "description": "the name of a signal"},
            mapping(
                any=items({"$ref": "#/$defs/when"}),
                all=items({"$ref": "#/$defs/when"}),
                not_=either(items({"$ref": "#/$defs/when"}), {"$ref": "#/$defs/when"}),
            ),
            CONDITION,
        ]
    }
}


def rule() -> Schema:
    """``rules/**/*.yaml``."""
    return document(
        "rules/**/*.yaml",
        mapping(
            ("format", "rule", "challenge", "actions", "signals"),
            format=FORMAT,
            rule=NAME,
            challenge=_CHALLENGE,
            actions=items(_ACTION),
            choose=words(CHOOSE),
            guard=_GUARD,
            existing=told(words(EXISTING), "what to do with accounts already inside when the rule is first applied"),
            signals=names(_SIGNAL),
            when=told({"$ref": "#/$defs/when"}, "any, all, not over signals; all signals in any order without it"),
            leading_indicator=TRUTH,
            examples=items(_EXAMPLE),
        ),
        _WHEN,
    )
