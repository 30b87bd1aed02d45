"""All of a proposal as plain values, the same over HTTP and with ``--json``."""

from dataclasses import asdict
from typing import Any

from engine.evaluation.comparing import RuleEffect, TierMove
from engine.evaluation.deciding import Decision
from engine.store.proposals import Proposal


def values_of(proposal: Proposal) -> dict[str, Any]:
    """All of a proposal, for programs."""
    plan, effect = proposal.plan, proposal.effect
    return {
        "at": plan.at.isoformat(),
        "fingerprint": proposal.bundle.fingerprint,
        "in_force": proposal.base.fingerprint if proposal.base else None,
        "files": [
            {
                "path": file.path,
                "kind": file.kind,
                "added": file.added,
                "removed": file.removed,
                "diff": "\n".join(file.lines),
            }
            for file in proposal.files
        ],
        "effect": {
            "accounts": effect.accounts,
            "rules": {name: _rule_json(one) for name, one in effect.rules.items()},
            "tiers": {card: [_move_json(move) for move in moves] for card, moves in effect.tiers.items()},
        },
        "first_days": asdict(proposal.reach),
        "blast": {"size": proposal.blast.size, "asks": list(proposal.blast.asks)},
        "decisions": [_decision_json(decision) for decision in plan.decisions],
        "closed": len(plan.closed),
        "unknown": dict(plan.unknown),
        "asks": dict(plan.asks),
    }


def _rule_json(effect: RuleEffect) -> dict[str, Any]:
    return {
        "new": effect.is_there and not effect.was_there,
        "gone": effect.was_there and not effect.is_there,
        "fires": list(effect.fires),
        "stops": list(effect.stops),
        "starts": [decision.account_key for decision in effect.starts],
        "held_out": [decision.account_key for decision in effect.held_out],
        "refused": [decision.account_key for decision in effect.refused],
    }


def _move_json(move: TierMove) -> dict[str, Any]:
    return {"account": move.account, "before": move.before or None, "after": move.after or None}


def _decision_json(decision: Decision) -> dict[str, Any]:
    return {
        "account": decision.account_key,
        "rule": decision.rule,
        "playbook": decision.playbook,
        "kind": decision.kind.value,
        "reason": decision.reason.value if decision.reason else None,
        "arm": decision.arm.value if decision.arm else None,
        "mode": decision.mode.value if decision.mode else None,
        "sentence": decision.sentence,
        "evidence": [evidence.sentence for evidence in decision.evidence],
    }
