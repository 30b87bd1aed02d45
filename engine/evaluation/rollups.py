"""The portfolio from above: all accounts, their segments, each account; every number is the sum of its children.

Money is added in hundredths and scores in micro-points, both whole numbers, so a parent equals its children exactly,
in whatever order they are added. A mean is a sum over a count, kept apart until it is shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.terms import MICRO, Tier

HUNDREDTHS: Final = 100


@dataclass(frozen=True, slots=True)
class Total:
    """Whole numbers of a group of accounts.

    ``arr`` in hundredths of the currency, ``arr_known`` how many have one. ``score`` the sum of the scores in
    micro-points over ``scored`` accounts; ``weighted`` the same with each times its ARR, over ``weight``.
    ``tiers``: accounts by tier, ``arr_by_tier`` their ARR; accounts without a tier are in neither.
    """

    accounts: int = 0
    arr: int = 0
    arr_known: int = 0
    score: int = 0
    scored: int = 0
    weighted: int = 0
    weight: int = 0
    tiers: Mapping[Tier, int] = field(default_factory=dict)
    arr_by_tier: Mapping[Tier, int] = field(default_factory=dict)

    @property
    def mean_score(self) -> float | None:
        """Points (0 to 100), every scored account alike; None where none is scored."""
        return self.score / self.scored / MICRO if self.scored else None

    @property
    def weighted_score(self) -> float | None:
        """Points, every scored account by its ARR; None where no scored account has any."""
        return self.weighted / self.weight / MICRO if self.weight else None

    def __add__(self, other: "Total") -> "Total":
        numbers = ("accounts", "arr", "arr_known", "score", "scored", "weighted", "weight")
        return Total(
            **{name: getattr(self, name) + getattr(other, name) for name in numbers},
            tiers=_added(self.tiers, other.tiers),
            arr_by_tier=_added(self.arr_by_tier, other.arr_by_tier),
        )


@dataclass(frozen=True, slots=True)
class Placed:
    """One account and where it belongs: ``path`` from the top down (its segment, or segment and region …).

    ``micro``: its score in micro-points, None without one. ``parent``: the account it belongs to, "" none.
    """

    key: str
    path: tuple[str, ...]
    arr: float | None = None
    micro: int | None = None
    tier: Tier | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A branch of the tree: its ``total`` and its ``children``, which have the same sum; leaves are accounts."""

    name: str
    total: Total
    children: tuple["Group", ...] = ()


def total_of(account: Placed) -> Total:
    """The numbers of one account."""
    arr = None if account.arr is None else round(account.arr * HUNDREDTHS)
    scored = account.micro is not None
    return Total(
        accounts=1,
        arr=arr or 0,
        arr_known=int(arr is not None),
        score=account.micro or 0,
        scored=int(scored),
        weighted=(account.micro or 0) * (arr or 0),
        weight=(arr or 0) if scored else 0,
        tiers={account.tier: 1} if account.tier else {},
        arr_by_tier={account.tier: arr} if account.tier and arr is not None else {},
    )


def tree(accounts: Sequence[Placed], name: str = "all") -> Group:
    """All accounts below one root, by their paths, groups and accounts by name. An empty step is called "unknown"."""
    return _grouped(name, [(account.path, account) for account in accounts])


def family(accounts: Sequence[Placed]) -> tuple[Group, ...]:
    """Accounts with the accounts that belong to them, the parent itself among its children; largest ARR first.

    Only accounts that have a parent or are one are in here.
    """
    by_key = {account.key: account for account in accounts}
    members: dict[str, list[Placed]] = {}
    for account in accounts:
        top = _top(account, by_key)
        if top != account.key:
            members.setdefault(top, []).append(account)
    groups = [tree([replace(each, path=()) for each in (by_key[top], *rest)], top) for top, rest in members.items()]
    return tuple(sorted(groups, key=lambda group: (-group.total.arr, group.name)))


def _top(account: Placed, by_key: Mapping[str, Placed]) -> str:
    seen = {account.key}
    while account.parent in by_key and account.parent not in seen:
        account = by_key[account.parent]
        seen.add(account.key)
    return account.key


def _grouped(name: str, placed: Sequence[tuple[tuple[str, ...], Placed]]) -> Group:
    leaves = [account for path, account in placed if not path]
    below: dict[str, list[tuple[tuple[str, ...], Placed]]] = {}
    for path, account in placed:
        if path:
            below.setdefault(path[0] or "unknown", []).append((path[1:], account))
    children = [_grouped(step, each) for step, each in sorted(below.items())]
    children += [Group(account.key, total_of(account)) for account in sorted(leaves, key=lambda each: each.key)]
    return Group(name, _sum(child.total for child in children), tuple(children))


def _sum(totals: Iterable[Total]) -> Total:
    return sum(totals, Total())


def _added(left: Mapping[Tier, int], right: Mapping[Tier, int]) -> dict[Tier, int]:
    return {tier: left.get(tier, 0) + right.get(tier, 0) for tier in Tier if tier in left or tier in right}
