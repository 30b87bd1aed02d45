"""Which channel an installation uses, by its settings."""

from pathlib import Path

from engine.settings import Settings
from workflows.channels.file import FileChannel
from workflows.channels.letter import Channel
from workflows.channels.smtp import SmtpChannel

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
