"""Who may see and do what: every route has an entry, and the entry is what happens."""

from collections.abc import Iterator, Sequence

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text
from starlette.routing import BaseRoute

from api.access import OPEN, TABLE, Scope, scope_of
from api.dependencies import Acting, Allowed
from engine.terms import Role
from tests.installed import Site
from tests.seeding import ADMIN, AUTHOR, OTHER, OWNER, VIEWER

BY_KEY = frozenset({"/v1/points", "/v1/events", "/v1/accounts", "/v1/contacts", "/v1/goals", "/v1/mail"})
"""Where programs push data: an ingest key opens these, never a member."""


def routes(site: Site) -> Iterator[tuple[str, APIRoute]]:
    """Every method and route, however deeply it is included."""
    found = list(_walk(site.app.routes))
    assert len(found) > 30, "the walk must see the routes"
    yield from found


def _walk(nodes: Sequence[BaseRoute]) -> Iterator[tuple[str, APIRoute]]:
    for node in nodes:
        if isinstance(node, APIRoute):
            for method in node.methods or ():
                yield method, node
        elif included := getattr(node, "original_router", None):
            yield from _walk(included.routes)


def permission(route: APIRoute) -> Allowed | Acting | None:
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return next((call for call in calls if isinstance(call, Allowed | Acting)), None)


def test_every_route_asks_for_a_permission_or_is_listed_as_open(site: Site) -> None:
    """P15: a new route without an entry fails here."""
    bare = [
        f"{method} {route.path}"
        for method, route in routes(site)
        if permission(route) is None and (method, route.path) not in OPEN and route.path not in BY_KEY
    ]
    assert bare == []


def test_everything_that_changes_something_is_a_form_of_ours(site: Site) -> None:
    weak = [
        route.path
        for method, route in routes(site)
        if method not in {"GET", "HEAD"} and (method, route.path) not in OPEN and route.path not in BY_KEY
        if not isinstance(permission(route), Acting)
    ]
    assert weak == []


def test_every_permission_asked_for_stands_in_the_table(site: Site) -> None:
    for _method, route in routes(site):
        asked = permission(route)
        if asked is None:
            continue
        allowed = asked.allowed if isinstance(asked, Acting) else asked
        assert any((role, allowed.resource, allowed.action) in TABLE for role in Role), route.path


def test_what_is_not_listed_is_not_allowed() -> None:
    assert scope_of([Role.ADMIN], "account", "burn") is Scope.NONE
    assert scope_of([], "account", "read") is Scope.NONE


def test_the_widest_of_several_roles_counts() -> None:
    assert scope_of([Role.CSM, Role.AUTHOR], "account", "read") is Scope.ALL
    assert scope_of([Role.CSM, Role.AUTHOR], "approval", "decide") is Scope.OWN


def pages(site: Site, account: str, run: int, approval: int) -> list[str]:
    number = site.seeded.accounts[account]
    return [
        f"/accounts/{number}",
        f"/accounts/{number}/metrics/active_users",
        f"/runs/{run}",
        f"/approvals/{approval}",
        f"/v1/accounts/{account.lower().replace(' ', '-')}/score",
        f"/v1/runs/{run}",
    ]


@pytest.mark.parametrize(
    ("email", "own", "foreign"),
    [
        (OWNER, [200] * 6, [404] * 6),
        (OTHER, [404] * 6, [200] * 6),
        (ADMIN, [200] * 6, [200] * 6),
        (AUTHOR, [200, 200, 200, 403, 200, 200], [200, 200, 200, 403, 200, 200]),
        (VIEWER, [200, 200, 200, 403, 200, 200], [200, 200, 200, 403, 200, 200]),
        ("", [401] * 6, [401] * 6),
    ],
)
def test_members_see_what_their_roles_reach(site: Site, email: str, own: list[int], foreign: list[int]) -> None:
    client = site.member(email) if email else site.anybody()
    seeded = site.seeded
    with site.store.read() as session:
        their_run = session.execute(
            text("SELECT run_id FROM approvals WHERE id = :id"), {"id": seeded.foreign_approval}
        ).scalar_one()
    mine = pages(site, "Northwind Health", seeded.run, seeded.approval)
    theirs = pages(site, "Delta Foundry", their_run, seeded.foreign_approval)
    assert [client.get(path).status_code for path in mine] == own
    assert [client.get(path).status_code for path in theirs] == foreign


def test_a_foreign_object_answers_like_a_missing_one(site: Site) -> None:
    client = site.member(OWNER)
    for foreign, missing in (
        (f"/accounts/{site.seeded.accounts['Delta Foundry']}", "/accounts/999999"),
        (f"/approvals/{site.seeded.foreign_approval}", "/approvals/999999"),
        ("/v1/accounts/delta-foundry/score", "/v1/accounts/nobody/score"),
    ):
        there, nowhere = client.get(foreign), client.get(missing)
        assert (there.status_code, nowhere.status_code) == (404, 404)
        assert there.text.replace(foreign, "") == nowhere.text.replace(missing, "")


def test_foreign_forms_change_nothing(site: Site) -> None:
    client = site.member(OWNER)
    seeded = site.seeded
    before = snapshot(site)
    foreign = seeded.accounts["Delta Foundry"]
    for path, form in (
        (f"/approvals/{seeded.foreign_approval}/approve", {"version": "1"}),
        (f"/approvals/{seeded.foreign_approval}/edit", {"version": "1", "item": "0", "subject": "a", "text": "b"}),
        (f"/tasks/{seeded.foreign_task}/done", {"version": "1"}),
        (f"/accounts/{foreign}/override", {"scorecard": "health", "score": "99", "reason": "x"}),
        (f"/accounts/{foreign}/reports", {"report": "quarterly"}),
        ("/runs/2/cancel", {"reason": "x"}),
    ):
        assert client.post(path, data=form).status_code == 404, path
    assert snapshot(site) == before


def test_a_viewer_sees_no_addresses_and_no_forms(site: Site) -> None:
    page = site.member(VIEWER).get(f"/accounts/{site.seeded.accounts['Acorn Logistics']}").text
    assert "maria@acorn.example" not in page
    assert "/override" not in page
    assert "maria@acorn.example" in site.member(OWNER).get(f"/accounts/{site.seeded.accounts['Acorn Logistics']}").text


def snapshot(site: Site) -> list[object]:
    tables = ("approvals", "tasks", "score_overrides", "reports", "acts", "outbox", "points")
    with site.store.read() as session:
        return [session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all() for table in tables]  # noqa: S608
