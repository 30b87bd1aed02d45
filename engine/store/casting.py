"""Whom a playbook is rehearsed with: the account, the rule that would start it there, and in which mode."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
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

_LOOKED_AT = 200


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
    some = [_account(session, key)] if key else _fitting(session, bundle, playbook)
    facts = load_facts(session, bundle, people.day_of(at), some)
    entries = propose(bundle, evaluate(bundle, facts), {}).entries
    found = {
        entry.account: Cast(entry.account, rule, entry.action.mode)
        for rule in sorted(entries, reverse=True)
        for entry in entries[rule]
        if entry.action is not None and entry.action.playbook == playbook
    }
    by_rule = next((found[account] for account in some if account in found), None)
    return by_rule or Cast(some[0], "", _usual_mode(bundle, playbook))


def _usual_mode(bundle: Bundle, playbook: str) -> Mode:
    """The mode in which the first rule that names a playbook starts it."""
    actions = (action for _, rule in sorted(bundle.rules.items()) for action in rule.actions)
    return next((action.mode for action in actions if action.playbook == playbook), Mode.AUTOMATIC)


def _account(session: Session, key: str) -> int:
    try:
        return id_of(session, key)
    except NotFound:
        raise NotFound(f'There is no account "{key}"; `backcast scores` lists all of them.') from None


def _fitting(session: Session, bundle: Bundle, playbook: str) -> list[int]:
    """Accounts to choose from: those inside a rule of the playbook, then those with the contacts it writes to."""
    rules = [name for name, rule in bundle.rules.items() if any(each.playbook == playbook for each in rule.actions)]
    inside = select(EpisodeRow.account_id).where(EpisodeRow.rule.in_(rules), EpisodeRow.closed_on.is_(None))
    alive = select(AccountRow.id).where(AccountRow.stage.is_distinct_from(CHURNED), AccountRow.suppressed.is_(False))
    alive = alive.where(AccountRow.stopped_reason == "").order_by(AccountRow.id).limit(_LOOKED_AT)
    first = list(session.scalars(alive.where(AccountRow.id.in_(inside))))
    others = _with_roles(session, list(session.scalars(alive)), _roles(bundle, playbook))
    if not first and not others:
        raise Refused("There is no account a run could be shown for: `backcast ingest accounts FILE` brings them.")
    return list(dict.fromkeys([*first, *others]))


def _with_roles(session: Session, some: list[int], roles: frozenset[str]) -> list[int]:
    """The accounts, those first whose contacts have most of the roles."""
    found: dict[int, set[str]] = {account: set() for account in some}
    query = select(ContactRow.account_id, ContactRow.roles).where(
        ContactRow.account_id.in_(some), ContactRow.email != "", ContactRow.departed_on.is_(None)
    )
    for account, has in session.execute(query):
        found[account] |= roles & set(has)
    return sorted(some, key=lambda account: (-len(found[account]), account))


def _roles(bundle: Bundle, playbook: str) -> frozenset[str]:
    steps = walk(bundle.playbooks[playbook].steps)
    written = {step.to.role for step in steps if isinstance(step, EmailStep | CampaignStep)}
    return frozenset(written | {step.share_with for step in steps if isinstance(step, ReportStep)}) - {""}
