"""AES-256-GCM by Google Tink, at the border: Tink ships no types, so it gets ours here. A key is a serialized keyset with one key."""

from typing import Protocol

from tink import TinkError, aead, new_keyset_handle, proto_keyset_format, secret_key_access

from carewright.kernel.rng import new_secret

aead.register()
NotAuthentic = TinkError
"""The ciphertext, its associated data or the key is not the one it was; or what was to be a key is none."""
SECRET_BYTES = 32


class Aead(Protocol):
    """Encrypts under a fresh nonce, and decrypts what was not changed. Raises `NotAuthentic`."""

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes: ...


def new_key() -> bytes:
    """A key that nobody has. Its ciphertexts carry no prefix of Tink's: versions are told apart by our own header."""
    key: bytes = proto_keyset_format.serialize(new_keyset_handle(aead.aead_key_templates.AES256_GCM_RAW), secret_key_access.TOKEN)
    return key


def new_index_key() -> bytes:
    """A key for keyed hashes."""
    return new_secret(SECRET_BYTES)


def aead_of(key: bytes) -> Aead:
    """What a key does. Raises `NotAuthentic` for what is no key."""
    primitive: Aead = proto_keyset_format.parse(key, secret_key_access.TOKEN).primitive(aead.Aead)
    return primitive
