"""Reading a rule (codes R): challenge, then action, then signal, in the order of the method."""

from collections.abc import Collection, Mapping
from typing import Any, Final, Literal as Choice

from engine.definitions.catalog import Catalog
from engine.definitions.catalog_reading import read_format
from engine.definitions.condition import All, AnyOf, Condition, Not, Tree, Var, names_of
from engine.definitions.condition_reading import parse
from engine.definitions.example_reading import read_example
from engine.definitions.feature import ValueType
from engine.definitions.fields import Fields
from engine.definitions.measure import ScheduleMeasure
from engine.definitions.operators import OPERANDS
from engine.definitions.playbook import Span
from engine.definitions.reading import Ledger, but, day, items, known, length, listed, suggest, word
from engine.definitions.rule import USUAL_FLAPPING, Action, Challenge, Flapping, Guard, HoldOut, Rule, Signal, Success
from engine.definitions.scope import Scope, own_signals
from engine.definitions.scorecard_reading import is_share_feature, read_feature
from engine.definitions.signal_reading import BOUNDS, Reach, read_change, read_event, read_limit, read_signal
from engine.definitions.source import ListNode, MapNode, Node, ScalarNode
from engine.terms import ChallengeKind, Mode

EXISTING: Final[tuple[Choice["ignore", "enrol", "ask"], ...]] = ("ignore", "enrol", "ask")
CHOOSE: Final[tuple[Choice["first", "measured"], ...]] = ("first", "measured")
SHORTEST_TITLE: Final = 8
SHORTEST_WHY: Final = 15
_WAYS: Final = {"any": "or", "all": "and", "not": "!"}
_PERIOD_DAYS: Final = {"week": 7, "month": 28, "quarter": 90, "year": 365}


def read_rule(node: Node, catalog: Catalog, scope: Scope, playbooks: Collection[str], ledger: Ledger) -> Rule:
    """Read one rule. ``scope`` is the account's; the rule's own signals are added here."""
    fields = Fields(node, ledger, "a rule")
    read_format(fields)
    name = fields.name("rule")
    reach = Reach(catalog, scope)
    challenge = _challenge(fields, reach)
    actions_node = fields.need("actions")
    written = fields.entries("signals", required=True)
    signals = {key.text: read_signal(key, value, reach, ledger) for key, value in written}
    if "signals" in fields and not written:
        ledger.problem(
            fields.key_place("signals"), 11, "a rule needs at least one signal: without it nothing ever starts"
        )
    inside = own_signals(scope, signals)
    rule = Rule(
        name=name,
        challenge=challenge,
        actions=_actions(actions_node, inside, playbooks, ledger) if actions_node else (),
        signals=signals,
        when=_when(fields, signals, inside),
        guard=_guard(fields, inside),
        examples=_examples(fields, catalog, scope),
        place=fields.key_place("rule"),
        existing=fields.word("existing", EXISTING, "ask"),
        leading_indicator=fields.truth("leading_indicator", default=False),
        choose=fields.word("choose", CHOOSE, "first"),
    )
    fields.close()
    _note_periods(rule, ledger)
    if rule.choose == "measured":
        ledger.note(
            fields.key_place("choose"),
            51,
            "this version takes the first action that applies; it does not choose by effect yet",
        )
    return rule


def _note_periods(rule: Rule, ledger: Ledger) -> None:
    """A cooldown longer than a schedule's period lets the rule start only now and then."""
    for signal in rule.signals.values():
        if not isinstance(signal.measure, ScheduleMeasure):
            continue
        every, cooldown = signal.measure.every, rule.guard.cooldown
        if cooldown >= _PERIOD_DAYS[every]:
            what = (
                f"the cooldown of {cooldown} days is as long as a {every} or longer, so the rule cannot start in each"
            )
            ledger.note(signal.place, 54, f"{what}: write cooldown: {_PERIOD_DAYS[every] - 1}d")


def _challenge(fields: Fields, reach: Reach) -> Challenge:
    inner = fields.fields("challenge", required=True)
    if inner is None:
        return Challenge("", ChallengeKind.RISK, "", "", Success(0))
    review = inner.find("review_by")
    success = inner.fields("success", required=True)
    found = Challenge(
        title=inner.text("title"),
        kind=inner.word("kind", tuple(ChallengeKind)),
        why=inner.text("why"),
        owner=inner.text("owner"),
        success=_success(success, reach) if success else Success(0),
        review_by=day(review, inner.ledger, '"review_by"') if review else "",
    )
    inner.close()
    _check_outlined(found, inner)
    return found


def _check_outlined(challenge: Challenge, fields: Fields) -> None:
    for key, text, least in (("title", challenge.title, SHORTEST_TITLE), ("why", challenge.why, SHORTEST_WHY)):
        if text and len(text) < least:
            message = f'"{key}" is too short to outline a challenge'
            fields.ledger.problem(fields.key_place(key), 14, message, "say it so that a new colleague understands it")


def _success(fields: Fields, reach: Reach) -> Success:
    within = fields.days("within")
    kinds = [kind for kind in ("metric", "event", "condition") if kind in fields]
    if len(kinds) != 1:
        hint = "for example {metric: active_users, at_least: 50, within: 45d}"
        message = f"success needs exactly one of metric, event and condition, not {listed(kinds, 'and') or 'none'}"
        fields.ledger.problem(fields.place, 12, message, hint)
        return Success(within, place=fields.place)
    if kinds[0] == "event":
        success = Success(within, event=read_event(fields, reach), place=fields.key_place("event"))
    elif kinds[0] == "condition":
        node = fields.need("condition")
        condition = parse(node, reach.scope, fields.ledger) if node else None
        success = Success(within, condition=condition, place=fields.key_place("condition"))
    else:
        success = _metric_success(fields, within, reach)
    fields.close()
    return success


def _metric_success(fields: Fields, within: int, reach: Reach) -> Success:
    node = fields.need("metric")
    if node is None:
        return Success(within)
    feature = read_feature(node, reach.catalog, fields.ledger)
    if "change" in fields:
        if clash := [bound for bound in BOUNDS if fields.find(bound) is not None]:
            fields.ledger.problem(
                fields.key_place(clash[0]), 12, "success is a change or a limit, not both", "leave one out"
            )
        return Success(within, feature=feature, change=read_change(fields), place=node.place)
    is_share = is_share_feature(feature, reach.catalog)
    limit = read_limit(fields, "success", is_share=is_share)
    return Success(within, feature=feature, limit=limit, place=node.place)


def _actions(node: Node, scope: Scope, playbooks: Collection[str], ledger: Ledger) -> tuple[Action, ...]:
    written = items(node, ledger, '"actions"')
    if isinstance(node, ListNode) and not written:
        ledger.problem(
            node, 10, "a challenge needs at least one action that answers it", "write - playbook: and its name"
        )
    found: list[Action] = []
    for item in written:
        fields = Fields(item, ledger, "an action")
        condition = fields.find("for")
        playbook, named = fields.name("playbook"), fields.find("playbook")
        if named and playbook:
            known(named, playbook, playbooks, ledger, "playbook")
        when = parse(condition, scope, ledger) if condition else None
        mode, veto = _mode(fields)
        action = Action(playbook, mode, fields.key_place("playbook"), when, veto)
        fields.close()
        found.append(action)
    return tuple(found)


def _mode(fields: Fields) -> tuple[Mode, Span | None]:
    """``automatic``, ``approve``, ``manual``, or ``{veto: 4 working hours}``."""
    node = fields.need("mode")
    if node is None:
        return Mode.APPROVE, None
    if not isinstance(node, MapNode):
        return _plain_mode(node, fields.ledger), None
    veto = Fields(node, fields.ledger, '"mode"')
    time = veto.need("veto")
    found = length(time, fields.ledger, '"veto"') if time is not None else None
    veto.close()
    return Mode.VETO, Span(found.days, found.working) if found else None


def _plain_mode(node: Node, ledger: Ledger) -> Mode:
    if isinstance(node, ScalarNode) and node.text == Mode.VETO:
        message = '"veto" needs to know how long somebody may stop it'
        ledger.problem(node, 3, message, "write mode: {veto: 4 working hours}")
        return Mode.VETO
    return word(node, tuple(each for each in Mode if each is not Mode.VETO), ledger, '"mode"')


def _guard(fields: Fields, scope: Scope) -> Guard:
    inner = fields.fields("guard")
    if inner is None:
        return Guard()
    limit, hold_out = inner.find("max_new_runs"), inner.fields("hold_out")
    found = Guard(
        cooldown=inner.days("cooldown", 30),
        max_new_runs=inner.whole("max_new_runs", 1, 1) if limit else None,
        hold_out=_hold_out(hold_out, scope) if hold_out else None,
        flapping=_flapping(inner),
    )
    inner.close()
    return found


def _flapping(guard: Fields) -> Flapping | None:
    """``flapping: ignore``, or from and until which share of its last changes a signal flaps."""
    node = guard.find("flapping")
    if node is None:
        return USUAL_FLAPPING
    if not isinstance(node, MapNode):
        if not (isinstance(node, ScalarNode) and node.text == "ignore"):
            message = f'"flapping" must be ignore, or from and until when a signal flaps{but(node)}'
            guard.ledger.problem(node, 3, message, "write flapping: {starts: 30%, ends: 15%}")
        return None
    fields = Fields(node, guard.ledger, '"flapping"')
    found = Flapping(
        fields.share("starts", USUAL_FLAPPING.starts, 0.05), fields.share("ends", USUAL_FLAPPING.ends, 0.0)
    )
    fields.close()
    if found.ends >= found.starts:
        message = "a signal stops flapping below the share at which it starts"
        guard.ledger.problem(node, 23, message, "write flapping: {starts: 30%, ends: 15%}")
    return found


def _hold_out(fields: Fields, scope: Scope) -> HoldOut:
    node = fields.find("except")
    exempt = parse(node, scope, fields.ledger) if node else None
    found = HoldOut(fields.share("share", None, 0.001, 0.9), exempt, fields.days("rotate", 180))
    fields.close()
    return found


def _examples(fields: Fields, catalog: Catalog, scope: Scope) -> Any:
    node = fields.find("examples")
    written = items(node, fields.ledger, '"examples"') if node else ()
    return tuple(read_example(item, catalog, scope, fields.ledger) for item in written)


def _when(fields: Fields, signals: Mapping[str, Signal], scope: Scope) -> Condition:
    node = fields.find("when")
    if node is None or not signals:  # that there is no signal has been said
        vars_ = tuple(Var(f"signal.{name}", ValueType.BOOLEAN) for name in signals)
        raw = {"or": [{"var": var.name} for var in vars_]}
        if len(vars_) == 1:
            return Condition({"var": vars_[0].name}, vars_[0], names_of(vars_[0]), fields.place)
        return Condition(raw, AnyOf(vars_), names_of(AnyOf(vars_)), fields.place)
    lowered = _lower(node, signals, scope, fields.ledger)
    if lowered is None:
        return Condition(raw={}, tree=AnyOf(()), names=frozenset(), place=node.place)
    tree, raw = lowered
    names = names_of(tree)
    for signal in signals.values():
        if f"signal.{signal.name}" not in names:
            fields.ledger.note(signal.place, 53, f'"when" does not use the signal "{signal.name}"')
    return Condition(raw, tree, names, node.place)


def _is_sentence(text: str) -> bool:
    return any(f" {joint} " in text for joint in ("and", "or", "not"))


def _lower(node: Node, signals: Mapping[str, Signal], scope: Scope, ledger: Ledger) -> tuple[Tree, Any] | None:
    """``{any: [a, {not: b}]}`` to JsonLogic over ``signal.…``; anything else in it is JsonLogic already."""
    if isinstance(node, ScalarNode) and node.truth is None and not node.is_empty:
        if _is_sentence(node.text):
            message = f'"{node.text[:60]}" is a sentence, not a condition'
            ledger.coded(node, "J001", message, "write {any: [a, b]} or {all: [a, b]}")
            return None
        if not known(node, node.text, signals, ledger, "signal", " in this rule"):
            return None
        var = Var(f"signal.{node.text}", ValueType.BOOLEAN)
        return var, {"var": var.name}
    way = node.entries[0][0].text if isinstance(node, MapNode) and len(node.entries) == 1 else ""
    if not isinstance(node, MapNode) or way not in _WAYS:
        if isinstance(node, MapNode) and way not in OPERANDS and suggest(way, _WAYS):
            ledger.coded(node.entries[0][0], "J003", f'unknown operator "{way}"', suggest(way, _WAYS))
            return None
        condition = parse(node, scope, ledger)
        return (condition.tree, condition.raw) if condition else None
    value = node.entries[0][1]
    parts = value.items if isinstance(value, ListNode) else (value,)
    if not parts or (way == "not" and len(parts) != 1):
        ledger.problem(
            value,
            13,
            f'"{way}" takes {"one signal" if way == "not" else "at least one signal"}',
            f"signals: {listed(signals)}",
        )
        return None
    lowered = [_lower(part, signals, scope, ledger) for part in parts]
    found = [part for part in lowered if part is not None]
    if len(found) != len(lowered):
        return None
    trees, raw = tuple(tree for tree, _ in found), {_WAYS[way]: [part for _, part in found]}
    return (Not(trees[0]) if way == "not" else AnyOf(trees) if way == "any" else All(trees)), raw
