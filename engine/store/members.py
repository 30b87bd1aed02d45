"""Members, their sign-ins, and ingest keys. Secrets are 256 random bits; only their SHA-256 is stored.

Whoever asks with an unknown, used or expired secret gets None, without a word about which it was.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from engine.errors import NotFound, Refused
from engine.store.tables import KeyRow, MemberRow, SignInRow
from engine.terms import Role

LINK_VALID: Final = timedelta(minutes=15)
SESSION_IDLE: Final = timedelta(hours=12)
SESSION_VALID: Final = timedelta(days=7)
KEY_PREFIX: Final = "backcast_"

_LINK, _SESSION = "link", "session"
_TOUCH: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Member:
    """A colleague who signs in. ``csrf`` is the session's token for forms, empty outside a session."""

    id: int
    email: str
    name: str
    roles: frozenset[Role]
    csrf: str = ""


class SignedIn(NamedTuple):
    """A new session: the secret for the cookie and the token for forms, both handed out this once."""

    token: str
    csrf: str


def add(session: Session, email: str, name: str, roles: Iterable[Role]) -> Member:
    """Add a member. Raises `Refused` for an address that is none, one that is taken, or no role at all."""
    address = _address(email)
    wanted = sorted(set(roles))
    if not wanted:
        raise Refused(f"a member needs at least one role: {', '.join(Role)}")
    if session.scalar(select(MemberRow.id).where(MemberRow.email == address)) is not None:
        raise Refused(f"{address} is a member already")
    row = MemberRow(email=address, name=name.strip() or address, roles=[role.value for role in wanted])
    session.add(row)
    session.flush()
    return _member(row)


def find(session: Session, email: str) -> Member:
    """The active member with that address. Raises `NotFound`."""
    row = session.scalar(select(MemberRow).where(MemberRow.email == email.strip().lower(), MemberRow.active))
    if row is None:
        raise NotFound(f'no member has the address "{email}": `backcast member add` adds one')
    return _member(row)


def active(session: Session) -> tuple[Member, ...]:
    """Everybody who can sign in, by name."""
    rows = session.scalars(select(MemberRow).where(MemberRow.active).order_by(MemberRow.name, MemberRow.id))
    return tuple(_member(row) for row in rows)


def change(session: Session, email: str, *, manager: str | None = None, calendar: str | None = None) -> str:
    """Say who a member's manager is and by which calendar they work; None leaves it as it is. Returns their address.

    Raises NotFound; Refused where the manager is no active member or the member.
    """
    address = find(session, email).email
    values: dict[str, str] = {}
    if calendar is not None:
        values["calendar"] = calendar.strip()[:64]
    if manager is not None:
        values["manager"] = find(session, manager).email if manager.strip() else ""
        if values["manager"] == address:
            raise Refused(f"{address} cannot be their own manager.")
    if values:
        session.execute(update(MemberRow).where(MemberRow.email == address).values(**values))
    return address


def sign_in_link(session: Session, member_id: int, at: datetime) -> str:
    """The secret of a new link that signs the member in once, within 15 minutes. Old sign-ins are swept away."""
    session.execute(delete(SignInRow).where(SignInRow.expires_at < at))
    secret = secrets.token_urlsafe(32)
    session.add(_sign_in_row(secret, _LINK, member_id, at, LINK_VALID))
    session.flush()
    return secret


def sign_in(session: Session, token: str, at: datetime) -> SignedIn:
    """Trade a link's secret for a session. Raises `NotFound` where the link is unknown, used or too old."""
    wanted = select(SignInRow).where(_is(token, _LINK), SignInRow.used_at.is_(None), SignInRow.expires_at > at)
    link = session.scalar(wanted)
    if link is None or _claim(session, token, at) != 1:
        raise NotFound("this link was used already or is older than 15 minutes: ask for a new one")
    signed_in = SignedIn(secrets.token_urlsafe(32), secrets.token_urlsafe(32))
    row = _sign_in_row(signed_in.token, _SESSION, link.member_id, at, SESSION_VALID)
    row.csrf, row.used_at = signed_in.csrf, at
    session.add(row)
    session.flush()
    return signed_in


def by_session(session: Session, token: str, at: datetime) -> Member | None:
    """The active member of a session that is neither idle for 12 hours nor 7 days old. Only reads."""
    found = session.execute(
        select(MemberRow, SignInRow.csrf)
        .join(SignInRow, SignInRow.member_id == MemberRow.id)
        .where(_is(token, _SESSION), *_alive(at), MemberRow.active)
    ).one_or_none()
    return None if found is None else _member(found[0], found[1])


def touch(session: Session, token: str, at: datetime) -> None:
    """Say that a session is in use, which postpones its end by idleness; at most one write in five minutes."""
    alive = update(SignInRow).where(_is(token, _SESSION), *_alive(at), SignInRow.used_at <= at - _TOUCH)
    session.execute(alive.values(used_at=at))


def sign_out(session: Session, token: str) -> None:
    """End a session; harmless if there is none."""
    session.execute(delete(SignInRow).where(_is(token, _SESSION)))


def new_key(session: Session, name: str, at: datetime) -> str:
    """The secret of a new ingest key. Raises `Refused` for an empty name or one that a valid key has."""
    name = name.strip()
    if not 0 < len(name) <= 200:
        raise Refused("an ingest key needs a name of at most 200 characters, so that it can be told from others")
    if session.scalar(select(KeyRow.name).where(KeyRow.name == name, KeyRow.revoked_at.is_(None))):
        raise Refused(f'a key named "{name}" is in use: revoke it first or choose another name')
    secret = KEY_PREFIX + secrets.token_urlsafe(32)
    session.add(KeyRow(key_hash=_hash(secret), name=name, created_at=at))
    session.flush()
    return secret


def key_name(session: Session, secret: str) -> str | None:
    """The name of a valid ingest key."""
    return session.scalar(select(KeyRow.name).where(KeyRow.key_hash == _hash(secret), KeyRow.revoked_at.is_(None)))


def revoke_key(session: Session, name: str, at: datetime) -> None:
    """Make the key of that name worthless from now on. Raises `NotFound`."""
    valid = update(KeyRow).where(KeyRow.name == name, KeyRow.revoked_at.is_(None)).values(revoked_at=at)
    if session.execute(valid.returning(KeyRow.name)).first() is None:
        raise NotFound(f'no valid ingest key is named "{name}"')


def _address(email: str) -> str:
    try:
        return validate_email(email.strip(), check_deliverability=False, strict=True).normalized.lower()
    except EmailNotValidError as error:
        raise Refused(f'"{email}" is not an e-mail address: {error}') from None


def _member(row: MemberRow, csrf: str = "") -> Member:
    return Member(row.id, row.email, row.name, frozenset(Role(role) for role in row.roles), csrf)


def _sign_in_row(secret: str, kind: str, member_id: int, at: datetime, valid: timedelta) -> SignInRow:
    return SignInRow(
        token_hash=_hash(secret), kind=kind, member_id=member_id, created_at=at, expires_at=at + valid, used_at=None
    )


def _claim(session: Session, token: str, at: datetime) -> int:
    # Of two clicks at the same moment one wins: the row decides, not what was read before.
    unused = update(SignInRow).where(_is(token, _LINK), SignInRow.used_at.is_(None))
    return len(session.execute(unused.values(used_at=at).returning(SignInRow.token_hash)).all())


def _is(token: str, kind: str) -> ColumnElement[bool]:
    return and_(SignInRow.token_hash == _hash(token), SignInRow.kind == kind)


def _alive(at: datetime) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return SignInRow.expires_at > at, SignInRow.used_at > at - SESSION_IDLE


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
