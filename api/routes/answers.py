"""What members say, as JSON: answers to questions of the catalog, and whether scores look right to them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from pydantic import BaseModel
from sqlalchemy.orm import Session

from api.dependencies import Acting, Allowed, Now, Pass, Reading, TheStore, bundle_in_force
from api.described import SESSION
from engine.store import answers, score_feedback
from engine.store.account_page import owned
from engine.store.glances import id_of
from engine.store.override_accuracy import override_accuracy
from engine.store.score_feedback import Looks

router = APIRouter(prefix="/v1", tags=["accounts"], dependencies=[SESSION])

Readable = Annotated[Pass, Depends(Allowed("account", "read"))]
Saying = Annotated[Pass, Depends(Acting("account", "override"))]
Reason = Annotated[str, Form(max_length=2_000)]


class AnswerAnswer(BaseModel):
    """One answer of a member on the question's scale."""

    question: str
    value: float
    reason: str
    author: str
    at: datetime


class FeedbackAnswer(BaseModel):
    """What a member said of a score; ``account`` is empty where it is about the scorecard as such."""

    account: str
    bundle: str
    looks: Looks
    score: float | None
    reason: str
    author: str
    at: datetime


class VersionAnswer(BaseModel):
    """How the scores of one version of the definitions looked to people."""

    bundle: str
    since: datetime | None
    right: int
    wrong: int


class AccuracyAnswer(BaseModel):
    """Overridden scores of 90 days ago and before, held against who left: Brier scores, null while there are few."""

    count: int
    model: float | None
    people: float | None
    sentence: str


class ReviewAnswer(BaseModel):
    """All feedback on a scorecard: counted for each version, and listed, newest first; and whether overrides of its
    scores were right."""

    scorecard: str
    versions: list[VersionAnswer]
    said: list[FeedbackAnswer]
    overrides: AccuracyAnswer


@router.get("/accounts/{key}/answers/{question}")
def history(key: str, question: str, session: Reading, allowed: Readable) -> list[AnswerAnswer]:
    """Every answer that members gave to a question about the account, newest first, with who, when and why."""
    account = owned(session, id_of(session, key), allowed.owner).id
    return [
        AnswerAnswer(question=one.question, value=one.value, reason=one.reason, author=one.author, at=one.at)
        for one in answers.history(session, account, question)
    ]


@router.post("/accounts/{key}/answers/{question}", status_code=HTTPStatus.CREATED)
def answer(
    key: str,
    question: str,
    store: TheStore,
    at: Now,
    allowed: Saying,
    value: Annotated[float, Form()],
    reason: Reason = "",
) -> AnswerAnswer:
    """Answer a question about the account, such as its sentiment; the account is looked at again at once."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        catalog, who = bundle_in_force(session).catalog, allowed.identity.email
        answers.say(session, catalog, account, question, value=value, reason=reason, member=who, at=at)
    return AnswerAnswer(question=question, value=value, reason=reason.strip(), author=who, at=at)


@router.post("/accounts/{key}/scores/{scorecard}/feedback", status_code=HTTPStatus.CREATED)
def of_account(
    key: str,
    scorecard: str,
    store: TheStore,
    at: Now,
    allowed: Saying,
    looks: Annotated[Looks, Form()],
    reason: Reason = "",
) -> FeedbackAnswer:
    """Say whether the account's score looks right; it counts for the version that made it."""
    with store.begin() as session:
        account = owned(session, id_of(session, key), allowed.owner).id
        _say(session, scorecard, looks, reason, allowed, at, account)
        return _listed(session, scorecard, None)[0]


@router.post("/scorecards/{scorecard}/feedback", status_code=HTTPStatus.CREATED)
def of_scorecard(
    scorecard: str, store: TheStore, at: Now, allowed: Saying, looks: Annotated[Looks, Form()], reason: Reason = ""
) -> FeedbackAnswer:
    """Say how the scorecard itself works."""
    with store.begin() as session:
        _say(session, scorecard, looks, reason, allowed, at, None)
        return _listed(session, scorecard, None)[0]


@router.get("/scorecards/{scorecard}/feedback")
def review(scorecard: str, session: Reading, at: Now, allowed: Readable) -> ReviewAnswer:
    """All feedback on a scorecard; a csm sees that of their accounts and of the scorecard as such."""
    judged = override_accuracy(session, scorecard, at)
    return ReviewAnswer(
        scorecard=scorecard,
        versions=[
            VersionAnswer(bundle=one.bundle, since=one.since, right=one.right, wrong=one.wrong)
            for one in score_feedback.versions(session, scorecard)
        ],
        said=_listed(session, scorecard, allowed.owner),
        overrides=AccuracyAnswer(
            count=judged.count, model=judged.model, people=judged.people, sentence=judged.sentence
        ),
    )


def _say(
    session: Session, scorecard: str, looks: Looks, reason: str, allowed: Pass, at: datetime, account: int | None
) -> None:
    bundle, who = bundle_in_force(session), allowed.identity.email
    score_feedback.say(session, bundle, scorecard, looks=looks, reason=reason, member=who, at=at, account_id=account)


def _listed(session: Session, scorecard: str, owner: str | None) -> list[FeedbackAnswer]:
    return [
        FeedbackAnswer(
            account=one.account,
            bundle=one.bundle,
            looks=one.looks,
            score=one.score,
            reason=one.reason,
            author=one.author,
            at=one.at,
        )
        for one in score_feedback.listed(session, scorecard, owner)
    ]
