"""One account: its score and why, what changed, signals, what happened, and the forms that override a score."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore, bundle_in_force
from api.pages.naming import Names, names
from api.pages.rendering import back_to, page
from engine.errors import NotFound, Refused
from engine.store import exclusions, holds, metric_overrides, score_overrides, snoozes
from engine.store.account_page import account_page, owned
from engine.store.score_lines import Score
from engine.terms import MICRO, Tier

router = APIRouter(include_in_schema=False, prefix="/accounts/{account_id}")

Overriding = Annotated[Pass, Depends(Acting("account", "override"))]
DEFAULT_DAYS = 30
MODES = (
    ("automatic", "Go on by itself"),
    ("approve", "Ask me before anything goes out"),
    ("veto", "Go on unless I stop it"),
)
"""How a run that a member starts goes on."""
LONGEST_DAYS = score_overrides.LONGEST.days


@router.get("")
def show(
    request: Request,
    allowed: Annotated[Pass, Depends(Allowed("account", "read"))],
    account_id: int,
    session: Reading,
    at: Now,
) -> Response:
    """Everything about one account."""
    return show_account(request, session, account_id, allowed, at)


@router.post("/override")
def override(
    request: Request,
    allowed: Overriding,
    account_id: int,
    store: TheStore,
    at: Now,
    scorecard: Annotated[str, Form(max_length=120)],
    reason: Annotated[str, Form(max_length=2000)] = "",
    score: Annotated[str, Form(max_length=10)] = "",
    tier: Annotated[str, Form(max_length=32)] = "",
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS,
) -> Response:
    """Put a person's score or tier in force for a while."""
    with store.read() as session:
        owned(session, account_id, allowed.owner)
    try:
        with store.begin() as session:
            score_overrides.override(
                session,
                account_id,
                scorecard,
                score=_score(score),
                tier=Tier(tier) if tier in set(Tier) else None,
                reason=reason,
                member=allowed.identity.email,
                expires_at=at + timedelta(days=days),
                at=at,
            )
    except Refused as refusal:
        with store.read() as session:
            return show_account(request, session, account_id, allowed, at, str(refusal))
    return back_to(f"/accounts/{account_id}", "overridden")


@router.post("/overrides/{override_id}/end")
def end(allowed: Overriding, account_id: int, override_id: int, store: TheStore, at: Now) -> Response:
    """Take an override back."""
    with store.begin() as session:
        owned(session, account_id, allowed.owner)
        if override_id not in {one.id for one in score_overrides.in_force(session, account_id, at)}:
            raise NotFound("There is no such override.")
        score_overrides.end(session, override_id, allowed.identity.email, at)
    return back_to(f"/accounts/{account_id}", "override-ended")


@router.post("/metric-override")
def override_metric(
    request: Request,
    allowed: Overriding,
    account_id: int,
    store: TheStore,
    at: Now,
    metric: Annotated[str, Form(max_length=200)],
    value: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=2000)] = "",
    days: Annotated[int, Form(ge=1, le=LONGEST_DAYS)] = DEFAULT_DAYS,
) -> Response:
    """Put a person's value of a metric in force for a while."""
    with store.read() as session:
        owned(session, account_id, allowed.owner)
    try:
        with store.begin() as session:
            metric_overrides.override(
                session,
                bundle_in_force(session).catalog,
                account_id,
                metric,
                value=_value(value),
                reason=reason,
                member=allowed.identity.email,
                expires_at=at + timedelta(days=days),
                at=at,
            )
    except Refused as refusal:
        with store.read() as session:
            return show_account(request, session, account_id, allowed, at, str(refusal))
    return back_to(f"/accounts/{account_id}", "metric-overridden")


@router.post("/metric-overrides/{override_id}/end")
def end_metric(allowed: Overriding, account_id: int, override_id: int, store: TheStore, at: Now) -> Response:
    """Take back what a metric was said to be."""
    with store.begin() as session:
        owned(session, account_id, allowed.owner)
        if override_id not in {one.id for one in metric_overrides.in_force(session, account_id, at)}:
            raise NotFound("There is no such override.")
        metric_overrides.end(session, override_id, allowed.identity.email, at)
    return back_to(f"/accounts/{account_id}", "metric-override-ended")


def show_account(
    request: Request, session: Session, account_id: int, allowed: Pass, at: datetime, refusal: str = ""
) -> Response:
    """The account's page; with ``refusal`` it says above everything why a form was not taken."""
    found = account_page(session, account_id, allowed.owner, at)
    known = names(session)
    return page(
        request,
        "account.html",
        409 if refusal else 200,
        refusal=refusal,
        found=found,
        account=found.account,
        names=known,
        allowed=allowed,
        signals=[one for one in found.signals if not (one.verdict > 0 and known.is_scope(one.rule, one.signal))],
        exceptions=_exceptions(known, found.score),
        cuts=_cuts(known, found.score),
        hold=holds.of_account(session, account_id),
        snoozed=snoozes.in_force(session, account_id, at),
        excluded=exclusions.in_force(session, account_id, at),
        reasons=snoozes.REASONS,
        rules=sorted(known.bundle.rules) if known.bundle else [],
        modes=MODES,
        playbooks=sorted(known.bundle.playbooks) if known.bundle else [],
        reports=sorted(known.bundle.reports) if known.bundle else [],
        tiers=tuple(Tier),
        default_days=DEFAULT_DAYS,
        longest_days=LONGEST_DAYS,
    )


def _cuts(known: Names, score: Score | None) -> list[tuple[float, str]]:
    card = known.bundle.scorecards.get(score.scorecard) if known.bundle and score else None
    return [(band.start, band.tier.value) for band in card.bands] if card else []


def _exceptions(known: Names, score: Score | None) -> tuple[str, ...]:
    """What put the account into its tier, where that is another one than its points say by more than the margin."""
    card = known.bundle.scorecards.get(score.scorecard) if known.bundle and score else None
    if card is None or score is None or score.computed_tier is None:
        return ()
    if score.computed is None:
        return known.forced(score.scorecard, score.computed_tier)
    by_points = [band.tier for band in card.bands if score.computed >= band.start * MICRO]
    near = [band.start for band in card.bands if abs(score.computed - band.start * MICRO) <= card.margin * MICRO]
    if not by_points or by_points[-1] is score.computed_tier or any(near):
        return ()
    return known.forced(score.scorecard, score.computed_tier)


def _score(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Refused(f'A score is a number from 0 to 100, not "{text}".') from None


def _value(text: str) -> float:
    """What was typed: a number, or a share as ``40%``."""
    plain = text.strip().replace(",", ".")
    try:
        return float(plain.removesuffix("%")) / 100 if plain.endswith("%") else float(plain)
    except ValueError:
        raise Refused(f'A value is a number such as 40, or a share such as 40%, not "{text}".') from None
