"""What an operator can set, from the environment (``BACKCAST_…``) or the command line.

Settings are read once at a process's edge and handed down; nothing else reads the environment.
"""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """One installation's settings. Paths are texts: only the store and the processes open them."""

    model_config = SettingsConfigDict(env_prefix="BACKCAST_", extra="ignore")

    data: str = Field(default=".backcast", description="folder for the database, outgoing files and Temporal's file")
    database_url: str = Field(default="", description="another database; default is SQLite in the data folder")
    columns: str = Field(default="", description="folder of the packed columns; default is columns/ in the data folder")
    files: str = Field(default=".", description="folder that holds rules/ and playbooks/")
    base_url: str = Field(default="http://127.0.0.1:8700", description="address people reach the pages at")
    temporal_address: str = Field(default="", description="a Temporal cluster; default is the embedded server")
    temporal_namespace: str = Field(default="default", description="the namespace to use there; it must exist")
    task_queue: str = "backcast"
    channel: Literal["file", "smtp"] = Field(default="file", description="where e-mail goes")
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    smtp_seconds: float = Field(default=30.0, gt=0, description="how long to wait for one answer of the relay")
    sender: str = "customer-success@example.com"
    reply_address: str = Field(
        default="",
        description="where answers go, as reply+@example.com (its mail is passed on to /v1/mail); else the owner",
    )
    allow_egress: str = Field(
        default="", description="URLs inside that connections may call, word for word, with spaces between"
    )
    day_seconds: float = Field(
        default=86_400.0, gt=0, description="length of a day for runs; shorter to try things out"
    )

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data}/backcast.db"

    @property
    def columns_folder(self) -> str:
        """The folder of the packed columns in force."""
        return self.columns or f"{self.data}/columns"
