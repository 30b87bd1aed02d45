"""JSON Schemas of what describes the data: the catalog, the calendars, the scorecards."""

from typing import Final, get_args

from engine.definitions.calendar_reading import WEEKDAYS
from engine.definitions.catalog import Across, Better, Combine, Counted, Evidence, Given, Source, Subject, Taken
from engine.definitions.feature import ValueType
from engine.definitions.goal_reading import WORDS as SHAPES
from engine.definitions.normaliser_reading import AMONG
from engine.definitions.schema_kit import (
    AMOUNT,
    CONDITION,
    DAY,
    FEATURE,
    FORMAT,
    HOURS,
    LENGTH,
    NAME,
    NUMBER,
    SCALE,
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
from engine.definitions.scorecard_reading import HOW, MISSING
from engine.definitions.tier_reading import BY
from engine.terms import Tier

SHAPE: Final = either(words(SHAPES), names(SHARE))
_WAY: Final = words(("higher", "lower"))

_FROM_EVENTS: Final = mapping(
    ("event",),
    event=lists(NAME),
    count=words(get_args(Counted)),
    over=LENGTH,
    silence=words(("days",)),
    with_roles=lists(NAME),
    where=CONDITION,
    take=words(get_args(Taken)),
    field=NAME,
    per=NAME,
    until=NAME,
    by=NAME,
    within=LENGTH,
    idle=TEXT,
)
_FROM_CONTACTS: Final = mapping(
    metric=FEATURE, give=words(get_args(Given)), at_least=AMOUNT, below=AMOUNT, with_roles=lists(NAME)
)
_METRIC: Final = mapping(
    ("title", "source", "evidence", "type", "better"),
    title=TEXT,
    source=words(get_args(Source)),
    evidence=words(get_args(Evidence)),
    type=words(ValueType),
    better=words(get_args(Better)),
    unit=TEXT,
    decimals={"type": "integer", "minimum": 0, "maximum": 6},
    combine=told(words(get_args(Combine)), "what several points of one day make together"),
    stale_after=told(LENGTH, "older than this is unknown"),
    of=words(get_args(Subject)),
    bears_on_value=TEXT,
    customer_may_see=TRUTH,
    formula=CONDITION,
    from_events=_FROM_EVENTS,
    from_contacts=_FROM_CONTACTS,
    across=words(get_args(Across)),
    words=lists(TEXT),
)


_SECTIONS: Final[dict[str, Schema]] = {
    "metrics": names(_METRIC),
    "events": names(either({"type": "null"}, mapping(fields=names(words(ValueType))))),
    "features": names(mapping(("title",), title=TEXT, key=TRUTH)),
    "goals": names(mapping(("metric",), metric=NAME, shape=SHAPE, stuck_after=LENGTH)),
    "questions": names(
        mapping(("ask", "scale", "evidence"), ask=TEXT, scale=SCALE, evidence=words(get_args(Evidence)))
    ),
    "account_fields": names(words(ValueType)),
}


def catalog() -> Schema:
    """``rules/catalog.yaml``."""
    return document(
        "rules/catalog.yaml",
        mapping(
            ("format", "north_star"),
            format=FORMAT,
            north_star=TEXT,
            **_SECTIONS,
            roles=lists(NAME),
            seniority=lists(NAME),
            member_roles=told(lists(NAME), "what members may be for an account beside its owner"),
            causes=told(names(TEXT), "root causes: code and how it is said"),
            stages=lists(NAME),
            segments=names(CONDITION),
        ),
    )


def catalog_part() -> Schema:
    """``rules/catalog/*.yaml``: a part of what is measured, under a title."""
    return document(
        "rules/catalog/*.yaml", mapping(("format", "title"), format=FORMAT, title=TEXT, about=TEXT, **_SECTIONS)
    )


def calendars() -> Schema:
    """``rules/calendars.yaml``."""
    calendar = mapping(
        ("working_days",),
        working_days=lists(words(WEEKDAYS)),
        working_hours=HOURS,
        holidays=lists(DAY),
        time_zone=TEXT,
        for_=told(mapping(("country",), country=lists(TEXT)), "the values of account.country it counts for"),
    )
    return document(
        "rules/calendars.yaml",
        mapping(("format", "default", "calendars"), format=FORMAT, default=NAME, calendars=names(calendar)),
    )


_TWO: Final = {"type": "array", "items": AMOUNT, "minItems": 2, "maxItems": 2}
_ABSOLUTE: Final[dict[str, Schema]] = {
    "linear": _TWO,
    "threshold": mapping(("good", "poor"), good=AMOUNT, poor=AMOUNT),
    "goal": either(TEXT, mapping(("agreed",), agreed=TEXT, of=words(("line", "target")))),
    "target_ratio": mapping(("target",), target=either(AMOUNT, FEATURE), direction=_WAY),
    "piecewise": items(_TWO),
    "categorical": names(NUMBER),
    "bounded": _TWO,
    "criteria": mapping(("acceptable", "highest"), acceptable=AMOUNT, highest=AMOUNT),
}
_OTHERWISE: Final = mapping(**_ABSOLUTE)
_SPREAD: Final = mapping(among=words(AMONG), winsorise=SHARE, floor=AMOUNT, direction=_WAY, otherwise=_OTHERWISE)
_RANK: Final = mapping(
    among=words(AMONG), floor=AMOUNT, direction=_WAY, scale={"enum": [10, 100]}, otherwise=_OTHERWISE
)
_MISSING: Final = either(words(MISSING), mapping(("carry",), carry=LENGTH))
_LINE: Final = mapping(
    **{**_ABSOLUTE, "linear": either(_TWO, _SPREAD)},
    rank=_RANK,
    weight=SHARE,
    multiplier=NUMBER,
    standard=mapping(("acceptable", "highest"), acceptable=AMOUNT, highest=AMOUNT),
    missing=_MISSING,
    fades=either(LENGTH, mapping(("gone",), from_=LENGTH, gone=LENGTH)),
    scored=TRUTH,
)
_BAND: Final = mapping(("from", "customer_wording"), from_=NUMBER, customer_wording=TEXT)
_TIERS: Final = mapping(
    tuple(Tier),
    **{tier.value: _BAND for tier in Tier},
    by=words(BY),
    margin=NUMBER,
    dwell={"type": "integer", "minimum": 1},
    forced=items(mapping(("when", "tier"), when=CONDITION, tier=words(Tier))),
)


def scorecard() -> Schema:
    """``rules/scorecards/*.yaml``."""
    return document(
        "rules/scorecards/*.yaml",
        mapping(
            ("format", "scorecard", "desired_outcome", "dimensions", "tiers"),
            format=FORMAT,
            scorecard=NAME,
            desired_outcome=TEXT,
            north_star=TEXT,
            of=words(get_args(Subject)),
            roles=lists(NAME),
            applies_to=CONDITION,
            priority={"type": "integer", "minimum": 0},
            dimensions=names(mapping(("weight", "metrics"), weight=SHARE, metrics=names(_LINE))),
            missing=_MISSING,
            min_coverage=SHARE,
            tiers=_TIERS,
            roll_up=either(words(HOW), mapping(("weighted_by",), weighted_by=FEATURE)),
            feedback=NAME,
        ),
    )
