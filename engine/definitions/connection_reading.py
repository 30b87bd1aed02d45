"""Reading rules/connections.yaml (codes N)."""

import re
from typing import Final, get_args

from engine.definitions.addresses import reads_as, refusal
from engine.definitions.catalog_reading import read_format
from engine.definitions.connection import Connection, ConnectionKind
from engine.definitions.fields import Fields
from engine.definitions.reading import Ledger, name
from engine.definitions.source import Node, ScalarNode

CONNECTION_KINDS: Final[tuple[ConnectionKind, ...]] = get_args(ConnectionKind)
MAX_RETRIES: Final = 20
FROM_ENV: Final = "env:"
_INTERNAL_HINT: Final = "an address inside is meant with internal: true beside it, and the operator must allow it too"
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9_]{0,99}")
_SECRET_LIKE: Final = re.compile(
    r"whsec_|sk_|xox[abps]-|gh[pousr]_|hooks\.slack\.com/services/|[?&](key|token|secret)=", re.IGNORECASE
)


def read_connections(node: Node, ledger: Ledger) -> dict[str, Connection]:
    """Read all connections. What a secret is stands nowhere in the files: only which variable holds it."""
    fields = Fields(node, ledger, "the connections")
    read_format(fields)
    found = {key.text: _connection(key, value, ledger) for key, value in fields.entries("connections", required=True)}
    fields.close()
    return found


def _connection(key: ScalarNode, node: Node, ledger: Ledger) -> Connection:
    name(key, ledger, "a connection")
    fields = Fields(node, ledger, "a connection")
    kind = fields.word("kind", CONNECTION_KINDS)
    internal = fields.truth("internal", default=False)
    url = fields.text("url")
    url_from = _variable(fields, "url", url) if url.startswith(FROM_ENV) else ""
    if url and not url_from and (node_of := fields.find("url")):
        _check_url(node_of, url, ledger, internal=internal)
    found = Connection(
        name=key.text,
        kind=kind,
        place=key.place,
        url="" if url_from else url,
        url_from=url_from,
        secret=_secret(fields, kind),
        internal=internal,
        retries=fields.whole("retries", 8, 0, MAX_RETRIES),
    )
    fields.close()
    return found


def _check_url(node: Node, url: str, ledger: Ledger, *, internal: bool) -> None:
    if why := refusal(url, internal=internal):
        message, _, hint = why.partition(": ")
        ledger.problem(node, 10, f"nothing can be called here: {message}", hint or _INTERNAL_HINT)
    elif _SECRET_LIKE.search(url):
        ledger.problem(node, 12, "this address is a secret itself, and files are read by many", "write url: env:NAME")
    elif shown := reads_as(url):
        ledger.note(node, 50, f'the name of this host reads "{shown}": is it the one you mean?')


def _secret(fields: Fields, kind: ConnectionKind) -> str:
    written = fields.find("kind")
    signed = kind != "chat" and isinstance(written, ScalarNode) and written.text == kind
    text = fields.text("secret") if signed else fields.text("secret", "")
    return _variable(fields, "secret", text) if text else ""


def _variable(fields: Fields, key: str, text: str) -> str:
    """The environment variable that ``env:NAME`` names. What was written instead is not repeated: it is a secret."""
    found = text.removeprefix(FROM_ENV)
    if text.startswith(FROM_ENV) and _VARIABLE.fullmatch(found):
        return found
    node = fields.find(key)
    if not text.startswith(FROM_ENV):
        message = f'"{key}" must not stand in a file: files are read by many, and remembered by git'
        fields.ledger.problem(node or fields.place, 11, message, f"write {key}: env:CRM_SECRET, and set that variable")
        return ""
    message = f'"{found[:60]}" is no name of an environment variable'
    fields.ledger.problem(node or fields.place, 13, message, "write capital letters, digits and _: env:CRM_SECRET")
    return ""
