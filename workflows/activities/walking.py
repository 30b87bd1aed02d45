"""Walking a stretch: line after line in one transaction, up to the next stop or to the next line that sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from engine.definitions.playbook import BranchStep
from engine.errors import Refused
from engine.running.lines import Line
from engine.store import runs, steps
from engine.terms import RunState, StepState, Verdict
from workflows.activities import mailing, saying
from workflows.activities.calling import Calling
from workflows.activities.delivering import Order
from workflows.activities.giving import give_task, set_value
from workflows.activities.leaving import Ending, end
from workflows.activities.mailing import Post
from workflows.activities.noting import note, who_skipped, worry
from workflows.activities.saying import Calls
from workflows.activities.scene import Scene
from workflows.activities.stopping import goes_on, stand
from workflows.payloads import StretchResult

BRANCHES: Final = (
    "The condition held.",
    "The condition did not hold.",
    "The condition could not be judged: data is missing.",
)
"""What is recorded of a branch, by arm; a stretch that is tried again reads its own decision from it."""

_POSTS: Final[Mapping[str, Callable[[Session, Scene, Line], Post | Calls]]] = {
    "report": mailing.report_post,
    "webhook": saying.post,
    "guide": saying.post,
    "note": saying.post,
    "notify": saying.notify,
}
_OVER: Final = frozenset({StepState.DONE, StepState.SKIPPED, StepState.FAILED})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The walk stands at line ``number``, whose messages, or calls, go out before it goes on."""

    number: int
    orders: tuple[Order | Calling, ...]

    @property
    def subject(self) -> str:
        """What it says, in a line."""
        return self.orders[0].subject


def walk(session: Session, scene: Scene, number: int) -> StretchResult | Outgoing:
    """Do the lines from ``number`` on. What has been done in an earlier attempt is not done again."""
    while True:
        line = scene.lines[number]
        if line.kind == "end":
            return end(session, scene, Ending(RunState.DONE, "All steps are done.", keeps_tasks=True))
        following = _move(session, scene, number)
        if following is None and not line.stops:
            post = _do(session, scene, line)
            if post is not None:
                return _go_out(session, scene, number, post)
            following = number + 1
        if following is None:
            return stand(session, scene, number)
        number = following


def _move(session: Session, scene: Scene, number: int) -> int | None:
    """Where a line leads without doing anything; None for a line that is to be done, or stood at."""
    line = scene.lines[number]
    if line.kind == "jump":
        return line.target
    if line.kind == "branch":
        return _branch(session, scene, line)
    state = steps.state_of(session, scene.run.id, line.step)
    if state not in _OVER and line.step in scene.skips:
        state = StepState.SKIPPED
        note(session, scene, line, state, who_skipped(session, scene, line.step))
    if line.kind == "fork" and state is StepState.SKIPPED:
        return line.target + 1
    if state in _OVER and line.kind not in {"fork", "join"}:
        return line.target if line.kind == "gate" and state is not StepState.DONE else number + 1
    return number + 1 if line.kind == "wait" and goes_on(session, scene, number) else None


def _do(session: Session, scene: Scene, line: Line) -> Post | Calls | None:
    """Do an instant line. Returns what it sends, if it sends."""
    try:
        if line.kind in {"task", "ask"}:
            give_task(session, scene, line)
            return None
        if line.kind == "set":
            set_value(session, scene, line)
            return None
        post = _POSTS.get(line.kind, mailing.post)(session, scene, line)
    except Refused as refused:
        note(session, scene, line, StepState.FAILED, str(refused))
        worry(session, scene, line.step, f"“{line.step}” was not done: {refused}")
        return None
    if post.orders or not post.nobody:
        return post if post.orders else None
    note(session, scene, line, StepState.SKIPPED, f"Nobody to write to: {post.nobody}.")
    if post.worry:
        worry(session, scene, line.step, f"nobody to write to for “{line.step}”: {post.nobody}")
    return None


def _go_out(session: Session, scene: Scene, number: int, post: Post | Calls) -> Outgoing:
    line = scene.lines[number]
    going = Outgoing(number, post.orders)
    runs.move(
        session,
        scene.run.id,
        state=RunState.ACTIVE,
        cursor=scene.whole(scene.cursor),
        sentence=f"Sends “{going.subject}”",
        at=scene.now,
    )
    note(session, scene, line, StepState.PENDING, "Is being sent.")
    return going


def _branch(session: Session, scene: Scene, line: Line) -> int:
    step = scene.meaning(line).step
    if not isinstance(step, BranchStep):
        raise TypeError(line.kind)
    before = next((one for one in steps.of_run(session, scene.run.id) if one.step == line.step), None)
    if before is not None and before.sentence in BRANCHES:
        return line.arms[BRANCHES.index(before.sentence)]
    if line.step in scene.skips or before is not None:
        if before is None:
            note(session, scene, line, StepState.SKIPPED, who_skipped(session, scene, line.step))
        return scene.lines[line.arms[1] - 1].target  # the jump behind the first arm leads behind the whole branch
    verdict = scene.sight.verdict(step.condition) if scene.sight else Verdict.UNKNOWN
    arm = {Verdict.HOLDS: 0, Verdict.FAILS: 1, Verdict.UNKNOWN: 2}[verdict]
    note(session, scene, line, StepState.DONE, BRANCHES[arm])
    return line.arms[arm]
