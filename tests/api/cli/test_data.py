"""``backcast ingest``: files of every kind that people have, each either stored or refused with a useful sentence."""

import gzip
import io
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner, Result

from api.cli import build
from engine.store.sessions import connect
from engine.store.tables import AccountRow, PointRow

TODAY = datetime.now(UTC).date()
DAY = (TODAY - timedelta(days=10)).isoformat()
LATER = (TODAY + timedelta(days=10)).isoformat()
HEAD = "account,metric,day,value\n"
GOOD = f"{HEAD}acme,active_users,{DAY},7\n"


class Terminal:
    """Somebody in a workspace with two accounts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(build(), [*arguments, "--data", str(self.data)])

    def ingest(self, kind: str, content: bytes | str, name: str = "file.csv", *options: str) -> Result:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.run("ingest", kind, str(path), *options)

    def count(self, table: type) -> int:
        store = connect(f"sqlite:///{self.data}/backcast.db")
        with store.read() as session:
            found = session.scalar(select(func.count()).select_from(table)) or 0
        store.close()
        return found


@pytest.fixture
def terminal(tmp_path: Path, sqlite_template: Path, catalog_text: str, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "catalog.yaml").write_text(catalog_text)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "backcast.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(tmp_path)
    found = Terminal(tmp_path)
    done = found.ingest("accounts", "key,name\nacme,Acme\nzeta,Zeta\n")
    assert done.exit_code == 0, done.output
    return found


def test_a_file_is_stored_and_counted(terminal: Terminal) -> None:
    done = terminal.ingest("points", GOOD)
    assert done.exit_code == 0
    assert "1 points in" in done.output
    assert "1 new, 0 changed, 0 there already" in done.output
    again = terminal.ingest("points", GOOD, "file.csv", "--json")
    assert json.loads(again.output) == {"kind": "points", "rows": 1, "new": 0, "changed": 0, "same": 1}


@pytest.mark.parametrize(
    "name", ["points.ndjson", "points.jsonl.gz", "points.json", "points.csv.gz", "points", "p.txt"]
)
def test_the_format_is_known_by_name_or_beginning(terminal: Terminal, name: str) -> None:
    row = json.dumps({"account": "acme", "metric": "active_users", "day": DAY, "value": 7})
    text = GOOD if "csv" in name or name == "p.txt" else row
    text = f'{{"points": [{row}]}}' if name.endswith(".json") else text
    content = gzip.compress(text.encode()) if name.endswith(".gz") else text.encode()
    done = terminal.ingest("points", content, name, "--json")
    assert json.loads(done.output)["new"] == 1


def test_standard_input_is_a_file_too(terminal: Terminal) -> None:
    done = CliRunner().invoke(build(), ["ingest", "points", "-", "--data", str(terminal.data)], input=GOOD)
    assert done.exit_code == 0, done.output
    assert terminal.count(PointRow) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.rstrip().encode(),
        GOOD.replace("acme", '"acme"').encode(),
        GOOD.replace(",", " , ").encode(),
        GOOD.encode() + b"\n\n",
        f"day,value,metric,account\n{DAY},7,active_users,acme\n".encode(),
        GOOD.replace("value", "value,contact").replace("7", "7,").encode(),
    ],
)
def test_csv_may_look_different(terminal: Terminal, content: bytes) -> None:
    done = terminal.ingest("points", content)
    assert done.exit_code == 0, done.output
    assert terminal.count(PointRow) == 1


def row(account: str = "acme", metric: str = "active_users", day: str = DAY, value: str = "7") -> str:
    return f"{account},{metric},{day},{value}\n"


@pytest.mark.parametrize(
    ("content", "place", "sentence"),
    [
        ("account,metric,day,valu\n" + row(), 'line 1, column "valu"', 'did you mean "value"?'),
        ("account,metric,day\n", 'line 1, column "value"', "is missing"),
        ("account,metric,day,value,value\n", 'line 1, column "value"', "is there twice"),
        ("account,metric,day,value,\n", "line 1", "a column has no name"),
        (GOOD + row(metric="active_user"), 'line 3, column "metric"', 'did you mean "active_users"?'),
        (GOOD + row(metric="utilization"), 'line 3, column "metric"', "computed by its formula"),
        (GOOD + row(metric="people"), 'line 3, column "metric"', "push the events instead"),
        (GOOD + row(value="seven"), 'line 3, column "value"', "stands where a number belongs"),
        (GOOD + row(value=""), 'line 3, column "value"', "leave the row out"),
        (GOOD + row(value="NaN"), 'line 3, column "value"', "leave the row out"),
        (GOOD + row(value="inf"), 'line 3, column "value"', "number"),
        (GOOD + row(value="1_000"), 'line 3, column "value"', "number"),
        (GOOD + row(value='"7,5"'), 'line 3, column "value"', "comma before its decimals"),
        (GOOD + row(day=LATER), 'line 3, column "day"', "in the future"),
        (GOOD + row(day="01/02/2026"), 'line 3, column "day"', "is not a day"),
        (GOOD + row(account="acmee"), 'line 3, column "account"', 'did you mean "acme"?'),
        (GOOD + "acme,seats,7\n", "line 3", "3 cells where the header has 4"),
        (GOOD + "acme,seats,7,8,9\n", "line 3", "5 cells where the header has 4"),
        (GOOD + '"acme,seats\n', "line 3", "not closed"),
        (GOOD + 'acme,"seats"x,2026-01-01,7\n', "line 3", "closing quote"),
        (GOOD + "acme,se\0ats,2026-01-01,7\n", "line 3", "NUL"),
        (GOOD.replace(",", ";"), "line 1", "separated by semicolons"),
        (GOOD.replace(",", "\t"), "line 1", "separated by tabs"),
        (GOOD.encode() + "Käse".encode("latin-1"), "line 3", "may be Latin-1"),
        (GOOD.encode("utf-16"), "", "this is UTF-16"),
        (GOOD.encode("utf-16-le"), "", "UTF-16"),
        (b"PK\x03\x04" + b"\0" * 50, "", "Excel"),
        (HEAD, "", "there are no points in it"),
        ("", "", "nothing in it"),
        ("\n\n", "", "nothing in it"),
        (HEAD + "a" * 20_000_000, "line 2", "longer than 1024 KiB"),
        (gzip.compress(GOOD.encode())[:-6], "", "truncated"),
        (gzip.compress(GOOD.encode())[:30] + b"x" * 50, "", "damaged"),
        (",".join(f"c{number}" for number in range(100_000)), "line 1", "columns"),
    ],
    ids=lambda value: repr(value)[:30] if isinstance(value, str) else "",
)
def test_what_is_wrong_is_said_with_its_place(
    terminal: Terminal, content: bytes | str, place: str, sentence: str
) -> None:
    done = terminal.ingest("points", content)
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert f"file.csv: {place}" in done.stderr
    assert "Nothing of" in done.stderr
    assert "Traceback" not in done.output
    assert terminal.count(PointRow) == 0


@pytest.mark.parametrize(
    ("content", "place", "sentence"),
    [
        (b'{"account": "acme"', "line 1", "not JSON"),
        (b"\n\n\n", "", "nothing in it"),
        (b'{"account": "' + b"a" * 20_000_000 + b'"}', "line 1", "longer than 64 KiB"),
        (b"[]", "line 1", "must be an object"),
    ],
    ids=["cut off", "blank", "20 MB", "a list"],
)
def test_bad_ndjson_is_refused_with_its_line(terminal: Terminal, content: bytes, place: str, sentence: str) -> None:
    done = terminal.ingest("points", content, "file.ndjson")
    assert done.exit_code == 1
    assert sentence in done.stderr
    assert f"file.ndjson: {place}" in done.stderr


def test_all_problems_are_shown_at_once_in_order(terminal: Terminal) -> None:
    rows = [row(), row(value="x"), row(account="nobody"), "ragged\n", row(day="x")]
    done = terminal.ingest("points", HEAD + "".join(rows))
    lines = [line for line in done.stderr.splitlines() if "file.csv: line" in line]
    assert [line.split("line ")[1][0] for line in lines] == ["3", "4", "5", "6"]


def test_of_many_problems_the_first_fifty_are_shown_and_all_counted(terminal: Terminal) -> None:
    done = terminal.ingest("points", HEAD + row(value="x") * 1_234)
    assert done.stderr.count("bad_value") == 50
    assert "and 1,184 more" in done.stderr
    found = json.loads(terminal.ingest("points", HEAD + row(value="x") * 1_234, "file.csv", "--json").stdout)
    assert (len(found["errors"]), found["total"]) == (50, 1_234)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_file_that_is_not_there_is_one_line_and_exit_code_2(terminal: Terminal, name: str) -> None:
    done = terminal.run("ingest", "points", name)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "cannot be read" in done.stderr


def test_unknown_columns_of_accounts_are_fields_unless_they_look_like_a_slip(terminal: Terminal) -> None:
    assert terminal.ingest("accounts", "key,region\nacme,EU\n").exit_code == 0
    done = terminal.ingest("accounts", "key,owmer\nacme,jo\n")
    assert done.exit_code == 1
    assert 'did you mean "owner"?' in done.stderr
    assert terminal.ingest("accounts", "key,fields.owners\nacme,jo\n").exit_code == 0


def test_a_column_of_numbers_is_numeric_and_post_codes_stay_texts(terminal: Terminal) -> None:
    terminal.ingest("accounts", "key,size,post_code\nacme,10,01234\nzeta,2.5,70173\n")
    store = connect(f"sqlite:///{terminal.data}/backcast.db")
    with store.read() as session:
        found = {row.key: row.fields for row in session.scalars(select(AccountRow))}
    store.close()
    assert found == {
        "acme": {"size": 10.0, "post_code": "01234"},
        "zeta": {"size": 2.5, "post_code": "70173"},
    }


def test_contacts_and_events_come_from_files_as_well(terminal: Terminal) -> None:
    contacts = "key,account,name,email,roles\nann,acme,Ann,ann@acme.com,champion;user\n"
    assert terminal.ingest("contacts", contacts).exit_code == 0
    done = terminal.ingest("contacts", contacts.replace("ann@acme.com", "ann@@acme.com"))
    assert done.exit_code == 1
    assert 'line 2, column "email"' in done.stderr
    assert terminal.ingest("events", f"account,event,at,contact\nacme,login,{DAY},ann\n").exit_code == 0
    done = terminal.ingest("events", f"account,event,at,contakt\nacme,login,{DAY},ann\n")
    assert 'did you mean "contact"?' in done.stderr


def test_files_that_do_not_check_stop_it(terminal: Terminal) -> None:
    (terminal.folder / "rules" / "catalog.yaml").write_text("format: 1\nmetrics: 7\n")
    done = terminal.ingest("points", GOOD)
    assert done.exit_code == 1
    assert "rules/catalog.yaml:2:10" in done.stderr


def test_reading_from_standard_input_needs_no_name(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    done = terminal.run("ingest", "points", "-")
    assert done.exit_code == 1
    assert "nothing in it" in done.stderr
