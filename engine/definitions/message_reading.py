"""Reading messages and the short templates inside playbooks and reports (codes M).

The text is parsed by Jinja, and its tree is walked against a list of what is allowed: variables, a few filters, ``if``
and ``for`` over data. Nothing in it can call, assign, include or compute. A variable that may be missing must have a
``| default(...)``, or stand inside an ``if`` that asks for it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.definitions.catalog import Catalog
from engine.definitions.message import Message
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, listed, suggest
from engine.definitions.scope import ACCOUNT_FIELDS

MAX_BYTES: Final = 64 * 1024
MAX_SUBJECT: Final = 200
FILTERS: Final = (
    "capitalize", "date", "default", "first", "int", "join", "last", "length", "lower", "number", "percent", "replace",
    "round", "sort", "title", "trim", "truncate", "upper",
)  # fmt: skip
TESTS: Final = ("defined", "undefined")
ALWAYS: Final = frozenset({
    "account.name", "account.key", "account.owner_name", "contact.name", "contact.first_name", "contact.email",
    "member.name", "unsubscribe_url", "report_url",
})  # fmt: skip
GOAL_FIELDS: Final = ("target", "start", "end", "actual", "expected", "attainment")

_EXPRESSIONS: Final = (
    nodes.Name, nodes.Getattr, nodes.Const, nodes.Filter, nodes.Test, nodes.Not, nodes.And, nodes.Or, nodes.Compare,
    nodes.Operand, nodes.CondExpr, nodes.Getitem,
)  # fmt: skip
_STATEMENTS: Final = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For)
_PARSER: Final = Environment()  # noqa: S701 - parses only; nothing is rendered with it


def read_message(path: str, text: str, playbook: str, name: str, catalog: Catalog, ledger: Ledger) -> Message:
    """Read one message file: its first line is the subject, the rest is Markdown."""
    start = Place(path)
    subject, _, body = text.replace("\r\n", "\n").partition("\n")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        ledger.problem(start, 1, "the message is larger than 64 KiB")
        return Message(playbook, name, "", "", frozenset(), start)
    if bad := re.search(r"[^\t\n -~\u00a0-\ud7ff\ue000-\ufefe\uff00-\U0010ffff]", subject + "\n" + body):
        line = text.count("\n", 0, bad.start()) + 1
        ledger.problem(
            Place(path, line), 2, f"there is a character here that no text has (U+{ord(bad[0]):04X})", "remove it"
        )
        return Message(playbook, name, "", "", frozenset(), start)
    if not subject.strip():
        ledger.problem(start, 3, "the first line is the subject of the mail, and it is empty")
    elif len(subject) > MAX_SUBJECT:
        ledger.problem(start, 3, f"the subject is longer than {MAX_SUBJECT} characters")
    if not body.strip():
        ledger.problem(start, 4, "there is a subject, but no message below it")
    names = _check(text.replace("\r\n", "\n"), start, catalog, ledger)
    return Message(playbook, name, subject.strip(), body.strip("\n"), names, start)


def check_inline(text: str, place: Place, catalog: Catalog, ledger: Ledger) -> frozenset[str]:
    """Check a short template inside a file; the names it reads without a default."""
    return _check(text, place, catalog, ledger, inline=True) if "{" in text else frozenset()


def _check(text: str, start: Place, catalog: Catalog, ledger: Ledger, *, inline: bool = False) -> frozenset[str]:
    try:
        template = _PARSER.parse(text)
    except TemplateSyntaxError as error:
        place = start if inline else _locate(text, start, error.lineno, "")
        ledger.problem(place, 10, f"this template cannot be read: {error.message}", "check the braces on this line")
        return frozenset()
    except RecursionError:
        ledger.problem(start, 10, "this template is nested too deeply to be read")
        return frozenset()
    walker = _Walker(text, start, catalog, ledger, inline=inline)
    walker.block(template.body, frozenset(), frozenset(), 0)
    return frozenset(walker.names)


def _locate(text: str, start: Place, line: int, words: str) -> Place:
    """Jinja knows lines only: the column is where the words stand in that line, inside braces where possible."""
    lines = text.split("\n")
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    brace = re.search(r"\{[{%]", source)
    found = (
        re.compile(rf"(?<![\w.]){re.escape(words)}(?![\w])").search(source, brace.start() if brace else 0)
        if words
        else None
    )
    column = found.start() if found else brace.start() if brace else 0
    return Place(start.path, start.line + line - 1, column + 1)


class _Walker:
    """Walks one template. ``loops`` are names bound by ``for``; ``sure`` are paths an ``if`` around has asked for."""

    def __init__(self, text: str, start: Place, catalog: Catalog, ledger: Ledger, *, inline: bool) -> None:
        self.text, self.start, self.catalog, self.ledger, self.inline = text, start, catalog, ledger, inline
        self.names: set[str] = set()

    def block(self, body: Iterable[nodes.Node], loops: frozenset[str], sure: frozenset[str], depth: int) -> None:
        """Check statements."""
        for node in body:
            if not isinstance(node, _STATEMENTS):
                self._refuse(node, f"{_word(node)} is not allowed in a message", "use variables, filters, if and for")
            elif isinstance(node, nodes.Output):
                for inner in node.nodes:
                    if not isinstance(inner, nodes.TemplateData):
                        self.value(inner, loops, sure)
            elif isinstance(node, nodes.If):
                self._if(node, loops, sure, depth)
            elif isinstance(node, nodes.For):
                self._for(node, loops, sure, depth)

    def _if(self, node: nodes.If, loops: frozenset[str], sure: frozenset[str], depth: int) -> None:
        self.value(node.test, loops, sure, asking=True)
        self.block(node.body, loops, sure | frozenset(_asked(node.test)), depth)
        for inner in node.elif_:
            self._if(inner, loops, sure, depth)
        self.block(node.else_, loops, sure, depth)

    def _for(self, node: nodes.For, loops: frozenset[str], sure: frozenset[str], depth: int) -> None:
        if depth == 2:
            self._refuse(node, "a loop in a loop in a loop is not allowed", "put less into one message")
        if node.recursive or node.test or not isinstance(node.target, nodes.Name) or _path(node.iter) is None:
            self._refuse(node, "a loop goes over data and nothing else", "write {% for item in contact.roles %}")
            return
        self.value(node.iter, loops, sure, asking=True)
        self.block(node.body, loops | {node.target.name}, sure, depth + 1)
        self.block(node.else_, loops, sure, depth)

    def value(
        self, node: nodes.Node, loops: frozenset[str], sure: frozenset[str], asking: bool = False, saved: bool = False
    ) -> None:
        """Check an expression. ``asking``: missing is an answer here; ``saved``: a default stands around it."""
        path = _path(node)
        if path is not None:
            self._variable(node, path, loops, sure, asking or saved)
        elif isinstance(node, nodes.Filter):
            self._filter(node, loops, sure, asking, saved)
        elif isinstance(node, nodes.Test):
            if node.name not in TESTS:
                self._refuse(node, f'the test "{node.name}" is not known', f"tests: {listed(TESTS)}")
            self.value(node.node, loops, sure, asking=True)
        elif isinstance(node, nodes.CondExpr):
            self.value(node.test, loops, sure, asking=True)
            self.value(node.expr1, loops, sure | frozenset(_asked(node.test)), asking, saved)
            if node.expr2 is not None:
                self.value(node.expr2, loops, sure, asking, saved)
        elif not isinstance(node, _EXPRESSIONS) or isinstance(node, nodes.Getitem):
            self._refuse(node, f"{_word(node)} is not allowed in a message", "use variables, filters, if and for")
        else:
            for child in node.iter_child_nodes():
                self.value(child, loops, sure, asking, saved)

    def _filter(
        self, node: nodes.Filter, loops: frozenset[str], sure: frozenset[str], asking: bool, saved: bool
    ) -> None:
        if node.name not in FILTERS:
            self._refuse(
                node,
                f'unknown filter "{node.name}"',
                suggest(node.name, FILTERS) or f"filters: {listed(FILTERS)}",
                node.name,
            )
        if node.kwargs or node.dyn_args or node.dyn_kwargs:
            self._refuse(node, f'the filter "{node.name}" takes plain values only')
        for argument in node.args:
            if node.name == "default" and _path(argument) is not None:
                self.value(argument, loops, sure)
            elif not isinstance(argument, nodes.Const):
                self._refuse(node, f'the filter "{node.name}" takes plain values only')
        if node.name == "default" and not node.args:
            self._refuse(node, "default needs what to say instead", 'write default("there")', node.name)
        if node.node is not None:
            self.value(node.node, loops, sure, asking, saved or node.name == "default")

    def _variable(self, node: nodes.Node, path: str, loops: frozenset[str], sure: frozenset[str], safe: bool) -> None:
        root = path.partition(".")[0]
        if root in loops:
            return
        problem = self._unknown(path)
        if problem:
            self._refuse(node, f'there is no "{path}" to write', problem, path)
        elif path in ALWAYS or path in sure:
            self.names.add(path)
        elif not safe:
            self.names.add(path)
            hint = f'write {{{{ {path} | default("…") }}}}'
            self._refuse(node, f'"{path}" may be missing', hint, path, number=20)

    def _unknown(self, path: str) -> str:
        """A hint where the path names nothing; empty where it does."""
        if path in ALWAYS or path in _MAYBE:
            return ""
        root, _, rest = path.partition(".")
        if root == "metrics":
            allowed = [f"metrics.{name}" for name, metric in self.catalog.metrics.items() if metric.of == "account"]
        elif root == "goals":
            allowed = [f"goals.{goal}.{field}" for goal in self.catalog.goals for field in GOAL_FIELDS]
        else:
            allowed = [*ALWAYS, *_MAYBE]
        if path in allowed:
            return ""
        return suggest(path, allowed) or f"there is {listed(sorted(allowed)[:12])}"

    def _refuse(self, node: nodes.Node, message: str, hint: str = "", words: str = "", number: int = 11) -> None:
        place = self.start if self.inline else _locate(self.text, self.start, node.lineno, words)
        self.ledger.problem(place, number, message, hint)


_MAYBE: Final = (
    frozenset(
        {f"account.{field}" for field in ACCOUNT_FIELDS}
        | {"contact.roles", "owner.name", "owner.email", "challenge.title"}
    )
    - ALWAYS
)


def _path(node: nodes.Node) -> str | None:
    """``account.name`` of a chain of attributes on a name, else None. Names of Python's own attributes never pass."""
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


def _word(node: nodes.Node) -> str:
    words = {
        "Call": "a call",
        "Assign": "set",
        "Macro": "a macro",
        "Getitem": "a subscript",
        "List": "a list",
        "Tuple": "a tuple",
    }
    return words.get(type(node).__name__, type(node).__name__.lower())
