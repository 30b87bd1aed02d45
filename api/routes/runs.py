"""Runs as JSON: where one stands."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.dependencies import Allowed, Pass, Reading
from api.described import SESSION
from engine.store.run_page import run_page

router = APIRouter(prefix="/v1/runs", tags=["runs"], dependencies=[SESSION])


class StepAnswer(BaseModel):
    """One line of a run; ``state`` is null where the run has not been."""

    step: str
    kind: str
    state: str | None
    at: datetime | None
    current: bool


class RunAnswer(BaseModel):
    """Where a run stands, and the definitions it was begun with."""

    id: int
    account: str
    rule: str
    playbook: str
    state: str
    why: str
    bundle: str
    steps: list[StepAnswer]


@router.get("/{run_id}")
def run(run_id: int, session: Reading, allowed: Annotated[Pass, Depends(Allowed("run", "read"))]) -> RunAnswer:
    """One run with its steps."""
    found = run_page(session, run_id, allowed.owner)
    return RunAnswer(
        id=found.id,
        account=found.account.key,
        rule=found.rule,
        playbook=found.playbook,
        state=found.state.value,
        why=found.why.sentence,
        bundle=found.bundle,
        steps=[
            StepAnswer(
                step=line.step,
                kind=line.kind,
                state=line.state.value if line.state else None,
                at=line.at,
                current=line.current,
            )
            for line in found.lines
        ],
    )
