"""Somebody at the command line, in a workspace of their own."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from api.cli import build
from engine.store.sessions import connect


class Desk:
    """Somebody in a workspace as `init` lays it down, whose rules enrol the accounts that are inside already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(build(), [*arguments, "--data", str(self.folder / "data")])

    def json(self, *arguments: str) -> Any:
        done = self.run(*arguments)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    def count(self, table: type) -> int:
        store = connect(f"sqlite:///{self.folder}/data/backcast.db")
        with store.read() as session:
            found = session.scalar(select(func.count()).select_from(table)) or 0
        store.close()
        return found

    def write(self, name: str, rows: list[str]) -> str:
        path = self.folder / name
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
        return str(path)
