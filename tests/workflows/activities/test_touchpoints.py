"""After a conversation the shipped playbooks ask what came of it: the cause where usage is low, and how they feel."""

import pytest
from sqlalchemy import select

from engine.definitions.playbook import AskStep, TaskStep
from engine.errors import Refused
from engine.store import changed, tasks
from engine.store.sessions import Store
from engine.store.tables import EventRow, MetricRow, PointRow
from tests.workflows.activities.scenery import OWNER, Stage, read, stage

SHIPPED = read()


@pytest.fixture
def scene(store: Store) -> Stage:
    return stage(store, SHIPPED)


@pytest.mark.parametrize("name", ["call-key-users", "close-the-loop", "find-out-why"])
def test_a_shipped_call_is_waited_for_and_followed_by_the_question_how_they_feel(name: str) -> None:
    """S4-30."""
    call, question = SHIPPED.playbooks[name].steps[:2]
    assert isinstance(call, TaskStep)
    assert call.wait_for_done is not None
    assert isinstance(question, AskStep)
    assert "sentiment" in question.questions


def test_a_conversation_about_low_use_ends_with_its_cause_and_asks_how_they_feel_at_once(scene: Stage) -> None:
    """S3-36, S4-25, S4-30."""
    run = scene.begin("find-out-why")
    scene.go(run)
    (call,) = scene.tasks()
    with scene.store.begin() as session, pytest.raises(Refused, match="say what the cause is"):
        tasks.finish(session, call.id, version=1, member=OWNER, answers={}, note="we spoke", at=scene.at)
    with scene.store.begin() as session:
        tasks.finish(
            session, call.id, version=1, member=OWNER, answers={}, note="", at=scene.at, cause="needs_training"
        )
    assert scene.outbox("wake")[0]["outcome"] == "satisfied"
    scene.go(run, "satisfied")
    asked = scene.tasks()[1]
    assert "sentiment" in asked.questions
    answers = dict.fromkeys(asked.questions, 2.0)
    with scene.store.begin() as session:
        seen = changed.read(session)
        changed.forget(session, seen)
        tasks.finish(session, asked.id, version=1, member=OWNER, answers=answers, note="", at=scene.at)
    with scene.store.read() as session:
        felt = select(PointRow.value).join(MetricRow, MetricRow.id == PointRow.metric_id)
        assert session.scalars(felt.where(MetricRow.name == "sentiment")).all() == [2.0]
        assert changed.read(session).accounts == (1,)
        causes = session.scalars(select(EventRow.fields).where(EventRow.name == "task_finished")).all()
    assert [fields["cause"] for fields in causes] == ["needs_training"]
