"""The activity that does a run's work: one stretch, from the line the run leaves to the next stop.

What only touches the database happens in one transaction together with the run's new state; messages go out between
two of them. Every step is written into the ledger of steps, so a stretch that is tried again does nothing twice.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from engine.errors import EngineError
from engine.store import acts, runs
from engine.store.sessions import Store
from engine.terms import ActState, DeliveryState, RunState, StepState
from workflows.activities import scene as scenes
from workflows.activities.delivering import deliver
from workflows.activities.leaving import Ending, end, ending, leave
from workflows.activities.moving import close_unread, record_move, stick
from workflows.activities.noting import note, worry
from workflows.activities.scene import Scene
from workflows.activities.walking import Outgoing, walk
from workflows.channels.letter import Channel, Verdict
from workflows.crash_points import pass_by
from workflows.payloads import RecordActInput, StretchInput, StretchResult


class Stretches:
    """The activities of runs, with what they work on. ``base_url`` is where links in messages lead."""

    looking_at: datetime | None = None
    """The moment whose data a rehearsal looks at; None: the run's own."""

    def __init__(self, store: Store, channel: Channel, base_url: str, sender: str) -> None:
        self.store = store
        self.channel = channel
        self.base_url = base_url
        self.sender = sender

    @activity.defn
    def run_stretch(self, wanted: StretchInput) -> StretchResult:
        """Leave the line the run stands at and work on to the next stop.

        Raises ApplicationError (worth another try) when a message could not be sent for now.
        """
        try:
            with self.store.read() as session:
                scene = scenes.load(session, wanted, self.base_url, self.sender, self.looking_at)
        except EngineError as error:
            if wanted.outcome not in {"cancelled", "failed", "overdue"}:
                raise
            return self._close_unread(wanted, error)
        going = self._begin(scene)
        pass_by("after_verdict")
        while isinstance(going, Outgoing):
            if _only_writes():
                return StretchResult(going.number, "wait", wanted.now)
            verdicts = [deliver(self.store, self.channel, order, scene.now) for order in going.orders]
            going = self._go_on(scene, going, verdicts)
        pass_by("before_result")
        return going

    @activity.defn
    def record_act(self, wanted: RecordActInput) -> None:
        """Write that a person's act has taken effect; pausing and resuming change the run's state."""
        at = datetime.fromisoformat(wanted.now)
        with self.store.begin() as session:
            acts.mark(session, wanted.act_id, ActState.APPLIED, "", at)
            record_move(session, wanted.run_id, wanted.kind, wanted.jumps, at)

    def _close_unread(self, wanted: StretchInput, error: EngineError) -> StretchResult:
        state = RunState.CANCELLED if wanted.outcome == "cancelled" else RunState.FAILED
        at = datetime.fromisoformat(wanted.now)
        with self.store.begin() as session:
            return StretchResult(close_unread(session, wanted.run_id, wanted.cursor, state, str(error), at), "end")

    def _begin(self, scene: Scene) -> StretchResult | Outgoing:
        with self.store.begin() as session:
            if not runs.hold(session, scene.run.id).state.is_open:
                return StretchResult(len(scene.lines) - 1, "end")
            if scene.outcome == "stuck":
                return stick(session, scene)
            start = ending(session, scene) or leave(session, scene)
            return end(session, scene, start) if isinstance(start, Ending) else walk(session, scene, start)

    def _go_on(self, scene: Scene, sent: Outgoing, verdicts: Sequence[Verdict]) -> StretchResult | Outgoing:
        later = [one for one in verdicts if one.state is DeliveryState.NOT_SENT and not one.permanent]
        with self.store.begin() as session:
            if not later:
                _write_down(session, scene, sent, verdicts)
                return walk(session, scene, sent.number + 1)
            _write_delay(session, scene, later[0].reason)
        raise ApplicationError(f"could not send yet: {later[0].reason}", type="NotSent")


def _only_writes() -> bool:
    """Whether this is a local activity, which has no time to send: then the run comes back for it at once."""
    return activity.in_activity() and activity.info().is_local


def _write_down(session: Session, scene: Scene, sent: Outgoing, verdicts: Sequence[Verdict]) -> None:
    """What became of a line's messages. One that went, or may have gone, makes the step done."""
    line = scene.lines[sent.number]
    refused = [one.reason for one in verdicts if one.state is DeliveryState.NOT_SENT]
    doubtful = sum(one.state is DeliveryState.AMBIGUOUS for one in verdicts)
    went = len(verdicts) - len(refused)
    parts = [f"“{sent.orders[0].subject}” went to {went} of {len(verdicts)} people."]
    parts += [f"{doubtful} may or may not have arrived: see the inbox."] if doubtful else []
    parts += [f"Not sent: {'; '.join(sorted(set(refused)))}."] if refused else []
    note(session, scene, line, StepState.DONE if went else StepState.FAILED, " ".join(parts))
    if not went:
        worry(session, scene, line.step, f"“{sent.orders[0].subject}” was sent to nobody: {refused[0]}")


def _write_delay(session: Session, scene: Scene, reason: str) -> None:
    run = runs.hold(session, scene.run.id)
    if run.state in {RunState.ACTIVE, RunState.WAITING}:
        sentence = f"Could not send yet: {reason}"
        runs.move(session, run.id, state=RunState.ACTIVE, cursor=run.cursor, sentence=sentence, at=scene.now)
