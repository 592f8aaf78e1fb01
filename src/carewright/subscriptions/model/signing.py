"""The signature of a notification, as Standard Webhooks have it (https://www.standardwebhooks.com, symmetric signatures)."""

import base64
import hmac
from collections.abc import Sequence

PREFIX = "whsec_"
SECRET_BYTES = 32


def secret_text(secret: bytes) -> str:
    """A secret as it is told: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def signed(secrets: Sequence[bytes], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers: which message it is, when it was sent, and HMAC-SHA256 of `id.timestamp.body` under each secret.

    The id is the same whenever the same notification is sent again.
    """
    content = f"{id_}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, content, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": id_, "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }  # fmt: skip
