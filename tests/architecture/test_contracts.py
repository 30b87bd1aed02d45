"""The direction of imports (ARCHITECTURE.md) holds: import-linter's contracts in pyproject.toml, run as a test."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_import_points_the_way_the_data_flows() -> None:
    """All contracts are kept; a new module must be given its place by hand."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    checked = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
