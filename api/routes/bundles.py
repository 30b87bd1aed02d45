"""Definitions over HTTP: which are in force, who put them there, what others would do, and putting them in force.

The files themselves come by `backcast apply`; here stands what is done with what is there. What goes beyond the limits
needs two: the first proposes, somebody else who may accepts.
"""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore
from engine.definitions.bundle import Bundle
from engine.errors import Refused
from engine.store import bundles
from engine.store.bundles import Act, Publication
from engine.store.proposal_values import values_of
from engine.store.proposals import Proposal, propose
from engine.terms import BundleAct

router = APIRouter(prefix="/v1/bundles", tags=["bundles"])

ACCEPTED: Final = 202
Reader = Annotated[Pass, Depends(Allowed("rule", "read"))]
Planner = Annotated[Pass, Depends(Allowed("rule", "apply"))]
Applier = Annotated[Pass, Depends(Acting("rule", "apply"))]


class ActAnswer(BaseModel):
    """Who did what with which definitions."""

    fingerprint: str
    kind: str
    author: str
    message: str
    previous: str | None
    changes: dict[str, int]
    accepted: int | None
    at: datetime


class BundlesAnswer(BaseModel):
    """What is in force (null before the first), and what was done with definitions, the newest first."""

    in_force: str | None
    acts: list[ActAnswer]


class BundleAnswer(BaseModel):
    """One immutable set of definitions: path → text."""

    fingerprint: str
    files: dict[str, str]


class AppliedAnswer(BaseModel):
    """What became of it: ``applied``, or ``proposed`` until somebody else accepts it."""

    state: str
    fingerprint: str
    previous: str | None
    touched: int
    asks: list[str]


@router.get("")
def listed(session: Reading, _allowed: Reader) -> BundlesAnswer:
    """What is in force, and the last fifty acts."""
    found = [_answer(act) for act in bundles.acts(session)]
    return BundlesAnswer(in_force=bundles.fingerprint_in_force(session) or None, acts=found)


@router.get("/{fingerprint}")
def one(fingerprint: str, session: Reading, _allowed: Reader) -> BundleAnswer:
    """The files of one set, by its fingerprint or the beginning of it."""
    found = _named(session, fingerprint)
    return BundleAnswer(fingerprint=found.fingerprint, files=dict(found.texts))


@router.get("/{fingerprint}/plan")
def plan(fingerprint: str, session: Reading, at: Now, _allowed: Planner) -> dict[str, Any]:
    """What putting it in force would change in the files and do to which accounts; nothing happens."""
    return values_of(_proposal(session, _named(session, fingerprint), at))


@router.post("/{fingerprint}/apply")
def apply(
    fingerprint: str,
    response: Response,
    store: TheStore,
    at: Now,
    allowed: Applier,
    reason: Annotated[str, Form(min_length=1, max_length=2_000)],
    previous: Annotated[str, Form(max_length=64, description="what was in force when it was looked at")],
) -> AppliedAnswer:
    """Put it in force, if ``previous`` still is; beyond the limits the first of two members only proposes it."""
    with store.read() as session:
        bundle = _named(session, fingerprint)
        proposal = _proposal(session, bundle, at)
        accepts = _is_proposed(session, bundle, allowed.identity.email)
    email, size = allowed.identity.email, proposal.blast.size
    waits = bool(proposal.blast.asks) and not accepts
    with store.begin() as session:
        if waits:
            bundles.propose(session, bundle, Publication(email, reason, BundleAct.PROPOSED, proposal.changes), at)
        else:
            done = Publication(email, reason, _kind(session, bundle), proposal.changes, size or None)
            bundles.apply(session, bundle, done, previous, at)
    if waits:
        response.status_code = ACCEPTED
    return AppliedAnswer(
        state="proposed" if waits else "applied",
        fingerprint=bundle.fingerprint,
        previous=previous or None,
        touched=size,
        asks=list(proposal.blast.asks),
    )


def _named(session: Session, fingerprint: str) -> Bundle:
    return bundles.by_fingerprint(session, bundles.named(session, fingerprint))


def _proposal(session: Session, bundle: Bundle, at: datetime) -> Proposal:
    return propose(session, bundle, bundles.in_force(session), at)


def _is_proposed(session: Session, bundle: Bundle, email: str) -> bool:
    """Whether somebody else proposed this bundle in place of what is in force. Raises `Refused` where it was oneself
    and nobody else has."""
    now = bundles.fingerprint_in_force(session)
    proposed = [
        act.author
        for act in bundles.acts(session)
        if act.kind is BundleAct.PROPOSED and (act.fingerprint, act.previous) == (bundle.fingerprint, now)
    ]
    if proposed and set(proposed) == {email}:
        raise Refused(
            "You proposed this yourself, and it touches more than the limits: somebody else has to accept it."
        )
    return bool(proposed)


def _kind(session: Session, bundle: Bundle) -> BundleAct:
    was_there = any(
        act.fingerprint == bundle.fingerprint and act.kind is not BundleAct.PROPOSED for act in bundles.acts(session)
    )
    return BundleAct.ROLLED_BACK if was_there else BundleAct.APPLIED


def _answer(act: Act) -> ActAnswer:
    return ActAnswer(
        fingerprint=act.fingerprint,
        kind=act.kind.value,
        author=act.author,
        message=act.message,
        previous=act.previous or None,
        changes=dict(act.changes),
        accepted=act.accepted,
        at=act.at,
    )
