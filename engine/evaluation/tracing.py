"""Why a rule says what it says of one account: signals, condition tree with values and verdicts, guard, arm, place.

The tree is walked as it is evaluated; where everything a leaf reads is known, json-logic-qubit is asked as well, and
a disagreement would be shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.definitions.bundle import Bundle
from engine.definitions.catalog import Catalog
from engine.definitions.condition import (
    All,
    AnyOf,
    Arithmetic,
    Compare,
    Condition,
    If,
    In,
    Literal,
    Missing,
    Not,
    Scalar,
    Tree,
    Var,
    names_of,
    reference,
    typed_names,
)
from engine.definitions.feature import ValueType
from engine.definitions.rule import Rule
from engine.evaluation.again import re_entry_refusal
from engine.evaluation.columns import Column, Texts
from engine.evaluation.deciding import default_limit
from engine.evaluation.evaluation import Evaluation
from engine.evaluation.evidence import evidence_of, value_of
from engine.evaluation.features import OwnNames, taken
from engine.evaluation.holdout import arm, draw
from engine.evaluation.past import Past
from engine.evaluation.people_tracing import people_lines
from engine.evaluation.program import evaluate_condition
from engine.evaluation.provenance import looked_at
from engine.evaluation.wording import condition_text, day_text, name_text, share
from engine.terms import Arm, Verdict

SAYS: Final = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.UNKNOWN: "unknown"}
FIRES: Final = {Verdict.HOLDS: "fires", Verdict.FAILS: "is clear", Verdict.UNKNOWN: "is unknown"}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a condition for one account: its words, its verdict, the values it read, and what the reference
    said (None: not asked, because something was missing or the node is no leaf)."""

    text: str
    verdict: Verdict
    values: tuple[tuple[str, str], ...]
    reference: bool | None
    children: tuple["Node", ...]


def why_rule(bundle: Bundle, evaluation: Evaluation, past: Past, row: int, rule: str) -> tuple[str, ...]:
    """The whole trace of one account (by its row) and one rule, as lines."""
    declared = bundle.rules[rule]
    facts = evaluation.facts
    verdict = FIRES[Verdict(int(evaluation.rules[rule][row]))]
    lines = [
        f"{rule} {verdict} for {facts.accounts.keys[row]} on {day_text(facts.at)} ({declared.place})",
        f"  {declared.challenge.title}",
        "signals",
    ]
    for signal, each in zip(declared.signals, evidence_of(declared, bundle.catalog, evaluation, row), strict=True):
        lines.append(f"  {signal} {FIRES[Verdict(each.verdict)]}: {each.sentence} ({each.place})")
        measure = declared.signals[signal].measure
        lines += [f"    {sentence}" for sentence in looked_at(bundle.catalog, facts, measure, row)]
        lines += [f"    {line}" for line in people_lines(bundle.catalog, declared.signals[signal], evaluation, row)]
        condition = getattr(measure, "condition", None)
        if isinstance(condition, Condition):
            lines += _tree_lines(trace(bundle.catalog, condition.tree, OwnNames(rule, evaluation.columns), row), 2)
    lines += [
        "when",
        *_tree_lines(trace(bundle.catalog, declared.when.tree, OwnNames(rule, evaluation.columns), row), 1),
    ]
    lines += ["guard", *(f"  {line}" for line in _guard(bundle, declared, evaluation, past, row))]
    return (*lines, f"definitions {bundle.fingerprint[:12]}")


def trace(catalog: Catalog, tree: Tree, columns: Mapping[str, Column], row: int) -> Node:
    """A condition for one account, node by node, with the values it read."""
    one = _OneRow(columns, row)
    verdict = Verdict(int(evaluate_condition(tree, one, 1).verdicts[0]))
    children = tuple(trace(catalog, child, columns, row) for child in _children(tree))
    names = () if children else tuple(sorted(names_of(tree)))
    values = tuple((name_text(catalog, name), value_of(catalog, name, one.get(name), 0)) for name in names)
    asked = None if children or verdict is Verdict.UNKNOWN else _asked(tree, one)
    return Node(_text(catalog, tree), verdict, values, asked, children)


def as_logic(tree: Tree) -> Any:
    """A typed tree as JsonLogic again, for the reference; dates stay ISO texts, shares are numbers."""
    match tree:
        case Literal(value):
            return value
        case Var(name, _, default):
            return {"var": name} if default is None else {"var": [name, default.value]}
        case In(operand, members):
            return {"in": [as_logic(operand), [member.value for member in members]]}
        case Missing(names):
            return {"!!": [{"missing": list(names)}]}
    operator, operands = _operation(tree)
    return {operator: [as_logic(operand) for operand in operands]}


def _operation(tree: Arithmetic | Compare | All | AnyOf | Not | If) -> tuple[str, tuple[Tree, ...]]:
    match tree:
        case Arithmetic(operator, operands):
            return operator, operands
        case Compare(operator, left, right):
            return operator, (left, right)
        case All(operands):
            return "and", operands
        case AnyOf(operands):
            return "or", operands
        case Not(operand):
            return "!", (operand,)
        case If(condition, then, otherwise):
            return "if", (condition, then, otherwise)


class _OneRow(Mapping[str, Column]):
    """One account's values as columns of length 1."""

    def __init__(self, columns: Mapping[str, Column], row: int) -> None:
        self._columns = columns
        self._rows = np.array([row], dtype=np.int64)

    def __getitem__(self, name: str) -> Column:
        return taken(self._columns[name], self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _children(tree: Tree) -> tuple[Tree, ...]:
    match tree:
        case All(operands) | AnyOf(operands):
            return operands
        case Not(operand):
            return (operand,)
    return ()


def _text(catalog: Catalog, tree: Tree) -> str:
    match tree:
        case All():
            return "all of"
        case AnyOf():
            return "any of"
        case Not():
            return "not"
    return condition_text(catalog, tree)


def _asked(tree: Tree, columns: Mapping[str, Column]) -> bool | None:
    """What json-logic-qubit says of a leaf; None where a name it reads is missing, which is no question for it."""
    record: dict[str, Scalar] = {}
    for name, kind in typed_names(tree):
        column = columns.get(name)
        if isinstance(column, Texts) and column.codes[0] >= 0:
            record[name] = column.words[column.codes[0]]
        elif column is not None and not isinstance(column, Texts) and not np.isnan(column.values[0]):
            record[name] = _scalar(float(column.values[0]), kind)
    if names_of(tree) - record.keys():
        return None
    return bool(reference(as_logic(tree), record))


def _scalar(value: float, kind: ValueType) -> Scalar:
    if kind is ValueType.DATE:
        return day_text(int(value))
    return bool(value) if kind is ValueType.BOOLEAN else value


def _tree_lines(node: Node, depth: int) -> Iterator[str]:
    read = ", ".join(f"{name} is {value}" for name, value in node.values)
    disagrees = node.reference is not None and node.reference is not (node.verdict is Verdict.HOLDS)
    note = "; the reference says otherwise" if disagrees else ""
    yield f"{'  ' * depth}{node.text}: {SAYS[node.verdict]}{f' ({read})' if read else ''}{note}"
    for child in node.children:
        yield from _tree_lines(child, depth + 1)


def _guard(bundle: Bundle, rule: Rule, evaluation: Evaluation, past: Past, row: int) -> Iterator[str]:
    facts, guard = evaluation.facts, rule.guard
    account, key = int(facts.accounts.ids[row]), facts.accounts.keys[row]
    inside = account in past.inside.get(rule.name, frozenset())
    yield "an episode is open" if inside else "no episode is open"
    yield from _left_out(past, rule, account)
    ended = past.episode_ended.get((rule.name, account))
    if ended is None:
        yield f"cooldown of {guard.cooldown} days: no episode has ended yet"
    else:
        yield f"cooldown of {guard.cooldown} days: until {day_text(ended + guard.cooldown)}"
    limit = default_limit(past.accounts or len(facts.accounts)) if guard.max_new_runs is None else guard.max_new_runs
    yield f"new runs in 24 hours: {past.recent_starts.get(rule.name, 0)} of at most {limit}"
    for action in rule.actions:
        applies = _applies(bundle, rule, action.when, evaluation, row)
        yield f"{action.playbook}, {action.mode.value} ({action.place}): {applies}"
        playbook, earlier = bundle.playbooks.get(action.playbook), past.earlier.get((action.playbook, account))
        if playbook and earlier and (often := re_entry_refusal(playbook.name, playbook.re_entry, earlier, facts.at)):
            yield f"  {often}"
        if guard.hold_out is not None and _is_exempt(bundle, rule, guard.hold_out.exempt, evaluation, row):
            yield "  arm: exempt, treated without being drawn"
        elif guard.hold_out is not None:
            drawn = draw(rule.name, action.playbook, key, facts.at // max(guard.hold_out.rotate, 1))
            side = arm(guard.hold_out, rule.name, action.playbook, key, facts.at)
            word = "held out" if side is Arm.HELD_OUT else "treated"
            yield f"  arm: {word} (drew {drawn:.4f}; held out below {share(guard.hold_out.share)})"


def _left_out(past: Past, rule: Rule, account: int) -> Iterator[str]:
    """What members decided that keeps the account out of the rule."""
    if excluded := past.excluded.get((rule.name, account)):
        yield excluded
    if snooze := past.snoozed.get((rule.name, account)):
        wakes = f"; more than {snooze.severity} firing signals wake it" if snooze.severity else ""
        yield f"{snooze.author} snoozed it until {snooze.until:%Y-%m-%d}: {snooze.reason}{wakes}"


def _is_exempt(bundle: Bundle, rule: Rule, exempt: Condition | None, evaluation: Evaluation, row: int) -> bool:
    if exempt is None:
        return False
    return trace(bundle.catalog, exempt.tree, OwnNames(rule.name, evaluation.columns), row).verdict is Verdict.HOLDS


def _applies(bundle: Bundle, rule: Rule, when: Condition | None, evaluation: Evaluation, row: int) -> str:
    if when is None:
        return "for every account"
    node = trace(bundle.catalog, when.tree, OwnNames(rule.name, evaluation.columns), row)
    return f"for accounts where {condition_text(bundle.catalog, when.tree)}: {SAYS[node.verdict]}"
