"""Why a measure of contacts says what it says of one account: each of its people with what was measured of them."""

from collections.abc import Iterator

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.measure import ContactsMeasure, Measure, PersonMeasure, SlipMeasure, TrendMeasure
from engine.definitions.rule import Signal
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.evidence import signal_sentence
from engine.evaluation.features import Features
from engine.evaluation.measure_sentences import Seen
from engine.evaluation.metric_measures import of_metric
from engine.evaluation.quantifiers import present
from engine.terms import Verdict


def people_lines(catalog: Catalog, signal: Signal, evaluation: Evaluation, row: int) -> Iterator[str]:
    """One line per contact of the account whom a signal about contacts asks about, in the order of their ids."""
    asked, columns = _asked_of_each(signal.measure), evaluation.columns
    if asked is None or not isinstance(columns, Features):
        return
    measure, roles = asked
    contacts = evaluation.facts.contacts
    one = Signal(signal.name, measure, signal.place)
    observed = of_metric(measure, columns.over("contact"))
    for contact in np.flatnonzero(present(contacts, roles) & (contacts.account_rows == row)).tolist():
        value = float(observed.values[contact])
        parts = {name: float(part[contact]) for name, part in observed.parts.items()}
        seen, verdict = Seen(None if np.isnan(value) else value, parts), Verdict(int(observed.verdicts[contact]))
        sentence = signal_sentence(catalog, one, verdict, seen.value, {}, 0, seen)
        held = ", ".join(sorted(role.replace("_", " ") for role in contacts.roles[contact]))
        yield f"{contacts.keys[contact]}{f' ({held})' if held else ''}: {sentence}"


def _asked_of_each(measure: Measure) -> tuple[PersonMeasure, tuple[str, ...]] | None:
    match measure:
        case ContactsMeasure(inner, roles):
            return inner, roles
        case SlipMeasure(metric, _, over, fall=fall, min_base=min_base):
            return TrendMeasure(metric, -fall, over, min_base), ()
    return None
