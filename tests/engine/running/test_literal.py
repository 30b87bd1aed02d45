"""What a person typed goes out as typed."""

import pytest
from hypothesis import given, strategies as st

from engine.errors import Refused
from engine.running.literal import render_literally

_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=80)


@given(_TEXT)
def test_the_text_is_what_was_typed_whatever_it_looks_like(text: str) -> None:
    assert render_literally("Hello", text).text == text


@pytest.mark.parametrize("text", ["{{ secret }}", "{% raw %}", "{# gone #}", "{{ '{' }}", "}}{{", "{%- x -%}"])
def test_braces_are_only_braces(text: str) -> None:
    found = render_literally(text, text)
    assert (found.subject, found.text) == (text, text)


def test_html_that_a_person_typed_is_text() -> None:
    assert "<script>" not in render_literally("Hi", "<script>alert(1)</script> **bold**").html
    assert "<strong>bold</strong>" in render_literally("Hi", "**bold**").html


def test_a_subject_of_two_lines_is_refused() -> None:
    with pytest.raises(Refused):
        render_literally("Hi\nBcc: all@example.com", "text")
