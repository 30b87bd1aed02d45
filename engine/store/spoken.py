"""What an explanation says of people's words on metrics: the word beside what was measured, and whose ended."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import numpy as np
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Scorecard
from engine.evaluation.columns import Numbers
from engine.evaluation.features import feature_named
from engine.evaluation.narrowing import card_names, made_of
from engine.evaluation.wording import feature_value, name_text
from engine.store.account_figures import figures
from engine.store.before import end_of
from engine.store.metric_overrides import MetricOverride, history

LATELY: Final = timedelta(days=30)
"""For so long it is said that a word ended."""


def said_of(session: Session, bundle: Bundle, card: Scorecard, account_id: int, day: int) -> tuple[str, ...]:
    """What people said of the metrics behind a score and what became of it, as of the end of ``day``, oldest first."""
    read, at = made_of(bundle, card_names(card)), end_of(day)
    words = [word for word in reversed(history(session, account_id)) if word.created_at < at and word.name in read]
    found: list[str] = []
    for word in words:
        ended = word.expires_at if word.ended_at is None else min(word.ended_at, word.expires_at)
        if ended > at:
            found += _in_force(session, bundle, word, day)
        elif ended > at - LATELY and not any(one.created_at == ended and one.name == word.name for one in words):
            found.append(
                f"The word of {word.author} on {name_text(bundle.catalog, word.name)} "
                f"({_said(bundle.catalog, word.name, word.value)}) ended on {ended:%Y-%m-%d}: "
                "what is measured counts again"
            )
    return tuple(found)


def _in_force(session: Session, bundle: Bundle, word: MetricOverride, day: int) -> Iterator[str]:
    catalog, feature = bundle.catalog, feature_named(bundle.catalog, word.name)
    if feature is None:
        return
    found = figures(session, bundle, word.account_id, day, [word.name]).features[word.name]
    measured = float(found.values[0]) if isinstance(found, Numbers) else np.nan
    known = "nothing" if np.isnan(measured) else _said(catalog, word.name, measured)
    yield (
        f"{name_text(catalog, word.name)} is {_said(catalog, word.name, word.value)} by the word of {word.author} "
        f"until {word.expires_at:%Y-%m-%d}: {word.reason}; measured: {known}"
    )


def _said(catalog: Catalog, name: str, value: float) -> str:
    feature = feature_named(catalog, name)
    return f"{value:g}" if feature is None else feature_value(catalog, feature, value)
