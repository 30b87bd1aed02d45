"""What a run does with time, people and wakes: on the real server, with activities that only remember."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from engine.definitions.problem import BadDefinition
from engine.errors import NotFound
from engine.running.lines import Line
from engine.running.ways import Jump
from tests.workflows.stage import OnStage
from tests.workflows.standings import TWO_ROWS
from workflows.payloads import Wake

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.temporal]

WAITING = [
    Line("task", "call"),
    Line("wait", "pause", days=7),
    Line("task", "ask"),
    Line("end", "end"),
]
GATED = [
    Line("task", "prepare"),
    Line("gate", "yes", target=3, days=2),
    Line("email", "write", outward=True),
    Line("end", "end"),
]
CAMPAIGN = [
    line
    for number in range(5)
    for line in (Line("lesson", f"c/{number}", outward=True), Line("wait", f"c/{number}/wait", days=3))
] + [Line("end", "end")]


async def test_a_wait_ends_when_its_time_is_over(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin()
        assert await run.result() == 3
        assert stage.recorder.outcomes == ["begin", "elapsed"]
        assert stage.recorder.days == [0, 7]


async def test_a_campaign_of_fifteen_days_keeps_its_rhythm(on_stage: OnStage) -> None:
    async with on_stage(CAMPAIGN) as stage:
        run = await stage.begin()
        assert await run.result() == 10
        assert stage.recorder.days == [0, 3, 6, 9, 12, 15]


async def test_a_wake_ends_the_wait_it_names(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("satisfied", "another"))
        await stage.forward(run, 3)
        await run.signal("wake", Wake("satisfied", "pause"))
        await run.result()
        assert stage.recorder.outcomes == ["begin", "satisfied"]
        assert stage.recorder.days == [0, 3]


async def test_a_wake_that_comes_before_its_wait_is_kept(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        stage.recorder.hold.clear()
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("satisfied", "pause"))
        stage.recorder.hold.set()
        await run.result()
        assert stage.recorder.outcomes == ["begin", "satisfied"]


async def test_an_exit_closes_the_run_wherever_it_stands(on_stage: OnStage) -> None:
    async with on_stage(GATED) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("exit"))
        await run.result()
        assert stage.recorder.outcomes == ["begin", "exit"]


@pytest.mark.parametrize(("kind", "outcome"), [("approve", "approved"), ("reject", "rejected"), ("skip", "skipped")])
async def test_a_gate_opens_the_way_a_person_decides(on_stage: OnStage, kind: str, outcome: str) -> None:
    async with on_stage(GATED) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        answer = await stage.act(run, kind, "yes")
        await run.result()
        assert (answer.applied, answer.cursor) == (True, 1)
        assert stage.recorder.outcomes == ["begin", outcome]
        assert [(act.act_id, act.kind) for act in stage.recorder.acts] == [(1, kind)]


async def test_a_gate_nobody_answers_expires(on_stage: OnStage) -> None:
    async with on_stage(GATED) as stage:
        run = await stage.begin()
        await run.result()
        assert stage.recorder.outcomes == ["begin", "expired"]
        assert stage.recorder.days == [0, 2]


async def test_an_approval_ahead_of_the_news_that_the_run_stands_there_waits_for_it(on_stage: OnStage) -> None:
    async with on_stage(GATED) as stage:
        stage.recorder.hold.clear()
        run = await stage.begin_by_hand()
        await stage.stands(1)
        early = asyncio.create_task(stage.act(run, "approve", "yes"))
        await asyncio.sleep(0.1)
        stage.recorder.hold.set()
        assert (await early).applied
        await run.result()
        assert stage.recorder.outcomes == ["begin", "approved"]


async def test_the_same_act_sent_twice_takes_effect_once(on_stage: OnStage) -> None:
    async with on_stage(GATED) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        first = await stage.act(run, "pause")
        assert await stage.act(run, "pause") == first
        assert len(stage.recorder.acts) == 1


async def test_a_paused_run_lets_its_time_pass_and_moves_on_when_resumed(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await stage.forward(run, 30)
        assert stage.recorder.outcomes == ["begin"]
        await stage.act(run, "resume", number=2)
        await run.result()
        assert stage.recorder.outcomes == ["begin", "resumed", "elapsed"]
        assert stage.recorder.days == [0, 30, 30]


async def test_what_comes_while_paused_is_applied_on_resume(on_stage: OnStage) -> None:
    async with on_stage(GATED) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await stage.act(run, "approve", "yes", number=2)
        await stage.act(run, "resume", number=3)
        await run.result()
        assert stage.recorder.outcomes == ["begin", "approved"]


async def test_a_step_still_ahead_can_be_skipped(on_stage: OnStage) -> None:
    async with on_stage(CAMPAIGN) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "skip", "c/2", number=1)
        await stage.act(run, "skip", "c/1/wait", number=2)
        await stage.forward(run, 16)
        await run.result()
        assert stage.recorder.stretches[-1].skips == ["c/2", "c/1/wait"]
        assert stage.recorder.outcomes == ["begin", "elapsed", "skipped", "elapsed", "elapsed", "elapsed"]


async def test_cancelling_closes_a_paused_run(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await stage.act(run, "cancel", number=2)
        await run.result()
        assert stage.recorder.outcomes == ["begin", "cancelled"]


@pytest.mark.parametrize(
    ("kind", "step", "sentence"),
    [
        ("approve", "yes", 'the run does not stand at the approval "yes"'),
        ("resume", "", "the run is not paused"),
        ("skip", "call", 'the step "call" is not ahead of this run'),
        ("dance", "", 'there is no act "dance"'),
    ],
)
async def test_a_stale_act_is_refused_without_a_trace(on_stage: OnStage, kind: str, step: str, sentence: str) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await stage.act(run, "resume", number=2)
        before = len((await run.fetch_history()).events)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await stage.act(run, kind, step, number=3)
        assert isinstance(refused.value.cause, ApplicationError)
        assert (refused.value.cause.type, refused.value.cause.message) == ("refused", sentence)
        assert len((await run.fetch_history()).events) == before


async def test_a_pause_interrupts_a_relay_that_is_down_and_the_stretch_is_done_after_resume(on_stage: OnStage) -> None:
    async with on_stage([Line("email", "write", outward=True), Line("end", "end")]) as stage:
        stage.recorder.failures = [RuntimeError("the relay is down")] * 3
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await asyncio.sleep(0.1)
        await stage.act(run, "pause", number=1)
        tried = len(stage.recorder.stretches)
        stage.recorder.failures.clear()
        await asyncio.sleep(0.2)
        assert len(stage.recorder.stretches) == tried
        await stage.act(run, "resume", number=2)
        await run.result()
        assert set(stage.recorder.outcomes) == {"begin"}


async def test_cancelling_does_not_wait_for_a_relay_that_is_down(on_stage: OnStage) -> None:
    async with on_stage([Line("email", "write", outward=True), Line("end", "end")]) as stage:
        stage.recorder.failures = [RuntimeError("the relay is down")]
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await asyncio.sleep(0.1)
        await stage.act(run, "cancel")
        await run.result()
        assert stage.recorder.outcomes[-1] == "cancelled"


@pytest.mark.parametrize("failure", [KeyError("no such message"), NotFound("no such bundle"), BadDefinition([])])
async def test_a_stretch_that_can_never_work_leaves_the_run_open_for_a_week_and_then_fails(
    on_stage: OnStage, failure: Exception
) -> None:
    async with on_stage(WAITING) as stage:
        stage.recorder.failures = [failure]
        run = await stage.begin()
        await run.result()
        assert stage.recorder.outcomes == ["begin", "stuck", "failed"]
        assert stage.recorder.days == [0, 0, 7]


async def test_a_long_run_continues_as_new_with_all_it_knows(on_stage: OnStage) -> None:
    async with on_stage(CAMPAIGN) as stage:
        run = await stage.begin_by_hand(skips=["c/3"], longest_history=12)
        first = (await run.describe()).run_id
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await run.signal("wake", Wake("satisfied", "c/0/wait"))
        await stage.act(run, "resume", number=2)
        await stage.forward(run, 4)
        await stage.stands(3)
        assert (await run.describe()).run_id != first
        assert stage.recorder.stretches[-1].skips == ["c/3"]


async def test_a_run_that_is_told_much_while_it_stands_still_continues_as_new(on_stage: OnStage) -> None:
    async with on_stage(CAMPAIGN) as stage:
        run = await stage.begin_by_hand(longest_history=30)
        first = (await run.describe()).run_id
        await stage.stands(1)
        for number in range(20):
            await run.signal("wake", Wake("satisfied", f"nothing/{number}"))
            await stage.act(run, "pause" if number % 2 == 0 else "resume", number=number + 1)
        described = await run.describe()
        assert described.run_id != first
        assert described.history_length <= 60


async def test_rows_beside_each_other_each_keep_their_time_and_join(on_stage: OnStage) -> None:
    async with on_stage(TWO_ROWS) as stage:
        run = await stage.begin()
        assert await run.result() == len(TWO_ROWS) - 1
        assert stage.recorder.outcomes == [
            "begin",
            "elapsed",
            "begin",
            "begin",
            "expired",
            "elapsed",
            "joined",
            "elapsed",
        ]
        assert stage.recorder.days == [0, 1, 1, 1, 3, 6, 6, 9]
        assert [wanted.fork for wanted in stage.recorder.stretches] == [-1, -1, 2, 2, 2, 2, -1, -1]


async def test_what_comes_for_one_row_moves_that_row_alone(on_stage: OnStage) -> None:
    async with on_stage(TWO_ROWS) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("satisfied", "first"))
        await stage.stands(4)
        await stage.act(run, "approve", "yes", 1)
        await run.signal("wake", Wake("satisfied", "call/wait"))
        await stage.stands(7)
        await run.signal("wake", Wake("exit"))
        await run.result()
        assert stage.recorder.outcomes[4:] == ["approved", "satisfied", "joined", "exit"]


async def test_going_back_repeats_what_lies_between_under_new_names(on_stage: OnStage) -> None:
    """S2-39."""
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "jump", "call", 1)
        await stage.stands(2)
        assert stage.recorder.acts[-1].jumps == [Jump(0, 1)]
        await run.signal("wake", Wake("satisfied", "pause"))
        await run.signal("wake", Wake("satisfied", "pause#2"))
        await run.result()
        assert stage.recorder.outcomes == ["begin", "jumped", "satisfied"]


async def test_a_run_that_is_stuck_goes_on_when_somebody_tries_again(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        stage.recorder.failures = [KeyError("no such message")]
        run = await stage.begin_by_hand()
        await stage.stands(2)
        await stage.act(run, "retry", number=1)
        await stage.stands(3)
        await run.signal("wake", Wake("satisfied", "pause"))
        await run.result()
        assert stage.recorder.outcomes == ["begin", "stuck", "begin", "satisfied"]


async def test_a_run_ends_when_its_longest_time_is_over_even_while_it_is_paused(on_stage: OnStage) -> None:
    async with on_stage([*WAITING[:-1], Line("end", "end", days=5)]) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await stage.act(run, "pause", number=1)
        await stage.forward(run, 6)
        await run.result()
        assert stage.recorder.outcomes == ["begin", "overdue"]
        assert stage.recorder.days == [0, 5]


async def test_a_wait_whose_date_has_moved_is_looked_at_again(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("again", "pause"))
        await stage.stands(2)
        await stage.forward(run, 8)
        await run.result()
        assert stage.recorder.outcomes == ["begin", "again", "elapsed"]


async def test_a_wake_that_is_there_before_the_run_is_kept(on_stage: OnStage) -> None:
    async with on_stage(WAITING) as stage, stage.by_hand():
        run = await stage.begin(Wake("satisfied", "pause"))
        await run.result()
        assert stage.recorder.outcomes == ["begin", "satisfied"]


async def test_rows_continue_as_new_with_everything_they_know(on_stage: OnStage) -> None:
    async with on_stage(TWO_ROWS) as stage:
        run = await stage.begin_by_hand(longest_history=12)
        first = (await run.describe()).run_id
        await stage.stands(1)
        await run.signal("wake", Wake("satisfied", "first"))
        await stage.stands(4)
        await stage.act(run, "jump", "call", 1)
        await stage.stands(5)
        await run.signal("wake", Wake("satisfied", "call/wait"))
        await stage.forward(run, 6)
        await stage.stands(8)
        assert (await run.describe()).run_id != first
        assert stage.recorder.outcomes[4:] == ["jumped", "expired", "elapsed", "joined"]


async def test_acts_on_several_rows_at_once_are_taken_one_after_another(on_stage: OnStage) -> None:
    async with on_stage(TWO_ROWS) as stage:
        run = await stage.begin_by_hand()
        await stage.stands(1)
        await run.signal("wake", Wake("satisfied", "first"))
        await stage.stands(4)
        await asyncio.gather(stage.act(run, "approve", "yes", 1), stage.act(run, "skip", "call/wait", 2))
        await stage.stands(6)
        await stage.act(run, "skip", "last", 3)
        await run.result()
        assert set(stage.recorder.outcomes[4:-2]) == {"approved", "skipped"}
        assert stage.recorder.outcomes[-2:] == ["joined", "skipped"]


async def test_of_a_yes_and_a_no_that_come_at_once_one_takes_effect_and_the_other_is_told_so(on_stage: OnStage) -> None:
    """Both pass the validator while the stretch that leads to the approval is at work; the handler asks again."""
    async with on_stage(GATED) as stage:
        stage.recorder.hold.clear()
        run = await stage.begin_by_hand()
        await stage.stands(1)
        both = [
            asyncio.create_task(stage.act(run, kind, "yes", number)) for number, kind in ((1, "approve"), (2, "reject"))
        ]
        await asyncio.sleep(0.2)
        stage.recorder.hold.set()
        answers = await asyncio.gather(*both, return_exceptions=True)
        await run.result()
        refused = [answer for answer in answers if isinstance(answer, WorkflowUpdateFailedError)]
        assert len(refused) == len(stage.recorder.acts) == 1
        assert isinstance(refused[0].cause, ApplicationError)
        taken = {"approve": "approved", "reject": "rejected"}[stage.recorder.acts[0].kind]
        assert refused[0].cause.message in {
            f'the approval "yes" is already {taken}',
            'the run does not stand at the approval "yes"',
        }
        assert stage.recorder.outcomes == ["begin", taken]
