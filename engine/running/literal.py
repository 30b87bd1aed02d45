"""A message a person has written: Markdown, in which braces are only braces."""

import re
from typing import Final

from engine.definitions.message import Message
from engine.definitions.problem import Place
from engine.running.rendering import RenderedMessage, render_message

_BRACE: Final = re.compile(r"[{}]")


def render_literally(subject: str, text: str) -> RenderedMessage:
    """Render what a person typed instead of a template's output. Raises Refused for a subject no mail may have."""
    message = Message("", "edited", _literal(subject), _literal(text), frozenset(), Place("edited"))
    return render_message(message, {})


def _literal(text: str) -> str:
    return _BRACE.sub(lambda brace: "{{ '" + brace[0] + "' }}", text.replace("\r\n", "\n"))
