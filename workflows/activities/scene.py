"""Everything a stretch knows before it acts: the run, its frozen definitions, its account, and the latest facts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from engine.definitions.bundle import Bundle
from engine.definitions.calendar import Calendar
from engine.definitions.condition import Condition
from engine.definitions.playbook import BranchStep, CampaignStep, EmailStep, Playbook, Span, Step, WaitStep
from engine.evaluation.asked import seen_by
from engine.evaluation.evaluation import evaluate
from engine.running.dates import calendar_of
from engine.running.lines import Line, Meaning, meanings
from engine.running.sight import Sight
from engine.running.ways import origin
from engine.running.working_time import deadline, seen_at
from engine.store import bundles, people, runs
from engine.store.facts import load_facts
from engine.store.people import Account
from engine.store.runs import Run
from workflows.payloads import Outcome, StretchInput


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What stays the same during one stretch. ``sight`` is None when nothing ahead asks about the account's data.

    ``now`` is the clock of the run; ``seen_at`` the moment whose data it looks at. ``ends``: the time a stop has that
    is only looked at once more (ISO); ``fork``: where the run as a whole is while one of several rows is at work.
    """

    run: Run
    bundle: Bundle
    playbook: Playbook
    known: dict[str, Meaning]
    account: Account
    now: datetime
    seen_at: datetime
    cursor: int
    outcome: Outcome
    skips: frozenset[str]
    sight: Sight | None
    base_url: str
    sender: str
    ends: str = ""
    fork: int = -1

    @property
    def lines(self) -> tuple[Line, ...]:
        """The run's lines, as they were compiled when it was requested."""
        return self.run.lines

    @property
    def challenge(self) -> str:
        """The title of the challenge the run answers; empty when a member started it."""
        rule = self.bundle.rules.get(self.run.rule)
        return rule.challenge.title if rule else ""

    def meaning(self, line: Line) -> Meaning:
        """What a line means in the run's own bundle."""
        return self.known[origin(line.step)]

    def whole(self, number: int) -> int:
        """The line at which the run as a whole is, when this stretch is at line ``number``."""
        return number if self.fork < 0 else self.fork

    def step_of(self, step: str) -> Step | None:
        """The playbook's step behind a line's name; None for a line the mode added."""
        return self.known[origin(step)].step

    @property
    def calendar(self) -> Calendar:
        """The calendar of the account."""
        return calendar_of(self.bundle.calendars, self.account.fields)

    def until(self, span: Span, calendar: Calendar | None = None) -> datetime:
        """When a span from now is over, on the run's clock; working time by ``calendar``, or the account's."""
        return deadline(self.now, span, self.run.day_seconds, calendar or self.calendar)


def load(
    session: Session, wanted: StretchInput, base_url: str, sender: str, looking_at: datetime | None = None
) -> Scene:
    """Read the scene of a stretch. Raises NotFound when the run or its definitions are not there.

    ``looking_at``: the moment whose data a rehearsal sees, whatever the run's own clock says.
    """
    run = runs.find(session, wanted.run_id)
    bundle = bundles.by_fingerprint(session, run.bundle)
    playbook = bundle.playbooks[run.playbook]
    now = datetime.fromisoformat(wanted.now)
    seen = looking_at or seen_at(now, run.day_seconds, run.requested_at, run.started_at)
    known = dict(meanings(playbook, run.mode))
    ahead = [known[origin(line.step)] for line in run.lines[wanted.cursor :]]
    is_closing = wanted.outcome in {"cancelled", "failed", "stuck", "overdue"} or not run.state.is_open
    is_asked = not is_closing and _reads_data(bundle, run, playbook, ahead, wanted.cursor)
    return Scene(
        run=run,
        bundle=bundle,
        playbook=playbook,
        known=known,
        account=people.account(session, run.account_id),
        now=now,
        seen_at=seen,
        cursor=wanted.cursor,
        outcome=wanted.outcome,
        skips=frozenset(wanted.skips),
        sight=_look(session, seen_by(bundle, run.rule, run.playbook), run.account_id, seen) if is_asked else None,
        base_url=base_url.rstrip("/"),
        sender=sender,
        ends=wanted.until,
        fork=wanted.fork,
    )


def _reads_data(bundle: Bundle, run: Run, playbook: Playbook, ahead: Iterable[Meaning], cursor: int) -> bool:
    """Whether conditions ahead, whom a step is for, the exit, or what an approval rests on read data of the account."""
    has_gate = any(line.kind == "gate" for line in run.lines[cursor:])
    if run.rule in bundle.rules and ("goal_met" in playbook.exit or has_gate):
        return True
    return any(True for meaning in ahead for _ in (*_conditions(meaning), *_signals(meaning)))


def _conditions(meaning: Meaning) -> Iterator[Condition]:
    match meaning.step:
        case BranchStep(condition=condition):
            yield condition
        case WaitStep(until=Condition() as until):
            yield until
        case CampaignStep(stop_when=Condition() as stop):
            yield stop


def _signals(meaning: Meaning) -> Iterator[str]:
    if isinstance(meaning.step, EmailStep | CampaignStep):
        to = meaning.step.to
        if to.signal or to.respondent:
            yield to.signal


def _look(session: Session, bundle: Bundle, account_id: int, at: datetime) -> Sight:
    # Alone: what it is compared with is kept from the last cycle over all accounts.
    evaluation = evaluate(bundle, load_facts(session, bundle, people.day_of(at), [account_id]))
    return Sight(bundle, evaluation, evaluation.facts.accounts.ids.tolist().index(account_id))
