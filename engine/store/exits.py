"""Why a run could end before its steps are done: its account is barred, its signal has cleared, its goal is met,
everybody it wrote to has unsubscribed, another playbook has taken its place."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, aliased

from engine.definitions.bundle import Bundle
from engine.definitions.playbook import Playbook
from engine.effect.outcome import DueOutcome, judge
from engine.evaluation.evaluation import Evaluation
from engine.store.decision_tables import EpisodeRow, OutcomeRow
from engine.store.naming import one_of
from engine.store.run_tables import DeliveryRow, RunRow, SuppressionRow
from engine.store.runs import why_barred
from engine.store.suppressions import ALL
from engine.store.tables import AccountRow
from engine.terms import Arm, OutcomeState, RunState

CLEARED: Final = "Ended early: the signal that started it has cleared."
GOAL_MET: Final = "Ended early, because the goal is met: "


@dataclass(frozen=True, slots=True)
class Candidate:
    """One run and what is known about why it could end early.

    ``cleared``: the episode the run began with is over. ``decided_on`` (day) and ``baseline`` (the success feature
    then) are the decision's; None for a run that a member started. ``barred``: why nothing may run for the account.
    ``opted_out``: in which categories everybody has unsubscribed whom the run has written to; ``later``: the playbooks
    that were started for the account after it.
    """

    run_id: int
    account_id: int
    decision_id: int | None
    rule: str
    playbook: str
    bundle: str
    cleared: bool
    decided_on: int | None
    baseline: float | None
    barred: str
    opted_out: frozenset[str] = field(default=frozenset())
    later: frozenset[str] = field(default=frozenset())


_Words: TypeAlias = Mapping[int, frozenset[str]]


def is_recovery(why: str) -> bool:
    """Whether a run that ends for this reason ends because its account does better."""
    return why == CLEARED or why.startswith(GOAL_MET)


def candidate(session: Session, run_id: int, playbook: Playbook | None = None) -> Candidate:
    """What is known about one run; it is there. ``playbook``: its own, where only what that asks about is wanted."""
    wanted = RunRow.id == run_id
    row = session.execute(_known(wanted)).one()
    opted_out = _opted_out(session, wanted) if playbook is None or "unsubscribed" in playbook.exit else {}
    later = _later(session, wanted) if playbook is None or playbook.superseded_by else {}
    return _candidate(row, opted_out, later)


def waiting(session: Session, accounts: Collection[int] | None = None) -> list[Candidate]:
    """The same about every run that stands at a wait or an approval, of all accounts or of those named.

    A paused run is left alone until it goes on.
    """
    stands = RunRow.state == RunState.WAITING.value
    wanted = stands if accounts is None else stands & one_of(RunRow.account_id, accounts)
    opted_out, later = _opted_out(session, wanted), _later(session, wanted)
    return [_candidate(row, opted_out, later) for row in session.execute(_known(wanted))]


def asks(bundle: Bundle, one: Candidate) -> frozenset[str] | None:
    """The names of the data that say whether the run's goal is met; None where no data ends it."""
    rule = bundle.rules.get(one.rule)
    if rule is None or one.decided_on is None or "goal_met" not in bundle.playbooks[one.playbook].exit:
        return None
    success = rule.challenge.success
    asked = success.condition.names if success.condition else frozenset()
    return asked | ({success.feature.name} if success.feature else frozenset())


def reasons(bundle: Bundle, evaluation: Evaluation | None, candidates: Sequence[Candidate]) -> dict[int, str]:
    """Run → why its playbook's ``exit`` ends it, for those it ends. All of them began with ``bundle``.

    ``evaluation`` None: only what needs no data is looked at.
    """
    found = {one.run_id: why for one in candidates if (why := _without_data(_playbook(bundle, one), one))}
    asked = {
        one.decision_id: (one.run_id, _due(one, one.decision_id, one.decided_on, evaluation.facts.at))
        for one in candidates
        if evaluation is not None
        and one.decision_id is not None
        and one.decided_on is not None
        and one.run_id not in found
        and "goal_met" in _playbook(bundle, one).exit
    }
    if evaluation is None or not asked:
        return found
    for judged in judge(bundle, evaluation, [due for _, due in asked.values()]):
        if judged.state is OutcomeState.MET:
            found[asked[judged.due.decision_id][0]] = f"{GOAL_MET}{judged.sentence}."
    return found


def _without_data(playbook: Playbook, one: Candidate) -> str:
    if one.cleared and "signal_cleared" in playbook.exit:
        return CLEARED
    if "unsubscribed" in playbook.exit and one.opted_out & {playbook.category, ALL}:
        return "Ended early: everybody it wrote to has unsubscribed."
    successors = [name for name in playbook.superseded_by if name in one.later]
    return f"Ended early: {', '.join(successors)} has taken its place." if successors else ""


def _playbook(bundle: Bundle, one: Candidate) -> Playbook:
    return bundle.playbooks[one.playbook]


def _due(one: Candidate, decision_id: int, decided_on: int, day: int) -> DueOutcome:
    return DueOutcome(
        decision_id=decision_id,
        account_id=one.account_id,
        rule=one.rule,
        playbook=one.playbook,
        arm=Arm.TREATED,
        baseline=one.baseline,
        decided_on=decided_on,
        due_on=day,
    )


def _known(wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(RunRow, EpisodeRow.closed_on, OutcomeRow.decided_on, OutcomeRow.baseline, AccountRow)
        .join(AccountRow, AccountRow.id == RunRow.account_id)
        .outerjoin(EpisodeRow, EpisodeRow.id == RunRow.episode_id)
        .outerjoin(OutcomeRow, OutcomeRow.decision_id == RunRow.decision_id)
        .where(wanted)
        .order_by(RunRow.id)
    )


def _opted_out(session: Session, wanted: ColumnElement[bool]) -> _Words:
    """Run → categories in which everybody has unsubscribed whom it has written to, for runs where anybody has."""
    mine = select(DeliveryRow.run_id, DeliveryRow.address, SuppressionRow.category)
    opted = mine.join(SuppressionRow, SuppressionRow.address == DeliveryRow.address)
    said: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for run_id, address, category in session.execute(opted.join(RunRow, RunRow.id == DeliveryRow.run_id).where(wanted)):
        said[run_id][category].add(address)
    everybody: dict[int, set[str]] = defaultdict(set)
    reached = select(DeliveryRow.run_id, DeliveryRow.address).where(DeliveryRow.contact_id.is_not(None)).distinct()
    for run_id, address in session.execute(reached.where(one_of(DeliveryRow.run_id, said))) if said else ():
        everybody[run_id].add(address)
    return {
        run_id: frozenset(one for one, left in by_word.items() if everybody[run_id] <= left | by_word.get(ALL, set()))
        for run_id, by_word in said.items()
    }


def _later(session: Session, wanted: ColumnElement[bool]) -> _Words:
    """Run → playbooks that were started for its account after it."""
    after = aliased(RunRow)
    pairs = select(RunRow.id, after.playbook).join(after, after.account_id == RunRow.account_id)
    found: dict[int, set[str]] = defaultdict(set)
    for run_id, playbook in session.execute(pairs.where(wanted, after.id > RunRow.id).distinct()):
        found[run_id].add(playbook)
    return {run_id: frozenset(names) for run_id, names in found.items()}


def _candidate(row: Any, opted_out: _Words, later: _Words) -> Candidate:
    run, closed_on, decided_on, baseline, account = row
    return Candidate(
        run_id=run.id,
        account_id=run.account_id,
        decision_id=run.decision_id,
        rule=run.rule,
        playbook=run.playbook,
        bundle=run.bundle,
        cleared=closed_on is not None,
        decided_on=decided_on,
        baseline=baseline,
        barred=why_barred(account),
        opted_out=opted_out.get(run.id, frozenset()),
        later=later.get(run.id, frozenset()),
    )
