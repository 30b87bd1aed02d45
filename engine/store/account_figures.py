"""Reading one account's figures for messages and reports: only the metrics they name, as far back as they show."""

from collections.abc import Iterable

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.errors import NotFound
from engine.evaluation.facts import Agreed, Facts, Subjects
from engine.evaluation.features import Features
from engine.evaluation.reading import metrics_needs
from engine.running.figures import Figures
from engine.store import event_facts, people_facts
from engine.store.account_columns import account_fields
from engine.store.point_series import PointTable
from engine.store.tables import AccountRow, GoalRow


def figures(
    session: Session, bundle: Bundle, account_id: int, day: int, metrics: Iterable[str], days: int = 1
) -> Figures:
    """The figures of ``metrics`` (and all agreed goals) of one account as of the end of ``day``, with ``days`` days of
    their course. Raises NotFound."""
    account = session.get(AccountRow, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    catalog = bundle.catalog
    goals = session.scalars(select(GoalRow).where(GoalRow.account_id == account_id)).all()
    agreed = {row.goal: _agreed(row) for row in goals if row.goal in catalog.goals}
    wanted = metrics_needs(catalog, metrics, agreed, days)
    ids = np.array([account_id], dtype=np.int64)
    rows = people_facts.accounts(session, ids)
    subjects = Subjects(ids, (account.key,))
    contacts = people_facts.contacts(session, subjects, day, ids)
    products = people_facts.products(session, subjects, ids)
    points = PointTable(session, wanted, day, np.concatenate([ids, contacts.ids, products.ids]))
    facts = Facts(
        at=day,
        accounts=subjects,
        fields=account_fields(rows, people_facts.parents(session, rows)),
        series=points.series(wanted.metrics, ids),
        contacts=contacts,
        contact_series=points.series(wanted.contact_metrics, contacts.ids),
        events=event_facts.needed(session, catalog, wanted, subjects, contacts, day),
        goals=agreed,
        products=products,
        product_series=points.series(wanted.product_metrics, products.ids),
    )
    return Figures(Features(catalog, facts))


def _agreed(row: GoalRow) -> Agreed:
    one = [np.array([value], dtype=np.float64) for value in (row.target, row.start_value, row.start_day, row.end_day)]
    return Agreed(one[0], one[1], one[2], one[3])
