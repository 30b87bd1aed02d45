"""What putting a bundle in force would do: its files against those in force, and its effect on every account.

Only reads. Both bundles are evaluated over the same moment, each with the facts that it needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.differing import FileDiff, differences
from engine.evaluation.columns import Texts
from engine.evaluation.comparing import Blast, Effect, blast_of, compare
from engine.evaluation.deciding import Plan, decide
from engine.evaluation.evaluation import Evaluation, evaluate
from engine.running.forecast import NOTHING, Reach
from engine.store.before import DAY_ZERO
from engine.store.facts import load_facts
from engine.store.forecasting import first_week
from engine.store.past import load_past


@dataclass(frozen=True, slots=True)
class Proposal:
    """``bundle`` in place of ``base`` (None: nothing is in force). ``names``: what people call the accounts, by key.

    ``reach``: what the runs that would start do in their first days.
    """

    base: Bundle | None
    bundle: Bundle
    files: tuple[FileDiff, ...]
    effect: Effect
    blast: Blast
    plan: Plan
    names: Mapping[str, str]
    reach: Reach = NOTHING

    @property
    def is_change(self) -> bool:
        """Whether the files differ from those in force at all."""
        return bool(self.files)

    @property
    def changes(self) -> dict[str, int]:
        """What it changes, as counts, to be kept with the act of putting it in force."""
        rules = self.effect.rules.values()
        return {
            "files": len(self.files),
            "fires": sum(len(one.fires) for one in rules),
            "stops": sum(len(one.stops) for one in rules),
            "starts": sum(len(one.starts) for one in rules),
            "held_out": sum(len(one.held_out) for one in rules),
            "refused": sum(len(one.refused) for one in rules),
            "tiers": sum(len(moves) for moves in self.effect.tiers.values()),
        }


def propose(session: Session, bundle: Bundle, base: Bundle | None, at: datetime, *, as_known: bool = False) -> Proposal:
    """Compare ``bundle`` with ``base`` as of ``at``; ``as_known``: without what was recorded or corrected later."""
    after = _evaluated(session, bundle, at, as_known=as_known)
    plan = decide(bundle, after, load_past(session, bundle, at), at)
    before, planned = None, None
    if base is not None and base.fingerprint == bundle.fingerprint:
        before, planned = after, plan
    elif base is not None:
        before = _evaluated(session, base, at, as_known=as_known)
        planned = decide(base, before, load_past(session, base, at), at)
    effect = compare(before, after, plan)
    return Proposal(
        base=base,
        bundle=bundle,
        files=differences(base.texts if base else {}, bundle.texts),
        effect=effect,
        blast=blast_of(effect, planned, plan),
        plan=plan,
        names=_names(after),
        reach=first_week(session, bundle, after, plan.decisions, at),
    )


def _evaluated(session: Session, bundle: Bundle, at: datetime, *, as_known: bool) -> Evaluation:
    facts = load_facts(session, bundle, (at - DAY_ZERO).days, known_at=at if as_known else None)
    return evaluate(bundle, facts)


def _names(evaluation: Evaluation) -> Mapping[str, str]:
    column = evaluation.facts.fields.get("name")
    if not isinstance(column, Texts):
        return {}
    named = zip(evaluation.facts.accounts.keys, column.codes.tolist(), strict=True)
    return {key: column.words[code] for key, code in named if code >= 0}
