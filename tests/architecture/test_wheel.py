"""The wheel puts two names into site-packages, and nobody else's package has ours."""

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the paths in a freshly built wheel; the build needs no network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; build_wheel({os.fspath(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("backcast-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        return opened.namelist()


def test_a_wheel_has_the_launcher_and_one_private_folder_and_nothing_else_on_top(names: list[str]) -> None:
    top = {name.split("/")[0] for name in names}
    assert {name for name in top if not name.endswith(".dist-info")} == {"backcast.py", "backcast_app"}


@pytest.mark.parametrize(
    "path",
    [
        "backcast_app/engine/terms.py",
        "backcast_app/workflows/payloads.py",
        "backcast_app/api/cli/__init__.py",
        "backcast_app/rules/catalog.yaml",
        "backcast_app/playbooks/messages/check-in/how-is-it-going.md",
        "backcast_app/migrations/env.py",
    ],
)
def test_a_wheel_carries_code_files_and_migrations(names: list[str], path: str) -> None:
    assert path in names


def test_a_wheel_carries_no_caches_and_no_tests(names: list[str]) -> None:
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_no_installed_package_claims_our_names() -> None:
    """A dependency with a top-level ``workflows`` would be shadowed by ours, or shadow it."""
    owners = importlib.metadata.packages_distributions()
    taken = {name: owners[name] for name in ("engine", "workflows", "api") if name in owners}
    assert taken == {}
