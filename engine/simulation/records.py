"""Accounts and contacts as a customer's systems would send them."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from engine.simulation.measuring import CHAMPION_SEAT, NEXT_SEAT, ROLES, View
from engine.simulation.naming import key_of, person_names
from engine.simulation.stages import STAGES, stage_since, stages


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """One account; ``arr`` in dollars a year, days since 1970-01-01."""

    key: str
    name: str
    owner: str
    arr: float
    stage: str
    stage_since: int
    onboarded_on: int
    renewal_on: int


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """One person at an account; ``departed_on`` in days since 1970-01-01, None while the person is there."""

    key: str
    account_key: str
    name: str
    email: str
    roles: tuple[str, ...]
    departed_on: int | None


def account_records(
    view: View, names: tuple[str, ...], owner: str, day: int, rows: Iterable[int] | None = None
) -> tuple[AccountRecord, ...]:
    """Accounts as they are on ``day`` of the history: all of them, or those of ``rows``."""
    stage, since = stages(view, day).tolist(), (stage_since(view, day) + view.first_day).tolist()
    traits = view.traits
    return tuple(
        AccountRecord(
            key=key_of(names[row]),
            name=names[row],
            owner=owner,
            arr=float(traits.arr[row]),
            stage=STAGES[stage[row]],
            stage_since=since[row],
            onboarded_on=int(traits.onboarded[row]) + view.first_day,
            renewal_on=int(traits.renewal[row]) + view.first_day,
        )
        for row in (range(len(names)) if rows is None else rows)
    )


def contact_records(
    view: View, keys: tuple[str, ...], seed: int, day: int, rows: Iterable[int] | None = None
) -> tuple[ContactRecord, ...]:
    """Contacts as they are on ``day`` of the history: of all accounts, or of those of ``rows``."""
    people = _people(seed, len(keys))
    return tuple(
        _contact(view, keys[row], people[row * len(ROLES) + seat], seat, row, day)
        for row in (range(len(keys)) if rows is None else rows)
        for seat in range(len(ROLES))
    )


def contact_key(account_key: str, seat: int) -> str:
    """The external key of the contact in one of the seats of `ROLES`."""
    return f"{account_key}/{seat + 1}"


@lru_cache(maxsize=4)
def _people(seed: int, accounts: int) -> list[tuple[str, str]]:
    return person_names(np.random.default_rng([seed, 1]), accounts * len(ROLES))


def _contact(view: View, key: str, person: tuple[str, str], seat: int, row: int, day: int) -> ContactRecord:
    given, family = person
    departed = int(view.course.departed[row]) if seat == CHAMPION_SEAT else None
    follows = seat == NEXT_SEAT and day >= view.course.named[row]
    return ContactRecord(
        key=contact_key(key, seat),
        account_key=key,
        name=f"{given} {family}",
        # `.example` is reserved for examples: no mail to it can arrive anywhere.
        email=f"{given}.{family}.{seat + 1}@{key}.example".lower(),
        roles=(ROLES[seat], "champion") if follows else (ROLES[seat],),
        departed_on=departed + view.first_day if departed is not None and departed <= day else None,
    )
