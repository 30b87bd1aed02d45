"""Writing a plan: decisions, episodes, outcomes to judge, requested runs and their outbox rows, in one transaction."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.deciding import Closed, Decision, Plan
from engine.store import runs, snoozes
from engine.store.accounts import parts
from engine.store.bulk import insert_all, table_of
from engine.store.decision_tables import DecisionRow, EpisodeRow, OutcomeRow
from engine.store.runs import Wanted
from engine.terms import DecisionKind, Mode, OutcomeState, Reason

_ASKED = [Reason.BLAST_RADIUS.value, Reason.EXISTING.value]


def save_plan(session: Session, bundle: Bundle, plan: Plan, day: int, day_seconds: float | None) -> list[int]:
    """Write a plan; give back the ids of the runs it requested.

    ``day_seconds`` is the length of a day on the runs' clock. None writes the decisions and outcomes alone: a history
    that is replayed has no runs to start.
    """
    _close(session, plan.closed, day)
    episodes = _open(session, plan.decisions, day)
    decisions = insert_all(
        session,
        DecisionRow,
        DecisionRow.id,
        [
            _decision_row(decision, episode, bundle.fingerprint, plan.at)
            for decision, episode in zip(plan.decisions, episodes, strict=True)
        ],
    )
    _settle_snoozes(session, plan)
    drawn = _drawn_before(session, plan.decisions, episodes, decisions)
    if outcomes := _outcomes(bundle, plan.decisions, decisions, day, drawn):
        session.execute(insert(table_of(OutcomeRow)), outcomes)
    return [] if day_seconds is None else _request_runs(session, bundle, plan, decisions, episodes, day_seconds)


def _close(session: Session, closed: Sequence[Closed], day: int) -> None:
    by_rule: dict[str, list[int]] = {}
    for one in closed:
        by_rule.setdefault(one.rule, []).append(one.account_id)
    for rule, accounts in by_rule.items():
        for some in parts(accounts):
            session.execute(
                update(EpisodeRow)
                .where(EpisodeRow.rule == rule, EpisodeRow.account_id.in_(some), EpisodeRow.closed_on.is_(None))
                .values(closed_on=day)
            )


def _open(session: Session, decisions: Sequence[Decision], day: int) -> list[int]:
    """An episode for each decision: a new one, or the open one of an account that is decided on again."""
    known: dict[tuple[str, int], int] = {}
    for some in parts(sorted({decision.account_id for decision in decisions})):
        query = select(EpisodeRow.rule, EpisodeRow.account_id, EpisodeRow.id).where(
            EpisodeRow.account_id.in_(some), EpisodeRow.closed_on.is_(None)
        )
        known |= {(rule, account): number for rule, account, number in session.execute(query)}
    wanted = [(decision.rule, decision.account_id) for decision in decisions]
    new = [one for one in wanted if one not in known]
    rows = [{"account_id": account, "rule": rule, "opened_on": day} for rule, account in new]
    known |= dict(zip(new, insert_all(session, EpisodeRow, EpisodeRow.id, rows), strict=True))
    return [known[one] for one in wanted]


def _decision_row(decision: Decision, episode_id: int, fingerprint: str, at: datetime) -> dict[str, Any]:
    return {
        "account_id": decision.account_id,
        "episode_id": episode_id,
        "rule": decision.rule,
        "playbook": decision.playbook,
        "kind": decision.kind.value,
        "reason": decision.reason.value if decision.reason else None,
        "mode": decision.mode.value if decision.mode else None,
        "arm": decision.arm.value if decision.arm else None,
        "sentence": decision.sentence,
        "evidence": [
            {each.name: getattr(evidence, each.name) for each in fields(evidence)} for evidence in decision.evidence
        ],
        "bundle": fingerprint,
        "decided_at": at,
    }


def _settle_snoozes(session: Session, plan: Plan) -> None:
    """What got worse wakes; what begins to fire while it is snoozed is compared with from now on."""
    snoozes.wake(session, [each.woke for each in plan.decisions if each.woke is not None], plan.at)
    asleep = [each for each in plan.decisions if each.reason is Reason.SNOOZED]
    snoozes.note_severity(session, [(each.account_id, each.rule, each.severity) for each in asleep])


def _drawn_before(
    session: Session, decisions: Sequence[Decision], episodes: Sequence[int], ids: Sequence[int]
) -> frozenset[int]:
    """Those of the new decisions (by id) whose episode has an outcome to judge already: it counts once."""
    drawn = [each for each in zip(decisions, episodes, ids, strict=True) if each[0].arm is not None]
    judged: set[tuple[int | None, str]] = set()
    for some in parts(sorted({decision.account_id for decision, _, _ in drawn})):
        before = select(DecisionRow.episode_id, DecisionRow.playbook).join(
            OutcomeRow, OutcomeRow.decision_id == DecisionRow.id
        )
        judged |= {
            (episode, playbook) for episode, playbook in session.execute(before.where(OutcomeRow.account_id.in_(some)))
        }
    return frozenset(number for decision, episode, number in drawn if (episode, decision.playbook) in judged)


def _outcomes(
    bundle: Bundle, decisions: Sequence[Decision], ids: Sequence[int], day: int, drawn: frozenset[int]
) -> list[dict[str, Any]]:
    return [
        {
            "decision_id": number,
            "account_id": decision.account_id,
            "rule": decision.rule,
            "playbook": decision.playbook,
            "arm": decision.arm.value,
            "baseline": decision.baseline,
            "decided_on": day,
            "due_on": day + bundle.rules[decision.rule].challenge.success.within,
            "state": OutcomeState.DUE.value,
            "sentence": "",
        }
        for decision, number in zip(decisions, ids, strict=True)
        if decision.arm is not None and number not in drawn
    ]


def _request_runs(
    session: Session,
    bundle: Bundle,
    plan: Plan,
    decisions: Sequence[int],
    episodes: Sequence[int],
    day_seconds: float,
) -> list[int]:
    wanted = [
        Wanted(
            account_id=decision.account_id,
            playbook=decision.playbook,
            mode=decision.mode or Mode.APPROVE,
            rule=decision.rule,
            decision_id=number,
            episode_id=episode,
        )
        for decision, number, episode in zip(plan.decisions, decisions, episodes, strict=True)
        if decision.kind is DecisionKind.START
    ]
    return runs.request_all(session, bundle, wanted, day_seconds, plan.at)


def waiting_for_word(session: Session, rules: Collection[str]) -> set[tuple[str, int]]:
    """Rule and account of every open episode of ``rules`` whose last decision only waits for a member's yes."""
    last = select(func.max(DecisionRow.id)).where(DecisionRow.rule.in_(rules)).group_by(DecisionRow.episode_id)
    query = (
        select(DecisionRow.rule, DecisionRow.account_id)
        .join(EpisodeRow, EpisodeRow.id == DecisionRow.episode_id)
        .where(DecisionRow.id.in_(last), DecisionRow.reason.in_(_ASKED), EpisodeRow.closed_on.is_(None))
    )
    return {(rule, account) for rule, account in session.execute(query)}


def newest(session: Session, account_id: int, rule: str) -> dict[str, Any] | None:
    """The newest decision on an account and a rule, as it was recorded; None if there is none."""
    row = session.scalar(
        select(DecisionRow)
        .where(DecisionRow.account_id == account_id, DecisionRow.rule == rule)
        .order_by(DecisionRow.id.desc())
        .limit(1)
    )
    if row is None:
        return None
    return {
        "kind": row.kind,
        "playbook": row.playbook,
        "arm": row.arm,
        "sentence": row.sentence,
        "decided_at": row.decided_at.isoformat(),
        "bundle": row.bundle,
    }
