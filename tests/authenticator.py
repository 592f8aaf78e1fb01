"""A device that keeps a passkey, written from Web Authentication Level 3: ES256, attestation none. Whatever it says may be forged."""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import uuid4

import cbor2
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
"""Flags of authenticator data (section 6.1)."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a device and its browser claim. The defaults are honest."""

    origin: str = "https://care.example.org"
    rp_id: str = "care.example.org"
    challenge: str = ""
    type: str = ""
    flags: int = PRESENT | VERIFIED
    count: int | None = None
    user_handle: bytes | None = None
    credential_id: bytes | None = None
    signature: bytes | None = None


class Authenticator:
    """One device with one passkey."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = hashlib.sha256(uuid4().bytes).digest()
        self.user_handle = b""
        self.count = 0

    def create(self, options: str, **said: Any) -> str:
        """The answer to `navigator.credentials.create`."""
        asked, claim = json.loads(options), Said(**said)
        self.user_handle = urlsafe_b64decode(asked["user"]["id"] + "==")
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        made = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public
        data = _data(claim, claim.flags | ATTESTED, 0) + made
        response = {
            "clientDataJSON": text(_client_data(claim, "webauthn.create", asked)),
            "attestationObject": text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
        }
        return self._answer(self.credential_id, response)

    def get(self, options: str, **said: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        asked, claim = json.loads(options), Said(**said)
        self.count += 1
        data = _data(claim, claim.flags, self.count if claim.count is None else claim.count)
        client_data = _client_data(claim, "webauthn.get", asked)
        signature = claim.signature or self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": text(client_data), "authenticatorData": text(data), "signature": text(signature),
            "userHandle": text(self.user_handle if claim.user_handle is None else claim.user_handle),
        }  # fmt: skip
        return self._answer(claim.credential_id or self.credential_id, response)

    def _answer(self, credential_id: bytes, response: dict[str, str]) -> str:
        return json.dumps({"id": text(credential_id), "rawId": text(credential_id), "type": "public-key", "response": response})


def _data(claim: Said, flags: int, count: int) -> bytes:
    return hashlib.sha256(claim.rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")


def _client_data(claim: Said, kind: str, asked: dict[str, Any]) -> bytes:
    said = {"type": claim.type or kind, "challenge": claim.challenge or asked["challenge"], "origin": claim.origin, "crossOrigin": False}
    return json.dumps(said).encode()


def text(of: bytes) -> str:
    """In base64url without padding."""
    return urlsafe_b64encode(of).rstrip(b"=").decode()
