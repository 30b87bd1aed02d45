"""Deciding once more: whether a playbook may run again for an account, and why a snooze is over before its time."""

from engine.definitions.playbook import ReEntry
from engine.evaluation.past import Earlier, Snoozed
from engine.evaluation.wording import day_text


def re_entry_refusal(name: str, limits: ReEntry, earlier: Earlier, day: int) -> str:
    """Why a playbook may not run once more for an account on ``day``; empty when it may."""
    counted = [one for one in earlier.requested if limits.per is None or one > day - limits.per]
    if limits.at_most is not None and len(counted) >= limits.at_most:
        span = "" if limits.per is None else f" within {limits.per} days"
        times = "once" if limits.at_most == 1 else f"{limits.at_most} times"
        return f"{name} runs at most {times}{span} for one account, and it has"
    if earlier.ended is not None and day < earlier.ended + limits.min_gap:
        first = day_text(earlier.ended + limits.min_gap)
        return f"the last run of {name} ended on {day_text(earlier.ended)}; the next may start on {first}"
    return ""


def woken(snooze: Snoozed, severity: int) -> str:
    """Why a snooze ends although its day has not come."""
    worse = f"{severity} of its signals fire, {snooze.severity} did when {snooze.author} snoozed it"
    return f"it was snoozed until {snooze.until:%Y-%m-%d} and has become worse: {worse}"
