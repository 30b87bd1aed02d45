"""Accounts and their goals: found by key, added and changed as pushed; what a push does not say stays as it was."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from engine.definitions.contact_policy import USUAL_POLICY
from engine.evaluation.incoming.accounts import AgreedGoal, PushedAccount
from engine.evaluation.incoming.faults import Faults, shortened
from engine.evaluation.incoming.values import day_of
from engine.evaluation.point_values import like
from engine.store import account_members, assignees, bundles, changed, reassigning
from engine.store.naming import one_of
from engine.store.points import Added
from engine.store.portions import FEW as FEW, parts as parts
from engine.store.tables import AccountRow, GoalRow, ProductRow, SubjectRow


def ids(session: Session, keys: Collection[str]) -> Mapping[str, int]:
    """The ids of the accounts with these keys; of all accounts where they are many or one is unknown.

    So one call serves a single point cheaply, a large batch in one read, and a refusal with a suggestion.
    """
    query = select(AccountRow.key, AccountRow.id)
    if len(keys) <= FEW:
        found = {row.key: row.id for row in session.execute(query.where(AccountRow.key.in_(keys)))}
        if len(found) == len(keys):
            return found
    return {row.key: row.id for row in session.execute(query)}


def add_new(session: Session, accounts: Sequence[PushedAccount], at: datetime) -> set[str]:
    """Add those accounts that are not there yet, with nothing but their keys, so that others can name them."""
    known = _rows(session, [account.key for account in accounts])
    fresh = [account.key for account in accounts if account.key not in known]
    for number, key in zip(new_subjects(session, "account", len(fresh)), fresh, strict=True):
        row = AccountRow(id=number, key=key, name=key, owner="", fields={}, suppressed=False)
        row.stopped_reason, row.recorded_at = "", at
        session.add(row)
    session.flush()
    return set(fresh)


def push(
    session: Session, accounts: Sequence[PushedAccount], made: Collection[str], at: datetime, faults: Faults
) -> Added:
    """Write what is said of accounts that are there; ``made`` are the keys of those that were added for it.

    Reports parents that are not there or go round in a circle; then nothing is to be kept.
    """
    known = _rows(session, [account.key for account in accounts])
    owners = {row.id: row.owner for row in known.values()}
    written = {account.key for account in accounts if _write(known[account.key], account, at)}
    _follow_owners(session, owners, known.values())
    agreed = _agree(session, {known[account.key].id: account.goals for account in accounts if account.goals})
    above = _put_under(session, accounts, known, faults)
    using = _add_products(session, {known[account.key].id: account.products for account in accounts}, at)
    cast = account_members.put(session, {known[account.key].id: account.members for account in accounts})
    written |= {key for key, row in known.items() if row.id in agreed | above | using | cast}
    fresh = {account.key for account in accounts if account.key in made}
    session.flush()
    changed.mark(session, {known[key].id for key in fresh | written})
    return Added(len(fresh), len(written - fresh), len(accounts) - len(fresh | written))


def new_subjects(session: Session, kind: str, count: int) -> list[int]:
    """Fresh subject ids, ascending."""
    if not count:
        return []
    made = session.scalars(insert(SubjectRow).returning(SubjectRow.id), [{"kind": kind} for _ in range(count)])
    return sorted(made)


def _rows(session: Session, keys: Sequence[str]) -> dict[str, AccountRow]:
    found: dict[str, AccountRow] = {}
    for some in parts(keys):
        found |= {row.key: row for row in session.scalars(select(AccountRow).where(AccountRow.key.in_(some)))}
    return found


def _write(row: AccountRow, account: PushedAccount, at: datetime) -> bool:
    """Write what is said; whether that changed anything."""
    said = {name: value for name, value in account.said.items() if name != "parent"}
    if "stage" in said and "stage_since" not in said and row.stage is not None and said["stage"] != row.stage:
        said["stage_since"] = day_of(at)
    empty: dict[str, Any] = {"name": account.key, "owner": "", "suppressed": False}
    wanted = {name: empty.get(name) if value is None else value for name, value in said.items()}
    wanted["fields"] = {name: value for name, value in {**row.fields, **account.fields}.items() if value is not None}
    changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    for name, value in changed.items():
        setattr(row, name, value)
    if changed:
        row.recorded_at = at
    return bool(changed)


def _follow_owners(session: Session, before: Mapping[int, str], rows: Collection[AccountRow]) -> None:
    """Open work goes with its account to a new owner who is there, as the contact policy says."""
    moved: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        if before[row.id] and row.owner and row.owner != before[row.id]:
            moved.setdefault((before[row.id], row.owner), []).append(row.id)
    bundle = bundles.in_force(session) if moved else None
    policy = bundle.contact_policy.owner_change if bundle else USUAL_POLICY.owner_change
    for (former, owner), ids in moved.items():
        if assignees.is_active(session, owner):
            reassigning.follow_owner(session, ids, former, owner, policy)


def _agree(session: Session, goals: Mapping[int, Mapping[str, AgreedGoal]]) -> set[int]:
    """Write agreed goals by account id; the ids of the accounts for which that changed anything."""
    touched: set[int] = set()
    for some in parts(list(goals)):
        stored = session.scalars(select(GoalRow).where(GoalRow.account_id.in_(some)))
        known = {(row.account_id, row.goal): row for row in stored}
        for account in some:
            for name, agreed in goals[account].items():
                if _write_goal(session, known.get((account, name)), account, name, agreed):
                    touched.add(account)
    return touched


def _write_goal(session: Session, row: GoalRow | None, account: int, name: str, agreed: AgreedGoal) -> bool:
    said = (agreed.target, agreed.start_value, agreed.start_day, agreed.end_day)
    if row is None:
        row = GoalRow(account_id=account, goal=name)
        session.add(row)
    elif (row.target, row.start_value, row.start_day, row.end_day) == said:
        return False
    row.target, row.start_value, row.start_day, row.end_day = said
    return True


def count(session: Session) -> int:
    """How many accounts there are."""
    return session.scalar(select(func.count()).select_from(AccountRow)) or 0


def shards(session: Session, size: int, accounts: Collection[int] | None = None) -> Iterator[Sequence[int]]:
    """The ids of all accounts, or of those named that exist, ascending, in parts of ``size``."""
    if accounts is None:
        yield from parts(session.scalars(select(AccountRow.id).order_by(AccountRow.id)).all(), size)
        return
    for some in parts(sorted(accounts), size):
        yield session.scalars(select(AccountRow.id).where(one_of(AccountRow.id, some)).order_by(AccountRow.id)).all()


def _put_under(
    session: Session, accounts: Sequence[PushedAccount], known: Mapping[str, AccountRow], faults: Faults
) -> set[int]:
    """Write the parents that are said; the ids of the accounts for which that changed anything."""
    said = [account for account in accounts if "parent" in account.said]
    if not said:
        return set()
    keys = {account.said["parent"] for account in said} - {None}
    numbers = ids(session, keys) if keys else {}
    touched = set()
    for account in said:
        row, parent = known[account.key], account.said["parent"]
        if parent is not None and parent not in numbers:
            message = f'there is no account "{shortened(parent)}"{like(parent, numbers) or "; push it first"}'
            faults.add(account.place.bad("parent", "unknown_account", message))
        elif row.parent_id != numbers.get(parent):
            row.parent_id = numbers.get(parent)
            touched.add(row.id)
    session.flush()
    _refuse_circles(session, [account for account in said if known[account.key].id in touched], known, faults)
    return touched


def _refuse_circles(
    session: Session, moved: Sequence[PushedAccount], known: Mapping[str, AccountRow], faults: Faults
) -> None:
    rows = session.execute(select(AccountRow.id, AccountRow.parent_id).where(AccountRow.parent_id.is_not(None)))
    above = {row.id: row.parent_id for row in rows} if moved else {}
    free: set[int] = set()
    for account in moved:
        way: list[int] = []
        number: int | None = known[account.key].id
        while number is not None and number not in free and number not in way:
            way.append(number)
            number = above.get(number)
        if number is not None and number in way:
            parent = shortened(account.said["parent"])
            message = f'an account cannot be above itself: the parents of "{parent}" lead back to it; leave one out'
            faults.add(account.place.bad("parent", "circle", message))
        else:
            free.update(way)


def _add_products(session: Session, products: Mapping[int, Sequence[str]], at: datetime) -> set[int]:
    """Add products that accounts use now, by account id; one that is not named any more keeps its history.

    The ids of the accounts for which that changed anything.
    """
    using = [number for number, names in products.items() if names]
    there: set[tuple[int, str]] = set()
    for some in parts(using):
        query = select(ProductRow.account_id, ProductRow.name).where(ProductRow.account_id.in_(some))
        there |= {(row.account_id, row.name) for row in session.execute(query)}
    wanted = ((number, name) for number in using for name in products[number])
    fresh = [each for each in wanted if each not in there]
    numbers = new_subjects(session, "product", len(fresh))
    made = zip(numbers, fresh, strict=True)
    rows = [{"id": number, "account_id": who, "name": name, "recorded_at": at} for number, (who, name) in made]
    if rows:
        session.execute(insert(ProductRow), rows)
    return {number for number, _ in fresh}
