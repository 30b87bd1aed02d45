"""Checks between playbooks, the rules that start them and each other (codes B)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from engine.definitions.circles import circles
from engine.definitions.measure import ContactsMeasure, EventMeasure, SlipMeasure
from engine.definitions.playbook import Audience, CampaignStep, EmailStep, Playbook, Step, WebhookStep, walk
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, known
from engine.definitions.rule import Rule
from engine.definitions.source import ScalarNode

_NAMING: Final = EventMeasure | ContactsMeasure | SlipMeasure


def check_playbooks(playbooks: Mapping[str, Playbook], rules: Iterable[Rule], ledger: Ledger) -> None:
    """Whom playbooks write to must be known where they are started; none may end itself over others."""
    starting = tuple(rules)
    for playbook in playbooks.values():
        users = [rule for rule in starting if any(action.playbook == playbook.name for action in rule.actions)]
        for place, audience in _audiences(playbook.steps):
            if audience.signal:
                _check_signal(playbook, users, place, audience.signal, ledger)
            elif audience.respondent:
                _check_respondent(playbook, users, place, ledger)
    _check_successors(playbooks, ledger)


def _audiences(steps: tuple[Step, ...]) -> Iterator[tuple[Place, Audience]]:
    for step in walk(steps):
        if isinstance(step, EmailStep | CampaignStep):
            yield step.place, step.to
        elif isinstance(step, WebhookStep) and step.audience:
            yield step.place, step.audience


def _check_signal(playbook: Playbook, users: list[Rule], place: Place, signal: str, ledger: Ledger) -> None:
    naming = {each.name for rule in users for each in rule.signals.values() if isinstance(each.measure, _NAMING)}
    where = f' among the signals that name people in the rules that use "{playbook.name}"'
    known(ScalarNode("", place), signal, naming, ledger, "signal", where)


def _check_respondent(playbook: Playbook, users: list[Rule], place: Place, ledger: Ledger) -> None:
    events = any(isinstance(each.measure, EventMeasure) for rule in users for each in rule.signals.values())
    if not events:
        message = f'nobody is a respondent: no rule that starts "{playbook.name}" has a signal by an event'
        ledger.problem(place, 15, message, "write to a role, or let the rule listen to the event of the answer")


def _check_successors(playbooks: Mapping[str, Playbook], ledger: Ledger) -> None:
    for circle in circles({name: playbook.superseded_by for name, playbook in playbooks.items()}):
        message = f"these playbooks end each other in a circle: {' → '.join([*circle, circle[0]])}"
        ledger.problem(playbooks[circle[0]].place, 16, message, "take superseded_by away from one of them")
