"""Connections: where calls go, and that no secret stands in a file."""

import pytest

from engine.definitions.connection import Connection
from engine.definitions.problem import Place
from tests.bad_files.workspace import BASE, bundle_of, notes_of, sentences_of

FILE = "rules/connections.yaml"
HERE = Place("anywhere")


def texts_of(inner: str) -> dict[str, str]:
    return {**BASE, FILE: BASE[FILE] + f"  more: {{{inner}}}\n"}


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('kind: webhook, url: "https://hooks.example.com/a?b=c", secret: "env:HOOK"',
         Connection("more", "webhook", HERE, "https://hooks.example.com/a?b=c", "", "HOOK")),
        ('kind: chat, url: "env:CHAT_URL"', Connection("more", "chat", HERE, "", "CHAT_URL")),
        ('kind: crm, url: "http://crm.lan:8000/x", secret: "env:CRM_2", internal: true, retries: 0',
         Connection("more", "crm", HERE, "http://crm.lan:8000/x", "", "CRM_2", internal=True, retries=0)),
    ],
)  # fmt: skip
def test_a_connection_is_read_as_it_is_written(written: str, found: Connection) -> None:
    assert bundle_of(texts_of(written)).connections["more"] == found


def test_without_a_file_there_are_no_connections() -> None:
    assert bundle_of({path: text for path, text in BASE.items() if path != FILE}).connections == {}


@pytest.mark.parametrize("secret", ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "swordfish", "$CRM_SECRET"])
def test_a_secret_in_a_file_is_refused_and_not_repeated(secret: str) -> None:
    """Mechanism 12: only from the environment; what was written is not said again."""
    (said,) = sentences_of(texts_of(f'kind: webhook, url: "https://hooks.example.com/a", secret: "{secret}"'))
    assert said.startswith('N011 "secret" must not stand in a file')
    assert secret not in said


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/services/T000/B000/XXXX",
        "https://chat.example.com/hook?key=abc&token=def",
        "https://chat.example.com/whsec_abc",
    ],
)
def test_an_address_that_is_a_secret_itself_is_refused(url: str) -> None:
    assert sentences_of(texts_of(f'kind: chat, url: "{url}"')) == [
        "N012 this address is a secret itself, and files are read by many"
    ]


@pytest.mark.parametrize(
    "url", ["https://10.0.0.1/", "https://[::1]/", "https://localhost/", "https://0x7f000001/", "ftp://example.com/"]
)
def test_an_address_that_is_not_out_in_the_world_is_refused(url: str) -> None:
    """P8: at load as far as the text itself says it; again when it is called."""
    (said,) = sentences_of(texts_of(f'kind: webhook, url: "{url}", secret: "env:S"'))
    assert said.startswith("N010 nothing can be called here: ")


def test_a_name_in_another_script_is_shown_as_it_reads() -> None:
    notes = notes_of(texts_of('kind: webhook, url: "https://xn--exmple-4nf.com/", secret: "env:S"'))
    assert any('the name of this host reads "ex' in note for note in notes)
