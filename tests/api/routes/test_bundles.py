"""Definitions over HTTP: read by all, planned and put in force by authors and admins, by two where it touches many."""

import pytest
from sqlalchemy import delete

from engine.definitions import bundle as reading
from engine.definitions.bundle import Bundle
from engine.evaluation.comparing import Blast
from engine.store import bundles, proposals
from engine.store.bundles import Publication
from engine.store.tables import BundleActRow
from engine.terms import BundleAct
from tests.installed import Site
from tests.seeding import ADMIN, AUTHOR, OWNER, VIEWER


def kept(site: Site) -> tuple[Bundle, str]:
    """Another set of definitions that is not in force, and what is."""
    with site.store.begin() as session:
        now = bundles.in_force(session)
        assert now is not None
        texts = {**now.texts, "rules/catalog.yaml": now.texts["rules/catalog.yaml"] + "# another\n"}
        other = reading.read(texts).bundle
        assert other is not None
        publication = Publication(OWNER, "Ready to be looked at", BundleAct.PROPOSED)
        bundles.propose(session, other, publication, site.clock.at)
    return other, now.fingerprint


def test_what_is_in_force_and_what_was_done_is_read_by_every_member(site: Site) -> None:
    other, now = kept(site)
    for email in (ADMIN, AUTHOR, OWNER, VIEWER):
        found = site.member(email).get("/v1/bundles").json()
        assert found["in_force"] == now
        assert [act["kind"] for act in found["acts"]] == ["proposed", "loaded"]
    files = site.member(VIEWER).get(f"/v1/bundles/{other.fingerprint[:10]}").json()["files"]
    assert files == dict(other.texts)
    assert site.anybody().get("/v1/bundles").status_code == 401
    assert site.member(VIEWER).get("/v1/bundles/ffffffffff").status_code == 404


def test_a_plan_names_accounts_so_only_those_may_read_it_who_see_them_all(site: Site) -> None:
    other, now = kept(site)
    path = f"/v1/bundles/{other.fingerprint}/plan"
    found = site.member(AUTHOR).get(path).json()
    assert (found["in_force"], found["fingerprint"]) == (now, other.fingerprint)
    assert [file["path"] for file in found["files"]] == ["rules/catalog.yaml"]
    assert [site.member(email).get(path).status_code for email in (OWNER, VIEWER)] == [403, 403]


def test_an_author_puts_it_in_force_and_whoever_looked_before_is_told(site: Site) -> None:
    other, now = kept(site)
    path, form = f"/v1/bundles/{other.fingerprint}/apply", {"reason": "Reviewed", "previous": now}
    assert site.member(OWNER).post(path, data=form).status_code == 403
    done = site.member(AUTHOR).post(path, data=form)
    assert (done.status_code, done.json()["state"]) == (200, "applied")
    late = site.member(ADMIN).post(f"/v1/bundles/{now}/apply", data={"reason": "Back", "previous": now})
    assert late.status_code == 409
    assert f"put in force by {AUTHOR}" in late.json()["detail"]
    back = site.member(ADMIN).post(f"/v1/bundles/{now}/apply", data={"reason": "Back", "previous": other.fingerprint})
    assert back.status_code == 200
    assert site.member(ADMIN).get("/v1/bundles").json()["acts"][0]["kind"] == "rolled_back"


def test_beyond_the_limits_it_takes_two(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    other, now = kept(site)
    monkeypatch.setattr(proposals, "blast_of", lambda *_: Blast(900, ("900 accounts would change tier",)))
    with site.store.begin() as session:
        session.execute(delete(BundleActRow).where(BundleActRow.kind == "proposed"))
    path, form = f"/v1/bundles/{other.fingerprint}/apply", {"reason": "Wanted", "previous": now}
    first = site.member(AUTHOR).post(path, data=form)
    assert (first.status_code, first.json()["state"], first.json()["touched"]) == (202, "proposed", 900)
    again = site.member(AUTHOR).post(path, data=form)
    assert again.status_code == 409
    assert "somebody else has to accept it" in again.json()["detail"]
    second = site.member(ADMIN).post(path, data=form)
    assert (second.status_code, second.json()["state"]) == (200, "applied")
    act = site.member(ADMIN).get("/v1/bundles").json()["acts"][0]
    assert (act["author"], act["accepted"]) == (ADMIN, 900)
