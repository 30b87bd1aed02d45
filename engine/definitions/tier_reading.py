"""Reading the tiers of a scorecard (codes S): bands, margin and dwell, by score or criteria, and exceptions."""

from dataclasses import replace
from typing import Final, Literal as Choice

from engine.definitions.condition_reading import parse
from engine.definitions.fields import Fields
from engine.definitions.reading import items
from engine.definitions.scope import Scope
from engine.definitions.scorecard import Band, ForcedTier, Scorecard
from engine.terms import Tier

BY: Final[tuple[Choice["score", "criteria"], ...]] = ("score", "criteria")
TIERS: Final = tuple(Tier)
DWELL: Final = 3
"""Evaluations in a row after which a tier follows the score although it is within the margin (D.6 37)."""


def read_tiers(card: Scorecard, tiers: Fields, scope: Scope) -> Scorecard:
    """The scorecard with its tiers."""
    by = tiers.word("by", BY, "score")
    card = replace(
        card,
        bands=_bands(tiers),
        tiers_by=by,
        margin=tiers.number("margin", 3.0, 0, 50),
        # Criteria have no margin, so a tier by criteria follows at once unless the author says otherwise.
        dwell=tiers.whole("dwell", DWELL if by == "score" else 1, 1, 100),
        forced=_forced(tiers, scope),
    )
    tiers.close()
    if by == "criteria" and card.metrics and not any(metric.standard for metric in card.metrics):
        message = "tiers by criteria need a standard on at least one metric"
        tiers.ledger.problem(tiers.key_place("by"), 16, message, "write standard: {acceptable: 40%, highest: 80%}")
    return card


def _bands(tiers: Fields) -> tuple[Band, ...]:
    found: list[Band] = []
    for tier in TIERS:
        fields = tiers.fields(tier.value, required=True)
        if fields is None:
            continue
        band = Band(tier, fields.number("from", None, 0, 100), fields.text("customer_wording"))
        fields.close()
        if "from" in fields:
            at = fields.key_place("from")
            if not found and band.start != 0:
                message = "the first tier starts from 0, so that no score is without a tier"
                tiers.ledger.problem(at, 13, message, "write from: 0")
            if found and band.start <= found[-1].start:
                message = f"{tier.value} must start above {found[-1].tier.value} ({found[-1].start:g})"
                tiers.ledger.problem(at, 13, message, "the tiers go from the worst to the best")
        found.append(band)
    return tuple(found)


def _forced(tiers: Fields, scope: Scope) -> tuple[ForcedTier, ...]:
    node = tiers.find("forced")
    found: list[ForcedTier] = []
    for item in items(node, tiers.ledger, '"forced"') if node else ():
        fields = Fields(item, tiers.ledger, "a forced tier")
        when = fields.need("when")
        condition = parse(when, scope, tiers.ledger) if when else None
        tier = fields.word("tier", TIERS)
        fields.close()
        if condition:
            found.append(ForcedTier(condition, tier, fields.place))
    return tuple(found)
