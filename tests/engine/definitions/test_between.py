"""What only all files together show: leading indicators stay out of scores, and audiences are people somebody names."""

from typing import Final

from tests.bad_files.workspace import BASE, CARD, PLAYBOOK, RULE, bundle_of, notes_of, sentences_of, with_edit

SLIP: Final = "  slipping: {metric: logins, slip: {pattern: broad}}\n"
FALLING: Final = "  falling: {contacts: {roles: [user]}, metric: logins, trend: {change: -20%, over: 30d}}\n"


def leading(condition: str) -> dict[str, str]:
    """The workspace with a leading indicator that a forced tier of the scorecard reads."""
    texts = {**BASE, RULE: BASE[RULE].replace("\nsignals:", "\nleading_indicator: true\nsignals:")}
    forced = f"tiers:\n  forced: [{{when: {condition}, tier: requires_attention}}]\n"
    return with_edit(CARD, "tiers:\n", forced, texts)


def test_a_leading_indicator_is_never_part_of_a_score() -> None:
    """S1-40."""
    assert bundle_of(leading("{var: in_segment.enterprise}")).rules["seats-unused"].leading_indicator
    assert sentences_of(leading("{var: signal.seats-unused.unhappy}")) == [
        'B014 the scorecard "health" reads a leading indicator (score health → signal seats-unused.unhappy)'
    ]


def test_a_score_may_not_read_a_leading_indicator_by_a_detour_either() -> None:
    """S1-40: through the signal of another rule."""
    other = BASE[RULE].partition("signals:")[0].replace("rule: seats-unused", "rule: other")
    detour = f"{other}signals:\n  it: {{condition: {{var: signal.seats-unused.unhappy}}}}\n"
    texts = {**leading("{var: signal.other.it}"), "rules/other.yaml": detour}
    way = "score health → signal other.it → signal seats-unused.unhappy"
    assert sentences_of(texts) == [f'B014 the scorecard "health" reads a leading indicator ({way})']


def test_signals_that_name_people_may_be_written_to() -> None:
    """S4-24."""
    for name, signal in (("slipping", SLIP), ("falling", FALLING)):
        texts = with_edit(PLAYBOOK, "to: champion, message", f"to: signal.{name}, message")
        named = with_edit(RULE, "signals:\n", f"signals:\n{signal}", texts)
        assert bundle_of(named).playbooks
        nobody = with_edit(RULE, "signals:\n", f"signals:\n  {name}: {{every: week}}\n", texts)
        assert any(sentence.startswith(f'B001 there is no signal "{name}"') for sentence in sentences_of(nobody))


def test_what_clears_a_signal_counts_among_what_it_depends_on() -> None:
    circle = "  it: {metric: active_users, threshold: {below: 4}, clears: {condition: {var: signal.seats-unused.it}}}\n"
    (sentence,) = sentences_of(with_edit(RULE, "signals:\n", f"signals:\n{circle}"))
    assert sentence.startswith("B003 these depend on each other in a circle: signal seats-unused.it")


def test_nothing_is_called_unused_while_a_rule_cannot_be_read() -> None:
    """The rule whose key is misspelt starts the playbook; a note that nobody does would be untrue."""
    unread = with_edit(RULE, "playbook:", "playbok:")
    assert not any("no rule starts" in note for note in notes_of(unread))
    other = "format: 1\nplaybook: other\ntitle: Ask\ncategory: education\nsteps: [{task: {title: Ask, to: owner}}]\n"
    assert 'no rule starts the playbook "other"' in notes_of({**BASE, "playbooks/other.yaml": other})
