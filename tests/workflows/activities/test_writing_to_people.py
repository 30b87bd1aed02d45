"""A letter to the people a signal names goes to exactly them, from the logins in the database to the address."""

from typing import Final

import pytest

from engine.store.sessions import Store
from tests.workflows.activities.scenery import ANA, BO, CY, GONE, Stage, playbook_file, read, stage

RULE: Final = """format: 1
rule: people-fall
challenge:
  title: Some people use it less
  kind: risk
  why: Whoever stops first takes the others along.
  owner: cs-ops
  success: {metric: active_users, change: +10%, within: 45d}
actions: [{playbook: ask-them, mode: automatic}, {playbook: ask-all, mode: automatic}]
signals:
  falling: {contacts: {roles: [champion, user]}, metric: logins, trend: {change: -20%, over: 30d}, at_least: 1}
  broad: {metric: logins, slip: {pattern: broad, over: 30d}}
when: {any: [falling, broad]}
"""
BUNDLE: Final = read(
    {"rules/people-fall.yaml": RULE},
    playbook_file("ask-them", "- email: {to: signal.falling, message: hello}"),
    playbook_file("ask-all", "- email: {to: signal.broad, message: hello}"),
)


@pytest.fixture
def scene(store: Store) -> Stage:
    """Ana and who has gone log in as always, Bo has stopped, Cy comes half as often."""
    found = stage(store, BUNDLE)
    for age in range(60):
        for contact in (ANA, GONE):
            found.login(contact, days_ago=age)
        if age >= 30:
            found.login(BO, days_ago=age)
        if age >= 30 or age % 2:
            found.login(CY, days_ago=age)
    return found


def test_a_letter_goes_to_exactly_the_contacts_whose_use_falls(scene: Stage) -> None:
    """S4-24: two of three; who has not changed gets none, and neither does who has left."""
    scene.go(scene.begin("ask-them", rule="people-fall"))
    assert sorted(scene.post.to) == ["bo@acme.example", "cy@acme.example"]


def test_a_letter_to_a_broad_slip_goes_to_everybody_who_falls(scene: Stage) -> None:
    """S4-20, S4-24: two of three active people are more than 60 %."""
    scene.go(scene.begin("ask-all", rule="people-fall"))
    assert sorted(scene.post.to) == ["bo@acme.example", "cy@acme.example"]


def test_nobody_is_written_to_any_more_once_their_use_has_come_back(scene: Stage) -> None:
    run = scene.begin("ask-them", rule="people-fall")
    for age in range(30):
        scene.login(BO, days_ago=age)
        if age % 2 == 0:
            scene.login(CY, days_ago=age)
    scene.go(run)
    assert scene.post.to == []
    assert "no contact with an address stands behind the signal falling" in scene.steps(run)["email-hello"][1]
