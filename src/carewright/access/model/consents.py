"""Whom a patient lets act for them, and what that lets a proxy do."""

import hashlib
from base64 import b32encode
from datetime import datetime, timedelta

from carewright.contracts.consents import Consent, ConsentScope
from carewright.contracts.permissions import ROLES

CODE_BYTES = 10
"""80 bits: what is stored of a code cannot be guessed from."""
CODE_LIFETIME = timedelta(days=7)
LONGEST = timedelta(days=5 * 365 + 1)
CHANGES = frozenset(f"scheduling.appointment.{verb}" for verb in ("hold", "book", "confirm", "cancel", "reschedule"))
"""What a proxy may not who may only see."""


def code_of(secret: bytes) -> str:
    """A code that one person reads to another: 16 letters and digits in groups of four."""
    letters = b32encode(secret).decode()
    return "-".join(letters[at : at + 4] for at in range(0, len(letters), 4))


def code_hash(code: str) -> bytes:
    """What we keep of a code, however it was typed."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    return hashlib.sha256(b"carewright.consent\n" + plain.encode()).digest()


def is_live(consent: Consent, now: datetime) -> bool:
    """Whether the proxy may act by it now."""
    return consent.accepted_at is not None and consent.withdrawn_at is None and consent.starts_at <= now < consent.ends_at


def scopes_of(scope: ConsentScope) -> tuple[str, ...] | None:
    """What a session by this consent may; None for all that the role of proxies may."""
    return None if scope == "book" else tuple(sorted(ROLES["proxy"] - CHANGES))
