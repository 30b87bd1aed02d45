"""Messages as they go out: data stays data, and nothing that is missing goes out as nothing."""

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from engine.definitions.message import Message
from engine.definitions.problem import Place
from engine.errors import Refused
from engine.running.rendering import MAX_OUTPUT, RenderedMessage, render_inline, render_message


def rendered(body: str, context: dict[str, Any], subject: str = "Hello") -> RenderedMessage:
    return render_message(Message("p", "m", subject, body, frozenset(), Place("m.md")), context)


def test_a_message_is_a_subject_a_text_and_html() -> None:
    body = "Hello **{{ contact.first_name }}**,\n\n- {{ metrics.usage | percent }} of {{ metrics.seats }} seats"
    context = {
        "contact": {"first_name": "Ana"},
        "account": {"name": "Acme"},
        "metrics": {"usage": 0.413, "seats": 40.0},
    }
    message = rendered(body, context, "News for {{ account.name }}")
    assert message.subject == "News for Acme"
    assert message.text == "Hello **Ana**,\n\n- 41% of 40 seats"
    assert message.html == "<p>Hello <strong>Ana</strong>,</p>\n<ul>\n<li>41% of 40 seats</li>\n</ul>\n"


@pytest.mark.parametrize(
    "name",
    [
        "{{ 7 * 7 }}",
        "{% for x in y %}",
        "*Acme* _and_ `sons`",
        "[click](javascript:alert(1))",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "# Heading",
        "| a | b |",
        "value0x000000value0x",
    ],
)
def test_data_is_neither_template_nor_markdown_nor_html(name: str) -> None:
    message = rendered("Hello {{ account.name }}!", {"account": {"name": name}})
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert message.text == f"Hello {name}!"
    assert message.html == f"<p>Hello {escaped}!</p>\n"


def test_a_line_break_in_data_stays_on_its_line() -> None:
    message = rendered("Hello {{ account.name }}!", {"account": {"name": "Acme\n\n# Heading\x00"}})
    assert message.text == "Hello Acme # Heading !"
    assert message.html == "<p>Hello Acme # Heading !</p>\n"


def test_a_link_keeps_its_address_and_a_dangerous_one_is_taken_out() -> None:
    url = "https://example.com/u?token=a_b*c&x=1"
    assert (
        f'href="{url.replace("&", "&amp;")}"'
        in rendered("[stop]({{ unsubscribe_url }})", {"unsubscribe_url": url}).html
    )
    assert "javascript" not in rendered("[x]({{ report_url }})", {"report_url": "javascript:alert(1)"}).html


def test_html_in_the_message_itself_is_text() -> None:
    assert "<b>" not in rendered("<b>bold</b> <script>x</script>", {}).html


@pytest.mark.parametrize("context", [{}, {"account": {}}, {"account": {"segment": None}}])
def test_a_value_that_is_missing_stops_the_message_and_is_named(context: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r'the message p/m was not written: "account.segment" is missing'):
        rendered("In {{ account.segment }}", {"account": {}, **context})


def test_a_default_and_an_if_answer_for_what_is_missing() -> None:
    body = '{{ metrics.usage | percent | default("some") }}{% if account.arr %} paid{% endif %}'
    body += "{% for x in contact.roles %}x{% endfor %}"
    assert rendered(body, {"metrics": {}}).text == "some"
    assert rendered('{{ owner.name | default("We") }}', {}).text == "We"


@pytest.mark.parametrize("name", ["a\r\nBcc: x@example.com", "a\x00", "=?utf-8?q?a?=", "a\u2028b"])
def test_a_subject_with_a_control_character_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="its subject would hold a character"):
        rendered("body", {"account": {"name": name}}, "For {{ account.name }}")


def test_the_output_is_capped() -> None:
    with pytest.raises(Refused, match="larger than 256 KiB"):
        rendered("{% for x in contact.roles %}{{ account.name }}{% endfor %}", {
            "contact": {"roles": ["x"] * 1000}, "account": {"name": "x" * 1000},
        })  # fmt: skip


def test_attributes_of_python_are_no_data() -> None:
    for path in ("account.items", "account.__class__", "account.name.upper"):
        with pytest.raises(Refused, match="is missing"):
            rendered("{{ " + path + " }}", {"account": {"name": "Acme"}})


def test_a_title_is_one_line_of_plain_text() -> None:
    assert render_inline("Call {{ account.name }}", {"account": {"name": "A <b>\n&"}}) == "Call A <b> &"
    with pytest.raises(Refused, match=r'"account\.name" is missing'):
        render_inline("Call {{ account.name }}", {})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ x | number }}", "1,234"),
        ("{{ x | number(1) }}", "1,234.4"),
        ("{{ day | date }}", "1 March 2027"),
        ("{{ word | date }} {{ word | percent }} {{ word | number }}", "soon soon soon"),
        ("{{ x | round | int }}", "1234"),
        ("{{ word | upper | replace('O', '0') }}", "S00N"),
    ],
)
def test_filters_say_figures_as_people_do(template: str, text: str) -> None:
    assert rendered(template, {"x": 1234.4, "day": "2027-03-01", "word": "soon"}).text == text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_no_value_can_become_markup(value: str) -> None:
    html = rendered("A {{ account.name }} B", {"account": {"name": value}}).html
    assert html.startswith("<p>A ")
    assert html.endswith(" B</p>\n")
    assert html.count("<") == 2
    assert len(html) < MAX_OUTPUT
