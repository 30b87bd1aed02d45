"""Whom a playbook is rehearsed with: the account, the rule that would start it there, and in which mode."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.playbook import CampaignStep, EmailStep, ReportStep, walk
from engine.errors import NotFound, Refused
from engine.evaluation.evaluation import evaluate
from engine.evaluation.proposing import propose
from engine.store import people
from engine.store.decision_tables import EpisodeRow
from engine.store.facts import load_facts
from engine.store.glances import id_of
from engine.store.runs import CHURNED
from engine.store.tables import AccountRow, ContactRow
from engine.terms import Mode

_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Cast:
    """``rule`` is empty where no rule would start the playbook for the account now: then a member does."""

    account_id: int
    rule: str
    mode: Mode


def cast(session: Session, bundle: Bundle, playbook: str, key: str, at: datetime) -> Cast:
    """The account of ``key``, or one that fits, and how the playbook would start for it.

    Raises NotFound for a playbook or an account that is not there; Refused where there is no account at all.
    """
    if playbook not in bundle.playbooks:
        raise NotFound(f'There is no playbook "{playbook}"; there are: {", ".join(sorted(bundle.playbooks))}.')
    account = _account(session, key) if key else _fitting(session, bundle, playbook)
    facts = load_facts(session, bundle, people.day_of(at), [account])
    entries = propose(bundle, evaluate(bundle, facts), {}).entries
    for rule in sorted(entries):
        for entry in entries[rule]:
            if entry.account == account and entry.action is not None and entry.action.playbook == playbook:
                return Cast(account, rule, entry.action.mode)
    modes = [action.mode for _, rule in sorted(bundle.rules.items()) for action in rule.actions]
    wanted = [action.playbook for _, rule in sorted(bundle.rules.items()) for action in rule.actions]
    return Cast(account, "", modes[wanted.index(playbook)] if playbook in wanted else Mode.AUTOMATIC)


def _account(session: Session, key: str) -> int:
    try:
        return id_of(session, key)
    except NotFound:
        raise NotFound(f'There is no account "{key}"; `backcast scores` lists all of them.') from None


def _fitting(session: Session, bundle: Bundle, playbook: str) -> int:
    """An account that is inside a rule of the playbook, else one that has the contacts it writes to, else any."""
    rules = [name for name, rule in bundle.rules.items() if any(each.playbook == playbook for each in rule.actions)]
    inside = select(EpisodeRow.account_id).where(EpisodeRow.rule.in_(rules), EpisodeRow.closed_on.is_(None))
    alive = select(AccountRow.id).where(AccountRow.stage.is_distinct_from(CHURNED), AccountRow.suppressed.is_(False))
    alive = alive.where(AccountRow.stopped_reason == "").order_by(AccountRow.id)
    return (
        session.scalar(alive.where(AccountRow.id.in_(inside)).limit(1))
        or _with_roles(session, alive, _roles(bundle, playbook))
        or session.scalar(alive.limit(1))
        or _nobody()
    )


def _with_roles(session: Session, alive: Select[int], roles: frozenset[str]) -> int | None:
    """Of the first accounts that one whose contacts have most of the roles."""
    some = list(session.scalars(alive.limit(_LOOKED_AT)))
    found: dict[int, set[str]] = {account: set() for account in some}
    query = select(ContactRow.account_id, ContactRow.roles).where(
        ContactRow.account_id.in_(some), ContactRow.email != "", ContactRow.departed_on.is_(None)
    )
    for account, has in session.execute(query):
        found[account] |= roles & set(has)
    return max(some, key=lambda account: (len(found[account]), -account)) if some else None


def _roles(bundle: Bundle, playbook: str) -> frozenset[str]:
    steps = walk(bundle.playbooks[playbook].steps)
    written = {step.to.role for step in steps if isinstance(step, EmailStep | CampaignStep)}
    return frozenset(written | {step.share_with for step in steps if isinstance(step, ReportStep)}) - {""}


def _nobody() -> int:
    raise Refused("There is no account a run could be shown for: `backcast ingest accounts FILE` brings them.")
