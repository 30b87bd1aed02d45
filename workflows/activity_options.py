"""Time-outs and retries of every activity, in one table.

Activities are named here too, because workflow code must not import them: with them would come the database.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig, LocalActivityConfig

RUN_STRETCH: Final = "run_stretch"
RECORD_ACT: Final = "record_act"
EVALUATE: Final = "evaluate"

DELIVERY_SUFFIX: Final = "-delivery"
"""Stretches that send something out run on the task queue of this ending."""

_MISTAKES: Final = (
    "AttributeError",
    "BadDefinition",
    "IndexError",
    "KeyError",
    "NotFound",
    "NotImplementedError",
    "Refused",
    "TypeError",
    "ValueError",
)
"""Trying again does not mend these; everything else (a busy database, a relay that is down) may pass."""

DATABASE_ONLY: Final = LocalActivityConfig(
    start_to_close_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        maximum_interval=timedelta(seconds=10),
        non_retryable_error_types=_MISTAKES,
    ),
)
"""A stretch, or the record of an act, that only touches our database. Retried for as long as the database is away."""

OUTWARD: Final = ActivityConfig(
    start_to_close_timeout=timedelta(minutes=10),
    # The worker beats while the activity runs, so a killed worker is noticed after this and not after ten minutes.
    heartbeat_timeout=timedelta(seconds=10),
    # A person who pauses or cancels waits for the attempt that is on the wire, never for the next one.
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1),
        maximum_interval=timedelta(minutes=10),
        maximum_attempts=40,
        non_retryable_error_types=_MISTAKES,
    ),
)
"""A stretch that sends something out: bounded (about five hours), then the run fails and a person is shown why."""

CYCLE: Final = ActivityConfig(
    start_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=5),
        maximum_attempts=5,
        non_retryable_error_types=_MISTAKES,
    ),
)
"""One evaluation cycle."""
