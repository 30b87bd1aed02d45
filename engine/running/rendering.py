"""From a checked message and an account's data to a subject, a plain text and safe HTML.

Data is data: it is never read as a template, as Markdown or as HTML. While the Markdown is turned into HTML every value
is held by a word that means nothing, and put in its place, escaped, afterwards; then the HTML is cleaned once more.
Nothing in a template can call, and its output is capped.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from html import escape
from typing import Any, Final

import nh3
from jinja2 import ChainableUndefined, Template, TemplateError, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt

from engine.definitions.message import Message
from engine.errors import Refused

MAX_OUTPUT: Final = 256 * 1024
_SAY: Final = " say"  # no template can name it
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ENCODED_WORD: Final = re.compile(r"=\?.*\?=")
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_KEPT_FILTERS: Final = frozenset({
    "capitalize", "default", "first", "int", "last", "length", "lower", "round", "sort", "title", "trim", "truncate",
    "upper",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """One message as it goes out: ``html`` is a cleaned fragment without a document around it."""

    subject: str
    text: str
    html: str


def render_message(message: Message, context: Mapping[str, Any]) -> RenderedMessage:
    """Render a message for one contact. ``context`` nests plain values: ``{"account": {"name": …}, "metrics": …}``.

    A value that is None counts as missing. Raises `Refused` where a value without a default is missing, where the
    subject would hold a control character, or where the output is too large.
    """
    where = f"the message {message.playbook}/{message.name}"
    data = _plain(context)
    return RenderedMessage(
        subject=_subject(message.subject, data, where),
        text=_written(message.body, data, _one_line, where),
        html=_html(message.body, data, where),
    )


def render_inline(text: str, context: Mapping[str, Any]) -> str:
    """Render a short template (a task's title, a report's title) to one line of plain text. Raises `Refused`."""
    return _CONTROL.sub(" ", _written(text, _plain(context), _one_line, f'the text "{text}"')).strip()


def _subject(text: str, data: Mapping[str, Any], where: str) -> str:
    subject = _written(text, data, str, where).strip()
    if _CONTROL.search(subject) or _ENCODED_WORD.search(subject):
        raise Refused(f"{where} was not written: its subject would hold a character that no subject may have")
    return subject


def _html(body: str, data: Mapping[str, Any], where: str) -> str:
    held: list[str] = []
    word = _unused_word(body)

    def hold(value: object) -> str:
        held.append(_one_line(value))
        return f"{word}{len(held) - 1:06}{word}"

    html = str(_MARKDOWN.render(_written(body, data, hold, where)))
    filled = re.sub(f"{word}([0-9]{{6}}){word}", lambda found: escape(held[int(found[1])]), html)
    if len(filled) > MAX_OUTPUT:
        raise Refused(f"{where} was not written: it would be larger than 256 KiB")
    return nh3.clean(filled, url_schemes={"http", "https", "mailto"})


def _unused_word(text: str) -> str:
    return next(word for number in range(len(text) + 1) if (word := f"value{number}x") not in text)


def _written(text: str, data: Mapping[str, Any], finalize: Callable[[object], str], where: str) -> str:
    written: list[str] = []
    size = 0
    try:
        for part in _compiled(text).generate({**data, _SAY: finalize}):
            written.append(part)
            size += len(part)
            if size > MAX_OUTPUT:
                raise Refused(f"{where} was not written: it would be larger than 256 KiB")
    except _Missing as missing:
        raise Refused(f'{where} was not written: "{missing}" is missing; give it a default') from missing
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise Refused(f"{where} was not written: {error}") from error
    return "".join(written)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


class _Missing(Exception):
    """A value without a default was to be written, and is not there."""


class _Unknown(ChainableUndefined):
    """A value that is not there: false in an ``if``, replaced by a ``default``, never written."""

    def __str__(self) -> str:
        raise _Missing(self._undefined_name or "a value")

    def __iter__(self) -> Any:
        return iter(())


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja with our filters only; a dot reads an entry of the data and never an attribute of Python's."""

    def __init__(self) -> None:
        super().__init__(undefined=_Unknown, finalize=_say, keep_trailing_newline=True)
        self.globals.clear()
        self.tests = {name: self.tests[name] for name in ("defined", "undefined")}
        kept = {name: self.filters[name] for name in _KEPT_FILTERS}
        ours = {"percent": percent, "number": number, "date": readable_date, "replace": replaced, "join": joined}
        self.filters = {**kept, **ours}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of the data."""
        return obj[attribute] if isinstance(obj, Mapping) and attribute in obj else _nothing(obj, attribute)


class _Data(dict[str, Any]):
    """A mapping of the context that knows its own name, for the sentence about what is missing."""

    path: str = ""


@pass_context
def _say(context: Context, value: object) -> str:
    # Asked for through the context, so that a template is compiled once and not for each of its three outputs.
    return str(context[_SAY](_said(value)))


def _nothing(obj: Any, attribute: str) -> Undefined:
    path = obj.path if isinstance(obj, _Data) else obj._undefined_name if isinstance(obj, _Unknown) else ""  # noqa: SLF001
    return _Unknown(name=f"{path}.{attribute}" if path else attribute)


def _said(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_line(value: object) -> str:
    return _CONTROL.sub(" ", str(value))


def _plain(value: Any, path: str = "") -> Any:
    """Only mappings, lists, texts, numbers and truth values reach a template; what is None is missing."""
    if isinstance(value, Mapping):
        start = f"{path}." if path else ""
        data = _Data({str(key): _plain(inner, f"{start}{key}") for key, inner in value.items() if inner is not None})
        data.path = path
        return data
    if isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Iterable):
        return [_plain(inner, path) for inner in value if inner is not None]
    return str(value)


def replaced(value: Any, old: str, new: str) -> Any:
    """A text with every ``old`` as ``new``. Raises ValueError before it would grow beyond what a message may be."""
    text = str(value)
    _check_size(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def joined(value: Any, between: str = "") -> str:
    """Several values as one text. Raises ValueError before it would grow beyond what a message may be."""
    texts = [str(each) for each in value]
    _check_size(sum(len(text) for text in texts) + len(between) * len(texts))
    return between.join(texts)


def _check_size(size: int) -> None:
    if size > MAX_OUTPUT:
        raise ValueError("a text in it would be larger than 256 KiB")


def percent(value: Any) -> Any:
    """0.413 as ``41%``; anything that is no number stays what it is."""
    return f"{value:.0%}" if isinstance(value, int | float) and not isinstance(value, bool) else value


def number(value: Any, decimals: int = 0) -> Any:
    """1234.5 as ``1,234`` or with decimals; anything that is no number stays what it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,.{min(max(int(decimals), 0), 6)}f}" if is_number else value


def readable_date(value: Any) -> Any:
    """``2027-03-01`` as ``1 March 2027``; anything that is no date stays what it is."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return value
    return f"{day.day} {day:%B %Y}" if day else value


_ENVIRONMENT: Final = _Environment()
