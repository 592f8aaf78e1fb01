"""Signed notes (https://c2sp.org/signed-note): a text, an empty line, and a line for each signature. Ed25519 only.

A key is named in one line, the verifier key: `name+hash+base64`, where the hash tells apart keys of one name.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from carewright.kernel.errors import BadInput
from carewright.kernel.settings import StartFailed

ED25519 = b"\x01"
SEED_BYTES = 32
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64
NOTE_LETTERS_MAX = 100_000
BEFORE_SIGNATURE = "\u2014 "


class Signer:
    """Signs notes in one name. `seed` is the private key as RFC 8032 has it, 32 bytes."""

    def __init__(self, name: str, seed: bytes) -> None:
        if not name or "+" in name or len(name.split()) != 1:
            raise StartFailed("The name of a log has no spaces and no plus sign.")
        self.name = name
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes_raw()

    @classmethod
    def of_file(cls, name: str, path: str) -> "Signer":
        """The signer whose seed is a file's content. Raises `StartFailed`."""
        try:
            seed = Path(path).read_bytes()
        except OSError as fault:
            raise StartFailed("The key that signs the audit log cannot be read. Check CAREWRIGHT_AUDIT_SIGNING_KEY_FILE.") from fault
        if len(seed) != SEED_BYTES:
            raise StartFailed(f"The key that signs the audit log must have {SEED_BYTES} bytes.")
        return cls(name, seed)

    @property
    def verifier_key(self) -> str:
        """What others need to check our signatures."""
        return f"{self.name}+{_key_id(self.name, self._public).hex()}+{b64encode(ED25519 + self._public).decode()}"

    def sign(self, text: str) -> str:
        """The note. `text` ends with a newline."""
        signature = _key_id(self.name, self._public) + self._key.sign(text.encode())
        return f"{text}\n{BEFORE_SIGNATURE}{self.name} {b64encode(signature).decode()}\n"


class Verifier:
    """Checks notes against one verifier key. Raises `BadInput` for a key that is none."""

    def __init__(self, verifier_key: str) -> None:
        name, _, rest = verifier_key.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        try:
            public = b64decode(encoded, validate=True)
            self._key = Ed25519PublicKey.from_public_bytes(public[1:])
        except ValueError as fault:
            raise BadInput("This is not a verifier key. It looks like name+hash+base64.") from fault
        self.name, self._id = name, _key_id(name, public[1:])
        if not name or public[:1] != ED25519 or self._id.hex() != key_id:
            raise BadInput("This is not a verifier key of this name. It looks like name+hash+base64.")

    def opened(self, note: str) -> str | None:
        """The note's text, or None unless our key signed it."""
        text, parted, signatures = note.rpartition("\n\n")
        text += "\n"
        if not parted or len(note) > NOTE_LETTERS_MAX:
            return None
        ours = [signed for line in signatures.splitlines() if (signed := self._signature_in(line)) is not None]
        return text if ours and all(self._is_valid(text, signed) for signed in ours) else None

    def _signature_in(self, line: str) -> bytes | None:
        words = line.split(" ")
        if len(words) != 3 or words[:2] != [BEFORE_SIGNATURE.strip(), self.name]:
            return None
        try:
            signature = b64decode(words[2], validate=True)
        except NotBase64:
            return None
        return signature[KEY_ID_BYTES:] if signature[:KEY_ID_BYTES] == self._id else None

    def _is_valid(self, text: str, signature: bytes) -> bool:
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]
