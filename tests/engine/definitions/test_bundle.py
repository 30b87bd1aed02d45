"""All files together: what they make, what only all of them show, and that nothing in them ends in a traceback."""

import re
from typing import Final

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.bundle import fingerprint_of, read
from engine.definitions.problem import render
from tests.bad_files.workspace import (
    BASE,
    CARD,
    CATALOG,
    MESSAGE,
    PLAYBOOK,
    RULE,
    bundle_of,
    notes_of,
    sentences_of,
    with_edit,
)

SNIPPETS: Final = (
    *("[]", "{}", "null", "~", "-1", "0", "99999999999999999999", "1e400", '"x"', "[a]", "{a: b}", "40%", "7d", ""),
    *("true", "[[1]]", '{"<": [1, 2]}', "{var: active_users}", "x.y.z", "%", "2027-01-01", "signal.a", "{{ x", "<<"),
    *("{% for %}", '"{{ a.b.c() }}"', "3 working days", "'", "[1, [2, {a: [b]}]]", "a-b.c_d", '"a\\nb"', "- - -"),
)  # fmt: skip
HAPPY: Final = "      happy: {threshold: {good: 4, poor: 2}}"
RESPONSE: Final = "      response.seat-activation: {linear: [0, 1]}"
TINY: Final = """format: 1
rule: NAME
challenge:
  {title: A tiny rule, kind: risk, why: To have many of them, owner: cs-ops, success: {event: login, within: 1d}}
actions: [{playbook: seat-activation, mode: manual}]
signals: {it: {event: login, for: 1d}}
"""
TOKEN: Final = re.compile(r"[^\s,\[\]{}:]+|[\[\]{}:,]|\n *")


def test_a_clean_folder_is_a_bundle_with_everything_in_it() -> None:
    bundle = bundle_of(BASE)
    assert list(bundle.rules) == ["seats-unused"]
    assert list(bundle.scorecards) == ["health"]
    assert list(bundle.playbooks) == ["seat-activation"]
    assert set(bundle.messages) == {("seat-activation", "hello"), ("seat-activation", "first-plan")}
    assert list(bundle.reports) == ["quarterly"]
    assert bundle.texts == BASE
    assert bundle.fingerprint == fingerprint_of(BASE)


def test_a_folder_with_a_problem_is_no_bundle() -> None:
    checked = read(with_edit(RULE, "kind: risk", "kind: threat"))
    assert checked.bundle is None
    assert len(checked.problems) == 1


def test_the_fingerprint_names_the_files_whatever_their_order_and_nothing_else() -> None:
    assert fingerprint_of(BASE) == fingerprint_of(dict(sorted(BASE.items(), reverse=True)))
    assert fingerprint_of(BASE) != fingerprint_of({**BASE, RULE: BASE[RULE] + "\n"})
    assert fingerprint_of({"a": "bc"}) != fingerprint_of({"ab": "c"})


@pytest.mark.parametrize("path", [CATALOG, CARD, RULE, PLAYBOOK])
def test_a_file_that_cannot_be_read_is_one_problem_and_not_missed_everywhere(path: str) -> None:
    broken = {**BASE, path: BASE[path] + "  - 'never closed\n"}
    assert [sentence[:1] for sentence in sentences_of(broken)] == ["Y"]


def test_two_files_may_not_declare_one_name() -> None:
    for path, copy in ((CARD, "rules/scorecards/again.yaml"), (PLAYBOOK, "playbooks/again.yaml")):
        codes = [found[:4] for found in sentences_of({**BASE, copy: BASE[path]})]
        assert codes == ["B002"]


def test_a_success_that_depends_on_a_response_through_a_score_is_refused() -> None:
    texts = with_edit(CARD, HAPPY, RESPONSE)
    texts = with_edit(
        RULE,
        "{metric: utilization, at_least: 60%, within: 45d}",
        '{condition: {">": [{var: score.health}, 50]}, within: 45d}',
        texts,
    )
    (sentence,) = sentences_of(texts)
    assert sentence.startswith('B004 the success of "seats-unused" would be measured by the response to a playbook')
    assert sentence.endswith("(score health → response.seat-activation)")


def test_a_signal_that_moves_with_a_response_through_a_score_is_noted() -> None:
    """A rule may read a score that shows responses a little; that its own playbook moves it should be known."""
    texts = with_edit(CARD, HAPPY, RESPONSE)
    texts = with_edit(
        RULE,
        '{event: survey_answered, where: {"<=": [{var: event.nps}, 6]}, for: 14d}',
        '{condition: {"<": [{var: score.health}, 50]}}',
        texts,
    )
    assert notes_of(texts) == [
        'the signal "unhappy" moves with the response to a playbook (score health → response.seat-activation)'
    ]


def test_a_tier_of_the_last_evaluation_is_no_circle() -> None:
    texts = {
        **BASE,
        CARD: BASE[CARD] + "  forced:\n    - {when: {var: signal.seats-unused.unhappy}, tier: take_notice}\n",
    }
    condition = '{condition: {"==": [{var: tier.health.previous}, doing_well]}}'
    written = '{event: survey_answered, where: {"<=": [{var: event.nps}, 6]}, for: 14d}'
    assert sentences_of(with_edit(RULE, written, condition, texts)) == []


def test_what_nobody_uses_is_noted() -> None:
    extra = "playbooks/messages/seat-activation/extra.md"
    assert notes_of({**BASE, extra: "Subject\n\nText\n"}) == ['no step sends the message "extra"']
    other = BASE[PLAYBOOK].replace("playbook: seat-activation", "playbook: other").replace("first-plan", "hello")
    message = "playbooks/messages/other/hello.md"
    assert notes_of({**BASE, "playbooks/other.yaml": other, message: BASE[MESSAGE]}) == [
        'no rule starts the playbook "other"'
    ]


@pytest.mark.parametrize(
    ("path", "sentences"),
    [
        ("rules/extra.yml", ["B006 this file is not read: its name ends in .yml"]),
        ("playbooks/deep/er.yaml", ["B006 nothing is read from this place"]),
        ("playbooks/messages/lost.md", ["B006 nothing is read from this place"]),
        ("rules/README.md", []),
        ("rules/notes.txt", []),
    ],
)
def test_a_file_in_the_wrong_place_is_not_silently_left_out(path: str, sentences: list[str]) -> None:
    assert sentences_of({**BASE, path: "format: 1\n"}) == sentences


def test_more_than_500_rules_are_too_many() -> None:
    """Also a measure of speed: five hundred rules are read and checked in a few seconds."""
    rules = {f"rules/many/r{number}.yaml": TINY.replace("NAME", f"many-{number}") for number in range(500)}
    assert sentences_of({**BASE, **rules}) == ["B007 there are more than 500 rules (501)"]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, str]:
    texts = dict(BASE)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(texts)))
        tokens = list(TOKEN.finditer(texts[path]))
        if tokens:
            token = draw(st.sampled_from(tokens))
            snippet = draw(st.sampled_from((*SNIPPETS, *{found[0] for found in tokens[:20]})))
            texts[path] = texts[path][: token.start()] + snippet + texts[path][token.end() :]
    return texts


@settings(max_examples=150, deadline=None)
@given(mutated())
def test_no_slip_in_any_file_is_answered_with_a_traceback(texts: dict[str, str]) -> None:
    checked = read(texts)
    assert (checked.bundle is None) == bool(checked.problems)
    for problem in (*checked.problems, *checked.notes):
        shown = render(problem, texts)
        assert shown.startswith(f"{problem.place.path}:{problem.place.line}:{problem.place.column}: {problem.code} ")
        assert problem.message.strip()
    assert all(problem.place.path in {*texts, CATALOG} for problem in checked.problems)
