"""One-time passwords: eight digits, for ten minutes, in one browser, once."""

import hashlib
import hmac
from datetime import timedelta
from uuid import UUID

DIGITS = 8
"""26 bits. ASVS 5.0, 6.5: 20 at least, and not valid for more than 10 minutes."""
CODE_LIFETIME = timedelta(minutes=10)
TRIES_MAX = 5
FAILURES_MAX = 100
"""Consecutive wrong codes after which an account is locked: a chance of one in a million to guess one before."""
LIVE_CODES_MAX = 5
"""Codes of one account that may be on their way at once."""


def code_of(secret: bytes) -> str:
    """Eight digits out of 16 random bytes: so many more than needed that no digit comes up more often."""
    return str(int.from_bytes(secret) % 10**DIGITS).zfill(DIGITS)


def proof_of(code_id: UUID, binding: str, code: str) -> bytes:
    """What we keep of a code. The browser's secret is part of it: from the database alone no code can be guessed, though they are short."""
    return hashlib.sha256(b"carewright.code\n" + code_id.bytes + binding.encode() + b"\n" + code.encode()).digest()


def proves(stored: bytes, code_id: UUID, binding: str, code: str) -> bool:
    """Whether this code came from that browser. Spaces that people type in between do not count."""
    return hmac.compare_digest(stored, proof_of(code_id, binding, "".join(code.split())))
