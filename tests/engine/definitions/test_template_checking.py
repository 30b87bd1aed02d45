"""Templates in messages: what they may say, and everything they may not."""

import time

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.message_reading import read_message
from engine.definitions.problem import Problem
from engine.definitions.reading import Ledger
from engine.errors import Refused
from engine.running.rendering import MAX_OUTPUT, render_message
from tests.bad_files.workspace import BASE, MESSAGE, bundle_of

CATALOG = bundle_of(BASE).catalog


def codes_of(body: str) -> list[str]:
    problems: list[Problem] = []
    read_message("m.md", f"Subject\n\n{body}\n", "playbook", "m", CATALOG, Ledger("M", problems, []))
    return [problem.code for problem in problems]


def test_a_message_knows_what_it_must_be_told() -> None:
    message = bundle_of(BASE).messages["seat-activation", "hello"]
    assert message.subject == "Some of your seats are waiting"
    assert message.body.startswith("Hello {{ contact.first_name }},")
    assert message.names == {"contact.first_name", "account.name"}
    assert message.place.path == MESSAGE


@pytest.mark.parametrize(
    "body",
    [
        "{{ account.name }} {{ contact.email }} {{ member.name }} {{ unsubscribe_url }} {{ report_url }}",
        '{{ account.segment | default("your segment") }}',
        '{{ account.segment | default("x") | title | upper }}',
        "{{ account.segment | default(account.name) }}",
        '{{ metrics.utilization | percent | default("some") }}',
        "{% if metrics.active_users is defined %}{{ metrics.active_users | number }}{% endif %}",
        "{% if account.arr and account.stage %}{{ account.arr }} {{ account.stage }}{% endif %}",
        "{% if metrics.active_users > 5 %}many{% elif account.stage == 'value' %}value{% else %}few{% endif %}",
        "{{ account.arr if account.arr is defined else 'much' }}",
        "{{ goals.more_users.target | default('a goal') }}",
        "{% for role in contact.roles %}{{ role | upper }} {% endfor %}",
        "No braces at all, just } and { and %.",
        "{# a comment #}",
        "[report]({{ report_url }}) [mail](mailto:a@example.com) [site](https://example.com/a:b) <https://example.com>",
        "5 < 6, a <- b and <3",
        "Write `<b>` for bold, `[a](javascript:b)` for nothing.\n\n```\n<script>\n```",
        "[part](#part) [page](/page)",
    ],
)
def test_variables_filters_if_and_for_are_allowed(body: str) -> None:
    assert codes_of(body) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{{ account.segment }}", "M020"),
        ("{{ metrics.active_users }}", "M020"),
        ("{{ account.segment | upper | default('x') }}", "M020"),
        ("{{ metrics.active_users | int | default('x') }}", "M020"),
        ("{% if account.arr %}x{% else %}{{ account.arr }}{% endif %}", "M020"),
        ("{% if account.arr or account.stage %}{{ account.arr }}{% endif %}", "M020"),
        ("{{ account.nick }}", "M013"),
        ("{{ metrics.nobody | default('x') }}", "M013"),
        ("{{ metrics.logins | default('x') }}", "M013"),
        ("{{ goals.more_users.secret | default('x') }}", "M013"),
        ("{{ config }}", "M013"),
        ("{{ account.name | attr('__class__') }}", "M012"),
        ("{{ account.name | safe }}", "M012"),
        ("{{ account.name | replace(account.key, 'x') }}", "M012"),
        ("{{ account.segment | default }}", "M012"),
        ("{{ account.name is string }}", "M011"),
        ("{{ account.name.__class__ }}", "M013"),
        ("{{ ''.__class__.__mro__ }}", "M011"),
        ("{{ account['name'] }}", "M011"),
        ("{{ account.name() }}", "M011"),
        ("{{ account.name.format(1) }}", "M011"),
        ("{{ range(9) }}", "M011"),
        ("{{ self.title() }}", "M011"),
        ("{{ 9 ** 9 ** 9 }}", "M011"),
        ("{{ 'x' * 999999 }}", "M011"),
        ("{{ account.name ~ 'x' }}", "M011"),
        ("{{ [1, 2] }}", "M011"),
        ("{{ (1, 2) }}", "M011"),
        ("{{ {'a': 1} }}", "M011"),
        ("{{ -account.name }}", "M011"),
        ("{% set x = 1 %}", "M011"),
        ("{% macro m() %}{% endmacro %}", "M011"),
        ("{% include 'x' %}", "M011"),
        ("{% import 'x' as y %}", "M011"),
        ("{% extends 'x' %}", "M011"),
        ("{% block x %}{% endblock %}", "M011"),
        ("{% filter upper %}x{% endfilter %}", "M011"),
        ("{% with x = 1 %}{% endwith %}", "M011"),
        ("{% call x() %}{% endcall %}", "M011"),
        ("{% autoescape false %}{% endautoescape %}", "M011"),
        ("{% for x in range(9) %}{% endfor %}", "M011"),
        ("{% for x in 'abc' %}{% endfor %}", "M011"),
        ("{% for x in contact.roles recursive %}{% endfor %}", "M011"),
        ("{% for x in contact.roles if x %}{% endfor %}", "M011"),
        ("{% for x, y in contact.roles %}{% endfor %}", "M011"),
        ("{% for x in contact.roles %}" * 3 + "{% endfor %}" * 3, "M011"),
        ("{{ account.name", "M010"),
        ("{% if %}", "M010"),
        ("{{ " + "(" * 400 + "1" + ")" * 400 + " }}", "M010"),
        ("{{ account.name | nofilter }}", "M012"),
        ("{{ 1e400 }}", "M010"),
        ("{% if account.arr > 1e400 %}x{% endif %}", "M010"),
        ("{{ account.name | upper(1) }}", "M012"),
        ("{{ account.name | replace('a') }}", "M012"),
        ("{{ account.name | round(99999999) }}", "M012"),
        ("{{ account.name | round(1, 'ceil') }}", "M012"),
        ("{{ contact.name | sort(false, false, 'x') }}", "M012"),
        ("{{ contact.name | join(',', 'upper') }}", "M012"),
        ("{{ contact.name | join('" + "x" * 201 + "') }}", "M012"),
        ("{{ contact.name if account.arr }}", "M011"),
        ("{{ " + "9" * 5_000 + " }}", "M010"),
        ("{% if account.arr %}" * 31 + "{% endif %}" * 31, "M014"),
        ("{{ account.name" + " | upper" * 40 + " }}", "M014"),
        ("{% if " + "account.arr and " * 40 + "account.arr %}x{% endif %}", "M014"),
        ("[now](javascript:alert(1))", "M015"),
        ("[now]( <data:text/html;base64,AA>)", "M015"),
        ("[now]({{ account.name }})", "M015"),
        ("<vbscript:x>", "M015"),
        ("[now]: javascript:x", "M015"),
        ("<script>alert(1)</script>", "M016"),
        ("<b>bold</b>", "M016"),
    ],
)
def test_everything_else_is_refused_with_its_code(body: str, code: str) -> None:
    assert codes_of(body) == [code]


def test_a_template_that_is_deep_long_or_strange_costs_little() -> None:
    started = time.process_time()
    assert codes_of("{{ not " * 5_000) == ["M010"]
    assert codes_of("x" * 70_000) == ["M001"]
    assert codes_of("a\x00b") == ["M002"]
    assert codes_of("{{ account.name }}" * 3_000) == []
    assert time.process_time() - started < 5


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("{}%#|.()[]'\"abc account.name default if for in endif\n")), max_size=60))
def test_no_template_is_answered_with_a_traceback_and_every_place_is_in_the_text(body: str) -> None:
    problems: list[Problem] = []
    text = f"Subject\n\n{body}\n"
    read_message("m.md", text, "playbook", "m", CATALOG, Ledger("M", problems, []))
    lines = text.split("\n")
    for problem in problems:
        assert problem.code.startswith("M")
        assert problem.place.column <= len(lines[problem.place.line - 1]) + 1


CONTEXT = {
    "account": {"name": "Globex {{ 9 * 9 }} <b>", "key": "globex", "owner_name": "Ana", "arr": 1e300},
    "contact": {"name": "Kim", "first_name": "Kim", "email": "kim@example.com", "roles": ["user", "{% x %}"]},
    "member": {"name": "Ana"},
    "unsubscribe_url": "https://a.example/u",
    "report_url": "https://a.example/r",
    "metrics": {"active_users": 12.5},
}
BASES = st.sampled_from(
    [
        "account.name",
        "account.arr | default(9)",
        "contact.roles | default('x')",
        "'aaa'",
        "1e400",
        "9",
        "not account.arr",
    ]
)
FILTERED = st.sampled_from(
    (
        *(
            "replace('a', 'aaaaaaaaaa')",
            "join('aaaaaaaaaa')",
            "upper",
            "round(6)",
            "truncate(9, true, '')",
            "int",
            "sort",
        ),
        *("number(3)", "date", "percent", "first", "last", "length", "title", "trim('a')", "capitalize"),
    )
)
EXPRESSIONS = st.builds(
    lambda base, filters: "{{ " + " | ".join([base, *filters]) + " }}", BASES, st.lists(FILTERED, max_size=6)
)
BLOCKS = st.recursive(
    EXPRESSIONS,
    lambda inner: st.builds(
        lambda way, body: way + body + ("{% endfor %}" if "for" in way else "{% endif %}"),
        st.sampled_from(["{% for role in contact.roles %}", "{% if account.arr %}", "{% if 'a' in account.name %}"]),
        inner,
    ),
    max_leaves=3,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(BLOCKS, max_size=4).map("".join))
def test_what_passes_is_written_or_refused_with_a_reason_and_never_larger_than_the_cap(body: str) -> None:
    """P14: nothing that checks can run code, hang, or end in a traceback when it is written."""
    problems: list[Problem] = []
    message = read_message("m.md", f"Subject\n\n{body} end\n", "playbook", "m", CATALOG, Ledger("M", problems, []))
    if problems:
        return
    try:
        written = render_message(message, CONTEXT)
    except Refused:
        return
    assert len(written.text) <= MAX_OUTPUT
    assert "Globex 81" not in written.text


def test_texts_that_would_grow_without_end_are_refused_before_they_do() -> None:
    """P14: twelve filters, each making the text ten times as long, are a trillion characters."""
    started = time.process_time()
    for step in ("replace('a', 'aaaaaaaaaa')", "join('aaaaaaaaaa')"):
        body = f"{{{{ 'aaaa' {f'| {step} ' * 12}}}}}"
        assert codes_of(body) == []
        problems: list[Problem] = []
        message = read_message("m.md", f"Subject\n\n{body}\n", "playbook", "m", CATALOG, Ledger("M", problems, []))
        with pytest.raises(Refused, match="larger than 256 KiB"):
            render_message(message, CONTEXT)
    assert time.process_time() - started < 5
