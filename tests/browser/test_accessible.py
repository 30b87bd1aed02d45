"""Every page, in light and dark, on a desk and on a phone: axe finds nothing, and nothing is wider than the screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from engine.store import reports, secrets
from tests.installed import Site
from tests.seeding import NOW, OWNER
from workflows.channels.unsubscribing import SECRET, make_token

Open = Callable[..., Page]
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
PICTURED = frozenset(
    {f"{name}-light-1280" for name in ("inbox", "accounts", "account", "run", "effects", "report")}
    | {"inbox-dark-1280", "firing-light-1280", "inbox-light-390", "report-light-390"}
)


def paths(site: Site) -> dict[str, str]:
    """Every kind of page by name."""
    accounts = site.seeded.accounts
    with site.store.begin() as session:
        shared = reports.compose_for(session, site.seeded.bundle, accounts["Acorn Logistics"], "quarterly", NOW)
        reports.edit_next_steps(session, shared, "1. Maria names five people for the second course (27 Nov).")
        link = reports.approve(session, shared, member=OWNER, at=NOW, expires_days=30)
        draft = reports.compose_for(session, site.seeded.bundle, accounts["Elm Insurance"], "quarterly", NOW)
        leave = make_token(secrets.get(session, SECRET), "maria@acorn.example", "education")
    account = f"/accounts/{accounts['Acorn Logistics']}"
    return {
        "inbox": "/inbox",
        "approval": f"/approvals/{site.seeded.approval}",
        "accounts": "/accounts",
        "nothing-found": "/accounts?search=zzz",
        "account": account,
        "firing": f"/accounts/{accounts['Northwind Health']}",
        "unscored": f"/accounts/{accounts['Cedar Schools']}",
        "metric": f"{account}/metrics/active_users",
        "run": f"/runs/{site.seeded.waiting_run}",
        "effects": "/effects",
        "draft": f"/reports/{draft}",
        "report": f"/r/{link}",
        "unsubscribe": f"/u/{leave}",
        "sign-in": "/sign-in",
        "link": "/sign-in/some-link",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible(site: Site, open_page: Open, pictures: Path | None, scheme: str, width: int) -> None:
    """S0-56: with colour, icon and word; WCAG 2.2 AA by axe."""
    page = open_page("/inbox", color_scheme=scheme, viewport={"width": width, "height": 900})
    found = {}
    for name, path in paths(site).items():
        page.goto(site.address + path)
        if pictures and f"{name}-{scheme}-{width}" in PICTURED:
            page.screenshot(path=pictures / f"{name}-{scheme}-{width}.png", full_page=True)
        found[name] = violations(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
    assert {name: these for name, these in found.items() if these} == {}


def violations(page: Page) -> list[str]:
    """What axe finds, with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    answer = Axe().run(page, options=WCAG).response
    return [f"{one['id']}: {node['html'][:140]}" for one in answer["violations"] for node in one["nodes"][:3]]
