"""What a row about a contact may say."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from email_validator import EmailNotValidError, validate_email

from engine.definitions.catalog import Catalog
from engine.evaluation.incoming.accounts import Once
from engine.evaluation.incoming.delimited import Header
from engine.evaluation.incoming.faults import Faults, Place, shortened
from engine.evaluation.incoming.rows import Format, row_blocks
from engine.evaluation.incoming.values import Values

_OWN: Final = (
    "key", "account", "name", "email", "roles", "language", "time_zone", "seniority", "department", "joined_on",
    "departed_on",
)  # fmt: skip
_ENCODED_WORD: Final = re.compile(r"=\?.*\?=")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?")
HEADER: Final = Header(_OWN, ("key", "account"))


@dataclass(frozen=True, slots=True)
class PushedContact:
    """One contact as pushed. ``said``: what the row says, so that what was not said stays as it was."""

    key: str
    account: str
    said: Mapping[str, Any]
    place: Place


def read_contacts(
    chunks: Iterable[bytes], form: Format, catalog: Catalog, faults: Faults
) -> Iterator[list[PushedContact]]:
    """Read contacts of any format, some at a time; what is wrong is reported. A contact named twice is."""
    once = Once(faults, "contact")
    for rows in row_blocks(chunks, form, "contacts", HEADER, faults):
        found = [_contact(Values(row, faults), catalog) for row in rows]
        for contact in found:
            once.look(contact.key, contact.place)
        yield found


def _contact(values: Values, catalog: Catalog) -> PushedContact:
    said = {
        "name": values.text("name"),
        "email": _email(values),
        "roles": values.words("roles", catalog.roles, "role"),
        "language": _language(values),
        "time_zone": _time_zone(values),
        "seniority": _seniority(values, catalog),
        "department": values.text("department", 120),
        "joined_on": values.day("joined_on"),
        "departed_on": values.day("departed_on"),
    }
    told = {name: value for name, value in said.items() if values.has(name)}
    return PushedContact(values.key("key"), values.key("account"), told, values.row.place)


def _seniority(values: Values, catalog: Catalog) -> str | None:
    if catalog.seniority:
        return values.word("seniority", catalog.seniority, "seniority")
    return values.text("seniority", 64)


def _language(values: Values) -> str | None:
    given = values.text("language", 16)
    if given and not _LANGUAGE.fullmatch(given):
        values.fault("language", "bad_language", f'"{shortened(given)}" is no language; write it as de or pt-BR')
    return given


def _time_zone(values: Values) -> str | None:
    given = values.text("time_zone", 64)
    if given and not is_zone(given):
        values.fault("time_zone", "bad_time_zone", f'"{shortened(given)}" is no time zone; write it as Europe/Berlin')
    return given


def is_zone(name: str) -> bool:
    """Whether a text names a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not there, or no name at all
        return False
    return True


def _email(values: Values) -> str | None:
    given = values.text("email", 320)
    if given is None:
        return None
    if _ENCODED_WORD.search(given):
        said = f'"{shortened(given)}" is not one e-mail address; mail programs would read "=?…?=" as something else'
        values.fault("email", "bad_email", said)
        return None
    try:
        return validate_email(given, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        values.fault("email", "bad_email", f'"{shortened(given)}" is not one e-mail address; write one: {error}')
        return None
