"""Sealed values: what leaves our hands for a while, in a browser's cookie, and may be neither read nor changed there.

AES-256-GCM as a JWE (RFC 7516, `dir` with `A256GCM`). Each purpose has a key of its own, derived from the system's: what was sealed for one
purpose does not open for another.
"""

import hashlib
import hmac

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

ALGORITHMS = ["dir", "A256GCM"]
HEADER = {"alg": "dir", "enc": "A256GCM"}
LABEL = b"carewright.kernel.sealed\0"
SEALED_LENGTH_MAX = 4_000
"""A cookie holds no more (RFC 6265 section 6.1)."""


class Sealer:
    """Seals with keys derived from `key`, which all processes of a system share."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, purpose: str, plain: bytes) -> str:
        """`plain`, to be opened for the same purpose alone; in letters that a cookie and an address take."""
        return jwe.encrypt_compact(HEADER, plain, self._key_for(purpose), algorithms=ALGORITHMS)

    def open(self, purpose: str, sealed: str) -> bytes | None:
        """What was sealed for this purpose; None for anything else, whatever is wrong with it."""
        if len(sealed) > SEALED_LENGTH_MAX or not sealed.isascii():
            return None
        try:
            return jwe.decrypt_compact(sealed, self._key_for(purpose), algorithms=ALGORITHMS).plaintext
        except (JoseError, ValueError, TypeError):
            return None

    def _key_for(self, purpose: str) -> OctKey:
        return OctKey.import_key(hmac.new(self._key, LABEL + purpose.encode(), hashlib.sha256).digest())
