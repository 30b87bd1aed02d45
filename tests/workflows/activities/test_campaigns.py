"""Campaigns: how far each contact has come, and that hundreds of contacts are no burden for anybody else."""

import pytest
from sqlalchemy import update

from engine.store import campaigns, suppressions
from engine.store.campaigns import Campaign
from engine.store.sessions import Store
from engine.store.tables import ContactRow
from tests.workflows.activities.scenery import BO, TODAY, Stage, playbook_file, read, stage

BUNDLE = read(
    {"rules/contact.yaml": "format: 1\nper_day: 9\nper_week: 50\nwindow: always\n"},
    playbook_file(
        "lessons",
        """
- id: course
  campaign:
    to: {role: user, idle_for: 14d}
    every: 3d
    lessons: [first, second, third]
    stop_when: {">=": [{var: contact.logins.sum_7d}, 1]}
""",
    ),
    playbook_file("plain", "- wait: {at_most: 7d}"),
)


@pytest.fixture
def scene(store: Store) -> Stage:
    return stage(store, BUNDLE)


def progress(scene: Stage, run: int, limit: int = 200) -> tuple[Campaign, ...]:
    with scene.store.read() as session:
        return campaigns.of_run(session, run, limit)


def seen(scene: Stage, run: int) -> dict[str, tuple[int, str]]:
    return {one.name: (one.lessons, one.progress.value) for one in progress(scene, run)[0].pupils}


def test_who_had_how_many_lessons_and_why_they_get_no_more_is_known_of_everybody(scene: Stage) -> None:
    """S3-42."""
    run = scene.begin("lessons")
    assert progress(scene, run) == ()
    scene.go(run)
    assert seen(scene, run) == {"Bo Li": (1, "going_on"), "Cy Ray": (1, "going_on")}
    scene.later(3).login(BO)
    scene.go(run, "elapsed")
    assert seen(scene, run) == {"Bo Li": (1, "learned"), "Cy Ray": (2, "going_on")}
    assert scene.later(3).go(run, "elapsed").stop == "end"
    assert seen(scene, run) == {"Bo Li": (1, "learned"), "Cy Ray": (3, "finished")}


def test_unsubscribed_departed_and_stopped_contacts_are_told_apart(scene: Stage) -> None:
    run = scene.begin("lessons")
    scene.go(run)
    with scene.store.begin() as session:
        suppressions.suppress(session, "bo@acme.example", "education", "asked to", scene.at)
        session.execute(update(ContactRow).where(ContactRow.name == "Cy Ray").values(departed_on=TODAY))
    assert seen(scene, run) == {"Bo Li": (1, "unsubscribed"), "Cy Ray": (1, "left")}


def test_a_run_that_ends_early_stops_its_lessons(scene: Stage) -> None:
    run = scene.begin("lessons")
    scene.go(run)
    scene.go(run, "overdue")
    assert seen(scene, run)["Bo Li"] == (1, "stopped")


def test_of_many_contacts_some_are_shown_and_all_are_counted(scene: Stage) -> None:
    run = scene.begin("lessons")
    scene.go(run)
    (found,) = progress(scene, run, limit=1)
    assert [one.name for one in found.pupils] == ["Bo Li"]
    assert {one.value: count for one, count in found.counts.items()} == {"going_on": 2}


def test_a_run_without_campaigns_shows_none(scene: Stage) -> None:
    run = scene.begin("plain")
    scene.go(run)
    assert progress(scene, run) == ()
