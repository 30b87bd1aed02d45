"""Checks between files (codes B): circles of dependence, and effects that would be measured by themselves.

What a name means is checked where it is read; here is what only all files together show.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from engine.definitions.between_playbooks import check_playbooks
from engine.definitions.catalog import Catalog
from engine.definitions.circles import circles
from engine.definitions.condition import Condition
from engine.definitions.feature import Feature, parse_feature
from engine.definitions.folder import MAX_RULES, Folder
from engine.definitions.measure import ConditionMeasure, EventMeasure, GoalMeasure, Measure, features_of
from engine.definitions.playbook import CampaignStep, EmailStep, walk
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger
from engine.definitions.rolled_up import PREFIX
from engine.definitions.rule import Rule, Success
from engine.definitions.scorecard import Scorecard, TargetRatio

RESPONSE: Final = "response."


def check_between(folder: Folder) -> None:
    """Check all files together; problems and notes are added to the folder's."""
    ledger = folder.ledger("B")
    graph = _Graph(folder)
    for circle in circles(graph.edges):
        words = " → ".join(_readable(node) for node in [*circle, circle[0]])
        ledger.problem(
            graph.places[circle[0]], 3, f"these depend on each other in a circle: {words}", "break it at one place"
        )
    for rule in folder.rules.values():
        _check_responses(rule, graph, ledger)
    _check_leading(graph, folder, ledger)
    check_playbooks(folder.playbooks, folder.rules.values(), ledger)
    _check_priorities(folder)
    _note_unused(folder, ledger)
    if len(folder.rules) > MAX_RULES:
        ledger.problem(Place("rules"), 7, f"there are more than {MAX_RULES} rules ({len(folder.rules)})")


def _check_responses(rule: Rule, graph: "_Graph", ledger: Ledger) -> None:
    success = graph.way_to_response(_success_nodes(rule.challenge.success, rule, graph))
    if success:
        message = f'the success of "{rule.name}" would be measured by the response to a playbook ({_way(success)})'
        ledger.problem(
            rule.challenge.success.place or rule.place, 4, message, "measure what the customer gets out of it"
        )
    for signal in rule.signals.values():
        way = graph.way_to_response(graph.edges.get(f"signal.{rule.name}.{signal.name}", ()))
        if way and any(node.startswith("score.") for node in way):
            message = f'the signal "{signal.name}" moves with the response to a playbook ({_way(way)})'
            ledger.note(signal.place, 52, message)
        elif way:
            message = f'the signal "{signal.name}" reads the response to a playbook ({_way(way)})'
            ledger.problem(signal.place, 4, message, "a rule must not fire on the effect of its own playbook")


def _check_leading(graph: "_Graph", folder: Folder, ledger: Ledger) -> None:
    """Leading indicators tell of a change before the score does; a score that reads one would only repeat it."""
    for card in folder.scorecards.values():
        way = graph.way_to_leading(f"score.{card.name}", folder.rules)
        if way:
            message = f'the scorecard "{card.name}" reads a leading indicator ({_way(way)})'
            hint = "leave it out of the score, or remove leading_indicator from the rule"
            ledger.problem(graph.places[way[0]], 14, message, hint)


def _success_nodes(success: Success, rule: Rule, graph: "_Graph") -> Iterable[str]:
    if success.feature:
        yield from graph.of_feature(success.feature)
    if success.condition:
        yield from graph.of_names(success.condition.names, rule.name)


def _way(nodes: Iterable[str]) -> str:
    return " → ".join(_readable(node) for node in nodes)


def _readable(node: str) -> str:
    kind, _, name = node.partition(".")
    return f"{kind} {name}" if kind in {"score", "signal"} else name


def _check_priorities(folder: Folder) -> None:
    """Of several scorecards of accounts, the files must say which one is the score of an account."""
    cards = [card for card in folder.scorecards.values() if card.of == "account"]
    seen: dict[int, Scorecard] = {}
    for card in cards if len(cards) > 1 else ():
        if card.priority is None:
            message = f'there are {len(cards)} scorecards of accounts, and "{card.name}" has no priority'
            hint = "write priority: 1 into the one that is asked first; the first that applies is an account's score"
            folder.ledger("S").problem(card.place, 23, message, hint)
        elif card.priority in seen:
            message = f'"{card.name}" and "{seen[card.priority].name}" have the same priority ({card.priority})'
            folder.ledger("S").problem(card.place, 23, message, "the lower number is asked first")
        else:
            seen[card.priority] = card


def _note_unused(folder: Folder, ledger: Ledger) -> None:
    """Only of files without problems: what a rule that cannot be read starts is not known."""
    if ledger.problems:
        return
    used = {action.playbook for rule in folder.rules.values() for action in rule.actions}
    for playbook in folder.playbooks.values():
        if playbook.name not in used:
            ledger.note(playbook.place, 53, f'no rule starts the playbook "{playbook.name}"')
        sent = {message for step in walk(playbook.steps) for message in _sent(step)}
        for (owner, name), message in folder.messages.items():
            if owner == playbook.name and name not in sent:
                ledger.note(message.place, 54, f'no step sends the message "{name}"')


def _sent(step: object) -> tuple[str, ...]:
    if isinstance(step, EmailStep):
        return (step.message,)
    return step.lessons if isinstance(step, CampaignStep) else ()


class _Graph:
    """What depends on what: ``metric.<name>``, ``score.<card>`` and ``signal.<rule>.<name>``."""

    def __init__(self, folder: Folder) -> None:
        self.catalog: Catalog = folder.catalog
        self.edges: dict[str, tuple[str, ...]] = {}
        self.places: dict[str, Place] = {}
        for metric in folder.catalog.metrics.values():
            counted = metric.from_contacts.metric if metric.from_contacts else None
            edges = [*self._of_condition(metric.formula), *(self.of_feature(counted) if counted else ())]
            self._put(f"metric.{metric.name}", edges, metric.place)
        for card in folder.scorecards.values():
            self._put(f"score.{card.name}", self._of_card(card), card.place)
        for rule in folder.rules.values():
            for signal in rule.signals.values():
                clears = signal.clears if isinstance(signal.clears, Condition) else None
                found = (*self._of_measure(signal.measure, rule.name), *self._of_condition(clears, rule.name))
                self._put(f"signal.{rule.name}.{signal.name}", found, signal.place)

    def _put(self, node: str, edges: Iterable[str], place: Place) -> None:
        self.edges[node], self.places[node] = tuple(dict.fromkeys(edges)), place

    def of_feature(self, feature: Feature) -> Iterator[str]:
        """The metric a feature reads; of scores rolled up into an account, the score."""
        yield feature.metric if feature.metric.startswith(PREFIX) else f"metric.{feature.metric}"

    def of_names(self, names: Iterable[str], rule: str = "") -> Iterator[str]:
        """What the names of a condition read. The tier of the last evaluation is no dependence on this one."""
        for name in sorted(names):
            kind, _, rest = name.partition(".")
            if kind in {"score", "tier", "cause"}:
                if not name.endswith(".previous"):
                    yield f"score.{rest.partition('.')[0]}"
            elif kind == "signal":
                yield name if "." in rest else f"signal.{rule}.{rest}"
            elif kind == "goal" and (goal := self.catalog.goals.get(rest.rpartition(".")[0])):
                yield f"metric.{goal.metric}"
            elif kind == "in_segment":
                yield from self._of_condition(self.catalog.segments.get(rest))
            elif name == "account.segment":
                for condition in self.catalog.segments.values():
                    yield from self._of_condition(condition)
            elif kind not in {"account", "event"}:
                feature = parse_feature(rest if kind in {"contact", "product"} else name)
                yield from self.of_feature(feature) if feature else ()

    def _of_condition(self, condition: Condition | None, rule: str = "") -> Iterator[str]:
        yield from self.of_names(condition.names, rule) if condition else ()

    def _of_card(self, card: Scorecard) -> Iterator[str]:
        for metric in card.metrics:
            yield from self.of_feature(metric.feature)
            if isinstance(metric.normaliser, TargetRatio) and metric.normaliser.of:
                yield from self.of_names((metric.normaliser.of,))
        for condition in (card.applies_to, *(forced.when for forced in card.forced)):
            yield from self._of_condition(condition)

    def _of_measure(self, measure: Measure, rule: str) -> Iterator[str]:
        match measure:
            case GoalMeasure(metric=metric, agreed=agreed):
                goal = self.catalog.goals.get(agreed)
                yield f"metric.{goal.metric if goal else metric}"
            case ConditionMeasure(condition=condition):
                yield from self._of_condition(condition, rule)
            case EventMeasure(where=where):
                yield from self._of_condition(where, rule)
            case _:
                for feature in features_of(measure):
                    yield from self.of_feature(feature)

    def way_to_response(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """A way from the nodes to the metric of a response, empty where there is none."""
        return self._way(nodes, lambda node: node.startswith(f"metric.{RESPONSE}"))

    def way_to_leading(self, node: str, rules: Mapping[str, Rule]) -> tuple[str, ...]:
        """A way from a node to a signal of a leading indicator, empty where there is none."""
        leading = tuple(f"signal.{rule.name}." for rule in rules.values() if rule.leading_indicator)
        return self._way((node,), lambda each: each.startswith(leading))

    def _way(self, nodes: Iterable[str], ends: Callable[[str], bool]) -> tuple[str, ...]:
        ways: list[tuple[str, ...]] = [(node,) for node in nodes]
        seen: set[str] = set()
        while ways:
            way = ways.pop(0)
            if ends(way[-1]):
                return way
            if way[-1] not in seen:
                seen.add(way[-1])
                ways += [(*way, node) for node in self.edges.get(way[-1], ())]
        return ()
