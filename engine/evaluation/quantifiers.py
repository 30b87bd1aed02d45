"""Measures of contacts, said of their account: so many of them, or such a share, and who they are."""

import numpy as np

from engine.definitions.feature import Feature, Window
from engine.definitions.measure import ContactsMeasure, Pattern, SlipMeasure
from engine.evaluation.columns import Bytes, Flags, Floats, Ints, Planes
from engine.evaluation.facts import Contacts
from engine.evaluation.features import Features, relative_change
from engine.evaluation.metric_measures import measurable, of_metric
from engine.evaluation.observed import Observed, plain

_PATTERNS: tuple[Pattern, ...] = ("none", "key_users", "mixed", "broad")


def of_contacts(measure: ContactsMeasure, features: Features) -> Observed:
    """What a measure of contacts says of every account; ``people`` are those it holds for.

    Meant are those who have not departed and of whom there is the history that the measure compares with. An account
    without anybody in the roles has nobody to speak of; one whose people cannot be measured is unknown.
    """
    people = features.over("contact")
    inner = of_metric(measure.measure, people)
    asked = present(people.facts.contacts, measure.roles)
    meant = asked & measurable(measure.measure, inner, people)
    holds, open_ = meant & (inner.verdicts > 0), meant & (inner.verdicts == 0)
    counts = _Counts(people.facts.contacts.account_rows, features.size)
    named, all_of_them, perhaps = counts.of(holds), counts.of(meant), counts.of(open_)
    least = np.full(features.size, measure.at_least) if measure.share is None else _share_of(measure.share, all_of_them)
    certain, possible = named >= least, named + perhaps >= least
    nobody, unmeasured = counts.of(asked) == 0, all_of_them == 0
    planes = Planes(certain & ~unmeasured, (possible | unmeasured) & ~nobody)
    shown = named if measure.share is None else named / np.where(unmeasured, np.nan, all_of_them)
    values = np.where(unmeasured & ~nobody, np.nan, shown)
    parts = {"named": named.astype(np.float64), "measured": all_of_them.astype(np.float64)}
    return plain(planes.verdicts, values.astype(np.float64), parts, holds)


def slip(measure: SlipMeasure, features: Features) -> Observed:
    """Whether an account's people slip in the pattern asked for; the value is the share of active people who fall.

    Active is who has a mean above zero (and at least ``min_base``) over the days before. Where somebody's present use
    is unknown, the pattern is known only if it is the same either way.
    """
    people = features.over("contact")
    contacts = people.facts.contacts
    before = people.value(Feature(measure.metric, Window.PREVIOUS, measure.over))
    change = relative_change(before, people.value(Feature(measure.metric, Window.MEAN, measure.over)))
    active = present(contacts, ()) & (before > 0) & (before >= measure.min_base)
    fallen, unknown = active & (change <= -measure.fall), active & np.isnan(change)
    key = present(contacts, measure.roles) if measure.roles else np.zeros(len(active), dtype=np.bool_)
    counts = _Counts(contacts.account_rows, features.size)
    whole = counts.of(active)
    least = _pattern(measure, counts.of(fallen), whole, counts.of(fallen & key) > 0)
    most = _pattern(measure, counts.of(fallen | unknown), whole, counts.of((fallen | unknown) & key) > 0)
    is_known, wanted = (least == most) & (whole > 0), _PATTERNS.index(measure.pattern)
    verdicts = np.where(is_known, np.where(least == wanted, 1, -1), 0).astype(np.int8)
    shares = np.where(is_known, counts.of(fallen) / np.maximum(whole, 1), np.nan)
    parts = {"pattern": np.where(is_known, least, np.nan), "named": counts.of(fallen), "measured": whole}
    named = fallen & key if measure.pattern == "key_users" else fallen
    return plain(verdicts, shares, {name: part.astype(np.float64) for name, part in parts.items()}, named)


def pattern_named(code: float) -> Pattern:
    """The pattern behind the number in an observation's ``parts``."""
    return _PATTERNS[int(code)]


def present(contacts: Contacts, roles: tuple[str, ...]) -> Flags:
    """Who has not departed and holds one of ``roles`` (empty: any or none), bool[C]."""
    if not roles:
        return ~contacts.departed
    kinds = {held: not held.isdisjoint(roles) for held in set(contacts.roles)}
    return ~contacts.departed & np.array([kinds[held] for held in contacts.roles], dtype=np.bool_)


def _pattern(measure: SlipMeasure, fallen: Ints, whole: Ints, key_falls: Flags) -> Bytes:
    broad, few = fallen >= _share_of(measure.broad, whole), fallen < _share_of(measure.few, whole)
    return np.select([broad, ~few, key_falls], [3, 2, 1], 0).astype(np.int8)


def _share_of(share: float, whole: Ints) -> Floats:
    """So many of ``whole`` are the share; rounded first, so that 60 % of 5 are exactly 3."""
    return np.round(share * whole, 9)


class _Counts:
    """Counting contacts by account."""

    def __init__(self, owners: Ints, size: int) -> None:
        self._owners, self._size = owners, size

    def of(self, flags: Flags) -> Ints:
        """How many of the flagged contacts each account has, int64[size]."""
        return np.bincount(self._owners[flags], minlength=self._size)
