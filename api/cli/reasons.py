"""What ``why`` prints of a score: why it is what it is, and why it moved."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, NoReturn

import typer

from api.cli.workspace import Workspace, account_id, err, out
from engine.errors import NotFound
from engine.evaluation.wording import day_text, number
from engine.store.records import records
from engine.store.score_reasons import ScoreOn, WhyMoved, why_moved, why_score

RECORD_DAYS: Final = 90
"""So far back records are listed where nothing else is said."""


def print_score(workspace: Workspace, account: str, day: int, scorecard: str, *, as_json: bool) -> None:
    """Why the account's score is what it is, group by group and metric by metric."""
    with workspace.store.read() as session:
        account_id(session, account)
        try:
            found = why_score(session, workspace.bundle, account, None, day, scorecard)
        except NotFound as missing:
            _stop(missing)
    if found is None:
        _no_scorecard(account)
    elif as_json:
        print(json.dumps({"account": account, **_score(found.of), "text": list(found.lines)}))
    else:
        for line in found.lines:
            out.print(line)


def print_moved(workspace: Workspace, account: str, days: tuple[int, int], scorecard: str, *, as_json: bool) -> None:
    """Why the account's score moved between two days, what is behind it and what answers it."""
    if days[0] >= days[1]:
        err.print(f"--since is a day before {day_text(days[1])}")
        raise typer.Exit(2)
    with workspace.store.read() as session:
        account_id(session, account)
        try:
            found = why_moved(session, workspace.bundle, account, None, *days, scorecard)
        except NotFound as missing:
            _stop(missing)
    if found is None:
        _no_scorecard(account)
    elif as_json:
        print(json.dumps(_moved(found)))
    else:
        for line in moved_lines(found):
            out.print(line)


def print_records(workspace: Workspace, account: str, metric: str, days: tuple[int, int], *, as_json: bool) -> None:
    """The points and events behind a metric, newest first: what was recorded when, and what it replaced."""
    with workspace.store.read() as session:
        account_id(session, account)
        try:
            found = records(session, workspace.bundle.catalog, account, None, metric, *days)
        except NotFound as missing:
            _stop(missing)
    if as_json:
        print(json.dumps([asdict(one) | {"day": day_text(one.day)} for one in found], default=str))
        return
    for one in found:
        what = one.name if one.value is None else f"{one.name} {number(one.value)}"
        whose = f" of {one.of}" if one.of else ""
        until = f", replaced {one.replaced_at:%Y-%m-%d %H:%M}" if one.replaced_at else ""
        out.print(f"{day_text(one.day)} {one.kind}: {what}{whose}, recorded {one.recorded_at:%Y-%m-%d %H:%M}{until}")
    if not found:
        out.print(f"nothing was recorded of {metric} from {day_text(days[0])} to {day_text(days[1])}")


def moved_lines(found: WhyMoved) -> Iterator[str]:
    """The change as lines: the parts sum to it exactly."""
    days = f"{day_text(found.before.day)} to {day_text(found.after.day)}"
    yield f"{found.after.card.name}, {days}: {found.change.headline}"
    yield from (part.sentence for part in found.change.parts)
    yield from found.change.notes
    if found.cause is not None:
        yield f"root cause: {found.cause.sentence}"
    for answer in found.answers:
        yield f'what answers it: {answer.playbook} of the rule {answer.rule} ("{answer.challenge}"), {answer.basis}'
    if found.is_gap:
        yield "what answers it: nothing; no rule has a signal that reads it"


def _score(of: ScoreOn) -> dict[str, Any]:
    score = of.score
    return {
        "scorecard": of.card.name,
        "day": of.day,
        "kept": of.kept,
        "bundle": of.bundle.fingerprint,
        "micro_points": score.effective,
        "computed_micro_points": score.computed,
        "tier": score.tier.value if score.tier else None,
    }


def _moved(found: WhyMoved) -> dict[str, Any]:
    return {
        "account": found.account,
        "before": _score(found.before),
        "after": _score(found.after),
        "change": asdict(found.change),
        "cause": asdict(found.cause) if found.cause else None,
        "answers": [asdict(answer) for answer in found.answers],
    }


def _stop(missing: NotFound) -> NoReturn:
    err.print(str(missing))
    raise typer.Exit(2) from None


def _no_scorecard(account: str) -> None:
    out.print(f"{account}: no scorecard applies")
