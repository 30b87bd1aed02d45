"""The files of a drill's installation: a small catalog, and playbooks that do nothing but what is drilled."""

from collections.abc import Mapping
from typing import Final

CATALOG: Final = """format: 1
north_star: drills that hold
metrics:
  usage:
    {title: Usage, source: adoption, evidence: do, type: number, better: higher, bears_on_value: Habit,
     customer_may_see: true}
events: {login: {}}
roles: [champion, sponsor, user]
stages: [adoption, churned]
segments: {all: {">=": [{var: [account.arr, 0]}, 0]}}
"""
_HELLO: Final = "A letter of the drill\n\nHello {{ contact.name }}.\n"
_REPORT: Final = """format: 1
report: drilled
title: "{{ account.name }}: the drill"
allow: [usage]
sections:
  - adoption: {show: [usage], trend: 90d}
"""


def playbook(name: str, steps: str, more: str = "", messages: tuple[str, ...] = ("hello",)) -> dict[str, str]:
    """The files of one playbook: its steps in YAML, and its messages."""
    head = f"format: 1\nplaybook: {name}\ntitle: {name}\ncategory: operational\n{more}\nsteps:\n"
    texts = {f"playbooks/{name}.yaml": head + steps.strip("\n") + "\n"}
    return texts | {f"playbooks/messages/{name}/{each}.md": _HELLO for each in messages}


def letters(name: str, count: int, more: str = "") -> dict[str, str]:
    """A playbook of ``count`` e-mails to the champions, one after another."""
    return playbook(name, f"  - email: {{to: champion, message: hello{more}}}\n" * count)


def workspace(*parts: Mapping[str, str]) -> dict[str, str]:
    """All files of an installation."""
    texts = {"rules/catalog.yaml": CATALOG, "playbooks/reports/drilled.yaml": _REPORT}
    for part in parts:
        texts |= part
    return texts


def accounts(keys: list[str], owner: str) -> str:
    """Accounts as CSV, all of one owner."""
    return "key,name,owner\n" + "".join(f"{key},{key},{owner}\n" for key in keys)


def contacts(keys: list[str], each: int) -> str:
    """So many champions for each account, as CSV; their addresses carry the marker that no log may hold."""
    rows = (
        f"{key}-{number},{key},Person {number},{key}.{number}@{MARKER},champion\n"
        for key in keys
        for number in range(each)
    )
    return "key,account,name,email,roles\n" + "".join(rows)


MARKER: Final = "nobody-may-log-this.example"
"""The domain of every address in a drill: found in a log, it is a leak."""
