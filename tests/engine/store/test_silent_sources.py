"""A source that nobody has heard of for too long is told from accounts that do nothing."""

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.evaluation.columns import Numbers
from engine.evaluation.evaluation import evaluate
from engine.store.facts import load_facts
from engine.store.sessions import Store
from engine.store.tables import AccountRow, EventRow, SubjectRow
from tests.bad_files.workspace import BASE, CATALOG, bundle_of, with_edit

AT: Final = datetime(2026, 9, 1, 20, tzinfo=UTC)
TODAY: Final = (AT - datetime(1970, 1, 1, tzinfo=UTC)).days


def bundle() -> Bundle:
    """The small workspace with metrics of the account that are made of answers to surveys."""
    answers = "".join(
        f"  {name}: {{title: Answers, source: feedback, evidence: say, type: number, better: higher, {limit}"
        "bears_on_value: They talk, from_events: {event: survey_answered, count: events, over: 30d}}\n"
        for name, limit in (("answers", "stale_after: 5d, "), ("answers_ever", ""))
    )
    return bundle_of(with_edit(CATALOG, "  seats_sold: {title", f"{answers}  seats_sold: {{title", BASE))


def answers(store: Store, day: int, known_at: datetime | None = None, metric: str = "answers") -> list[float]:
    """The answers of the two accounts as of a day."""
    definitions = bundle()
    with store.read() as session:
        column = evaluate(definitions, load_facts(session, definitions, day, known_at=known_at)).columns[metric]
    assert isinstance(column, Numbers)
    found: list[float] = column.values.tolist()
    return found


def test_no_event_is_a_zero_only_while_the_source_is_heard_of(store: Store) -> None:
    """D.6 35: the second account answered six days ago and nobody since: then nothing is known of anybody."""
    with store.begin() as session:
        for number in (1, 2):
            session.add(SubjectRow(id=number, kind="account"))
            session.flush()
            session.add(AccountRow(id=number, key=f"a{number}", name="A", recorded_at=AT))
        session.flush()
        heard = {"key": "e", "name": "survey_answered", "account_id": 2, "fields": {}}
        session.add(EventRow(id=1, day=TODAY - 6, at=AT - timedelta(days=6), recorded_at=AT, **heard))
    assert answers(store, TODAY - 1) == [0, 1]
    assert np.isnan(answers(store, TODAY)).all()
    assert np.isnan(answers(store, TODAY - 7)).all()
    assert np.isnan(answers(store, TODAY - 1, known_at=AT - timedelta(hours=1))).all()
    assert answers(store, TODAY, metric="answers_ever") == [0, 1]
    assert np.isnan(answers(store, TODAY - 7, metric="answers_ever")).all()
