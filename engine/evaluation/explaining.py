"""Explaining one account's score: what each metric was worth, which tier follows and why, and what is not known.

Everything is said from stored numbers (`AccountScore`), so the explanation of any day is what was shown on it, and
saying it again gives the same text.
"""

from dataclasses import dataclass

import numpy as np

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import GoalLine, Linear, Scorecard, ScoredMetric, Threshold
from engine.evaluation.facts import ScoreOverride
from engine.evaluation.scoring import TIERS, Scored
from engine.evaluation.tracing import why_rule as why_rule
from engine.evaluation.wording import condition_text, feature_title, feature_value, number, points, share
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

    The contributions of ``lines`` sum to ``computed`` exactly.
    """

    computed: int | None
    effective: int | None
    coverage: float
    raw_tier: Tier | None
    computed_tier: Tier | None
    tier: Tier | None
    lines: tuple[ScoreLine, ...]


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
    )


def explain(
    catalog: Catalog, card: Scorecard, score: AccountScore, override: ScoreOverride | None = None
) -> Explanation:
    """Say in words why the score is what it is. ``override``: the person's change in force, if there is one."""
    metrics = {metric.name: metric for metric in card.metrics}
    counts = score.computed is not None
    lines = tuple(_line(catalog, metrics.get(line.metric), line, counts=counts) for line in score.lines)
    missing = tuple(each.title for each, line in zip(lines, score.lines, strict=True) if line.normalised is None)
    unknown = f"; not known: {', '.join(missing)}" if missing else ""
    coverage = f"{share(round(score.coverage, 4))} of the weight is known{unknown}"
    return Explanation(_headline(card, score), _reasons(card, catalog, score, override), coverage, missing, lines)


def metric_value(catalog: Catalog, metric: ScoredMetric, value: float | None) -> str:
    """A scored value in words; of a goal line, the attained share of it."""
    if not isinstance(metric.normaliser, GoalLine):
        return feature_value(catalog, metric.feature, value)
    return "not known" if value is None else f"{share(value)} of the goal's line"


def _line(catalog: Catalog, metric: ScoredMetric | None, line: ScoreLine, *, counts: bool) -> ExplainedLine:
    title, value, conversion = line.metric, "not known" if line.value is None else number(line.value), ""
    if metric is not None:
        title, value = feature_title(catalog, metric.feature), metric_value(catalog, metric, line.value)
        conversion = _conversion(catalog, metric)
    title = title[:1].upper() + title[1:]
    mark = "not known" if line.normalised is None else number(line.normalised)
    worth = f" x {share(line.share)} = {points(line.contribution)} points" if counts else ""
    if line.normalised is not None:
        sentence = f"{title} is {value}{conversion}: {mark} of 100{worth}"
    elif line.contribution:
        sentence = f"{title} is not known; it stands for {points(line.contribution)} points"
    else:
        sentence = f"{title} is not known and has no say"
    return ExplainedLine(
        line.metric, title, value, mark, share(line.share), points(line.contribution), line.contribution, sentence
    )


def _conversion(catalog: Catalog, metric: ScoredMetric) -> str:
    match metric.normaliser:
        case Linear(zero, full):
            low, high = (feature_value(catalog, metric.feature, end) for end in (zero, full))
            return f" (0 at {low}, 100 at {high})"
        case Threshold(good, poor):
            best, worst = (feature_value(catalog, metric.feature, end) for end in (good, poor))
            return f" (100 at {best}, 0 at {worst}, 60 between)"
    return ""


def _headline(card: Scorecard, score: AccountScore) -> str:
    tier = title_of(score.tier) if score.tier else "no tier"
    if score.effective is None:
        return f"{card.name}: Insufficient data, {tier}" if score.tier else f"{card.name}: Insufficient data"
    return f"{card.name}: {points(score.effective)} of 100, {tier}"


def _reasons(card: Scorecard, catalog: Catalog, score: AccountScore, override: ScoreOverride | None) -> tuple[str, ...]:
    found = []
    if score.computed is None:
        least = f"at least {share(card.min_coverage)} of the weight must be known for a score"
        found.append(least[:1].upper() + least[1:])
    elif score.raw_tier is not None:
        how = "its criteria" if card.tiers_by == "criteria" else f"{points(score.computed)} points"
        found.append(f"By {how} it is {title_of(score.raw_tier)}")
    if score.computed_tier is not score.raw_tier and score.computed_tier is not None:
        found.append(_departure(card, catalog, score))
    if override is not None:
        found.append(f"{override.author} changed it until {override.expires}: {override.reason}")
    return tuple(found)


def _departure(card: Scorecard, catalog: Catalog, score: AccountScore) -> str:
    # A stored score says that an exception or the margin decided, not which; the author is told both.
    tier = title_of(score.computed_tier) if score.computed_tier else ""
    forced = [condition_text(catalog, each.when.tree) for each in card.forced if each.tier is score.computed_tier]
    exceptions = f" or the exception: {'; '.join(forced)}" if forced else ""
    if score.raw_tier is None or score.computed is None:
        return f"It is {tier} by the exception: {'; '.join(forced)}"
    near = f"the score is within {number(card.margin)} points of the cut, so the tier of before stays"
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
