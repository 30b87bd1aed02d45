"""Which channel an installation uses, and what calls its connections, by its settings."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

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
    own = frozenset({urlsplit(settings.base_url).hostname or ""})
    return Caller(Egress(allowed=allowed_urls(settings.allow_egress), own=own), environment)
