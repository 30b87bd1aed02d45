"""The page of a run shows how far each contact has come in its campaigns."""

from dataclasses import asdict

from sqlalchemy import select, update

from engine.running.lines import compile_lines
from engine.store.run_tables import DeliveryRow, RunRow
from engine.store.tables import ContactRow
from engine.terms import Mode
from tests.installed import Site
from tests.seeding import NOW, OWNER


def test_the_page_of_a_run_says_who_has_had_how_many_lessons(site: Site) -> None:
    lines = compile_lines(site.seeded.bundle.playbooks["usage-recovery"], Mode.APPROVE)
    lesson = next(line.step for line in lines if line.kind == "lesson")
    account = site.seeded.accounts["Acorn Logistics"]
    with site.store.begin() as session:
        frozen = {"lines": [asdict(line) for line in lines]}
        session.execute(update(RunRow).where(RunRow.id == site.seeded.waiting_run).values(frozen=frozen))
        contact = session.scalars(select(ContactRow).where(ContactRow.account_id == account)).first()
        assert contact is not None
        session.add(
            DeliveryRow(
                account_id=account,
                run_id=site.seeded.waiting_run,
                step=lesson,
                receiver=f"contact:{contact.id}",
                contact_id=contact.id,
                channel="test",
                message_id="<lesson@test>",
                subject="Where you left off",
                content_hash="",
                state="sent",
                claimed_at=NOW,
            )
        )
        name = contact.name
    page = site.member(OWNER).get(f"/runs/{site.seeded.waiting_run}").text
    assert "who has come how far" in page
    assert "1 going on" in page
    assert f"<td>{name}</td><td>1 of 2</td><td>Going on</td>" in page
