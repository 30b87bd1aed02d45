"""Why an account's score is what it is, and why it moved between two days: what is kept is read, else evaluated.

Of a day that a cycle scored, the score is what was shown on it; of any other day it is worked out as of that day. Where
the scorecard changed in between, both days are also scored by the other version, by the data there is now.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.problem import BadDefinition
from engine.definitions.scorecard import Scorecard
from engine.errors import NotFound
from engine.evaluation.answering import Answer, Measured, answers
from engine.evaluation.asked import compares
from engine.evaluation.changes import Change, Crossed, explain_change
from engine.evaluation.evaluation import evaluate
from engine.evaluation.explaining import AccountScore, Explanation, ScoreLine, account_score, explain
from engine.evaluation.facts import ScoreOverride
from engine.evaluation.groups import Group, groups
from engine.evaluation.narrowing import narrowed
from engine.evaluation.rolling_up import by_priority
from engine.evaluation.root_causes import RootCause, root_cause
from engine.store.account_figures import figures
from engine.store.account_page import owned
from engine.store.before import end_of
from engine.store.bundles import by_fingerprint
from engine.store.decision_tables import EffectRow, ScoreRow
from engine.store.facts import load_facts
from engine.store.glances import id_of
from engine.store.score_overrides import in_force
from engine.store.spoken import said_of
from engine.terms import Tier


@dataclass(frozen=True, slots=True)
class ScoreOn:
    """One account's score on ``day`` by the scorecard of ``bundle``. ``kept``: it is what a cycle said."""

    score: AccountScore
    card: Scorecard
    bundle: Bundle
    day: int
    kept: bool


@dataclass(frozen=True, slots=True)
class WhyScore:
    """One score in words, group by group and metric by metric. ``said``: what people say of its metrics, with what was
    measured, and whose word ended lately."""

    account: str
    of: ScoreOn
    explanation: Explanation
    groups: tuple[Group, ...]
    said: tuple[str, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """All of it to read aloud; the same for the same score."""
        told = self.explanation
        parts = [group.sentence for group in self.groups]
        metrics = [line.sentence for line in told.lines]
        return (told.headline, *told.reasons, *self.said, told.coverage, *parts, *metrics)


@dataclass(frozen=True, slots=True)
class WhyMoved:
    """One change in words: its parts, the cause and what is below it, and the playbooks that answer it.

    ``answers`` is empty where nothing fell, or where no rule reads what fell: ``is_gap``.
    """

    account: str
    before: ScoreOn
    after: ScoreOn
    change: Change
    cause: RootCause | None
    answers: tuple[Answer, ...]

    @property
    def is_gap(self) -> bool:
        """Something fell and no rule looks at it."""
        return self.cause is not None and not self.answers


def why_score(
    session: Session, bundle: Bundle, key: str, scope: str | None, day: int, scorecard: str = ""
) -> WhyScore | None:
    """Explain an account's score as of ``day``; None where no scorecard applies. Raises `NotFound` for an account that
    is missing or another owner's, and for a scorecard that does not exist."""
    account = owned(session, id_of(session, key), scope).id
    found = _score_on(session, bundle, account, scorecard, day)
    if found is None:
        return None
    person = _person(session, account, found)
    said = explain(found.bundle.catalog, found.card, found.score, person)
    words = said_of(session, found.bundle, found.card, account, day)
    return WhyScore(key, found, said, groups(found.card, found.score), words)


def why_moved(
    session: Session, bundle: Bundle, key: str, scope: str | None, since: int, day: int, scorecard: str = ""
) -> WhyMoved | None:
    """Explain the change of an account's score from ``since`` to ``day``; None where no scorecard applies on one of
    them. Raises as `why_score`."""
    account = owned(session, id_of(session, key), scope).id
    after = _score_on(session, bundle, account, scorecard, day)
    before = None if after is None else _score_on(session, bundle, account, after.card.name, since)
    if before is None or after is None:
        return None
    crossed = _crossed(session, account, before, after)
    catalog = after.bundle.catalog
    change = explain_change(catalog, before.card, before.score, after.card, after.score, crossed)
    cause = _cause(session, account, before, after, change)
    told = answers(bundle, cause.chain, _effects(session), after.card.name) if cause else ()
    return WhyMoved(key, before, after, change, cause, told)


def _score_on(session: Session, bundle: Bundle, account: int, scorecard: str, day: int) -> ScoreOn | None:
    """What was kept of the day, else what an evaluation as of it says; None where no scorecard applies."""
    if scorecard and (scorecard not in bundle.scorecards or bundle.scorecards[scorecard].of != "account"):
        cards = [name for name, card in bundle.scorecards.items() if card.of == "account"]
        raise NotFound(f'There is no scorecard "{scorecard}" of accounts; there are: {", ".join(sorted(cards))}.')
    query = select(ScoreRow).where(ScoreRow.account_id == account, ScoreRow.day == day)
    mine = query.where(ScoreRow.scorecard == scorecard) if scorecard else query.where(ScoreRow.leads)
    row = session.scalar(mine.limit(1))
    of = None if row is None else _bundle_of(session, bundle, row)
    if row is not None and of is not None and row.scorecard in of.scorecards:
        return ScoreOn(_kept(row), of.scorecards[row.scorecard], of, day, kept=True)
    for name in (scorecard,) if scorecard else by_priority(bundle.scorecards):
        found = _evaluated(session, bundle, account, name, day)
        if found is not None:
            return ScoreOn(found, bundle.scorecards[name], bundle, day, kept=False)
    return None


def _bundle_of(session: Session, bundle: Bundle, row: ScoreRow) -> Bundle | None:
    """The definitions a score was made by; None where this version cannot read them any more."""
    if row.bundle == bundle.fingerprint:
        return bundle
    try:
        return by_fingerprint(session, row.bundle)
    except (NotFound, BadDefinition):
        return None


def _kept(row: ScoreRow) -> AccountScore:
    tiers = [Tier(name) if name else None for name in (row.raw_tier, row.computed_tier, row.tier, row.last_tier)]
    lines = tuple(ScoreLine(*line) for line in row.lines)
    return AccountScore(row.computed, row.effective, row.coverage, tiers[0], tiers[1], tiers[2], lines, tiers[3])


def _evaluated(session: Session, bundle: Bundle, account: int, scorecard: str, day: int) -> AccountScore | None:
    """The score as of ``day`` by today's data; None where the scorecard does not apply. What compares accounts with
    each other is read of all of them."""
    asked = narrowed(bundle, (), [scorecard])
    facts = load_facts(session, asked, day, None if compares(asked) else [account])
    scored, row = evaluate(asked, facts).scores[scorecard], facts.accounts.ids.tolist().index(account)
    return account_score(scored, row) if scored.applies[row] else None


def _crossed(session: Session, account: int, before: ScoreOn, after: ScoreOn) -> Crossed | None:
    """Both days by the other version; None where nothing of what makes the score changed, or a version does not apply
    to one of the days."""
    if before.bundle.fingerprint == after.bundle.fingerprint:
        return None
    catalogs = before.bundle.catalog, after.bundle.catalog
    same_metrics = (catalogs[0].metrics, catalogs[0].segments) == (catalogs[1].metrics, catalogs[1].segments)
    if same_metrics and before.card == after.card:
        return None
    name = after.card.name
    later = _evaluated(session, after.bundle, account, name, before.day)
    earlier = _evaluated(session, before.bundle, account, name, after.day)
    return Crossed(later, earlier) if later is not None and earlier is not None else None


def _cause(session: Session, account: int, before: ScoreOn, after: ScoreOn, change: Change) -> RootCause | None:
    metric = next((each for each in after.card.metrics if each.name == change.cause), None)
    if metric is None:
        return None
    bundle = after.bundle
    days = [figures(session, bundle, account, day, [metric.name]).features for day in (before.day, after.day)]
    return root_cause(bundle.catalog, after.card, change, days[0], days[1])


def _effects(session: Session) -> Mapping[tuple[str, str], Measured]:
    rows = session.scalars(select(EffectRow)).all()
    return {
        (row.rule, row.playbook): Measured(row.uplift, row.low, row.high)
        for row in rows
        if row.uplift is not None and row.low is not None and row.high is not None
    }


def _person(session: Session, account: int, of: ScoreOn) -> ScoreOverride | None:
    """The override in force at the end of the day, as the explanation names it."""
    mine = [one for one in in_force(session, account, end_of(of.day)) if one.scorecard == of.card.name]
    if not mine:
        return None
    one = mine[-1]
    tier = one.tier.value if one.tier else None
    return ScoreOverride(0, of.card.name, one.reason, one.author, one.expires_at.date().isoformat(), one.micro, tier)
