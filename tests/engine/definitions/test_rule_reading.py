"""Rules: challenge, action, signal, guard."""

import pytest

from engine.definitions.condition import All, AnyOf, Not, Var
from engine.definitions.feature import Feature, ValueType
from engine.definitions.playbook import Span
from engine.definitions.rule import Limit
from engine.terms import ChallengeKind, Mode
from tests.bad_files.workspace import BASE, RULE, bundle_of, notes_of, sentences_of, with_edit

UNUSED, UNHAPPY = (Var(f"signal.{name}", ValueType.BOOLEAN) for name in ("seats_unused", "unhappy"))
WHEN = "when: {any: [seats_unused, unhappy]}"


def test_a_rule_is_challenge_action_and_signal() -> None:
    """S2-06, S2-16: rules are written backwards, from the challenge."""
    rule = bundle_of(BASE).rules["seats-unused"]
    assert (rule.challenge.kind, rule.challenge.owner) == (ChallengeKind.RISK, "cs-ops")
    assert [(action.playbook, action.mode) for action in rule.actions] == [("seat-activation", Mode.APPROVE)]
    assert rule.actions[0].when is not None
    assert rule.actions[0].when.names == {"in_segment.enterprise"}
    assert list(rule.signals) == ["seats_unused", "unhappy"]
    assert (rule.guard.cooldown, rule.guard.max_new_runs) == (30, None)
    assert rule.guard.hold_out is not None
    assert (rule.guard.hold_out.share, rule.guard.hold_out.rotate) == (0.1, 180)
    assert rule.existing == "ask"


def test_success_is_a_limit_a_change_an_event_or_a_condition() -> None:
    written = "{metric: utilization, at_least: 60%, within: 45d}"
    success = bundle_of(BASE).rules["seats-unused"].challenge.success
    assert (success.feature, success.limit, success.within) == (Feature("utilization"), Limit("at_least", 0.6), 45)
    change = with_edit(RULE, written, "{metric: active_users.mean_7d, change: +10%, within: 30d}")
    assert bundle_of(change).rules["seats-unused"].challenge.success.change == 0.1
    event = with_edit(RULE, written, "{event: login, within: 30d}")
    assert bundle_of(event).rules["seats-unused"].challenge.success.event == "login"
    condition = with_edit(RULE, written, '{condition: {">": [{var: active_users}, 9]}, within: 30d}')
    found = bundle_of(condition).rules["seats-unused"].challenge.success.condition
    assert found is not None
    assert found.names == {"active_users"}


@pytest.mark.parametrize(
    ("written", "tree"),
    [
        (WHEN, AnyOf((UNUSED, UNHAPPY))),
        ("when: {all: [seats_unused, {not: unhappy}]}", All((UNUSED, Not(UNHAPPY)))),
        ("when: {any: [unhappy, {all: [seats_unused, {not: [unhappy]}]}]}",
         AnyOf((UNHAPPY, All((UNUSED, Not(UNHAPPY)))))),
        ("when: {or: [{var: signal.seats_unused}, {var: signal.unhappy}]}", AnyOf((UNUSED, UNHAPPY))),
        ("when: {any: [seats_unused, {'!': [{var: signal.unhappy}]}]}", AnyOf((UNUSED, Not(UNHAPPY)))),
        ("existing: ask", AnyOf((UNUSED, UNHAPPY))),
    ],
)  # fmt: skip
def test_when_is_lowered_to_a_condition_over_the_signals(written: str, tree: object) -> None:
    when = bundle_of(with_edit(RULE, WHEN, written)).rules["seats-unused"].when
    assert when.tree == tree
    assert when.names == {"signal.seats_unused", "signal.unhappy"}


def test_without_when_a_single_signal_is_the_condition() -> None:
    texts = with_edit(RULE, WHEN, "existing: ask")
    start = texts[RULE].index("  unhappy:")
    one = {**texts, RULE: texts[RULE][:start] + texts[RULE][texts[RULE].index("existing") :]}
    assert bundle_of(one).rules["seats-unused"].when.tree == UNUSED


def test_an_action_may_leave_a_window_to_stop_it_in() -> None:
    """D.5: a veto window says how long, in the working hours of those who may stop it."""
    action = (
        bundle_of(with_edit(RULE, "mode: approve", "mode: {veto: 4 working hours}")).rules["seats-unused"].actions[0]
    )
    assert (action.mode, action.veto) == (Mode.VETO, Span(0.5, working=True))
    assert sentences_of(with_edit(RULE, "mode: approve", "mode: veto")) == [
        'R003 "veto" needs to know how long somebody may stop it'
    ]


def test_what_this_version_reads_and_does_not_do_is_said() -> None:
    measured = with_edit(RULE, WHEN, f"{WHEN}\nchoose: measured")
    assert notes_of(measured) == ["this version takes the first action that applies; it does not choose by effect yet"]
    unused = with_edit(RULE, WHEN, "when: unhappy")
    assert notes_of(unused) == ['"when" does not use the signal "seats_unused"']


def test_a_challenge_must_be_outlined_before_anything_else() -> None:
    """S2-07."""
    short = with_edit(RULE, "why: Seats that nobody uses are cancelled first.", "why: Because")
    assert sentences_of(short) == ['R014 "why" is too short to outline a challenge']


def test_a_condition_that_reads_nothing_is_noted() -> None:
    always = with_edit(RULE, "for: {var: in_segment.enterprise}", 'for: {"<": [1, 2]}')
    assert notes_of(always) == ["this reads no value, so it is always the same"]


@pytest.mark.parametrize(
    ("instead", "write", "sentences"),
    [
        ("{metric: utilization, at_least: 60%, within: 45d}", "{within: 45d}", [
            "R012 success needs exactly one of metric, event and condition, not none"
        ]),
        ("at_least: 60%, within", "at_least: 60%, change: 10%, within", [
            "R012 success is a change or a limit, not both"
        ]),
        ("at_least: 60%, within", "change: 0%, within", ["R035 a change of nothing is no change"]),
        ("at_least: 60%, within", "within", ["R031 success needs exactly one of below, at_most, above and at_least"]),
        ("kind: risk", "kind: threat", ['R003 "kind" must be risk, goal or opportunity, not "threat"']),
        ("  why: Seats that nobody uses are cancelled first.\n", "  why:\n", ['R002 "why" must be a text, not empty']),
        ("cooldown: 30d", "cooldown: -1d", ['R002 "cooldown" must be a length of time, not "-1d"']),
        ("cooldown: 30d", "cooldown: 9999d", [
            'R005 "cooldown" must be more than nothing and at most 3650 days, not "9999d"'
        ]),
        ("cooldown: 30d", "max_new_runs: 0", ['R005 "max_new_runs" must be between 1 and 1,000,000, not "0"']),
        (WHEN, "when: {any: []}", ['R013 "any" takes at least one signal']),
        (WHEN, "when: {not: [seats_unused, unhappy]}", ['R013 "not" takes one signal']),
        (WHEN, "when: {nor: [seats_unused]}", ['J003 unknown operator "nor"']),
        ("rule: seats-unused", "rule: Seats Unused", ['R006 "rule" cannot be called "Seats Unused"']),
        ("challenge:\n", "challange:\n", ['R004 unknown key "challange"']),
        ("guard: {", "guard: [] #", ['R002 "guard" must have keys and values, not a list']),
        ("  owner: cs-ops", "  owner: cs-ops\n  review_by: soon", [
            'R002 "review_by" must be a date like 2027-03-01, not "soon"'
        ]),
    ],
)  # fmt: skip
def test_a_rule_refuses(instead: str, write: str, sentences: list[str]) -> None:
    assert sorted(sentences_of(with_edit(RULE, instead, write))) == sorted(sentences)
