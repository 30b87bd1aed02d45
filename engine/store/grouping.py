"""All accounts as features, and the categories people group them by: segment, stage, owner, pushed texts, quarter."""

from collections.abc import Iterable

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog
from engine.definitions.reading import listed, suggest
from engine.errors import Refused
from engine.evaluation.cohorts import quarters
from engine.evaluation.columns import Floats, Numbers, Texts
from engine.evaluation.facts import Facts
from engine.evaluation.features import Features, feature_named
from engine.evaluation.reading import metrics_needs
from engine.store import event_facts, people_facts
from engine.store.point_series import PointTable

SIGN_UP = "sign_up"
"""The quarter in which an account began."""
_NAMELESS = frozenset({"key", "name"})


def all_features(session: Session, bundle: Bundle, day: int, metrics: Iterable[str] = ()) -> Features:
    """Every account, with what ``metrics`` and the segments read, as of the end of ``day``.

    Raises Refused for a metric that is not there.
    """
    catalog, names = bundle.catalog, tuple(metrics)
    for name in names:
        if feature_named(catalog, name) is None:
            raise Refused(_unknown(catalog, name))
    wanted = metrics_needs(catalog, names, (), 1)
    accounts, fields, contacts, products = people_facts.people(session, day, None)
    points = PointTable(session, wanted, day, None)
    facts = Facts(
        at=day,
        accounts=accounts,
        fields=fields,
        series=points.series(wanted.metrics, accounts.ids),
        contacts=contacts,
        contact_series=points.series(wanted.contact_metrics, contacts.ids),
        events=event_facts.needed(session, catalog, wanted, accounts, contacts, day),
        products=products,
        product_series=points.series(wanted.product_metrics, products.ids),
        newest_events=event_facts.newest(session, catalog, wanted, day),
    )
    return Features(catalog, facts)


def category(features: Features, name: str) -> Texts:
    """A category of accounts by name. Raises Refused where there is none."""
    if name == SIGN_UP:
        began = features.get("account.onboarded_on")
        return quarters(began.values if isinstance(began, Numbers) else np.full(features.size, np.nan))
    known = categories(features)
    found = features.get(f"account.{name}") if name in known else None
    if not isinstance(found, Texts):
        hint = suggest(name, known) or f"there are {listed(known, 'and')}"
        raise Refused(f'accounts cannot be grouped by "{name}"; {hint}')
    return found


def categories(features: Features) -> tuple[str, ...]:
    """What accounts can be grouped by."""
    fields = features.facts.fields.items()
    texts = (name for name, column in fields if isinstance(column, Texts) and name not in _NAMELESS)
    return tuple(sorted({"segment", SIGN_UP, *texts}))


def numbers_of(features: Features, metric: str) -> Floats:
    """A metric's values of all accounts, NaN unknown. Raises Refused for what is not there or is no number."""
    found = features.get(metric)
    if not isinstance(found, Numbers):
        raise Refused(_unknown(features.catalog, metric))
    return found.values


def _unknown(catalog: Catalog, metric: str) -> str:
    hint = suggest(metric, catalog.metrics) or "`backcast check` reads the catalog"
    return f'no metric "{metric}" of accounts that is a number; {hint}'
