"""The portfolio that the demo and the tests use: give it decisions, take its data.

Days are days since 1970-01-01 throughout. Take the records first (`accounts`, `contacts`, `goals`), then batch after
batch in the order of days: a batch shows what was decided before it. `respond` tells the portfolio who is treated and
who is held out; it never learns anything else about the engine.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.evaluation.facts import Agreed
from engine.simulation import batches, records
from engine.simulation.batches import Batch as Batch
from engine.simulation.behaviour import draw_course
from engine.simulation.drawing import draw_traits
from engine.simulation.measuring import View
from engine.simulation.memory import agreed
from engine.simulation.naming import company_names, key_of
from engine.simulation.records import AccountRecord as AccountRecord, ContactRecord as ContactRecord
from engine.simulation.responding import answer
from engine.simulation.story import make_story
from engine.simulation.truth import CHALLENGES
from engine.terms import Arm

WARM_UP: Final = 30
"""Days of data before the first cycle can tell a new challenge from an old one."""


@dataclass(frozen=True, slots=True)
class Response:
    """One decision to start or to hold out, as far as the account can notice it."""

    account_key: str
    rule: str
    arm: Arm


@dataclass(frozen=True, slots=True)
class Answers:
    """``skipped``: (account key, rule) of starts that a person does not carry out; the account counts in its arm all
    the same. ``strays``: decisions about accounts that are not in such a challenge; nothing follows from them."""

    skipped: tuple[tuple[str, str], ...]
    strays: tuple[tuple[str, str], ...]


class Portfolio:
    """Accounts with known truth. Behaviour changes only through `respond`, and only after the day given to it."""

    def __init__(self, view: View, names: tuple[str, ...], seed: int, story_key: str, owner: str) -> None:
        self.view = view
        self.names = names
        self.keys = tuple(key_of(name) for name in names)
        self.seed = seed
        self.story_key = story_key
        self.owner = owner
        self._rows = {key: row for row, key in enumerate(self.keys)}

    @property
    def first_day(self) -> int:
        """The first day with data."""
        return self.view.first_day

    @property
    def last_day(self) -> int:
        """The last day of the history; the challenge of the account ``story_key`` shows on it."""
        return self.view.first_day + self.view.last

    @property
    def first_cycle(self) -> int:
        """The day to evaluate first: whoever is in a challenge by then was so before the history began."""
        return self.view.first_day + WARM_UP

    def accounts(self, day: int, rows: Iterable[int] | None = None) -> tuple[AccountRecord, ...]:
        """Accounts as they are on ``day``: all in the order of ``keys``, or those at the positions ``rows``."""
        return records.account_records(self.view, self.names, self.owner, day - self.first_day, rows)

    def contacts(self, day: int, rows: Iterable[int] | None = None) -> tuple[ContactRecord, ...]:
        """Contacts as they are on ``day``, those of one account together: of all accounts, or of those of ``rows``."""
        return records.contact_records(self.view, self.keys, self.seed, day - self.first_day, rows)

    def goals(self) -> Agreed:
        """The goal ``tickets_deflected`` of each account, NaN where none was agreed; one row per account."""
        return agreed(self.view)

    def batch(self, first: int, last: int) -> Batch:
        """Points and events of the days ``first`` to ``last``, both included, and records that changed on them."""
        return batches.batch_of(self.view, self.seed, first - self.first_day, last - self.first_day)

    def respond(self, day: int, responses: Iterable[Response]) -> Answers:
        """Let accounts answer to what was decided about them on ``day``; changes only the days after it."""
        asked: dict[str, dict[str, bool]] = {}
        for response in responses:
            asked.setdefault(response.rule, {})[response.account_key] = response.arm is Arm.TREATED
        skipped: list[tuple[str, str]] = []
        strays: list[tuple[str, str]] = []
        for kind, challenge in enumerate(CHALLENGES):
            treated = asked.pop(challenge.rule, {})
            rows = [self._rows[key] for key in treated]
            got = answer(self.view.traits, self.view.course, kind, day - self.first_day, rows, list(treated.values()))
            skipped += [(self.keys[row], challenge.rule) for row in got.skipped]
            strays += [(self.keys[row], challenge.rule) for row in got.strays]
        strays += [(key, rule) for rule, others in asked.items() for key in others]
        return Answers(tuple(skipped), tuple(strays))


def make_portfolio(
    seed: int,
    accounts: int,
    *,
    first_day: int,
    days: int = 180,
    after: int = 0,
    owner: str = "csm@backcast.example",
    story: bool = True,
) -> Portfolio:
    """A portfolio of ``accounts`` accounts with ``days`` days of history from ``first_day`` on.

    ``after``: so many more days can be lived through behind the history; nobody gets into a new challenge on them.

    ``owner`` is the member responsible for all of them. With a ``story`` one large account in the treated arm stops
    using its seats, and seats-unused fires for it on the very last day.
    """
    rng = np.random.default_rng(seed)
    names = company_names(rng, accounts)
    traits = draw_traits(rng, accounts, days)
    view = View(traits, draw_course(rng, traits, first_day, days + after), first_day, days + after, after)
    story_key = make_story(view, tuple(key_of(name) for name in names)) if story else ""
    return Portfolio(view, names, seed, story_key, owner)
