"""The words of the glossary that are closed lists, and the two scales everything is counted in.

Every list here is spelled the same in YAML, in tables, over HTTP and on pages. Nothing here computes.
"""

from enum import IntEnum, StrEnum
from typing import Final

MICRO: Final = 1_000_000
"""Micro-points in one score point: a score of 69.3 is 69_300_000."""


class Verdict(IntEnum):
    """What a condition says of one account. ``UNKNOWN`` is a third answer, never a kind of false."""

    FAILS = -1
    UNKNOWN = 0
    HOLDS = 1


class Tier(StrEnum):
    """The three bands of a score, from the one that needs help to the one that does not."""

    REQUIRES_ATTENTION = "requires_attention"
    TAKE_NOTICE = "take_notice"
    DOING_WELL = "doing_well"

    @property
    def label(self) -> str:
        """The name people see, exactly as the articles spell it."""
        return self.value.replace("_", " ").title()


class ChallengeKind(StrEnum):
    """Why a rule exists."""

    RISK = "risk"
    GOAL = "goal"
    OPPORTUNITY = "opportunity"


class Mode(StrEnum):
    """How much of an action waits for a person."""

    AUTOMATIC = "automatic"
    APPROVE = "approve"
    VETO = "veto"
    MANUAL = "manual"


class DecisionKind(StrEnum):
    """What the engine decided for one account and one experiment."""

    START = "start"
    REFUSE = "refuse"
    HOLD_OUT = "hold_out"


class Reason(StrEnum):
    """Why a decision is a refusal, in the order in which the reasons are asked (design §6)."""

    STOPPED = "account_stopped"
    CHURNED = "account_churned"
    SUPPRESSED = "legal_suppression"
    EXCLUDED = "excluded"
    SNOOZED = "snoozed"
    EXISTING = "existing_ignored"
    NO_ACTION = "no_action_applies"
    OPEN_RUN = "open_run"
    SUPERSEDED = "superseded"
    RE_ENTRY = "re_entry"
    COOLDOWN = "cooldown"
    BLAST_RADIUS = "blast_radius"
    HELD_OUT_ELSEWHERE = "held_out_for_this_playbook"


class Arm(StrEnum):
    """The side of an experiment an account is on.

    ``EXEMPT``: treated without being drawn (``hold_out.except``). Its outcome is judged, but it is in no comparison:
    nobody like it was held out.
    """

    TREATED = "treated"
    HELD_OUT = "held_out"
    EXEMPT = "exempt"


class OutcomeState(StrEnum):
    """What became of an account after a decision. ``UNKNOWN``: the data to judge it is missing."""

    DUE = "due"
    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


class RunState(StrEnum):
    """Where a run is. The last three are final; the others count as open."""

    REQUESTED = "requested"
    ACTIVE = "active"
    WAITING = "waiting"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether anything can still happen in the run."""
        return self not in {RunState.DONE, RunState.FAILED, RunState.CANCELLED}


class StepState(StrEnum):
    """What happened to one step of a run."""

    PENDING = "pending"
    DONE = "done"
    WAITING = "waiting"
    SKIPPED = "skipped"
    FAILED = "failed"


class DeliveryState(StrEnum):
    """Where a delivery is. ``AMBIGUOUS``: it may have arrived, so only a person sends it again."""

    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    NOT_SENT = "not_sent"
    AMBIGUOUS = "ambiguous"


class ApprovalState(StrEnum):
    """Where an approval is. Only ``PENDING`` can still be decided."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class RunAct(StrEnum):
    """What a person can do to an open run."""

    APPROVE = "approve"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    SKIP = "skip"
    JUMP = "jump"
    RETRY = "retry"
    CANCEL = "cancel"
    TASK_DONE = "task_done"


class ActState(StrEnum):
    """Whether a person's act has taken effect in its run yet."""

    PENDING = "pending"
    APPLIED = "applied"
    NOT_APPLIED = "not_applied"


class TaskState(StrEnum):
    """Where a task is."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class ReportState(StrEnum):
    """Where a report is. Only ``APPROVED`` can be opened by its link."""

    DRAFT = "draft"
    APPROVED = "approved"
    REVOKED = "revoked"


class OutboxKind(StrEnum):
    """What the outbox carries to Temporal."""

    START = "start"
    UPDATE = "update"
    WAKE = "wake"


class Frequency(StrEnum):
    """How often somebody wants to hear of what can wait."""

    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


class BundleAct(StrEnum):
    """What was done with a bundle. All but ``PROPOSED`` put it in force; ``LOADED``: by a process at its start."""

    LOADED = "loaded"
    APPLIED = "applied"
    ROLLED_BACK = "rolled_back"
    PROPOSED = "proposed"


class Role(StrEnum):
    """What a member may do; several are possible."""

    ADMIN = "admin"
    AUTHOR = "author"
    CSM = "csm"
    VIEWER = "viewer"
