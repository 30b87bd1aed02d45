"""Whether this installation is alive, and whether it is ready: for whatever starts and watches it."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from api.dependencies import Now, TheStore
from engine.store import standing

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str


class Ready(BaseModel):
    """The database answers; ``waiting`` counts what Temporal has not been told for half a minute."""

    status: str
    waiting: int


@router.get("/healthz")
def alive() -> Alive:
    """Say that the process answers; asks nobody else."""
    return Alive(status="ok")


@router.get("/v1/health")
def ready(store: TheStore, at: Now) -> Ready:
    """Say whether the database answers and what waits; 503 when it does not."""
    with store.read() as session:
        session.execute(text("SELECT 1"))
        found = standing.read(session, at)
    return Ready(status="behind" if found.waiting else "ok", waiting=found.waiting)
