"""Seals and opens the fields of one organization, and makes keyed hashes by which they are found.

A sealed field is three bytes that say which version of the key sealed it, then what AES-256-GCM made of it (Tink: nonce, ciphertext, tag).
The place it was sealed for (organization, table, column, row) is its associated data: moved elsewhere it does not open.
"""

import hmac
from collections.abc import Mapping
from uuid import UUID

from prometheus_client import Counter

from carewright.kernel.errors import Refusal
from carewright.kernel.privacy.aead import Aead, NotAuthentic

FORMAT = 1
HEADER_BYTES = 3
"""One byte for the format, two for the version of the key, most significant first."""
VERSION_MAX = 2**16 - 1
BLIND_BITS = 14
REFUSED = Counter("carewright_sealed_refused_total", "Sealed fields that did not open. Any increase is an alert.")

Row = UUID | str
"""What a field belongs to: a row's id, or the rest of its key."""


class SealedElsewhere(Refusal):
    """A ciphertext that was moved, changed, or sealed by a key that is not ours. Never answered with anything but this."""

    code = "kernel.sealed_elsewhere"
    status = 500
    issue = "security"
    title = "A stored field was sealed for another place, or was changed. It is not shown."


class KeysDestroyed(Refusal):
    code = "kernel.keys_destroyed"
    status = 410
    issue = "deleted"
    title = "The keys of this organization were destroyed. What they sealed cannot be read by anybody."


class FieldCipher:
    """The keys of one organization, at hand. `versions` open, the version `current` seals; `index_key` makes every keyed hash."""

    def __init__(self, organization_id: UUID, versions: Mapping[int, Aead], current: int, index_key: bytes) -> None:
        self.organization_id = organization_id
        self.current = current
        self.header = bytes([FORMAT]) + current.to_bytes(2, "big")
        """The first bytes of everything that is sealed now; what begins otherwise is due for rotation."""
        self._versions = versions
        self._index_key = index_key
        self._columns: dict[tuple[str, str], bytes] = {}

    def seal(self, table: str, column: str, row: Row, plaintext: bytes) -> bytes:
        """Encrypt a field for its place."""
        return self.header + self._versions[self.current].encrypt(plaintext, self._place(table, column, row))

    def open_(self, table: str, column: str, row: Row, sealed: bytes) -> bytes:
        """Decrypt a field at its place. Raises `SealedElsewhere` for anything that was not sealed for exactly it."""
        key = self._versions.get(int.from_bytes(sealed[1:HEADER_BYTES], "big")) if sealed[:1] == bytes([FORMAT]) else None
        try:
            if key is not None:
                return key.decrypt(sealed[HEADER_BYTES:], self._place(table, column, row))
        except NotAuthentic:
            pass
        REFUSED.inc()
        raise SealedElsewhere(table=table, column=column, row_id=str(row) if isinstance(row, UUID) else None)

    def reseal(self, table: str, column: str, row: Row, sealed: bytes) -> bytes:
        """The same field under the newest key."""
        return self.seal(table, column, row, self.open_(table, column, row, sealed))

    def blind(self, table: str, column: str, text: str, bits: int = BLIND_BITS) -> int:
        """A keyed hash of `text` cut to `bits` (at most 31): the same for the same text, and for many others."""
        return int.from_bytes(self._hash(table, column, text.encode())[:4], "big") >> (32 - bits)

    def mark(self, table: str, column: str, data: bytes) -> bytes:
        """A keyed hash of `data` at full length, 32 bytes: for uniqueness and sameness, where nothing may collide."""
        return self._hash(table, column, data)

    def _hash(self, table: str, column: str, data: bytes) -> bytes:
        """HMAC-SHA256 under the column's own key, which is HKDF-Expand (RFC 5869 section 2.3, one block) of the index key."""
        key = self._columns.get((table, column))
        if key is None:
            key = hmac.digest(self._index_key, f"{table}\0{column}\1".encode(), "sha256")
            self._columns[table, column] = key
        return hmac.digest(key, data, "sha256")

    def _place(self, table: str, column: str, row: Row) -> bytes:
        """Every part is of fixed length or ends in a zero byte, so no two places read the same."""
        name = row.bytes if isinstance(row, UUID) else row.encode()
        return b"%b%b\0%b\0%b" % (self.organization_id.bytes, table.encode(), column.encode(), name)
