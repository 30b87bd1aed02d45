"""Which channel an installation uses, and what calls its connections, by its settings."""

from collections.abc import Mapping
from pathlib import Path

from engine.definitions.addresses import read_target
from engine.errors import Refused
from engine.settings import Settings
from workflows.channels.egress import Egress, allowed_urls
from workflows.channels.file import FileChannel
from workflows.channels.letter import Channel
from workflows.channels.smtp import SmtpChannel
from workflows.channels.webhook import Caller

OUTGOING = "outgoing"
"""The folder of letters in the data folder."""


def choose_channel(settings: Settings) -> Channel:
    """The channel e-mail leaves by: files in the data folder, or a relay."""
    if settings.channel == "file":
        return FileChannel(Path(settings.data) / OUTGOING)
    return SmtpChannel(
        settings.smtp_host,
        settings.smtp_port,
        user=settings.smtp_user,
        password=settings.smtp_password.get_secret_value(),
        starttls=settings.smtp_starttls,
        seconds=settings.smtp_seconds,
    )


def choose_caller(settings: Settings, environment: Mapping[str, str]) -> Caller:
    """What calls connections. ``environment`` holds the secrets that files name. Raises `Refused` where
    BACKCAST_ALLOW_EGRESS holds something that is no URL."""
    try:
        allowed = allowed_urls(settings.allow_egress)
    except Refused as refused:
        raise Refused(f"BACKCAST_ALLOW_EGRESS is not usable: {refused}") from None
    return Caller(Egress(allowed=allowed, own=_own(settings.base_url)), environment)


def _own(base_url: str) -> frozenset[str]:
    """The host of this installation, which it must not call."""
    try:
        return frozenset({read_target(base_url).host})
    except Refused:  # nothing that could be called has this address
        return frozenset()
