"""``override``, ``answer`` and ``feedback``: what people know better, with who says so, why, and until when."""

import json
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated

import typer

from api.cli.apply import AuthorOption, acting
from api.cli.workspace import DataOption, JsonOption, Workspace, account_id, err, now, open_in_force, out
from engine.evaluation.rolling_up import by_priority
from engine.evaluation.wording import points
from engine.store import answers, metric_overrides, score_feedback, score_overrides
from engine.store.override_accuracy import override_accuracy
from engine.terms import MICRO, Tier

ReasonOption = Annotated[str, typer.Option(help="Why; it stands beside what is said.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    app.command()(override)
    app.command()(answer)
    app.command()(feedback)


def override(
    account: str,
    reason: ReasonOption = "",
    score: Annotated[float | None, typer.Option(help="The score, 0 to 100.")] = None,
    tier: Annotated[Tier | None, typer.Option(help="The tier.")] = None,
    metric: Annotated[str, typer.Option(help="The metric (or a feature of it) that --value is of.")] = "",
    value: Annotated[float | None, typer.Option(help="What the metric really is.")] = None,
    days: Annotated[int, typer.Option(help="For how many days (at most 90).")] = 30,
    scorecard: Annotated[str, typer.Option(help="Which score (default: the first by priority).")] = "",
    author: AuthorOption = "",
    data: DataOption = "",
) -> None:
    """Say what a score, a tier or a metric really is; what is computed is kept and comes back when it ends."""
    if bool(metric) != (value is not None) or bool(metric) == (score is not None or tier is not None):
        err.print("say --score or --tier, or --metric with its --value")
        raise typer.Exit(2)
    who, workspace, at = acting(author), open_in_force(data), now()
    until = at + timedelta(days=days)
    with workspace.store.begin() as session:
        number = account_id(session, account)
        if metric and value is not None:
            catalog = workspace.bundle.catalog
            metric_overrides.override(
                session, catalog, number, metric, value=value, reason=reason, member=who, expires_at=until, at=at
            )
        else:
            card = _scorecard(workspace, scorecard)
            score_overrides.override(
                session, number, card, score=score, tier=tier, reason=reason, member=who, expires_at=until, at=at
            )
    out.print(f"{metric or 'the score'} of {account} goes by your word until {until:%Y-%m-%d}")


def answer(
    account: str,
    question: Annotated[str, typer.Argument(help="A question of the catalog, such as sentiment.")],
    value: Annotated[float, typer.Argument(help="On the question's scale.")],
    reason: ReasonOption = "",
    author: AuthorOption = "",
    data: DataOption = "",
) -> None:
    """Answer a question about an account; it counts as soon as the account is looked at again."""
    who, workspace = acting(author), open_in_force(data)
    with workspace.store.begin() as session:
        number, catalog = account_id(session, account), workspace.bundle.catalog
        answers.say(session, catalog, number, question, value=value, reason=reason, member=who, at=now())
    out.print(f"{question} of {account} is {value:g}")


def feedback(
    account: Annotated[str, typer.Argument(help="Whose score it is about (default: what was said so far).")] = "",
    wrong: Annotated[bool, typer.Option("--wrong/--right", help="Whether the score looks wrong.")] = True,
    reason: ReasonOption = "",
    scorecard: Annotated[str, typer.Option(help="Which score (default: the first by priority).")] = "",
    author: AuthorOption = "",
    as_json: JsonOption = False,
    data: DataOption = "",
) -> None:
    """Say that an account's score looks wrong (or right); without an account: list what was said, by version."""
    workspace = open_in_force(data)
    card = _scorecard(workspace, scorecard)
    if not account:
        _review(workspace, card, as_json=as_json)
        return
    who = acting(author)
    with workspace.store.begin() as session:
        number = account_id(session, account)
        score_feedback.say(
            session,
            workspace.bundle,
            card,
            looks="wrong" if wrong else "right",
            reason=reason,
            member=who,
            at=now(),
            account_id=number,
        )
    out.print(f"kept: the score of {account} looks {'wrong' if wrong else 'right'}")


def _review(workspace: Workspace, card: str, *, as_json: bool) -> None:
    with workspace.store.read() as session:
        versions, said = score_feedback.versions(session, card), score_feedback.listed(session, card)
        judged = override_accuracy(session, card, now())
    if as_json:
        counted = [{"bundle": one.bundle, "right": one.right, "wrong": one.wrong} for one in versions]
        listed = [{"account": one.account, "looks": one.looks, "reason": one.reason} for one in said]
        print(json.dumps({"scorecard": card, "versions": counted, "said": listed, "overrides": asdict(judged)}))
        return
    for version in versions:
        out.print(f"{card} {version.bundle[:12]}: looked wrong {version.wrong} times, right {version.right}")
    for one in said:
        shown = "" if one.score is None else f" ({points(round(one.score * MICRO))})"
        out.print(f"{one.at:%Y-%m-%d} {one.account or 'the scorecard'}{shown} looks {one.looks}: {one.reason}")
    out.print(judged.sentence)


def _scorecard(workspace: Workspace, name: str) -> str:
    cards = by_priority(workspace.bundle.scorecards)
    if not cards or (name and name not in cards):
        err.print(f'no scorecard "{name}"; there are: {", ".join(cards)}' if cards else "no scorecard scores accounts")
        raise typer.Exit(2)
    return name or cards[0]
