"""A proposal shown: the text of the change, and whom it touches. Shared by ``plan``, ``apply`` and ``rollback``."""

from collections.abc import Iterator, Sequence
from typing import Final

from api.cli.workspace import out
from engine.evaluation.comparing import RuleEffect, TierMove
from engine.evaluation.deciding import Decision
from engine.running.forecast import Reach
from engine.store.proposals import Proposal
from engine.terms import DecisionKind

SHOWN: Final = 10
WORDS: Final = {DecisionKind.START: "start", DecisionKind.REFUSE: "refuse", DecisionKind.HOLD_OUT: "hold"}
_STYLES: Final = {"+": "green", "-": "red", "@": "cyan"}


def show(proposal: Proposal) -> None:
    """Print the text diff, then the effect by rule and scorecard, then the counts."""
    _show_files(proposal)
    idle = [rule for rule, effect in proposal.effect.rules.items() if _is_idle(effect)]
    for rule, effect in proposal.effect.rules.items():
        if not effect.is_nothing and rule not in idle:
            _show_rule(rule, effect, proposal)
    if idle:
        out.print(f"new, and they touch nobody now: {', '.join(idle)}")
    for card, moves in proposal.effect.tiers.items():
        if moves:
            listed = _some([_moved(move, proposal) for move in moves])
            out.print(f"scorecard {card}: {len(moves)} of {proposal.effect.accounts} accounts change tier: {listed}")
    _show_counts(proposal)


def _show_files(proposal: Proposal) -> None:
    if proposal.base is None:
        many = len(proposal.files)
        out.print(f"Nothing is in force yet: all {many} files are new ({proposal.bundle.fingerprint[:12]}).")
        return
    if not proposal.files:
        out.print(f"The files are those in force ({proposal.base.fingerprint[:12]}).")
        return
    for file in proposal.files:
        out.print(
            f"{file.path}: {file.kind}, {file.added} {_lines(file.added)} added, {file.removed} removed", style="bold"
        )
        for line in file.lines:
            out.print(line, style=_STYLES.get(line[:1], ""))
    how_many = "1 file differs" if len(proposal.files) == 1 else f"{len(proposal.files)} files differ"
    out.print(f"{how_many}: {proposal.base.fingerprint[:12]} → {_short(proposal)}\n")


def _lines(count: int) -> str:
    return "line" if count == 1 else "lines"


def _short(proposal: Proposal) -> str:
    return proposal.bundle.fingerprint[:12]


def _show_rule(rule: str, effect: RuleEffect, proposal: Proposal) -> None:
    is_new, is_gone = effect.is_there and not effect.was_there, effect.was_there and not effect.is_there
    out.print(f"rule {rule}" + (" (new)" if is_new else " (gone)" if is_gone else ""), style="bold")
    for words, keys in (("would newly fire", effect.fires), ("would no longer fire", effect.stops)):
        if keys:
            out.print(f"  {words} for {len(keys)}: {_some([_named(key, proposal) for key in keys])}")
    for decisions in (effect.starts, effect.held_out, effect.refused):
        for line in _lines_of(decisions):
            out.print(line)


def _is_idle(effect: RuleEffect) -> bool:
    """A new rule that does nothing to anybody: a line names all of them."""
    something = (effect.fires, effect.stops, effect.starts, effect.held_out, effect.refused)
    return effect.is_there and not effect.was_there and not any(something)


def _lines_of(decisions: Sequence[Decision]) -> Iterator[str]:
    """A line for each decision; those that are said in the same words share one."""
    alike: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        alike.setdefault((decision.playbook, decision.sentence), []).append(decision)
    many = list(alike.values())
    for same in many[:SHOWN]:
        first = same[0]
        who = first.account_key if len(same) == 1 else f"{len(same)} accounts"
        more = "" if len(same) == 1 else f": {_some([each.account_key for each in same])}"
        yield f"{WORDS[first.kind]:<6} {who:<24} {first.playbook:<18} {first.sentence}{more}"
    if len(many) > SHOWN:
        left = sum(map(len, many[SHOWN:]))
        yield f"{WORDS[decisions[0].kind]:<6} … and {left} more; --json lists all"


def _show_counts(proposal: Proposal) -> None:
    plan = proposal.plan
    if not proposal.effect.accounts:
        out.print(
            "There are no accounts yet: `backcast ingest accounts FILE` brings them, points and events after them."
        )
        return
    kinds = [decision.kind for decision in plan.decisions]
    counted = ", ".join(f"{kinds.count(kind)} {word}" for kind, word in WORDS.items())
    out.print(f"{counted}; {len(plan.closed)} episodes would end. Nothing has happened yet.")
    for line in _reach(proposal.reach):
        out.print(line)
    for rule, ask in plan.asks.items():
        out.print(f"asks   {rule}: {ask}")
    blind: dict[int, list[str]] = {}
    for rule, count in plan.unknown.items():
        flapping = plan.flapping.get(rule, 0)
        if count > flapping:
            blind.setdefault(count - flapping, []).append(rule)
        if flapping:
            out.print(f"flaps  {rule}: a signal changes too often for {_accounts(flapping)}; it waits until it settles")
    for count, rules in sorted(blind.items(), reverse=True):
        out.print(f"unknown for {_accounts(count)}, because data is missing: {', '.join(rules)}")
    if blind:
        out.print("        `backcast why ACCOUNT RULE` names the data that is missing.")


def _reach(reach: Reach) -> Iterator[str]:
    """What the starts do in their first days, if people do what is assumed."""
    if reach.messages or reach.tasks or reach.approvals:
        yield (
            f"In the first {reach.days} days: messages {reach.messages}, people written to {reach.people}, tasks "
            f"{reach.tasks}, approvals {reach.approvals}; `backcast simulate` shows them."
        )


def _accounts(count: int) -> str:
    return f"{count} account{'' if count == 1 else 's'}"


def _named(key: str, proposal: Proposal) -> str:
    name = proposal.names.get(key, key)
    return key if name == key else f"{name} ({key})"


def _moved(move: TierMove, proposal: Proposal) -> str:
    return f"{_named(move.account, proposal)} {move.before or 'no tier'} → {move.after or 'no tier'}"


def _some(words: Sequence[str]) -> str:
    more = len(words) - SHOWN
    return ", ".join(words[:SHOWN]) + (f" and {more} more" if more > 0 else "")
