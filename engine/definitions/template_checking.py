"""Checking the templates in messages, and the short ones in playbooks and reports (codes M).

The text is parsed by Jinja, and its tree is walked against a list of what is allowed: variables, a few filters, ``if``
and ``for`` over data. Nothing in it can call, assign, include or compute. A variable that may be missing must have a
``| default(...)``, or stand inside an ``if`` that asks for it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.definitions.catalog import Catalog
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, listed, suggest
from engine.definitions.scope import ACCOUNT_FIELDS

FILTERS: Final = (
    *("capitalize", "date", "default", "first", "int", "join", "last", "length", "lower", "number", "percent"),
    *("replace", "round", "sort", "title", "trim", "truncate", "upper"),
)
TESTS: Final = ("defined", "undefined")
ALWAYS: Final = frozenset(
    {
        *("account.name", "account.key", "account.owner_name", "contact.name", "contact.first_name", "contact.email"),
        *("member.name", "unsubscribe_url", "report_url"),
    }
)
"""What whoever renders a message must always know."""
MAYBE: Final = (
    frozenset({f"account.{field}" for field in ACCOUNT_FIELDS})
    | {"contact.roles", "owner.name", "owner.email", "challenge.title"}
) - ALWAYS
GOAL_FIELDS: Final = ("target", "start", "end", "actual", "expected", "attainment", "status")

_ALLOWED: Final = "use variables, filters, if and for"
_WORDS: Final = {"Call": "a call", "Assign": "set", "Macro": "a macro", "Getitem": "a subscript"}
_OPERATORS: Final = (nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand)
_PARSER: Final = Environment()  # noqa: S701 - parses only; nothing is rendered with it


def check_inline(text: str, place: Place, catalog: Catalog, ledger: Ledger) -> frozenset[str]:
    """Check a short template inside a file, all of it at ``place``; the names it reads without a default."""
    return check_template(text, place, catalog, ledger, inline=True) if "{" in text else frozenset()


def check_template(
    text: str, start: Place, catalog: Catalog, ledger: Ledger, *, inline: bool = False
) -> frozenset[str]:
    """Check a whole file that is a template; the names it reads without a default."""
    sheet = _Sheet(text, start, ledger, inline=inline)
    try:
        template = _PARSER.parse(text)
        walker = _Walker(sheet, catalog)
        walker.block(template.body, _Around())
    except TemplateSyntaxError as error:
        said = f"this template cannot be read: {error.message}"
        sheet.say(error.lineno, 10, said, "check the braces on this line")
        return frozenset()
    except RecursionError:
        sheet.say(1, 10, "this template is nested too deeply to be read", "say it in fewer braces")
        return frozenset()
    return frozenset(walker.names)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The text of a template, and where it stands. Jinja knows lines only; the column is looked up in the line."""

    text: str
    start: Place
    ledger: Ledger
    inline: bool

    def say(self, line: int, number: int, message: str, hint: str = "", words: str = "") -> None:
        """Record a problem at ``words`` in a line, or at the first brace of it."""
        place = self.start if self.inline else self._place(line, words)
        self.ledger.coded(place, f"M{number:03}", message, hint)

    def _place(self, line: int, words: str) -> Place:
        lines = self.text.split("\n")
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        brace = re.search(r"\{[{%]", source)
        after = brace.start() if brace else 0
        found = re.compile(rf"(?<![\w.]){re.escape(words)}(?!\w)").search(source, after) if words else None
        return Place(self.start.path, self.start.line + line - 1, (found.start() if found else after) + 1)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around an expression.

    ``loops``: names bound by ``for``. ``sure``: paths that an ``if`` around has asked for. ``asking``: the expression
    is the question of an ``if``, and *missing* is an answer. ``saved``: a default stands around it.
    """

    loops: frozenset[str] = frozenset()
    sure: frozenset[str] = frozenset()
    depth: int = 0
    asking: bool = False
    saved: bool = False


class _Walker:
    """Walks the tree of one template, and keeps the names that must be there."""

    def __init__(self, sheet: _Sheet, catalog: Catalog) -> None:
        self.sheet, self.catalog = sheet, catalog
        self.names: set[str] = set()

    def block(self, body: Iterable[nodes.Node], around: _Around) -> None:
        """Check statements."""
        for node in body:
            if isinstance(node, nodes.Output):
                for inner in node.nodes:
                    if not isinstance(inner, nodes.TemplateData):
                        self.value(inner, around)
            elif isinstance(node, nodes.If):
                self._if(node, around)
            elif isinstance(node, nodes.For):
                self._for(node, around)
            else:
                self._refuse(node)

    def _if(self, node: nodes.If, around: _Around) -> None:
        self.value(node.test, replace(around, asking=True))
        self.block(node.body, replace(around, sure=around.sure | frozenset(_asked(node.test))))
        for inner in node.elif_:
            self._if(inner, around)
        self.block(node.else_, around)

    def _for(self, node: nodes.For, around: _Around) -> None:
        if around.depth == 2:
            self._say(node, 11, "a loop in a loop in a loop is not allowed", "put less into one message")
        if node.recursive or node.test or not isinstance(node.target, nodes.Name) or _path(node.iter) is None:
            self._say(node, 11, "a loop goes over data and nothing else", "write {% for role in contact.roles %}")
            return
        self.value(node.iter, replace(around, asking=True))
        inside = replace(around, loops=around.loops | {node.target.name}, depth=around.depth + 1)
        self.block(node.body, inside)
        self.block(node.else_, around)

    def value(self, node: nodes.Node, around: _Around) -> None:
        """Check an expression."""
        path = _path(node)
        if path is not None:
            self._variable(node, path, around)
        elif isinstance(node, nodes.Filter):
            self._filter(node, around)
        elif isinstance(node, nodes.Test):
            if node.name not in TESTS:
                self._say(node, 11, f'the test "{node.name}" is not known', f"tests: {listed(TESTS)}", node.name)
            self.value(node.node, replace(around, asking=True))
        elif isinstance(node, nodes.CondExpr):
            self.value(node.test, replace(around, asking=True))
            self.value(node.expr1, replace(around, sure=around.sure | frozenset(_asked(node.test))))
            if node.expr2 is not None:
                self.value(node.expr2, around)
        elif isinstance(node, _OPERATORS):
            for child in node.iter_child_nodes():
                self.value(child, around)
        else:
            self._refuse(node)

    def _filter(self, node: nodes.Filter, around: _Around) -> None:
        if node.name not in FILTERS:
            hint = suggest(node.name, FILTERS) or f"filters: {listed(FILTERS)}"
            self._say(node, 12, f'unknown filter "{node.name}"', hint, node.name)
        is_default = node.name == "default"
        for argument in node.args:
            if is_default and _path(argument) is not None:
                self.value(argument, around)
            elif not isinstance(argument, nodes.Const):
                self._say(node, 12, f'the filter "{node.name}" takes plain values only', "", node.name)
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._say(node, 12, f'the filter "{node.name}" takes plain values only', "", node.name)
        if is_default and not node.args:
            self._say(node, 12, "default needs what to say instead", 'write default("there")', node.name)
        if node.node is not None:
            self.value(node.node, replace(around, saved=around.saved or is_default))

    def _variable(self, node: nodes.Node, path: str, around: _Around) -> None:
        if path.partition(".")[0] in around.loops:
            return
        if hint := self._unknown(path):
            self._say(node, 13, f'there is no "{path}" to write', hint, path)
        elif path in ALWAYS or path in around.sure:
            self.names.add(path)
        elif not (around.asking or around.saved):
            self.names.add(path)
            self._say(node, 20, f'"{path}" may be missing', f'write {{{{ {path} | default("…") }}}}', path)

    def _unknown(self, path: str) -> str:
        """A hint where the path names nothing; empty where it does."""
        root = path.partition(".")[0]
        if root == "metrics":
            allowed = [f"metrics.{name}" for name, metric in self.catalog.metrics.items() if metric.of == "account"]
        elif root == "goals":
            allowed = [f"goals.{goal}.{field}" for goal in self.catalog.goals for field in GOAL_FIELDS]
        else:
            allowed = [*sorted(ALWAYS), *sorted(MAYBE)]
        if path in allowed:
            return ""
        return suggest(path, allowed) or f"there is {listed(allowed[:12]) or 'nothing of this kind'}"

    def _refuse(self, node: nodes.Node) -> None:
        kind = type(node).__name__
        self._say(node, 11, f"{_WORDS.get(kind, kind.lower())} is not allowed in a message", _ALLOWED)

    def _say(self, node: nodes.Node, number: int, message: str, hint: str = "", words: str = "") -> None:
        self.sheet.say(node.lineno or 1, number, message, hint, words)


def _path(node: nodes.Node) -> str | None:
    """``account.name`` of a chain of attributes on a name, else None."""
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        return None
    return ".".join([node.name, *reversed(parts)])


def _asked(test: nodes.Node) -> Iterator[str]:
    """The paths a test makes sure of: ``x``, ``x is defined``, and both of ``a and b``."""
    path = _path(test)
    if path is not None:
        yield path
    elif isinstance(test, nodes.Test) and test.name == "defined" and (inner := _path(test.node)) is not None:
        yield inner
    elif isinstance(test, nodes.And):
        yield from _asked(test.left)
        yield from _asked(test.right)
