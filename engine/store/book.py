"""Every customer with the score it has now, as columns: what everything that looks over the portfolio begins with."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.effect.prediction import Future
from engine.evaluation.columns import Bytes, Floats, Ints
from engine.evaluation.replaying import CHURNED
from engine.evaluation.tiers import TIERS
from engine.store.account_columns import AccountColumns
from engine.store.decision_tables import ScoreRow
from engine.store.people_facts import accounts, parents
from engine.store.predictions import Predicted, newest
from engine.terms import Tier

_CODES: dict[str | None, int] = {tier.value: code for code, tier in enumerate(TIERS)}


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """N accounts that have not churned, by ascending ``ids``.

    ``arr`` and ``renewal`` (days since 1970-01-01) float64[N], NaN unknown; ``micro``: the leading score, None without
    one; ``tier`` int8[N] as index into `TIERS`, -1 none; ``causes``: the metric behind the last drop, "" none;
    ``parents``: the key of the account above, "" none; ``columns``: all that is known of the accounts' own fields.
    ``day``: the day the scores are of, -1 before the first.
    """

    day: int
    ids: Ints
    keys: tuple[str, ...]
    names: tuple[str, ...]
    owners: tuple[str, ...]
    parents: tuple[str, ...]
    arr: Floats
    renewal: Floats
    micro: tuple[int | None, ...]
    tier: Bytes
    causes: tuple[str, ...]
    columns: AccountColumns

    def tier_of(self, row: int) -> Tier | None:
        """The tier in force of one row."""
        return None if self.tier[row] < 0 else TIERS[self.tier[row]]

    def rows(self, owner: str | None) -> list[int]:
        """The rows of one owner's accounts (None: all)."""
        return [row for row, name in enumerate(self.owners) if owner is None or name == owner]


def read_book(session: Session) -> Book:
    """Everybody's accounts but those that have churned."""
    everybody = accounts(session, None)
    above = parents(session, everybody)
    kept = [row for row, stage in enumerate(everybody["stage"]) if stage != CHURNED]
    known = {name: [values[row] for row in kept] for name, values in everybody.items()}
    day = session.scalar(select(func.max(ScoreRow.day)).where(ScoreRow.leads))
    scores = {
        account: (micro, tier, cause)
        for account, micro, tier, cause in session.execute(
            select(ScoreRow.account_id, ScoreRow.effective, ScoreRow.tier, ScoreRow.cause).where(
                ScoreRow.day == day, ScoreRow.leads
            )
        )
    }
    said = [scores.get(account, (None, None, None)) for account in known["id"]]
    return Book(
        day=-1 if day is None else day,
        ids=np.array(known["id"], dtype=np.int64),
        keys=tuple(known["key"]),
        names=tuple(known["name"]),
        owners=tuple(known["owner"]),
        parents=tuple(above.get(parent, "") for parent in known["parent_id"]),
        arr=np.array([np.nan if arr is None else arr for arr in known["arr"]], dtype=np.float64),
        renewal=np.array([np.nan if on is None else on for on in known["renewal_on"]], dtype=np.float64),
        micro=tuple(micro for micro, _, _ in said),
        tier=np.array([_CODES.get(tier, -1) for _, tier, _ in said], dtype=np.int8),
        causes=tuple(cause or "" for _, _, cause in said),
        columns=known,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The chances of the N accounts of a book to churn and to grow, float64[N]; NaN where nothing can be told."""

    churn: Floats
    grow: Floats


def outlook(session: Session, book: Book, oldest: int) -> Outlook:
    """The last predictions, where they say more than the base rate and are of the day ``oldest`` or later."""
    found = newest(session)
    if found is None or found.day < oldest:
        nothing = np.full(len(book.ids), np.nan)
        return Outlook(nothing, nothing.copy())
    return Outlook(_chances(book, found, Future.CHURN), _chances(book, found, Future.GROW))


def _chances(book: Book, found: Predicted, future: Future) -> Floats:
    told = {one.account_id: one.of(future) for one in found.chances} if found.is_better(future) else {}
    return np.array([told.get(account, np.nan) for account in book.ids.tolist()], dtype=np.float64)
