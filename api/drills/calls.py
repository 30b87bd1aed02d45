"""F15: receivers of webhooks that fail in twelve ways; and the files of playbooks that call."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from sqlalchemy import select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.hooks import Hooks
from api.drills.ledger import look_over
from api.drills.processes import Process, until
from api.drills.result import Found
from api.drills.site import Site
from engine.store.run_tables import DeliveryRow

_SECRET: Final = "whsec_" + "ZHJpbGwgZHJpbGwgZHJpbGwgZHJpbGwgZHJpbGw="
SHORT_DAY: Final = 864.0
"""Seconds of a day: pauses between attempts are a hundredth of what they are in earnest."""
_DEADLINE: Final = 20.0
_MEBIBYTES: Final = 64

EXPECTED: Final = {
    "ok": ("sent", 1),
    "500": ("sent", 2),
    "429": ("sent", 2),
    "silent": ("sent", 2),
    "drop": ("sent", 2),
    "drip": ("sent", 2),
    "huge": ("sent", 1),
    "bomb": ("sent", 1),
    "400": ("not_sent", 1),
    "410": ("not_sent", 1),
    "redirect": ("not_sent", 1),
    "tls": ("not_sent", 0),
    "refused": ("not_sent", 0),
}
"""What is to become of a call, and how many calls the receiver is to see. Two more attempts are allowed."""


def files(name: str, port: int, path: str = "ok") -> dict[str, str]:
    """A playbook that calls once, and its connection."""
    return texts.playbook(
        name, f"  - webhook: {{to: {_named(path)}, body: {{account: '{{{{ account.key }}}}'}}}}\n", messages=()
    ) | {"rules/connections.yaml": connections({path: port})}


def connections(ports: Mapping[str, int]) -> str:
    """A connection for each path, at its port."""
    same = 'kind: webhook, secret: "env:DRILL_SECRET", internal: true, retries: 2'
    lines = (f'  {_named(path)}: {{{same}, url: "{_url(path, port)}"}}\n' for path, port in ports.items())
    return "format: 1\nconnections:\n" + "".join(lines)


def settings(ports: Mapping[str, int]) -> dict[str, str]:
    """What an operator sets so that these may be called."""
    return {
        "BACKCAST_ALLOW_EGRESS": " ".join(_url(path, port) for path, port in ports.items()),
        "BACKCAST_BASE_URL": "http://drill.example",  # an installation does not call itself
        "DRILL_SECRET": _SECRET,
    }


def _named(path: str) -> str:
    return f"to-{path}"


def _url(path: str, port: int) -> str:
    return f"{'https' if path == 'tls' else 'http'}://127.0.0.1:{port}/{path}"


def receivers_fail(ground: Ground) -> Found:
    """F15: one call to each receiver; the same id on every attempt, a deadline, and memory that does not grow."""
    found = Found()
    hooks: Hooks = ground.keep(Hooks())
    paths = [path for path in EXPECTED if not ground.small or path in {"ok", "500", "410", "redirect"}]
    ports = {path: 1 if path == "refused" else hooks.port for path in paths}
    site = Site(ground, "site", ground.temporal().address, 0, settings(ports), day_seconds=SHORT_DAY)
    books = [
        texts.playbook(f"call-{path}", f"  - webhook: {{to: {_named(path)}, body: {{n: one}}}}\n", messages=())
        for path in paths
    ]
    site.publish(texts.workspace(*books, {"rules/connections.yaml": connections(ports)}))
    site.people(1, each=1)
    worker = site.worker()
    runs = {"ok": site.begin("call-ok")[0]}
    until(site.is_over, 120.0)
    before = _memory(worker)
    runs |= {path: site.begin(f"call-{path}")[0] for path in paths if path != "ok"}
    until(site.is_over, 240.0)
    for path in paths:
        _judge(found, site, hooks, path, runs[path])
    look_over(found, site)
    grown = _memory(worker) - before
    found.counts |= {"receivers": len(paths), "redirects_followed": hooks.canary, "memory_grown_by_mib": grown}
    found.require(hooks.canary == 0, f"a redirect was followed {hooks.canary} times")
    found.require(grown < 2 * _MEBIBYTES, f"the worker grew by {grown} MiB")
    return found


def _judge(found: Found, site: Site, hooks: Hooks, path: str, run: int) -> None:
    with site.store.read() as session:
        row = session.scalar(select(DeliveryRow).where(DeliveryRow.run_id == run))
        state, reason = (row.state, row.reason) if row else ("none", "")
    heard = hooks.attempts.get(path, [])
    gaps = [round(b - a, 1) for a, b in pairwise(heard)]
    ids = len(hooks.ids.get(path, ()))
    right = (state, len(heard)) == EXPECTED[path]
    shown = re.sub(r"127\.0\.0\.1:\d+", "…", reason)[:80]
    found.rows.append(
        {
            "receiver": path,
            "state": state,
            "calls_seen": len(heard),
            "ids": ids,
            "seconds_between": ", ".join(map(str, gaps)),
            "reason": shown.replace("|", "/"),
        }
    )
    found.require(right, f"{path}: {state} after {len(heard)} calls, not {EXPECTED[path]}: {shown}")
    found.require(ids <= 1, f"{path}: {ids} ids for one call")
    found.require(path != "429" or (bool(gaps) and gaps[0] >= 2.9), f"429: called again after {gaps}")
    late = path in {"silent", "drip"} and bool(gaps) and gaps[0] > _DEADLINE + 10.0
    found.require(not late, f"{path}: the attempt was given up after {gaps} s")


def _memory(process: Process) -> int:
    """The most memory a process has had, in MiB; 0 where the system does not say."""
    try:
        said = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    peak = re.search(r"VmHWM:\s+(\d+) kB", said)
    return int(peak[1]) // 1024 if peak else 0
