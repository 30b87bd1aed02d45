"""Explaining one account's score: what each metric was worth, which tier follows and why, and what is not known.

Everything is said from stored numbers (`AccountScore`), so the explanation of any day is what was shown on it, and
saying it again gives the same text.
"""

from dataclasses import dataclass

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Bounded, Scorecard
from engine.evaluation.conversions import conversion, metric_value, silence, standard_text, title_with_capital
from engine.evaluation.facts import ScoreOverride
from engine.evaluation.scoring import TIERS, Scored
from engine.evaluation.tiers import tier_by_criteria, tier_by_score
from engine.evaluation.tracing import why_rule as why_rule
from engine.evaluation.wording import condition_text, number, points, share
from engine.terms import MICRO, Tier


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """One metric of one account's score. ``value`` and ``normalised`` (0 to 100) are None where unknown; ``share`` is
    the effective share of the whole score; ``contribution`` in micro-points."""

    metric: str
    value: float | None
    normalised: float | None
    share: float
    contribution: int


@dataclass(frozen=True, slots=True)
class AccountScore:
    """One account's score on one day. Micro-points; None: insufficient data or not applicable.

    The contributions of ``lines`` sum to ``computed`` exactly. ``last_tier``: the tier, or without one the last known.
    """

    computed: int | None
    effective: int | None
    coverage: float
    raw_tier: Tier | None
    computed_tier: Tier | None
    tier: Tier | None
    lines: tuple[ScoreLine, ...]
    last_tier: Tier | None = None


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One metric in words: its title, its value with unit, its mark out of 100, its share and its points."""

    metric: str
    title: str
    value: str
    normalised: str
    share: str
    points: str
    contribution: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A score in words. ``headline`` says score and tier, ``reasons`` why this tier, ``coverage`` what is known."""

    headline: str
    reasons: tuple[str, ...]
    coverage: str
    missing: tuple[str, ...]
    lines: tuple[ExplainedLine, ...]

    @property
    def text(self) -> str:
        """All of it as lines to read aloud."""
        return "\n".join((self.headline, *self.reasons, self.coverage, *(line.sentence for line in self.lines)))


def account_score(scored: Scored, row: int) -> AccountScore:
    """One account's row of a scorecard as values."""
    columns = (scored.values, scored.normalised, scored.shares, scored.contributions)
    value, normalised, shares, contributions = (column[row].tolist() for column in columns)
    lines = tuple(
        ScoreLine(metric, _known(value[at]), _known(normalised[at]), shares[at], contributions[at])
        for at, metric in enumerate(scored.metrics)
    )
    return AccountScore(
        computed=_micro(int(scored.computed[row])),
        effective=_micro(int(scored.effective[row])),
        coverage=float(scored.coverage[row]),
        raw_tier=_tier(int(scored.raw_tier[row])),
        computed_tier=_tier(int(scored.computed_tier[row])),
        tier=_tier(int(scored.tier[row])),
        lines=lines,
        last_tier=_tier(int(scored.last_tier[row])),
    )


def explain(
    catalog: Catalog, card: Scorecard, score: AccountScore, override: ScoreOverride | None = None
) -> Explanation:
    """Say in words why the score is what it is. ``override``: the person's change in force, if there is one."""
    counts = score.computed is not None
    lines = tuple(_line(catalog, card, line, counts=counts) for line in score.lines)
    shown = {metric.name for metric in card.metrics if not metric.is_scored}
    silent = {metric.name for metric in card.metrics if isinstance(metric.normaliser, Bounded)}
    missing = tuple(
        each.title
        for each, line in zip(lines, score.lines, strict=True)
        if line.normalised is None and line.metric not in shown and (line.value is None or line.metric not in silent)
    )
    unknown = f"; not known: {', '.join(missing)}" if missing else ""
    coverage = f"{share(round(score.coverage, 4))} of the weight is known{unknown}"
    return Explanation(_headline(card, score), _reasons(card, catalog, score, override), coverage, missing, lines)


def _line(catalog: Catalog, card: Scorecard, line: ScoreLine, *, counts: bool) -> ExplainedLine:
    metric = next((each for each in card.metrics if each.name == line.metric), None)
    title, value, formula = line.metric, "not known" if line.value is None else number(line.value), ""
    if metric is not None:
        title, value = title_with_capital(catalog, metric), metric_value(catalog, metric, line.value)
        formula = conversion(catalog, metric)
    mark = "not known" if line.normalised is None else number(line.normalised)
    worth = f" x {share(line.share)} = {points(line.contribution)} points" if counts else ""
    if line.normalised is not None:
        sentence = f"{title} is {value}{formula}: {mark} of 100{worth}"
    elif line.contribution or line.share:
        stands_for = 50 if metric is not None and card.missing_of(metric) == "neutral" else 0
        sentence = f"{title} is {value} and stands for {stands_for} of 100{worth}"
    else:
        must = metric is not None and card.missing_of(metric) == "fail"
        sentence = f"{title} is {value}{silence(catalog, metric, is_known=line.value is not None, must_be_known=must)}"
    return ExplainedLine(
        line.metric, title, value, mark, share(line.share), points(line.contribution), line.contribution, sentence
    )


def _headline(card: Scorecard, score: AccountScore) -> str:
    tier = title_of(score.tier) if score.tier else "no tier"
    if score.effective is None:
        return f"{card.name}: Insufficient data, {tier}" if score.tier else f"{card.name}: Insufficient data"
    return f"{card.name}: {points(score.effective)} of 100, {tier}"


def _reasons(card: Scorecard, catalog: Catalog, score: AccountScore, override: ScoreOverride | None) -> tuple[str, ...]:
    found = []
    if score.computed is None:
        found += _why_none(card, catalog, score)
    elif score.raw_tier is not None:
        how = "its criteria" if card.tiers_by == "criteria" else f"{points(score.computed)} points"
        found.append(f"By {how} it is {title_of(score.raw_tier)}")
        found += disagreement(card, score)
    found += _below_standard(card, catalog, score)
    if score.computed_tier is not score.raw_tier and score.computed_tier is not None:
        found.append(departure(card, catalog, score))
    if override is not None:
        found.append(f"{override.author} changed it until {override.expires}: {override.reason}")
    return tuple(found)


def _why_none(card: Scorecard, catalog: Catalog, score: AccountScore) -> list[str]:
    """Which metrics must be known, how much must be, and what the tier was when it was known last."""
    lines = {line.metric: line for line in score.lines}
    needed = [metric for metric in card.metrics if metric.is_scored and card.missing_of(metric) == "fail"]
    absent = [metric for metric in needed if metric.name in lines and lines[metric.name].value is None]
    found = [f"{title_with_capital(catalog, metric)} must be known for a score" for metric in absent]
    if not absent:
        found.append(f"At least {share(card.min_coverage)} of the weight must be known for a score")
    if score.tier is None and score.last_tier is not None:
        found.append(f"When it was known last it was {title_of(score.last_tier)}")
    return found


def disagreement(card: Scorecard, score: AccountScore) -> list[str]:
    """That score and criteria lead to different tiers, where they do; empty where they agree or one says nothing."""
    if score.computed is None or not any(metric.standard for metric in card.metrics):
        return []
    values = {line.metric: np.nan if line.value is None else line.value for line in score.lines}
    row = np.array([[values.get(metric.name, np.nan) for metric in card.metrics]])
    by_criteria = _tier(int(tier_by_criteria(card, row)[0]))
    by_score = _tier(int(tier_by_score(card, np.array([score.computed]))[0]))
    if by_criteria is None or by_score is None or by_criteria is by_score:
        return []
    other, how = (by_score, "its points") if card.tiers_by == "criteria" else (by_criteria, "its criteria")
    return [f"By {how} it would be {title_of(other)}: the two disagree"]


def _below_standard(card: Scorecard, catalog: Catalog, score: AccountScore) -> list[str]:
    """The metrics below what is acceptable: the value and the limit."""
    lines, found = {line.metric: line.value for line in score.lines}, []
    for metric in card.metrics:
        value = lines.get(metric.name)
        if metric.standard is None or value is None:
            continue
        sign = 1.0 if metric.standard.highest >= metric.standard.acceptable else -1.0
        if sign * value < sign * metric.standard.acceptable:
            said, limit = metric_value(catalog, metric, value), standard_text(catalog, metric, metric.standard)
            found.append(f"{title_with_capital(catalog, metric)} is {said}; acceptable is {limit}")
    return found


def departure(card: Scorecard, catalog: Catalog, score: AccountScore) -> str:
    """What put the account into another tier than its points or criteria say."""
    # A stored score says that an exception or the margin decided, not which; the author is told both.
    tier = title_of(score.computed_tier) if score.computed_tier else ""
    forced = [condition_text(catalog, each.when.tree) for each in card.forced if each.tier is score.computed_tier]
    exceptions = f" or the exception: {'; '.join(forced)}" if forced else ""
    if score.raw_tier is None or score.computed is None:
        return f"It is {tier} by the exception: {'; '.join(forced)}"
    near = f"the score is within {number(card.margin)} points of the cut, so the tier of before stays"
    if card.tiers_by == "criteria":
        near = f"it has not been otherwise for {card.dwell} evaluations in a row, so the tier of before stays"
    past = [
        abs(score.computed - round(band.start * MICRO)) > round(card.margin * MICRO)
        for band in card.bands
        if band.tier in {score.raw_tier, score.computed_tier} and band.start > 0
    ]
    if forced and all(past):
        return f"It is {tier} by the exception: {'; '.join(forced)}"
    return f"It is {tier}: {near}{exceptions}"


def title_of(tier: Tier) -> str:
    """A tier's name as people see it."""
    return tier.value.replace("_", " ").title()


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _micro(value: int) -> int | None:
    return None if value < 0 else value


def _tier(index: int) -> Tier | None:
    return None if index < 0 else TIERS[index]
