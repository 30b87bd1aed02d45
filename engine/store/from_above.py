"""Read model: the portfolio from above: all accounts, their segments, each account; and accounts with those above them.

Every number of a branch is the sum of its children.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.one_line import TREND_DAYS, Standing, account_line, group_line
from engine.evaluation.rollups import Group, Placed, Total, family, tree
from engine.store.account_columns import rows_of
from engine.store.book import Book, read_book
from engine.store.decision_tables import ScoreRow
from engine.store.grouping import all_features, category


@dataclass(frozen=True, slots=True)
class Branch:
    """A group of accounts, or one account where there are no ``children``: its sums, and the same in one ``line``."""

    name: str
    total: Total
    line: str
    children: tuple["Branch", ...] = ()


def segments(
    session: Session, bundle: Bundle, day: int, by: Sequence[str] = ("segment",), owner: str | None = None
) -> Branch:
    """All customers (or one owner's) below the categories ``by``. Raises Refused for an unknown category."""
    book, features = read_book(session), all_features(session, bundle, day)
    columns = [category(features, name) for name in by]
    place = rows_of(features.facts.accounts.ids, book.ids)
    paths = [
        tuple(column.words[column.codes[at]] if column.codes[at] >= 0 else "" for column in columns)
        for at in place.tolist()
    ]
    placed = [_placed(book, row, paths[row]) for row in book.rows(owner)]
    return _branch(tree(placed), standings(session, bundle, book), _names(book))


def families(session: Session, bundle: Bundle, owner: str | None = None) -> tuple[Branch, ...]:
    """Accounts with the accounts that belong to them, the largest first."""
    book = read_book(session)
    placed = [_placed(book, row, ()) for row in book.rows(owner)]
    known, names = standings(session, bundle, book), _names(book)
    return tuple(_branch(group, known, names) for group in family(placed))


def standings(session: Session, bundle: Bundle, book: Book) -> Mapping[str, Standing]:
    """Where every account of the book stands, by key."""
    before = _before(session, book.day)
    metrics = bundle.catalog.metrics
    titles = {cause: metrics[cause].title if cause in metrics else cause for cause in set(book.causes)}
    return {
        key: Standing(book.micro[row], before.get(account), book.tier_of(row), titles[book.causes[row]])
        for row, (key, account) in enumerate(zip(book.keys, book.ids.tolist(), strict=True))
    }


def _before(session: Session, day: int) -> dict[int, int | None]:
    span = (ScoreRow.leads, ScoreRow.day <= day - TREND_DAYS, ScoreRow.day > day - 2 * TREND_DAYS)
    last = session.scalar(select(func.max(ScoreRow.day)).where(*span))
    query = select(ScoreRow.account_id, ScoreRow.effective).where(ScoreRow.day == last, ScoreRow.leads)
    return dict(session.execute(query).all()) if last is not None else {}


def _placed(book: Book, row: int, path: tuple[str, ...]) -> Placed:
    arr = book.arr[row]
    return Placed(
        key=book.keys[row],
        path=path,
        arr=None if np.isnan(arr) else float(arr),
        micro=book.micro[row],
        tier=book.tier_of(row),
        parent=book.parents[row],
    )


def _names(book: Book) -> Mapping[str, str]:
    return dict(zip(book.keys, book.names, strict=True))


def _branch(group: Group, known: Mapping[str, Standing], names: Mapping[str, str]) -> Branch:
    if not group.children:
        said = (
            account_line(names[group.name], known[group.name])
            if group.name in known
            else group_line(group.name, group.total, ())
        )
        return Branch(group.name, group.total, said)
    line = group_line(names.get(group.name, group.name), group.total, [known[key] for key in _leaves(group)])
    return Branch(group.name, group.total, line, tuple(_branch(child, known, names) for child in group.children))


def _leaves(group: Group) -> Iterator[str]:
    if not group.children:
        yield group.name
    for child in group.children:
        yield from _leaves(child)
