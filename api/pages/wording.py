"""How values read on a page: points, dates, spans, states and reasons in words. No figure is made here."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from engine.terms import MICRO, Frequency, Reason, Tier

UNKNOWN: Final = "unknown"
EPOCH: Final = date(1970, 1, 1)

SAID: Final[Mapping[str, str]] = {
    "approved": "Approved. It goes out within moments.",
    "rejected": "Rejected. Nothing is sent, and the reason stands in the timeline.",
    "edited": "Saved. What you see is exactly what will be sent.",
    "task-done": "Done. Your answers count from the next evaluation on.",
    "overridden": "Overridden. The computed score stays visible next to yours.",
    "metric-overridden": "Kept. It counts from the next evaluation on; what is measured stays.",
    "metric-override-ended": "It has ended; what is measured counts again.",
    "override-ended": "The override has ended; the computed score counts again.",
    "started": "Started. It begins within moments.",
    "asked": "Noted. The run follows within moments.",
    "noted": "Written down.",
    "away": "Kept. What comes for you goes to who stands in.",
    "back": "Welcome back. What comes for you comes to you again.",
    "left": "Handed over. Nothing points at them any more, and they cannot sign in.",
    "snoozed": "Snoozed. The rule starts nothing here until then, unless it gets worse.",
    "woken": "Awake. If the rule fires, the next evaluation decides.",
    "excluded": "Excluded. The rule starts nothing here.",
    "included": "The rule may start here again.",
    "stopped": "Stopped. Nothing starts for this account, and its open runs end.",
    "resumed": "Rules may start for this account again.",
    "given": "Given to your colleague.",
    "undone": "Taken back. It waits for a decision again.",
    "resolved": "Noted. The delivery is in doubt no more.",
    "held": "On hold. Nothing of it goes out until it is released.",
    "released": "Released. What was put off goes now.",
    "revoked": "Revoked. The link no longer opens.",
    "composed": "Composed. Read it, then share it.",
    "chosen": "Saved.",
    "signed-out": "You are signed out.",
}
"""What a page says after a form, by the word in its address; free text from an address is never shown."""

FREQUENCIES: Final[Mapping[str, str]] = {
    Frequency.IMMEDIATE: "At once",
    Frequency.DAILY: "A digest on every working day, at eight in the morning",
    Frequency.WEEKLY: "A digest on the first working day of the week",
    Frequency.NEVER: "Never: I look here",
}

MAILED: Final[Mapping[str, str]] = {
    "": "Waits for your next mail",
    "sending": "Is being mailed",
    "sent": "Mailed",
    "not_sent": "Not mailed",
    "ambiguous": "It may or may not have been mailed",
    "left": "Not mailed, as you chose",
}
"""What became of a notice's mail, by its state."""

REASONS: Final[Mapping[str, str]] = {
    Reason.STOPPED: "a person stopped this account",
    Reason.CHURNED: "the account has churned",
    Reason.SUPPRESSED: "the account must not be contacted",
    Reason.EXCLUDED: "a member excluded the account from the rule",
    Reason.SNOOZED: "a member snoozed the rule for this account",
    Reason.EXISTING: "it was inside when the rule was published",
    Reason.NO_ACTION: "no action of the rule applies",
    Reason.OPEN_RUN: "a run of the playbook is open",
    Reason.SUPERSEDED: "a run of a playbook that comes before it is open",
    Reason.RE_ENTRY: "the playbook has run as often as it may for this account",
    Reason.COOLDOWN: "the rule is cooling down for this account",
    Reason.BLAST_RADIUS: "the rule would start too many runs; a member is asked",
    Reason.HELD_OUT_ELSEWHERE: "the account is held out for this playbook",
}

STATES: Final[Mapping[str, str]] = {
    "requested": "Starting",
    "active": "Under way",
    "waiting": "Waiting",
    "paused": "Paused",
    "done": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "pending": "Pending",
    "skipped": "Skipped",
    "open": "Open",
    "approved": "Approved",
    "rejected": "Rejected",
    "expired": "Expired",
    "withdrawn": "Withdrawn",
    "claimed": "About to be sent",
    "sending": "Being sent",
    "sent": "Sent",
    "not_sent": "Not sent",
    "ambiguous": "May have arrived",
    "start": "Started",
    "refuse": "Not started",
    "hold_out": "Held out",
    "met": "Goal met",
    "not_met": "Goal not met",
    "unknown": "Unknown",
    "due": "Due",
    "draft": "Draft",
    "revoked": "Revoked",
    "pause": "Paused",
    "resume": "Resumed",
    "skip": "Step skipped",
    "jump": "Went back",
    "retry": "Tried again",
    "note": "Note",
    "hold": "On hold",
    "released": "Released",
    "snoozed": "Snoozed",
    "woken": "Awake again",
    "excluded": "Excluded",
    "included": "No longer excluded",
    "cancel": "Cancelled",
    "applied": "Took effect",
    "not_applied": "Had no effect",
    "score": "Score set",
}


def points(micro: int | None) -> str:
    """A score as people read it: one decimal, halves up; 69_250_000 is ``69.3``."""
    if micro is None:
        return "–"
    tenths = (micro * 10 + MICRO // 2) // MICRO
    return f"{tenths // 10}.{tenths % 10}"


def signed_points(micro: int | None) -> str:
    """A change of a score with its sign: ``+3.4``, ``−0.2``, ``±0.0``."""
    if micro is None:
        return "–"
    size = points(abs(micro))
    if size == "0.0":
        return "±0.0"
    return f"+{size}" if micro > 0 else f"−{size}"


def money(value: float | None) -> str:
    """An amount in whole units, with thousands apart; unknown stays unknown."""
    return UNKNOWN if value is None else f"{value:,.0f}"


def percent(value: float | None, decimals: int = 0) -> str:
    """A share as a percentage."""
    return UNKNOWN if value is None else f"{value * 100:.{decimals}f} %"


def signed_percent(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if value is None:
        return UNKNOWN
    return f"{'+' if value >= 0 else '−'}{abs(value) * 100:.1f}"


def number(value: float | None, decimals: int = 2) -> str:
    """A number without needless zeros."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def on_date(value: datetime | int | None) -> str:
    """A day as ``4 Mar 2026``, from a moment or from days since 1970-01-01."""
    if value is None:
        return UNKNOWN
    day = value.astimezone(UTC).date() if isinstance(value, datetime) else EPOCH + timedelta(days=value)
    return f"{day.day} {day:%b %Y}"


def iso_date(text: str) -> str:
    """A day stored as ``YYYY-MM-DD``, for people."""
    return on_date((date.fromisoformat(text) - EPOCH).days)


def clock(value: datetime | None) -> str:
    """A moment as ``4 Mar 2026, 14:05 UTC``."""
    return UNKNOWN if value is None else f"{on_date(value)}, {value.astimezone(UTC):%H:%M} UTC"


def machine(value: datetime | int) -> str:
    """The same for programs, as the ``datetime`` of a ``<time>``."""
    return value.isoformat() if isinstance(value, datetime) else (EPOCH + timedelta(days=value)).isoformat()


def span(seconds: float) -> str:
    """A length of time in the unit a person would take: ``3 days``, ``26 hours``, ``5 minutes``."""
    for size, least, word in ((86_400, 2, "day"), (3_600, 2, "hour"), (60, 1, "minute")):
        if seconds >= size * least:
            count = int(seconds // size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "under a minute"


def ago(value: datetime, now: datetime) -> str:
    """How long ago something was."""
    return "just now" if now - value < timedelta(minutes=1) else f"{span((now - value).total_seconds())} ago"


def left(value: datetime, now: datetime) -> str:
    """How long until something is."""
    return "over" if value <= now else f"{span((value - now).total_seconds())} left"


def due(value: datetime | None, now: datetime) -> str:
    """When a task is due, as its reader cares about it."""
    if value is None:
        return "no date"
    if value < now:
        return f"overdue by {span((now - value).total_seconds())}"
    return f"due in {span((value - now).total_seconds())}"


def renewal(day: int | None, now: datetime) -> str:
    """When the contract renews, seen from today."""
    if day is None:
        return "renewal unknown"
    days = day - (now.astimezone(UTC).date() - EPOCH).days
    if days < 0:
        return f"renewal was {on_date(day)}"
    return "renews today" if days == 0 else f"renews in {days} day{'' if days == 1 else 's'}"


def state(value: Any) -> str:
    """A state's word for people."""
    word = str(getattr(value, "value", value))
    if word in {tier.value for tier in Tier}:
        return Tier(word).label
    return STATES.get(word, word.replace("_", " ").capitalize())


def reason(value: str) -> str:
    """Why the engine did not start, for people."""
    return REASONS.get(value, value.replace("_", " "))


def spoken(value: str) -> str:
    """A name from a file, as words: ``seat-activation`` reads ``Seat activation``."""
    return value.replace("-", " ").replace("_", " ").strip().capitalize()


def capital(sentence: str) -> str:
    """A sentence with its first letter as a capital, unless it begins with somebody's address."""
    first = sentence.split(" ", maxsplit=1)[0]
    return sentence if "@" in first else sentence[:1].upper() + sentence[1:]


def proposed(title: str, account: str) -> str:
    """A task's title before it is given: the account's name is filled in, and what only its day will tell is left
    open."""
    named = re.sub(r"{{\s*account\.name\s*}}", lambda _: account, title)
    return re.sub(r"{{.*?}}|{%.*?%}", "…", named)


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "points": points,
    "signed_points": signed_points,
    "money": money,
    "percent": percent,
    "signed_percent": signed_percent,
    "number": number,
    "on_date": on_date,
    "iso_date": iso_date,
    "clock": clock,
    "machine": machine,
    "ago": ago,
    "left": left,
    "due": due,
    "renewal": renewal,
    "state": state,
    "reason": reason,
    "spoken": spoken,
    "capital": capital,
    "proposed": proposed,
}
