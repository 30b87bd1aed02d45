"""What a row about an account may say: its own columns, goals agreed with it, and any further fields."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from engine.definitions.catalog import Catalog
from engine.evaluation.incoming.delimited import Header
from engine.evaluation.incoming.faults import Faults, Place, TooLarge, shortened
from engine.evaluation.incoming.rows import Format, Row, row_blocks
from engine.evaluation.incoming.structured import NoNumber
from engine.evaluation.incoming.values import Values
from engine.evaluation.point_values import as_number

OWN: Final = (
    "key",
    "name",
    "owner",
    "arr",
    "stage",
    "stage_since",
    "onboarded_on",
    "renewal_on",
    "notice_on",
    "parent",
    "products",
    "suppressed",
)
_COMPUTED: Final = ("segment", "days_in_stage", "renewal_in_days", "notice_in_days", "id", "goals", "fields")
RESERVED: Final = frozenset({*OWN, *_COMPUTED})
PARTS: Final = ("target", "start", "end", "start_value")
HEADER: Final = Header(OWN, ("key",), others=True, prefixes=("goals.", "fields."))

MOST_KEYS: Final = 500_000
"""So many accounts or contacts may come in one body: their keys are held, to see that each comes once."""

_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_PLAIN: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class AgreedGoal:
    """One goal as agreed; days since 1970-01-01."""

    target: float
    start_day: int
    end_day: int
    start_value: float = 0.0


@dataclass(frozen=True, slots=True)
class PushedAccount:
    """One account as pushed. ``said``: the row's own columns only, so that what was not said stays as it was.

    ``parent`` in it is the key of the account this one belongs to. ``products``: what the account uses, by name.
    ``members``: role of the catalog's ``member_roles`` → address of the colleague; None: nobody any more.
    """

    key: str
    said: Mapping[str, Any]
    fields: Mapping[str, float | bool | str | None] = field(default_factory=dict)
    goals: Mapping[str, AgreedGoal] = field(default_factory=dict)
    products: tuple[str, ...] = ()
    members: Mapping[str, str | None] = field(default_factory=dict)
    place: Place = field(default_factory=Place)


class NumericColumns:
    """Which of a table's own columns hold numbers only, as far as it was read: a post code with a leading zero keeps
    its column a text. Of JSON nothing has to be guessed."""

    def __init__(self, form: Format) -> None:
        self._guess = form is Format.CSV
        self._texts: set[str] = set()

    def look(self, row: Row) -> None:
        """Look at one more row."""
        if not self._guess:
            return
        for name, value in row.values.items():
            if value and name not in OWN and not _PLAIN.fullmatch(value):
                self._texts.add(name.removeprefix("fields."))

    def typed(self, account: PushedAccount) -> PushedAccount:
        """The account with the numbers among its fields as numbers, once all rows were looked at."""
        if not self._guess or not account.fields:
            return account
        numbers = {
            name: float(value) if isinstance(value, str) and name not in self._texts else value
            for name, value in account.fields.items()
        }
        return replace(account, fields=numbers)


def read_accounts(
    chunks: Iterable[bytes], form: Format, catalog: Catalog, faults: Faults, numeric: NumericColumns
) -> Iterator[list[PushedAccount]]:
    """Read accounts of any format, some at a time; what is wrong is reported. An account named twice is.

    Of a table all fields come as texts; ``numeric`` knows at the end which are numbers.
    """
    once = Once(faults, "account")
    for rows in row_blocks(chunks, form, "accounts", HEADER, faults):
        found = [_account(Values(row, faults), catalog) for row in rows]
        for row, account in zip(rows, found, strict=True):
            numeric.look(row)
            once.look(account.key, row.place)
        yield found


class Once:
    """Keys that may each stand in one row only."""

    def __init__(self, faults: Faults, what: str) -> None:
        self._faults = faults
        self._what = what
        self._first: dict[str, Place] = {}

    def look(self, key: str, place: Place) -> None:
        """Report a key that stands in an earlier row. Raises `TooLarge` where there are more than can be compared."""
        first = self._first.setdefault(key, place)
        if key and first is not place:
            earlier = f"line {first.line}" if first.line else first.pointer
            message = f'the {self._what} "{shortened(key)}" is in {earlier} already; leave one out'
            self._faults.add(place.bad("key", "key_twice", message))
        elif len(self._first) > MOST_KEYS:
            message = f"there are more than {MOST_KEYS:,} {self._what}s; send it in several parts"
            raise TooLarge([place.bad("key", "too_many_rows", message)])


def _account(values: Values, catalog: Catalog) -> PushedAccount:
    said = {
        "name": values.text("name"),
        "owner": _owner(values),
        "arr": values.number("arr", low=0),
        "stage": values.word("stage", catalog.stages, "stage"),
        "stage_since": values.day("stage_since"),
        "onboarded_on": values.day("onboarded_on"),
        "renewal_on": values.day("renewal_on"),
        "notice_on": values.day("notice_on"),
        "parent": values.text("parent", 200),
        "suppressed": values.flag("suppressed"),
    }
    return PushedAccount(
        key=values.key("key"),
        said={name: value for name, value in said.items() if values.has(name)},
        fields=_fields(values, catalog),
        goals=_goals(values, catalog),
        products=values.names("products"),
        members=_members(values, catalog),
        place=values.row.place,
    )


def _owner(values: Values) -> str | None:
    found = values.text("owner")
    return found.lower() if found and "@" in found else found


def _members(values: Values, catalog: Catalog) -> dict[str, str | None]:
    """Who does what for the account beside its owner."""
    found: dict[str, str | None] = {}
    for role in catalog.member_roles:
        address = values.text(role) if values.has(role) else None
        if address and "@" not in address:
            message = f'"{shortened(address)}" is no address of a colleague; write an e-mail address'
            values.fault(role, "bad_address", message)
        elif values.has(role):
            found[role] = address.lower() if address else None
    return found


def _fields(values: Values, catalog: Catalog) -> dict[str, float | bool | str | None]:
    found: dict[str, float | bool | str | None] = {}
    for name, value in values.row.values.items():
        if name in OWN or name in catalog.member_roles or name.startswith("goals."):
            continue
        bare = name.removeprefix("fields.")
        if not _FIELD.fullmatch(bare):
            message = f'a field cannot be called "{shortened(bare)}"; use small letters, digits and _'
            values.fault(name, "unknown_field", message)
        elif bare in RESERVED:
            values.fault(name, "computed_field", f'"{bare}" is no field that can be pushed here; call it otherwise')
        elif near := _meant(name):
            message = f'did you mean "{near}"? A field of its own is written "fields.{bare}"'
            values.fault(name, "unknown_field", message)
        elif isinstance(value, list | dict):
            values.fault(name, "bad_value", "a field is a number, a text, or true or false")
        elif isinstance(value, NoNumber):
            values.fault(
                name, "bad_value", f"{shortened(str(value), 20)} is no number that can be stored; leave it out"
            )
        elif isinstance(value, int) and not isinstance(value, bool) and as_number(value) is None:
            values.fault(name, "bad_value", "a number this large cannot be stored; leave it out, or write it as a text")
        elif isinstance(value, str):
            found[bare] = values.text(name, 1_000)
        else:
            found[bare] = value
    return found


@lru_cache(maxsize=2_000)
def _meant(name: str) -> str:
    """The column of accounts a name looks like, if it looks like one."""
    near = [] if name.startswith("fields.") else get_close_matches(name, OWN, n=1, cutoff=0.8)
    return near[0] if near else ""


def _goals(values: Values, catalog: Catalog) -> dict[str, AgreedGoal]:
    given: dict[str, set[str]] = {}
    for name, value in values.row.values.items():
        if name.startswith("goals.") and value is not None:
            goal, _, part = name.removeprefix("goals.").rpartition(".")
            given.setdefault(goal or part, set()).add(part)
    found = {goal: _goal(values, catalog, goal, parts) for goal, parts in given.items()}
    return {goal: agreed for goal, agreed in found.items() if agreed is not None}


def _goal(values: Values, catalog: Catalog, goal: str, parts: set[str]) -> AgreedGoal | None:
    before, name = values.faults.total, f"goals.{goal}"
    if goal not in catalog.goals:
        near = get_close_matches(goal, catalog.goals, n=1)
        hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(catalog.goals) or 'none'}"
        values.fault(name, "unknown_goal", f'there is no goal "{shortened(goal)}" in the catalog; {hint}')
        return None
    for part in sorted(parts - {*PARTS}):
        values.fault(f"{name}.{part}", "unknown_field", f'a goal has no "{shortened(part)}"; it has {", ".join(PARTS)}')
    for part in ("target", "start", "end"):
        if part not in parts:
            values.fault(f"{name}.{part}", "missing_value", f'the goal "{goal}" needs a {part}')
    target, start_value = values.number(f"{name}.target"), values.number(f"{name}.start_value")
    start, end = values.day(f"{name}.start"), values.day(f"{name}.end")
    if values.faults.total > before or target is None or start is None or end is None:
        return None
    if end <= start:
        values.fault(f"{name}.end", "bad_day", f'the goal "{goal}" ends before it has begun')
        return None
    return AgreedGoal(target, start, end, start_value or 0.0)
