"""Where answers to a message go: an address that names the delivery, so that an answer is told from any other mail.

The token is short and of small letters and digits only, because relays may change the case of an address and cut off
what is longer than 64 characters before the ``@``.
"""

import hashlib
import hmac
import re
from typing import Final

_TOKEN: Final = re.compile(r"[^+@]*\+([0-9a-f]{1,16})-([0-9a-f]{20})@", re.IGNORECASE)


def address(base: str, secret: bytes, delivery_id: int) -> str:
    """``reply+@example.com`` with the delivery's token behind the plus; any other address as it is."""
    local, at, domain = base.rpartition("@")
    return f"{local}{delivery_id:x}-{_sign(secret, delivery_id)}{at}{domain}" if local.endswith("+") else base


def delivery_of(secret: bytes, to: str) -> int | None:
    """The delivery whose token an address carries; None for anything that is not one of ours."""
    found = _TOKEN.match(to.strip())
    if found is None:
        return None
    delivery_id = int(found[1], 16)
    given, ours = found[2].lower(), _sign(secret, delivery_id)
    return delivery_id if hmac.compare_digest(given, ours) else None


def _sign(secret: bytes, delivery_id: int) -> str:
    return hmac.new(secret, f"reply/{delivery_id}".encode(), hashlib.sha256).hexdigest()[:20]
