"""People who decide, opt out and stop things while everything is at work (F24, F28, F29)."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from api.drills import texts
from api.drills.ground import Ground
from api.drills.ledger import account_for, entries, look_over, states
from api.drills.member import sign_in
from api.drills.processes import require, until
from api.drills.result import Found
from api.drills.sink import Sink
from api.drills.site import OWNER, Site, Web, now
from engine.store import holds, releasing, suppressions
from engine.store.run_tables import ActRow, ApprovalRow, DeliveryRow, SuppressionRow
from engine.terms import ApprovalState, DeliveryState

_THREADS: Final = 8
_PATIENCE: Final = 240.0
_IN_FLIGHT: Final = timedelta(seconds=1)
GATED: Final = """  - approve:
      by: owner
      expires: 30d
      on_expiry: skip
      steps:
        - email: {to: champion, message: hello}
"""
"""A letter that waits for the owner's yes."""


def decided_at_once(ground: Ground) -> Found:
    """F24: eight clicks on each approval in the same moment, yes and no; some contacts opt out before."""
    count, found = ground.pick(300, 6), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(texts.workspace(texts.playbook("gated", GATED)))
    site.people(count, each=1)
    site.begin("gated")
    site.worker()
    web = site.web()
    require(lambda: _pending(site) == count, _PATIENCE, "not all approvals were asked for")
    opted_out = _opt_out(site, list(site.accounts)[:: ground.pick(10, 3)])
    answers = _click(ground, site, web)
    until(site.is_over, _PATIENCE)
    _winners(found, site, answers)
    approved = _in_state(site, ApprovalState.APPROVED)
    account_for(found, site, sink.delivered, approved)
    look_over(found, site)
    wrong = sum(one.to in opted_out for one in sink.taken)
    again = _click_once(site, web)
    found.counts |= {"approvals": count, "clicks": sum(map(len, answers.values())), "approved": approved}
    found.counts |= {"opted_out": len(opted_out), "sent_to_opted_out": wrong}
    found.require(wrong == 0, f"{wrong} letters went to people who had opted out before the yes")
    found.require(again == 409, f"a click after the end was answered with {again}, not 409")
    return found


def _pending(site: Site) -> int:
    return _in_state(site, ApprovalState.PENDING)


def _in_state(site: Site, state: ApprovalState) -> int:
    with site.store.read() as session:
        return (
            session.scalar(select(func.count()).select_from(ApprovalRow).where(ApprovalRow.state == state.value)) or 0
        )


def _opt_out(site: Site, keys: list[str]) -> set[str]:
    """The champions of these accounts want nothing any more."""
    addresses = {f"{key}.0@{texts.MARKER}" for key in keys}
    with site.store.begin() as session:
        for address in sorted(addresses):
            suppressions.suppress(session, address, suppressions.ALL, "a drill", now())
    return addresses


def _click(ground: Ground, site: Site, web: Web) -> dict[int, list[tuple[int, str]]]:
    """Eight clicks on each approval, from eight threads at once: status and what was clicked."""
    browser = sign_in(site)
    with site.store.read() as session:
        rows = session.execute(select(ApprovalRow.id, ApprovalRow.version)).all()
    clicks = [ground.random.choice(("approve", "reject")) for _ in range(_THREADS)]
    answers: dict[int, list[tuple[int, str]]] = {}
    with ThreadPoolExecutor(_THREADS) as threads:
        for number, version in rows:
            path = f"/approvals/{number}"
            sent = [
                threads.submit(browser.post, web, f"{path}/{word}", version=version, reason="a drill")
                for word in clicks
            ]
            answers[number] = [(one.result()[0], word) for one, word in zip(sent, clicks, strict=True)]
    return answers


def _click_once(site: Site, web: Web) -> int:
    with site.store.read() as session:
        number, version = session.execute(select(ApprovalRow.id, ApprovalRow.version)).first() or (0, 0)
    return sign_in(site).post(web, f"/approvals/{number}/approve", version=version, reason="too late")[0]


def _winners(found: Found, site: Site, answers: dict[int, list[tuple[int, str]]]) -> None:
    """Exactly one click on each approval counts, and it is the one the row says."""
    with site.store.read() as session:
        decided = {one.id: one.state for one in session.scalars(select(ApprovalRow))}
        acts = Counter(session.scalars(select(ActRow.run_id)))
    none = many = other = 0
    for number, clicks in answers.items():
        won = [word for status, word in clicks if status == 200]
        none += not won
        many += len(won) > 1
        other += len(won) == 1 and decided[number] != {"approve": "approved", "reject": "rejected"}[won[0]]
    statuses = Counter(status for clicks in answers.values() for status, _ in clicks)
    found.counts |= {
        "winners": statuses[200],
        "told_who_won": statuses[409],
        "other_answers": statuses.total() - statuses[200] - statuses[409],
    }
    found.require(none == 0, f"nobody won {none} approvals")
    found.require(many == 0, f"two won {many} approvals")
    found.require(other == 0, f"{other} approvals say something else than their winner was told")
    found.require(found.counts["other_answers"] == 0, f"answers were {dict(statuses)}")
    found.require(max(acts.values(), default=0) <= 1, "a run was told twice")


def opting_out(ground: Ground) -> Found:
    """F28: people opt out while a campaign is being sent; from their commit on nothing is claimed for them."""
    accounts, found = ground.pick(120, 8), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(texts.workspace(texts.letters("letter", 3)))
    site.people(accounts, each=2)
    site.begin("letter")
    addresses = [f"account-{number}.{who}@{texts.MARKER}" for number in range(accounts) for who in (0, 1)]
    ground.random.shuffle(addresses)
    site.worker()
    require(lambda: len(sink.taken) > 2, 60.0, "nothing was sent")
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lambda address: _one_opts_out(site, address), addresses[:accounts]))
    until(site.is_over, _PATIENCE)
    late = _after_opting_out(site)
    found.counts |= {"opted_out": accounts, "claimed_after": len(late)}
    account_for(found, site, sink.delivered, accounts * 2 * 3)
    look_over(found, site)
    found.require(not late, f"{len(late)} letters were claimed after their person had opted out")
    found.require(
        found.counts["not_sent"] != 0, "everything had gone before anybody opted out: the drill showed nothing"
    )
    return found


def _one_opts_out(site: Site, address: str) -> None:
    with site.store.begin() as session:
        suppressions.suppress(session, address, suppressions.ALL, "a drill", now())


def _after_opting_out(site: Site) -> list[str]:
    """Deliveries that were put on the wire after their address was suppressed.

    ``claimed_at`` is written last when the letter goes on the wire, which is a moment after the claim that looked: what
    is between the two was in flight, and takes less than a second.
    """
    gone = (DeliveryState.SENT.value, DeliveryState.AMBIGUOUS.value)
    with site.store.read() as session:
        opted: dict[str, datetime] = {one.address: one.at for one in session.scalars(select(SuppressionRow))}
        rows = session.scalars(select(DeliveryRow).where(DeliveryRow.state.in_(gone))).all()
        return [
            row.message_id for row in rows if row.address in opted and row.claimed_at - opted[row.address] > _IN_FLIGHT
        ]


def held_back(ground: Ground) -> Found:
    """F29: everything is put on hold while letters go out; then it is released, and all the others go."""
    accounts, found = ground.pick(150, 10), Found()
    sink: Sink = ground.keep(Sink())
    site = Site(ground, "site", ground.temporal().address, sink.port)
    site.publish(texts.workspace(texts.letters("letter", 2)))
    site.people(accounts, each=1)
    site.begin("letter")
    site.worker()
    require(lambda: len(sink.taken) > 4, 60.0, "nothing was sent")
    began = time.monotonic()
    with site.store.begin() as session:
        number = holds.hold(session, account_id=None, cause=holds.MEMBER, reason="a drill", author=OWNER, at=now())
    in_force = time.monotonic()
    time.sleep(6.0)
    after = [one.at - in_force for one in sink.taken if one.at > in_force]
    left = len(sink.taken)
    found.require(max(after, default=0.0) < 2.0, f"a letter came {max(after, default=0.0):.1f} s after the hold")
    found.require(left < accounts * 2, "everything had gone before the hold: the drill showed nothing")
    with site.store.begin() as session:
        releasing.release(session, number, OWNER, now())
    until(site.is_over, _PATIENCE)
    account_for(found, site, sink.delivered, accounts * 2)
    look_over(found, site)
    found.counts |= {"before_the_hold": left - len(after), "in_flight_at_the_hold": len(after)}
    found.take("the hold in force", [in_force - began])
    found.take("letters in flight at the hold", after)
    found.require(not found.counts["not_sent"], f"{found.counts['not_sent']} letters were given up: {_reasons(site)}")
    found.require(set(states(site)) == {"done"}, f"runs ended as {dict(states(site))}")
    return found


def _reasons(site: Site) -> set[str]:
    return {one.reason for one in entries(site) if one.state is DeliveryState.NOT_SENT}
