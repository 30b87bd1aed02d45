"""`EvaluationCycle`: one cycle of evaluation, started by a schedule or by hand. One activity does it all."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.activity_options import CYCLE, EVALUATE
    from workflows.payloads import CycleInput, CycleResult


@workflow.defn
class EvaluationCycle:
    """Facts in, decisions and due outcomes out; the counts come back."""

    @workflow.run
    async def run(self, wanted: CycleInput) -> CycleResult:
        """Evaluate once."""
        result: CycleResult = await workflow.execute_activity(EVALUATE, wanted, result_type=CycleResult, **CYCLE)
        return result
