"""``ingest``: files of points, accounts, contacts and events, stored whole or refused with every place."""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated, Final

import typer

from api.cli.workspace import DataOption, JsonOption, Workspace, err, now, open_workspace, out
from engine.errors import BadData
from engine.evaluation.incoming.rows import Format
from engine.evaluation.incoming.stream import GZIP, peeked, unzipped
from engine.store.ingests import Batch, Body, Ingested, Kind

_CHUNK: Final = 1 << 20
_FORMS: Final = {".csv": Format.CSV, ".json": Format.JSON, ".ndjson": Format.NDJSON, ".jsonl": Format.NDJSON}

FileArgument = Annotated[
    str, typer.Argument(metavar="FILE", help="CSV, NDJSON or JSON, also .gz; - for standard input.")
]


def register(app: typer.Typer) -> None:
    """Add this module's commands to the command line."""
    ingest = typer.Typer(
        help="Take in data: all of a file, or nothing and every place that is wrong.", no_args_is_help=True
    )
    for command in (points, accounts, contacts, events):
        ingest.command()(command)
    app.add_typer(ingest, name="ingest")


def points(file: FileArgument, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Take in points: account, metric, day, value (and contact, for metrics of contacts)."""
    _ingest(Kind.POINTS, file, data, as_json)


def accounts(file: FileArgument, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Take in accounts: key, name, owner, arr, stage, renewal_on, goals.GOAL.target and more."""
    _ingest(Kind.ACCOUNTS, file, data, as_json)


def contacts(file: FileArgument, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Take in contacts: key, account, name, email, roles, departed_on."""
    _ingest(Kind.CONTACTS, file, data, as_json)


def events(file: FileArgument, data: DataOption = "", as_json: JsonOption = False) -> None:
    """Take in events: account, event, at (and contact, key, and the event's own fields)."""
    _ingest(Kind.EVENTS, file, data, as_json)


def _ingest(kind: Kind, file: str, data: str, as_json: bool) -> None:
    begun = time.perf_counter()
    with _opened(file) as source:
        workspace = open_workspace(data)
        try:
            first, chunks = peeked(iter(lambda: source.read(_CHUNK), b""))
            if first.startswith(GZIP):
                first, chunks = peeked(unzipped(chunks))
            form = _form(file, first)
            done = _stored(workspace, Body(kind, form, chunks))
        except BadData as error:
            _show(error, file, as_json)
            raise typer.Exit(1) from None
        finally:
            workspace.store.close()
    _say(done, file, time.perf_counter() - begun, as_json)


def _stored(workspace: Workspace, body: Body) -> Ingested:
    with Batch(body, workspace.bundle.catalog, now()) as batch:
        with workspace.store.read() as session:
            batch.read(session)
        with workspace.store.begin() as session:
            return batch.write(session)


def _opened(file: str) -> IO[bytes]:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        err.print(f'"{file}" cannot be read: {error.strerror}')
        raise typer.Exit(2) from None


def _form(file: str, first: bytes) -> Format:
    """By the name, and without one that says it by the first character."""
    suffix = Path(file.removesuffix(".gz")).suffix.lower()
    if suffix in _FORMS:
        return _FORMS[suffix]
    return Format.NDJSON if first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else Format.CSV


def _say(done: Ingested, file: str, seconds: float, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(done)))
        return
    out.print(
        f"{file}: {done.rows:,} {done.kind} in {seconds:.1f} s: {done.new:,} new, {done.changed:,} changed, "
        f"{done.same:,} there already"
    )


def _show(error: BadData, file: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"errors": [asdict(row) for row in error.rows], "total": error.total}))
        return
    for row in error.rows:
        where = f"{file}: {row.where}" if row.line or row.pointer else file
        err.print(f"{where}: {row.code}: {row.message}")
    more = error.total - len(error.rows)
    err.print(f"{f'and {more:,} more. ' if more > 0 else ''}Nothing of {file} was stored.")
