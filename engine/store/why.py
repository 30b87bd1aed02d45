"""Why a rule says what it says of one account: reads that account and what that rule needs, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.evaluation.asked import asked_of, compares
from engine.evaluation.evaluation import evaluate
from engine.evaluation.tracing import why_rule
from engine.store.decisions import newest
from engine.store.facts import load_facts
from engine.store.past import load_past_of
from engine.store.tables import AccountRow


@dataclass(frozen=True, slots=True)
class Why:
    """The trace as lines, and the newest decision about the account by this rule (None: there is none)."""

    account: str
    rule: str
    trace: tuple[str, ...]
    decision: Mapping[str, Any] | None


def why(
    session: Session, bundle: Bundle, account: str, rule: str, day: int, at: datetime, known_at: datetime | None = None
) -> Why | None:
    """Trace ``rule`` for the account of that key, as of ``day`` (``at``: the moment it is looked at from).

    None where there is no such account. KeyError where there is no such rule. A rule that compares accounts with each
    other reads all of them; every other rule reads one.
    """
    found = session.scalar(select(AccountRow.id).where(AccountRow.key == account))
    if found is None:
        return None
    asked = asked_of(bundle, rule)
    facts = load_facts(session, asked, day, None if compares(asked) else [found], known_at=known_at)
    evaluation = evaluate(asked, facts)
    past = load_past_of(session, bundle, rule, found, at)
    row = facts.accounts.keys.index(account)
    return Why(account, rule, why_rule(asked, evaluation, past, row, rule), newest(session, found, rule))
