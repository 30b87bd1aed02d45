"""Checking the templates in messages, and the short ones in playbooks and reports (codes M).

The text is parsed by Jinja, and its tree is walked against a list of what is allowed: variables, a few filters, ``if``
and ``for`` over data. Nothing in it can call, assign, include or compute. A variable that may be missing must have a
``| default(...)``, or stand inside an ``if`` that asks for it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from jinja2 import nodes

from engine.definitions.catalog import Catalog
from engine.definitions.problem import Place
from engine.definitions.reading import Ledger, listed, suggest
from engine.definitions.scope import ACCOUNT_FIELDS
from engine.definitions.template_filters import EXAMPLES, FILTERS, PASSING
from engine.definitions.template_parsing import Fault, line_and_column, offset_of, parse_template

DEEPEST: Final = 30
"""So many expressions and ``if`` stand in each other at most: what is deeper can be parsed, but not always run."""
LARGEST: Final = 1e15
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
_WORDS: Final = {
    "Assign": "set", "AssignBlock": "set", "Call": "a call", "CallBlock": "a call", "Concat": "putting texts together",
    "Dict": "a mapping", "FilterBlock": "a filter over several lines", "FromImport": "import", "Getitem": "a subscript",
    "List": "a list", "Macro": "a macro", "Scope": "changing how texts are escaped", "Tuple": "a list",
}  # fmt: skip
"""What the author wrote, by Jinja's word for it."""
_OPERATORS: Final = (nodes.Const, nodes.Not, nodes.And, nodes.Or, nodes.Compare, nodes.Operand)


def check_inline(text: str, place: Place, catalog: Catalog, ledger: Ledger) -> frozenset[str]:
    """Check a short template inside a file, all of it at ``place``; the names it reads without a default."""
    return check_template(text, place, catalog, ledger, inline=True) if "{" in text else frozenset()


def check_template(
    text: str, start: Place, catalog: Catalog, ledger: Ledger, *, inline: bool = False
) -> frozenset[str]:
    """Check a whole file that is a template; the names it reads without a default."""
    sheet = _Sheet(text, start, ledger, inline=inline)
    tree = parse_template(text)
    if isinstance(tree, Fault):
        sheet.say(tree.offset, 10, tree.message, tree.hint)
        return frozenset()
    walker = _Walker(sheet, catalog)
    walker.block(tree.body, _Around())
    return frozenset(walker.names)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The text of a template, and where it stands."""

    text: str
    start: Place
    ledger: Ledger
    inline: bool

    def say(self, offset: int, number: int, message: str, hint: str = "") -> None:
        """Record a problem at its place in the file; of a short template in a file, where the template begins."""
        place = self.start
        if not self.inline:
            line, column = line_and_column(self.text, offset)
            place = Place(self.start.path, self.start.line + line - 1, column)
        self.ledger.coded(place, f"M{number:03}", message, hint)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around an expression.

    ``loops``: names bound by ``for``. ``sure``: paths that an ``if`` around has asked for. ``asking``: the expression
    is the question of an ``if``, and *missing* is an answer. ``saved``: a default stands around it. ``depth`` counts
    loops, ``level`` everything that stands in something else.
    """

    loops: frozenset[str] = frozenset()
    sure: frozenset[str] = frozenset()
    depth: int = 0
    level: int = 0
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
        if self._is_too_deep(node, around):
            return
        inside = replace(around, level=around.level + 1)
        self.value(node.test, replace(inside, asking=True))
        self.block(node.body, replace(inside, sure=inside.sure | frozenset(_asked(node.test))))
        for inner in node.elif_:
            self._if(inner, around)
        self.block(node.else_, inside)

    def _is_too_deep(self, node: nodes.Node, around: _Around) -> bool:
        if around.level == DEEPEST:
            self._say(node, 14, f"this is nested more than {DEEPEST} deep", "say it in fewer words")
        return around.level >= DEEPEST

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
        elif not self._is_too_deep(node, around):
            self._expression(node, replace(around, level=around.level + 1))

    def _expression(self, node: nodes.Node, around: _Around) -> None:
        if isinstance(node, nodes.Filter):
            self._filter(node, around)
        elif isinstance(node, nodes.Test):
            if node.name not in TESTS:
                self._say(node, 11, f'the test "{node.name}" is not known', f"tests: {listed(TESTS)}")
            self.value(node.node, replace(around, asking=True))
        elif isinstance(node, nodes.CondExpr):
            self._choice(node, around)
        elif isinstance(node, nodes.Const) and isinstance(node.value, int | float) and not abs(node.value) <= LARGEST:
            self._say(node, 10, "this number is larger than anything counted here", "write a number below 1e15")
        elif isinstance(node, _OPERATORS):
            for child in node.iter_child_nodes():
                self.value(child, around)
        else:
            self._refuse(node)

    def _choice(self, node: nodes.CondExpr, around: _Around) -> None:
        self.value(node.test, replace(around, asking=True))
        self.value(node.expr1, replace(around, sure=around.sure | frozenset(_asked(node.test))))
        if node.expr2 is None:
            self._say(node, 11, "this says nothing where the question is answered with no", "add else and a text")
        else:
            self.value(node.expr2, around)

    def _filter(self, node: nodes.Filter, around: _Around) -> None:
        is_default = node.name == "default"
        if node.name not in FILTERS:
            hint = suggest(node.name, FILTERS) or f"filters: {listed(FILTERS)}"
            self._say(node, 12, f'unknown filter "{node.name}"', hint)
        else:
            self._arguments(node, around)
        if node.node is not None:
            saved = is_default or (around.saved and node.name in PASSING)
            self.value(node.node, replace(around, saved=saved))

    def _arguments(self, node: nodes.Filter, around: _Around) -> None:
        parameters, given = FILTERS[node.name], list(node.args)
        hint = EXAMPLES.get(node.name, f"write {node.name}")
        if node.name == "default" and given and _path(given[0]) is not None:
            self.value(given[0], around)
            given[0] = nodes.Const("")
        constants = [each.value for each in given if isinstance(each, nodes.Const)]
        if node.kwargs or node.dyn_args or node.dyn_kwargs or len(constants) < len(given):
            self._say(node, 12, f'the filter "{node.name}" takes plain values only', hint)
        elif not given and any(each.is_needed for each in parameters):
            what = "default needs what to say instead" if node.name == "default" else f"{node.name} needs two texts"
            self._say(node, 12, what, hint)
        elif not sum(each.is_needed for each in parameters) <= len(given) <= len(parameters):
            much = "much" if len(given) > len(parameters) else "little"
            self._say(node, 12, f'the filter "{node.name}" is told too {much}', hint)
        elif not all(each.takes(value) for each, value in zip(parameters, constants, strict=False)):
            self._say(node, 12, f'the filter "{node.name}" does not take this value', hint)

    def _variable(self, node: nodes.Node, path: str, around: _Around) -> None:
        if path.partition(".")[0] in around.loops:
            return
        if hint := self._unknown(path):
            self._say(node, 13, f'there is no "{path}" to write', hint)
        elif path in ALWAYS or path in around.sure:
            self.names.add(path)
        elif not (around.asking or around.saved):
            self.names.add(path)
            self._say(node, 20, f'"{path}" may be missing', f'write {{{{ {path} | default("…") }}}}')

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
        calculation = isinstance(node, nodes.BinExpr | nodes.UnaryExpr) and kind not in _WORDS
        what = "a calculation" if calculation else _WORDS.get(kind, kind.lower())
        self._say(node, 11, f"{what} is not allowed in a message", _ALLOWED)

    def _say(self, node: nodes.Node, number: int, message: str, hint: str = "") -> None:
        self.sheet.say(offset_of(node), number, message, hint)


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
    left = [test]
    while left:
        node = left.pop()
        path = _path(node)
        if path is not None:
            yield path
        elif isinstance(node, nodes.Test) and node.name == "defined" and (inner := _path(node.node)) is not None:
            yield inner
        elif isinstance(node, nodes.And):
            left += [node.left, node.right]
