"""The activity that does a run's work: one stretch, from the line the run leaves to the next stop.

What only touches the database happens in one transaction together with the run's new state; messages go out between
two of them. Every step is written into the ledger of steps, so a stretch that is tried again does nothing twice.
"""

from dataclasses import replace
from datetime import datetime

from temporalio import activity

from engine.errors import EngineError
from engine.store import acts, runs
from engine.store.sessions import Store
from engine.terms import ActState, DeliveryState, RunState
from workflows.activities import posting, scene as scenes
from workflows.activities.calling import Calling, call
from workflows.activities.delivering import Order, deliver, undisturbed
from workflows.activities.leaving import Ending, end, ending, leave
from workflows.activities.moving import close_unread, record_move, stick
from workflows.activities.posting import Posted
from workflows.activities.scene import Scene
from workflows.activities.walking import Outgoing, walk
from workflows.channels.letter import Channel, Verdict
from workflows.channels.webhook import Caller
from workflows.crash_points import pass_by
from workflows.payloads import RecordActInput, StretchInput, StretchResult


class Stretches:
    """The activities of runs, with what they work on. ``base_url`` is where links in messages lead; ``replies`` where
    answers to them go (``reply+@example.com``: with a token of the message; empty: to the owner). ``caller``:
    what calls connections (None: nothing does)."""

    looking_at: datetime | None = None
    """The moment whose data a rehearsal looks at; None: the run's own."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        base_url: str,
        sender: str,
        replies: str = "",
        caller: Caller | None = None,
    ) -> None:
        self.store = store
        self.channel = channel
        self.base_url = base_url
        self.sender = sender
        self.replies = replies
        self.caller = caller

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
            going = self._go_on(scene, going, self._send(scene, going))
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

    def _send(self, scene: Scene, going: Outgoing) -> Posted:
        return posting.send(self._deliver, scene, going)

    def _deliver(self, order: Order | Calling, at: datetime) -> Verdict:
        if isinstance(order, Order):
            return deliver(self.store, self.channel, replace(order, reply_to=self.replies or order.reply_to), at)
        if self.caller is None:
            return Verdict(DeliveryState.NOT_SENT, "nothing is called from here", permanent=True)
        with undisturbed():
            return call(self.store, self.caller, order, at)

    def _go_on(self, scene: Scene, sent: Outgoing, posted: Posted) -> StretchResult | Outgoing:
        with self.store.begin() as session:
            if not posted.open:
                posting.write_down(session, scene, sent, posted)
                return walk(session, scene, sent.number + 1)
            if all(one.later for one in posted.open):
                return posting.put_off(session, scene, sent, posted.open)
            failure = posting.try_again(session, scene, sent, posted.open)
        raise failure


def _only_writes() -> bool:
    """Whether this is a local activity, which has no time to send: then the run comes back for it at once."""
    return activity.in_activity() and activity.info().is_local
