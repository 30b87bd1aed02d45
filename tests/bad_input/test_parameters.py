"""Every request in ``api_parameters`` is answered with what is wrong, and changes nothing."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import func, select

from api.app import create_app
from engine.settings import Settings
from engine.store.base import Base
from engine.store.sessions import connect
from tests.bad_input.parameters import Case, ask, cases, said
from tests.installed import BASE, Clock, Site, seeded_copy
from tests.seeding import OWNER

SECONDS = 2.0
TRACE = re.compile(r"Traceback|File \"|sqlalchemy|sqlite3|psycopg|pydantic")


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One seeded installation for all: nothing in here may change it."""
    template, seeded = seeded_copy(sqlite_template, tmp_path_factory.mktemp("seeded"))
    path = tmp_path_factory.mktemp("site") / "backcast.db"
    shutil.copyfile(template, path)
    store, clock = connect(f"sqlite:///{path}"), Clock()
    yield Site(create_app(store, Settings(base_url=BASE), clock), store, seeded, clock)
    store.close()


def stored(site: Site) -> dict[str, int]:
    """How many rows every table has, but for sign-ins."""
    with site.store.read() as session:
        tables = [table for table in Base.metadata.sorted_tables if table.name != "sign_ins"]
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_bad_request_is_answered_and_changes_nothing(site: Site, case: Case) -> None:
    """P14, P15."""
    before, began = stored(site), process_time()
    answer = ask(site, case)
    assert said(answer) == case.answer
    assert 400 <= answer.status_code < 500
    assert process_time() - began < SECONDS
    assert not TRACE.search(answer.text)
    for error in case.answer.get("errors", []):
        assert error["pointer"].startswith("/")
    assert stored(site) == before


def test_there_are_enough_of_them() -> None:
    assert len(cases()) >= 60


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_written_into_a_form_is_no_failure_of_ours(site: Site, name: str, value: str) -> None:
    form = {name: value.encode("utf-8", "replace").decode(), "version": value.encode("utf-8", "replace").decode()}
    form = {key.encode("utf-8", "replace").decode(): text for key, text in form.items()}
    answer = site.member(OWNER).post(f"/v1/approvals/{site.seeded.foreign_approval}/approve", data=form)
    assert 400 <= answer.status_code < 500


def test_an_answer_never_repeats_the_host_it_was_asked_by(site: Site) -> None:
    answer = site.member(OWNER).get("/runs/999999", headers={"Host": "evil.example"})
    assert "evil.example" not in answer.text + str(answer.headers)
