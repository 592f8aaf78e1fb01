"""Sealed values: what leaves our hands for a while, in a browser's cookie, and may be neither read nor changed there.

AES-256-GCM as a JWE (RFC 7516, `dir` with `A256GCM`). Each purpose has a key of its own, derived from the system's: what was sealed for one
purpose does not open for another.
"""

import hashlib
import hmac

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carewright.kernel.clock import Clock
from carewright.kernel.token_keys import TokenKeys

ALGORITHMS = ["dir", "A256GCM"]
HEADER = {"alg": "dir", "enc": "A256GCM"}
LABEL = b"carewright.kernel.sealed\0"
SEALED_LENGTH_MAX = 4_000
"""A cookie holds no more (RFC 6265 section 6.1)."""


class Sealer:
    """Seals with keys derived from the token keys, which all processes of a system share. What a retired key sealed opens no more."""

    def __init__(self, keys: TokenKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    def seal(self, purpose: str, plain: bytes) -> str:
        """`plain`, to be opened for the same purpose alone; in letters that a cookie and an address take."""
        return jwe.encrypt_compact(HEADER, plain, _key_for(self._secrets()[0], purpose), algorithms=ALGORITHMS)

    def open(self, purpose: str, sealed: str) -> bytes | None:
        """What was sealed for this purpose; None for anything else, whatever is wrong with it."""
        if len(sealed) > SEALED_LENGTH_MAX or not sealed.isascii():
            return None
        for secret in self._secrets():
            try:
                return jwe.decrypt_compact(sealed, _key_for(secret, purpose), algorithms=ALGORITHMS).plaintext
            except (JoseError, ValueError, TypeError):
                continue
        return None

    def _secrets(self) -> list[bytes]:
        return self._keys.secrets(self._clock.now())


def _key_for(secret: bytes, purpose: str) -> OctKey:
    return OctKey.import_key(hmac.new(secret, LABEL + purpose.encode(), hashlib.sha256).digest())
