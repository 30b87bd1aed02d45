"""The pages of the documentation hold together: links lead somewhere, and every setting and command is named."""

import re
from pathlib import Path

import pytest
import typer

from api.cli import build
from engine.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_a_link_leads_to_a_file(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_setting_is_on_the_page_for_operators_and_no_other() -> None:
    page = (ROOT / "docs" / "operating.md").read_text()
    settings = {f"BACKCAST_{name.upper()}" for name in Settings.model_fields}
    table = page.partition("## Settings")[2].partition("##")[0]
    assert set(re.findall(r"`(BACKCAST_[A-Z_]+)`", table)) == settings


def test_every_command_that_a_page_shows_exists() -> None:
    group = typer.main.get_command(build())
    assert isinstance(group, typer.core.TyperGroup)
    shown = {
        command
        for page in PAGES
        for command in re.findall(r"(?:`|    )(?:python3 \S*backcast\.py|backcast) ([a-z-]+)", page.read_text())
    }
    assert len(shown) > 10
    assert shown - {*group.commands, "test"} == set()
