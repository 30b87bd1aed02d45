"""A scorecard in words: what it is for, what weighs how much, how each value becomes a mark, and the tiers.

The percentages are those of the whole score when everything is known; they sum to 100.
"""

from collections.abc import Iterator

from engine.definitions.catalog import Catalog
from engine.definitions.scorecard import Carry, Missing, Scorecard
from engine.evaluation.conversions import conversion, title_with_capital
from engine.evaluation.wording import condition_text, number, share

_OF = {"account": "accounts", "contact": "contacts", "product": "products"}


def describe(catalog: Catalog, card: Scorecard) -> tuple[str, ...]:
    """The lines that say what a scorecard is, to read aloud."""
    return tuple(_lines(catalog, card))


def _lines(catalog: Catalog, card: Scorecard) -> Iterator[str]:
    yield f"{card.name}, a scorecard of {_OF[card.of]}: {card.desired_outcome}"
    if catalog.north_star:
        bears = f"; {card.north_star}" if card.north_star else ""
        yield f"North Star: {catalog.north_star}{bears}"
    if card.applies_to is not None:
        yield f"It applies where {condition_text(catalog, card.applies_to.tree)}"
    if card.roles:
        yield f"It applies to contacts with the role {' or '.join(card.roles)}"
    shares = card.shares
    for dimension in card.dimensions:
        yield f"{share(dimension.weight)} {dimension.name}"
        for metric in dimension.metrics:
            title = title_with_capital(catalog, metric)
            if metric.is_scored:
                times = "" if metric.multiplier == 1 else f", {number(metric.multiplier)} times its weight"
                yield f"  {share(round(shares[metric.name], 6))} {title}{conversion(catalog, metric)}{times}"
            else:
                yield f"  {title} is only shown"
    yield f"What is not known {_missing(card.missing)}; below {share(card.min_coverage)} known there is no score"
    for metric in card.metrics:
        if metric.missing is not None and metric.is_scored:
            yield f"  {title_with_capital(catalog, metric)}, where not known, {_missing(metric.missing)}"
    yield from _tiers(catalog, card)
    if card.feedback:
        yield f"Whether it looks right is asked by: {catalog.questions[card.feedback].ask}"


def _tiers(catalog: Catalog, card: Scorecard) -> Iterator[str]:
    by = "the criteria of its metrics" if card.tiers_by == "criteria" else "its points"
    yield f"Tiers by {by}; left only past the cut by {number(card.margin)} points, or after {card.dwell} evaluations"
    for band in card.bands:
        start = f" from {number(band.start)}" if card.tiers_by == "score" else ""
        yield f"  {band.tier.label}{start}; a customer reads: {band.customer_wording}"
    for exception in card.forced:
        yield f"  {exception.tier.label} whenever {condition_text(catalog, exception.when.tree)}"
    if card.roll_up:
        how = f"mean weighted by {card.roll_up.by}" if card.roll_up.by else card.roll_up.how
        yield f"The {how} of an account's {_OF[card.of]} is its score.{card.name}"


def _missing(missing: Missing) -> str:
    if isinstance(missing, Carry):
        return f"is carried on from up to {missing.days} days before"
    return {
        "exclude": "has no say, its weight goes to what is",
        "neutral": "counts as 50 of 100",
        "worst": "counts as 0",
        "fail": "leaves no score",
    }[missing]
