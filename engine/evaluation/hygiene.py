"""What is allowed and still deserves a second look (codes H): models that grew, rules nobody looked at again.

Nothing here stops anything in `check`; `backcast lint` fails on it. What is meant stays, with a word in the file:
``# waived H001: this scorecard is about people, who have no goals``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import combinations
from typing import Final

from engine.definitions.between import RESPONSE
from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Metric
from engine.definitions.feature import Feature
from engine.definitions.playbook import AskStep, Playbook, ReportStep, walk
from engine.definitions.problem import Place, Problem
from engine.definitions.reading import listed
from engine.definitions.report import QuestionSection
from engine.definitions.rule import Rule
from engine.definitions.scorecard import GoalLine, Scorecard, Shown, TargetRatio
from engine.evaluation.features import feature_named
from engine.evaluation.narrowing import made_of, rule_names

MANY: Final = 15
"""A scorecard of more metrics than this is not about the critical few."""
NAMED: Final = 8
_WAIVED: Final = re.compile(r"#\s*waived (H[0-9]{3}): *(\S.*)")
_WORD: Final = re.compile(r"[a-z][a-z0-9_-]*")


def hygiene(bundle: Bundle, today: date) -> tuple[Problem, ...]:
    """Every finding that the files alone show and that no file waives, in the order of the files."""
    found: list[Problem] = []
    for card in bundle.scorecards.values():
        found += _of_card(card, bundle)
    for rule in bundle.rules.values():
        found += _of_rule(rule, bundle, today)
    found += _of_pairs(bundle)
    found += _of_catalog(bundle)
    return unwaived(found, bundle.texts)


def notes(bundle: Bundle, today: date) -> tuple[Problem, ...]:
    """The findings that `check` shows: a catalog may hold more than is read, so that is for `lint` alone."""
    return tuple(problem for problem in hygiene(bundle, today) if problem.code != "H003")


def unwaived(findings: Iterable[Problem], texts: Mapping[str, str]) -> tuple[Problem, ...]:
    """The findings whose file does not say ``# waived H…: why``."""
    waived = {path: {code for code, _ in _WAIVED.findall(text)} for path, text in texts.items()}
    return tuple(sorted(each for each in findings if each.code not in waived.get(each.place.path, ())))


def _of_card(card: Scorecard, bundle: Bundle) -> Iterator[Problem]:
    scored = [metric for metric in card.metrics if not isinstance(metric.normaliser, Shown)]
    goals = {goal.metric for goal in bundle.catalog.goals.values()}
    meets = [one for one in scored if isinstance(one.normaliser, GoalLine | TargetRatio) or one.feature.metric in goals]
    if card.of == "account" and not meets:
        yield Problem(
            card.place,
            "H001",
            f'nothing in the scorecard "{card.name}" says whether customers reach their goals',
            "score a metric by goal: agreed, or say in the file: # waived H001: why",
        )
    if len(scored) > MANY:
        yield Problem(
            card.place,
            "H002",
            f'"{card.name}" scores {len(scored)} metrics; more than {MANY} are not the critical few',
            "keep what foretells something: `backcast backtest --scorecard` shows which do",
        )
    read = frozenset[str]().union(*(made_of(bundle, rule_names(rule)) for rule in bundle.rules.values()))
    # A rule must not fire on the response to a playbook (B004), so none is missed there.
    warnings = [one for one in scored if not one.feature.metric.startswith(RESPONSE)]
    alone = [one.name for one in warnings if one.feature.metric not in read and f"cause.{card.name}" not in read]
    if alone and f"tier.{card.name}" not in read and f"score.{card.name}" not in read:
        message = f'no rule answers when {_some(alone)} in "{card.name}" falls'
        yield Problem(card.place, "H008", message, "a warning without an answer is noise: name it in a rule's signal")


def _of_rule(rule: Rule, bundle: Bundle, today: date) -> Iterator[Problem]:
    review = rule.challenge.review_by
    if review and date.fromisoformat(review) < today:
        hint = "look at `backcast lint` and `backcast backtest --rule`, then move review_by"
        yield Problem(rule.place, "H005", f'the review of "{rule.name}" was due on {review}', hint)
    elif not review:
        hint = "write review_by: with a day in its challenge"
        yield Problem(rule.place, "H006", f'nobody said when "{rule.name}" is looked at again', hint)
    written = {name for action in rule.actions for name in _written(bundle.playbooks[action.playbook], bundle)}
    success = rule.challenge.success
    judged = {success.feature.name} if success.feature else set(success.condition.names if success.condition else ())
    for name in sorted(written & _metrics(made_of(bundle, {*rule_names(rule), *judged}), bundle)):
        message = f'"{rule.name}" reads "{name}", which its own playbook writes: it would judge itself'
        yield Problem(rule.place, "H004", message, "read what the customer does, not what the playbook asks")


def _written(playbook: Playbook, bundle: Bundle) -> Iterator[str]:
    """The metrics that become points because a playbook asked."""
    for step in walk(playbook.steps):
        if isinstance(step, AskStep):
            yield from step.questions
        elif isinstance(step, ReportStep) and step.use in bundle.reports:
            sections = bundle.reports[step.use].sections
            yield from (section.metric for section in sections if isinstance(section, QuestionSection))


def _metrics(names: Iterable[str], bundle: Bundle) -> set[str]:
    found = (feature_named(bundle.catalog, name) for name in names)
    return {feature.metric for feature in found if isinstance(feature, Feature)}


def _of_pairs(bundle: Bundle) -> Iterator[Problem]:
    """Rules that were copied: the same signals, the same playbook, the same accounts."""
    for one, other in combinations(bundle.rules.values(), 2):
        shared = {action.playbook for action in one.actions} & {action.playbook for action in other.actions}
        if shared and one.signals == other.signals and one.when == other.when:
            message = f'"{other.name}" and "{one.name}" start "{min(shared)}" by the same signals'
            yield Problem(other.place, "H007", message, "an account in both is asked about twice: make them one rule")


def _of_catalog(bundle: Bundle) -> Iterator[Problem]:
    """Metrics whose name stands nowhere but where they are declared; one finding for each file."""
    words = Counter(word for text in bundle.texts.values() for word in _WORD.findall(text))
    idle: dict[str, list[Metric]] = {}
    for metric in bundle.catalog.metrics.values():
        declared_here = metric.place.path.startswith("rules/catalog") and "." not in metric.name
        if declared_here and metric.name not in bundle.catalog.questions and words[metric.name] < 2:
            idle.setdefault(metric.place.path, []).append(metric)
    for path, metrics in sorted(idle.items()):
        message = f"nothing reads {_some([metric.name for metric in metrics])}"
        yield Problem(Place(path), "H003", message, "score it, put it in a signal or a report, or take it out")


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return listed([*(f'"{name}"' for name in names[:NAMED]), *([f"{more} more"] if more > 0 else [])], "and")
