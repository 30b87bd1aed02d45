"""Connecting to Temporal: one runtime per process, quiet logs, no compression on the loopback."""

import asyncio
from functools import cache
from ipaddress import ip_address

from temporalio.client import Client
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig
from temporalio.service import GrpcCompression

from engine.errors import Unavailable

_PAUSE = 0.5
_HEARD = "error,temporalio_sdk_core::worker::workflow=warn"


async def connect(address: str, namespace: str = "default", *, patience: float = 30.0) -> Client:
    """A client of the Temporal frontend at ``address`` (host:port), tried for ``patience`` seconds.

    Raises `Unavailable` when nobody answers there.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            return await Client.connect(
                address,
                namespace=namespace,
                runtime=_runtime(),
                grpc_compression=GrpcCompression.NONE if _is_loopback(address) else GrpcCompression.GZIP,
            )
        except RuntimeError as error:
            # The SDK raises nothing more precise while the server does not answer.
            if asyncio.get_running_loop().time() + _PAUSE > deadline:
                raise Unavailable(_nobody(address)) from error
        await asyncio.sleep(_PAUSE)


def _nobody(address: str) -> str:
    return (
        f"nobody answers at {address}, where Temporal should be; runs wait until it is back. "
        "Start it, or set BACKCAST_TEMPORAL_ADDRESS to where it is (empty: the embedded server)"
    )


@cache
def _runtime() -> Runtime:
    """Errors only, and warnings about single workflow tasks: one that does not replay must be heard. While a server is
    down the SDK would warn about every retry elsewhere, hundreds within seconds."""
    return Runtime(telemetry=TelemetryConfig(logging=LoggingConfig(filter=_HEARD)))


def _is_loopback(address: str) -> bool:
    host = address.rsplit(":", 1)[0].strip("[]")
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
