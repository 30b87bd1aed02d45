"""What members say of an account without being asked by a task: a question of the catalog, answered at any moment.

An answer becomes the point of its day, so that it counts as soon as the account is looked at again; every answer is
kept with its reason, also those that a later one of the same day replaced.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.catalog import Catalog
from engine.errors import NotFound, Refused
from engine.store import points
from engine.store.person_tables import AnswerRow
from engine.store.tables import AccountRow

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: ``value`` on the question's scale, who said so, when and why."""

    question: str
    value: float
    reason: str
    author: str
    at: datetime


def say(
    session: Session,
    catalog: Catalog,
    account_id: int,
    question: str,
    *,
    value: float,
    reason: str,
    member: str,
    at: datetime,
) -> None:
    """Answer a question about an account. Raises NotFound for an account or a question that is missing; Refused for an
    answer off its scale, and without a reason."""
    if session.get(AccountRow, account_id) is None:
        raise NotFound(f"There is no account {account_id}.")
    asked = catalog.questions.get(question)
    if asked is None:
        raise NotFound(f'There is no question "{question}"; there are: {", ".join(sorted(catalog.questions))}.')
    wrong = [] if reason.strip() else ["Say why: the reason stands beside the answer."]
    if not (math.isfinite(value) and asked.low <= value <= asked.high):
        wrong.append(f'"{asked.ask}" is answered with {value:g}; its scale is {asked.low} to {asked.high}.')
    if wrong:
        raise Refused(" ".join(wrong))
    session.add(
        AnswerRow(account_id=account_id, question=question, value=value, reason=reason.strip(), author=member, at=at)
    )
    points.record(session, account_id, question, (at.astimezone(UTC).date() - _EPOCH).days, value, at)


def history(session: Session, account_id: int, question: str) -> tuple[Answer, ...]:
    """Every answer to a question about an account, newest first."""
    query = select(AnswerRow).where(AnswerRow.account_id == account_id, AnswerRow.question == question)
    return tuple(
        Answer(row.question, row.value, row.reason, row.author, row.at)
        for row in session.scalars(query.order_by(AnswerRow.id.desc()))
    )
