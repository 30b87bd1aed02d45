"""F35: the secret of a webhook is replaced while runs are under way."""

import base64
import hashlib
import hmac
from functools import partial
from typing import Final

from api.drills import calls, texts
from api.drills.ground import Ground
from api.drills.hooks import Hooks, Signed
from api.drills.ledger import account_for, done, look_over
from api.drills.processes import require, until
from api.drills.result import Found
from api.drills.site import Site
from workflows.channels.webhook import OLD

_PATIENCE: Final = 180.0
_BEFORE, _AFTER = b"drill before drill before drill.", b"drill after. drill after. drill."
_CALL: Final = "  - webhook: {to: to-ok, body: {account: '{{ account.key }}'}}\n"
_STEPS: Final = _CALL + ("  - wait: {at_most: 1d}\n" + _CALL) * 2
_CALLS: Final = 3


def replaced(ground: Ground) -> Found:
    """F35: runs that call three times, and between two calls the secret changes: old, then both, then new alone.

    A receiver may learn the new secret at any moment in which both sign: none of its calls is then unsigned to it.
    """
    runs, found = ground.pick(50, 3), Found()
    hooks: Hooks = ground.keep(Hooks())
    more = calls.settings({"ok": hooks.port})
    site = Site(ground, "site", ground.temporal().address, 0, more, day_seconds=ground.pick(30, 10))
    site.publish(
        texts.workspace(
            texts.playbook("calls", _STEPS, messages=()),
            {"rules/connections.yaml": calls.connections({"ok": hooks.port})},
        )
    )
    site.people(runs, each=1)
    site.begin("calls")
    before, after = _text(_BEFORE), _text(_AFTER)
    for number, (present, former) in enumerate(((before, ""), (after, before), (after, "")), 1):
        worker = site.worker(DRILL_SECRET=present, **{f"DRILL_SECRET{OLD}": former})
        require(partial(_has_heard, hooks, runs * number), _PATIENCE, f"not all runs made their call {number}")
        if number < _CALLS:
            worker.end()
    until(site.is_over, _PATIENCE)
    _judge(found, hooks.signed, runs)
    account_for(found, site, hooks.delivered, runs * _CALLS)
    look_over(found, site)
    found.counts |= {"runs": runs, "runs_done": done(site)}
    found.require(done(site) == runs, f"{runs - done(site)} runs did not end as done")
    return found


def _has_heard(hooks: Hooks, count: int) -> bool:
    return len(hooks.signed) >= count


def _judge(found: Found, signed: list[Signed], runs: int) -> None:
    failures = 0
    expected = (("old alone", {_BEFORE}), ("old and new", {_BEFORE, _AFTER}), ("new alone", {_AFTER}))
    for number, (while_, keys) in enumerate(expected):
        heard = signed[number * runs : (number + 1) * runs]
        old, new = (sum(_is_signed(one, key) for one in heard) for key in (_BEFORE, _AFTER))
        found.rows.append({"signed_by": while_, "calls": len(heard), "taken_with_the_old": old, "with_the_new": new})
        wrong = sum(any(_is_signed(one, key) is not (key in keys) for key in (_BEFORE, _AFTER)) for one in heard)
        failures += wrong
    found.counts["calls_signed_wrongly"] = failures
    found.require(failures == 0, f"{failures} calls were signed by the wrong keys")


def _is_signed(one: Signed, key: bytes) -> bool:
    """Whether a receiver with this key takes the call; by the public rule (Standard Webhooks), not by our code."""
    said = f"{one.webhook_id}.{one.timestamp}.{one.body}".encode()
    ours = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
    return f"v1,{ours}" in one.signatures


def _text(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()
