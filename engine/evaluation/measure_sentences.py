"""What the measures that compare say in one sentence: marks, deviations, rhythms, people, days of the calendar."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.definitions.catalog import Catalog
from engine.definitions.feature import Feature
from engine.definitions.measure import (
    ClockMeasure,
    ContactsMeasure,
    DeviationMeasure,
    Measure,
    PersonMeasure,
    RankMeasure,
    RhythmMeasure,
    ScheduleMeasure,
    SilenceMeasure,
    SlipMeasure,
    ThresholdMeasure,
    TrendMeasure,
)
from engine.evaluation.peers import SMALLEST
from engine.evaluation.quantifiers import pattern_named
from engine.evaluation.wording import BOUNDS, feature_title, feature_value, limit_text, name_text, number, share
from engine.terms import Verdict

NOT_KNOWN = "not known"
MOST_NAMES = 5
"""So many people are named in a sentence; of more it says how many there are."""

_DATES = {"account.onboarded_on": "the account's onboarding"}
_AMONG = {"all": "all accounts", "segment": "accounts of its segment", "stage": "accounts in its stage"}


@dataclass(frozen=True, slots=True)
class Words:
    """How a limit is said, given what came out."""

    verdict: Verdict
    lasting: str

    def said(self, limit: str) -> str:
        """``, below 40 % for 7 days``; the same denied; or, where it is unknown, as what is needed."""
        how = {Verdict.HOLDS: ", ", Verdict.FAILS: ", not "}.get(self.verdict, "; needed: ")
        return f"{how}{limit}{self.lasting}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured of one account: the value, what it was made of, and the keys of the contacts it names."""

    value: float | None
    parts: Mapping[str, float]
    people: Sequence[str] = ()

    def part(self, name: str) -> float | None:
        """A part, None where it is not known."""
        found = self.parts.get(name, math.nan)
        return None if math.isnan(found) else found


def compared_sentence(catalog: Catalog, measure: Measure, seen: Seen, words: Words) -> str:
    """The sentence of a measure that compares; empty where `engine.evaluation.evidence` has the words for it."""
    match measure:
        case RankMeasure():
            return _rank(catalog, measure, seen, words)
        case DeviationMeasure():
            return _deviation(catalog, measure, seen, words)
        case RhythmMeasure():
            return _rhythm(catalog, measure, seen, words)
        case ContactsMeasure():
            return _contacts(catalog, measure, seen, words)
        case SlipMeasure():
            return _slip(catalog, measure, seen, words)
        case ScheduleMeasure(every, on):
            return f"Today is {'' if words.verdict is Verdict.HOLDS else 'not '}the {on} of the {every}"
        case ClockMeasure():
            return _clock(catalog, measure, seen, words)
    return ""


def of_one(catalog: Catalog, measure: PersonMeasure) -> str:
    """What a measure asks of one person: ``Logins down by 20 % or more in 30 days``."""
    match measure:
        case ThresholdMeasure(feature, limit):
            return f"{feature_title(catalog, feature)} {limit_text(catalog, feature, limit)}"
        case TrendMeasure(metric, change, over):
            way = "down" if change < 0 else "up"
            return f"{_title(catalog, metric)} {way} by {share(abs(change))} or more in {over} days"
        case SilenceMeasure(feature, longer_than):
            return f"{_title(catalog, feature.metric)} silent for more than {longer_than} days"
        case DeviationMeasure(metric, limit, baseline):
            limit_words = f"{BOUNDS[limit.bound]} {number(limit.value)} standard deviations"
            return f"{_title(catalog, metric)} {limit_words} from the {baseline} days before"
        case RhythmMeasure(metric, times, over):
            return f"{_title(catalog, metric)} with gaps of {number(times)} times the usual over {over} days"


def _title(catalog: Catalog, metric: str) -> str:
    return catalog.metrics[metric].title


def _rank(catalog: Catalog, measure: RankMeasure, seen: Seen, words: Words) -> str:
    feature, among = measure.feature, _AMONG[measure.among]
    title = feature_title(catalog, feature)
    title = title[:1].upper() + title[1:]
    limit = f"{BOUNDS[measure.limit.bound]} {number(measure.limit.value)}"
    value = seen.part("value")
    shown = title if value is None else f"{title} is {feature_value(catalog, feature, value)}"
    if seen.value is None:
        why = NOT_KNOWN if value is None else f"not known, as fewer than {SMALLEST} can be compared"
        return f"{shown}: the mark among {among} is {why}{words.said(limit)}"
    floor = measure.floor
    lower = catalog.metrics[feature.metric].better == "lower"
    if floor is not None and value is not None and (value > floor if lower else value < floor):
        side = f"{'above' if lower else 'below'} the floor of {feature_value(catalog, feature, floor)}"
        return f"{shown}, {side}, which is mark 0{words.said(limit)}"
    return f"{shown}: mark {number(seen.value)} of 100 among {among}{words.said(limit)}"


def _deviation(catalog: Catalog, measure: DeviationMeasure, seen: Seen, words: Words) -> str:
    feature = Feature(measure.metric)
    limit = f"{BOUNDS[measure.limit.bound]} {number(measure.limit.value)}"
    recent, mean, spread, points = (seen.part(name) for name in ("recent", "mean", "spread", "points"))
    what = f"mean of {measure.recent} days" if measure.recent else "latest value"
    shown = f"{_title(catalog, measure.metric)}: the {what} is {feature_value(catalog, feature, recent)}"
    if seen.value is None:
        if points is not None and points < measure.least:
            why = f"its {measure.baseline} days before have {number(points)} points and need {measure.least}"
        elif spread == 0:
            why = f"all {number(points or 0)} points of the {measure.baseline} days before are the same"
        else:
            why = "the comparison is not known"
        return f"{shown}; {why}{words.said(f'{limit} standard deviations')}"
    usual = f"{feature_value(catalog, feature, mean)} (spread {number(spread or 0)}, {number(points or 0)} points)"
    apart = f"{number(seen.value)} standard deviations from its own {measure.baseline} days before, {usual}"
    return f"{shown}, {apart}{words.said(limit)}"


def _rhythm(catalog: Catalog, measure: RhythmMeasure, seen: Seen, words: Words) -> str:
    title, limit = _title(catalog, measure.metric), f"at least {number(measure.times)} times"
    gaps, idle = seen.part("gaps"), seen.part("idle")
    since = "" if idle is None else f", last active {number(idle)} days ago"
    if seen.value is None:
        why = f"no usual gap yet: {number(gaps or 0)} gaps in {measure.over} days, {measure.least} are needed"
        return f"{title}: {why}{since}{words.said(limit)}"
    present, usual = number(seen.part("present") or 0), number(seen.part("usual") or 0)
    compared = f"the gap is {present} of its own days, {number(seen.value)} times the usual {usual}"
    return f"{title}: {compared} (median of {number(gaps or 0)} gaps in {measure.over} days{since}){words.said(limit)}"


def _contacts(catalog: Catalog, measure: ContactsMeasure, seen: Seen, words: Words) -> str:
    least = f"at least {measure.at_least if measure.share is None else share(measure.share)}"
    named, measured = seen.part("named") or 0, seen.part("measured") or 0
    who = " or ".join(role.replace("_", " ") for role in measure.roles)
    asked = of_one(catalog, measure.measure)
    if not measured:
        return f"{asked}: no contact{f' ({who})' if who else ''} can be measured{words.said(least)}"
    many = f"{number(named)} of {number(measured)} contacts{f' ({who})' if who else ''}"
    return f"{asked}: {many}{_named(seen.people)}{words.said(least)}"


def _slip(catalog: Catalog, measure: SlipMeasure, seen: Seen, words: Words) -> str:
    title, wanted = _title(catalog, measure.metric), measure.pattern.replace("_", " ")
    code, measured = seen.part("pattern"), seen.part("measured") or 0
    if code is None:
        why = "nobody was active before" if not measured else "not known of everybody"
        return f"{title}: the pattern of the slip is not known ({why}); needed: {wanted}"
    many = f"{number(seen.part('named') or 0)} of {number(measured)} active people"
    fallen = f"{many} fell by {share(measure.fall)} or more in {measure.over} days{_named(seen.people)}"
    return f"{title}: slip {pattern_named(code).replace('_', ' ')}: {fallen}{words.said(wanted)}"


def _clock(catalog: Catalog, measure: ClockMeasure, seen: Seen, words: Words) -> str:
    title = _DATES.get(measure.date) or name_text(catalog, measure.date).removesuffix(" on")
    before = measure.side == "before"
    limit = f"{'at most' if before else 'at least'} {measure.by} days"
    if measure.until is not None:
        limit = f"{limit} and {'more' if before else 'less'} than {measure.until}"
    if seen.value is None:
        return f"{title[:1].upper()}{title[1:]} is {NOT_KNOWN}; needed: {limit} {measure.side} it"
    days = abs(seen.value)
    where = measure.side if seen.value >= 0 else ("after" if before else "before")
    return f"Today is {number(days)} days {where} {title}{words.said(limit)}"


def _named(people: Sequence[str]) -> str:
    if not people:
        return ""
    more = f" and {len(people) - MOST_NAMES} more" if len(people) > MOST_NAMES else ""
    return f" ({', '.join(people[:MOST_NAMES])}{more})"
