"""A relay that misbehaves, in every phase of the conversation (F11 to F14)."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import Entry, account_for, entries, look_over
from api.drills.processes import until
from api.drills.result import Figure, Found
from api.drills.sink import FAULTS, OPENINGS, Fault, Opening, Sink
from api.drills.site import Site
from engine.store.run_tables import DeliveryRow, RunRow
from engine.terms import DeliveryState

_PATIENCE: Final = 240.0
_WAITING: Final = 3.0
"""Seconds the workers wait for an answer of the relay: shorter than usual, because silence is part of the drill."""

_SENT, _DOUBT, _LATER, _NEVER = "sent", "ambiguous", "not sent, again later", "not sent, for good"
EXPECTED: Final = {
    "refused": {_LATER},
    "silent": {_LATER},
    "421": {_LATER},
    "drop": {_LATER},
    "mail_451": {_LATER},
    "mail_550": {_NEVER},
    "rcpt_451": {_LATER},
    "rcpt_550": {_NEVER},
    "data_451": {_LATER},
    "data_554": {_NEVER},
    "drop_at_data": {_LATER},
    "drop_in_body": {_LATER, _DOUBT},
    "drop_after_dot": {_DOUBT},
    "silent_after_dot": {_DOUBT},
    "lose_after_dot": {_DOUBT},
    "dot_451": {_LATER},
    "dot_554": {_NEVER},
    "drop_at_quit": {_SENT},
}
"""What is to be said of a letter after each fault. ``refused``: nobody listens at all. A relay that goes away within
the body may be noticed only at the dot, and then nobody knows."""


def every_phase(ground: Ground) -> Found:
    """F11: the relay fails in each of its phases; what is said of each letter is compared with what is true."""
    found = Found()
    faults: tuple[Fault, ...] = FAULTS if not ground.small else ("rcpt_550", "drop_after_dot", "dot_451")
    openings: tuple[Opening, ...] = OPENINGS if not ground.small else ("421",)
    judged: set[str] = set()
    sink: Sink = ground.keep(Sink(lambda to, _nth: "" if to.partition(".")[0] in judged else _named(to, faults)))
    site = _site(ground, sink.port, {"letter": ""})
    keys = list(site.accounts)
    for opening, key in zip(openings, keys[len(faults) + 1 :], strict=False):
        sink.opening = opening
        _judge(found, site, opening, site.begin("letter", [key]), sink)
        sink.opening = ""
    _refused(found, ground)
    began = {key: site.begin("letter", [key]) for key in keys[1 : len(faults) + 1]}
    for fault, (key, runs) in zip(faults, began.items(), strict=True):
        _judge(found, site, fault, runs, sink)
        judged.add(key)
    until(site.is_over, _PATIENCE)
    account_for(found, site, sink.delivered, len(site.runs))
    look_over(found, site)
    found.counts["faults"] = len(found.rows)
    found.counts["wrong_verdicts"] = sum(row["right"] == "no" for row in found.rows)
    return found


def _named(to: str, faults: tuple[Fault, ...]) -> Fault:
    """Account 1 has the first fault, account 2 the second, and so on."""
    number = int(to.removeprefix("account-").partition(".")[0])
    return faults[number - 1] if 1 <= number <= len(faults) else ""


def _site(ground: Ground, relay: int, books: dict[str, str], name: str = "site", accounts: int = 20) -> Site:
    site = Site(ground, name, ground.temporal().address, relay, {"BACKCAST_SMTP_SECONDS": str(_WAITING)})
    site.publish(texts.workspace(*(texts.letters(book, 1, more) for book, more in books.items())))
    site.people(accounts, each=1)
    site.worker()
    return site


def _refused(found: Found, ground: Ground) -> None:
    """Where nobody listens: an installation whose relay is a closed port."""
    site = _site(ground, 1, {"letter": ""}, "refused", 1)
    _judge(found, site, "refused", site.begin("letter"), None)


def _judge(found: Found, site: Site, fault: str, runs: list[int], sink: Sink | None) -> None:
    """Wait for the first verdict on the runs' letter; compare it with what is true at that moment."""
    verdict = ""

    def said() -> bool:
        nonlocal verdict
        verdict = _verdict(site, runs[0])
        return bool(verdict)

    until(said, 60.0)
    with site.store.read() as session:
        message = session.scalar(select(DeliveryRow.message_id).where(DeliveryRow.run_id == runs[0])) or ""
    arrived = sink.delivered[message] if sink else 0
    right = verdict in EXPECTED[fault]
    found.rows.append(
        {"fault": fault, "verdict": verdict or "none", "arrived": arrived, "right": "yes" if right else "no"}
    )
    found.require(right, f"{fault}: the letter is said to be {verdict or 'nothing'}")


def _verdict(site: Site, run: int) -> str:
    with site.store.read() as session:
        row = session.scalar(select(DeliveryRow).where(DeliveryRow.run_id == run))
        if row is None or row.decided_at is None:
            return ""
        if row.state == DeliveryState.NOT_SENT:
            return _NEVER if row.permanent else _LATER
        return {DeliveryState.SENT: _SENT, DeliveryState.AMBIGUOUS: _DOUBT}.get(DeliveryState(row.state), "")


def one_of_many(ground: Ground) -> Found:
    """F12: of a thousand recipients the relay refuses one for good; the others get theirs once."""
    each, accounts = (10, 100) if not ground.small else (4, 5)
    unwanted = f"account-3.2@{texts.MARKER}"
    sink: Sink = ground.keep(Sink(lambda to, _nth: "rcpt_550" if to == unwanted else ""))
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(texts.workspace(texts.letters("letter", 1)))
    site.people(accounts, each)
    site.begin("letter")
    site.worker()
    until(site.is_over, _PATIENCE)
    found = Found()
    account_for(found, site, sink.delivered, accounts * each)
    look_over(found, site)
    found.counts["offered_to_the_refused_one"] = sink.asked[unwanted]
    found.require(found.counts["sent"] == accounts * each - 1, f"{found.counts['sent']} letters were sent")
    found.require(sink.asked[unwanted] == 1, f"the refused letter was offered {sink.asked[unwanted]} times")
    return found


def after_the_dot(ground: Ground) -> Found:
    """F13: the relay goes away after the final dot for three letters in ten: half of these it has taken. The step says
    what then: hold (and show it), retry, or treat as sent."""
    found, count = Found(), ground.pick(300, 10)
    for policy in ("hold", "retry", "treat_as_sent"):
        sink: Sink = ground.keep(Sink(_three_in_ten))
        books = {"letter": f", on_ambiguous: {policy}"}
        began = time.monotonic()
        site = _site(ground, sink.port, books, policy, count)
        site.begin("letter")
        until(site.is_over, _PATIENCE)
        row = _outcome(entries(site), sink.delivered)
        found.rows.append({"on_ambiguous": policy, **row, "seconds": round(time.monotonic() - began, 1)})
        _require(found, policy, row, count)
        if policy == "hold":
            account_for(found, site, sink.delivered, count)
            found.take("ambiguous until on the page", _shown(site))
        look_over(found, site)
        ground.end_all()
    return found


def _three_in_ten(to: str, nth: int) -> Fault:
    """Of ten accounts the first is lost after the dot, the next two are taken, or lost, in turn. Only at first."""
    number = int(to.removeprefix("account-").partition(".")[0])
    if nth > 1 or number % 10 > 2:
        return ""
    return "lose_after_dot" if (number % 10 + number // 10) % 2 else "drop_after_dot"


def _outcome(ledger: tuple[Entry, ...], delivered: Counter[str]) -> dict[str, Figure]:
    count = Counter(one.state for one in ledger)
    return {
        "letters": len(ledger),
        "sent": count[DeliveryState.SENT],
        "ambiguous": count[DeliveryState.AMBIGUOUS],
        "not_sent": count[DeliveryState.NOT_SENT],
        "arrived_twice": sum(delivered[one.message_id] > 1 for one in ledger),
        "never_arrived": sum(delivered[one.message_id] == 0 for one in ledger),
    }


def _require(found: Found, policy: str, row: dict[str, Figure], count: int) -> None:
    cut = sum(_three_in_ten(f"account-{number}.0", 1) != "" for number in range(count))
    wanted = {
        "hold": row["ambiguous"] == cut and row["arrived_twice"] == 0,
        "retry": row["ambiguous"] == 0 and row["never_arrived"] == 0,
        "treat_as_sent": row["ambiguous"] == 0 and row["arrived_twice"] == 0 and row["sent"] == count,
    }
    found.require(row["letters"] == count, f"{policy}: the ledger has {row['letters']} letters of {count}")
    found.require(wanted[policy], f"{policy}: {cut} letters were cut off after the dot, and then: {row}")


def _shown(site: Site) -> list[float]:
    """How long it took from the wire to the verdict that puts a letter on the page."""
    with site.store.read() as session:
        ambiguous = DeliveryRow.state == DeliveryState.AMBIGUOUS.value
        rows = session.execute(select(DeliveryRow.claimed_at, DeliveryRow.decided_at).where(ambiguous)).all()
    return [(decided - claimed).total_seconds() for claimed, decided in rows if decided is not None]


def slow(ground: Ground) -> Found:
    """F14: the relay answers a byte a second, to many letters at once; runs that only give tasks are not held up."""
    many, few = ground.pick(120, 12), ground.pick(40, 8)
    sink: Sink = ground.keep(Sink(lambda _to, _nth: "slow", pace=1.0))
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(
        texts.workspace(texts.letters("letter", 1), texts.playbook("task", "  - task: {title: Call them, to: owner}"))
    )
    site.people(many, each=1)
    letters = site.begin("letter")
    site.worker()
    until(lambda: len(sink.taken) >= min(many, 10), 60.0)
    tasks = site.begin("task", list(site.accounts)[:few])
    until(_ended(site, tasks), 120.0)
    meanwhile = len(sink.taken)
    until(site.is_over, _PATIENCE)
    found = Found()
    account_for(found, site, sink.delivered, len(letters))
    look_over(found, site)
    waits = _durations(site, tasks)
    found.take("a run that gives a task, meanwhile", waits)
    found.counts |= {"letters_on_the_wire_or_gone_meanwhile": meanwhile, "task_runs": few}
    found.require(len(waits) == few, f"{few - len(waits)} of {few} task runs did not end")
    found.require(max(waits, default=0.0) < 10.0, f"a task waited {max(waits, default=0.0):.0f} s behind slow letters")
    return found


def _ended(site: Site, runs: list[int]) -> Callable[[], bool]:
    return lambda: len(_durations(site, runs)) == len(runs)


def _durations(site: Site, runs: list[int]) -> list[float]:
    with site.store.read() as session:
        asked = select(RunRow.requested_at, RunRow.ended_at).where(RunRow.id.in_(runs), RunRow.ended_at.is_not(None))
        return [(ended - began).total_seconds() for began, ended in session.execute(asked) if ended is not None]
