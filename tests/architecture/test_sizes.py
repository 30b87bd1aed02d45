"""Modules stay under 300 lines and functions under 40, and every module says what lives in it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    [
        *ROOT.glob("*.py"),
        *(path for name in ("engine", "workflows", "api", "migrations") for path in (ROOT / name).rglob("*.py")),
    ]
)
MOST_LINES_OF_A_MODULE = 300
MOST_LINES_OF_A_FUNCTION = 40


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield all functions of a module, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines without its docstring."""
    documented = ast.get_docstring(function) is not None
    start = function.body[0].end_lineno if documented else function.lineno - 1
    assert start is not None
    assert function.end_lineno is not None
    return function.end_lineno - start + (1 if documented else 0)


def test_there_is_code_to_measure() -> None:
    assert len(MODULES) > 30


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_short_documented_and_made_of_short_functions(module: Path) -> None:
    text = module.read_text()
    tree = ast.parse(text)
    long = [f"{function.name}: {lines_of(function)}" for function in functions(tree)]
    long = [found for found in long if int(found.rsplit(" ", 1)[1]) > MOST_LINES_OF_A_FUNCTION]
    is_generated = "migrations" in module.parts and "versions" in module.parts
    assert ast.get_docstring(tree), "no docstring says what lives here"
    assert is_generated or len(text.splitlines()) <= MOST_LINES_OF_A_MODULE
    assert is_generated or long == []
