"""Everything parses on the oldest Python we promise, and the launcher on one so old that it can only say so."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("engine", "workflows", "api", "migrations", "tests", "benchmarks")
SOURCES = sorted(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))


def later_syntax(text: str) -> list[int]:
    """Return the lines with syntax of Python 3.12 that ``feature_version`` alone lets through."""
    tree = ast.parse(text, feature_version=(3, 11))
    later = tuple(found for name in ("TypeAlias", "TypeVar") if isinstance(found := getattr(ast, name, None), type))
    return [getattr(node, "lineno", 0) for node in ast.walk(tree) if isinstance(node, later)]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_parses_on_python_3_11(source: Path) -> None:
    assert later_syntax(source.read_text()) == []


@pytest.mark.parametrize("name", ["backcast.py", "bootstrap.py", "browser.py"])
def test_the_launcher_parses_on_an_old_python(name: str) -> None:
    ast.parse((ROOT / name).read_text(), feature_version=(3, 8))


def test_a_type_statement_would_be_found() -> None:
    with pytest.raises(SyntaxError):
        ast.parse("type Tree = int", feature_version=(3, 11))
