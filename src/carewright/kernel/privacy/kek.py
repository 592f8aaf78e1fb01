"""The key-encryption key: it wraps the keys of every organization and never meets a person's data.

It is a file by default (`FileKey`). In a key service it stays in there, and the service wraps and unwraps: `transit`, `aws`, `gcp`.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from carewright.kernel.errors import Unavailable
from carewright.kernel.privacy.aead import NotAuthentic, aead_of, new_key
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.settings import StartFailed

RUNBOOK = "See docs/runbooks/key-missing.md."


class WrongKey(Exception):
    """What was to be unwrapped was wrapped by another key, for another place, or was changed."""


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Whose a wrapped key is, what for, and which one: put into another organization's row it does not unwrap."""

    organization_id: UUID
    purpose: str
    version: int

    def __bytes__(self) -> bytes:
        return self.organization_id.bytes + f"{self.purpose}\0{self.version}".encode()


class KeyService(Protocol):
    """Wraps and unwraps keys. `id` names the key and is stored beside what it wrapped; the place must be the same both times.

    Raises `KeysUnavailable`, `KeyRefused`, and on unwrapping `WrongKey`.
    """

    id: str

    async def wrap(self, key: bytes, place: KeyPlace) -> bytes: ...

    async def unwrap(self, wrapped: bytes, place: KeyPlace) -> bytes: ...

    def take_up(self, kek_id: str) -> bool:
        """Whether the key of that id is at hand, and is used from now on."""
        ...


class KeysUnavailable(Unavailable):
    code = "kernel.keys_unavailable"
    title = "The key service does not answer just now. Nothing was changed; try again in a moment."


class KeyRefused(Unavailable):
    """The key service answers, and does not do it. `reason` is a key of `REMEDIES`; what the service said is not repeated."""

    code = "kernel.key_refused"
    title = "The key service does not let us use the key. Nothing was changed; whoever runs this system has to look."


REMEDIES = {
    "address": "Its address is closed to outgoing requests: name it in CAREWRIGHT_EDGE_OUTGOING_ORIGINS, or release it from quarantine.",
    "credentials": "It does not know our credentials, or there are none: renew them.",
    "denied": "Our credentials may not use the key: allow them to encrypt and to decrypt with it.",
    "disabled": "The key is disabled, or is about to be destroyed: enable it, or call its destruction off.",
    "missing": "It has no such key: correct the key's name.",
    "unusable": "The key is of another kind: it must be one that encrypts and decrypts.",
}
"""What to do about a refusal of the key service, by reason."""


class FileKey:
    """An AES-256-GCM keyset in a file. Its id is a hash of it, so that another file is noticed at once.

    A file that was replaced while the process runs is looked at again, and so is the one that is about to replace it (`next_of`).
    """

    def __init__(self, content: bytes, path: Path | None = None) -> None:
        self._path = path
        self._use(content)

    async def wrap(self, key: bytes, place: KeyPlace) -> bytes:
        self._look_again()
        return self._aead.encrypt(key, bytes(place))

    async def unwrap(self, wrapped: bytes, place: KeyPlace) -> bytes:
        for aead in (self._aead, *(aead_of(content) for content in self._contents())):
            try:
                return aead.decrypt(wrapped, bytes(place))
            except NotAuthentic:
                continue
        raise WrongKey

    def take_up(self, kek_id: str) -> bool:
        """Puts the next file in its place where that was left undone."""
        if self._path is not None and kek_id != self.id:
            following = next_of(self._path)
            if following.exists() and id_of(following.read_bytes()) == kek_id:
                following.replace(self._path)
            self._look_again()
        return self.id == kek_id

    def _use(self, content: bytes) -> None:
        self.id = id_of(content)
        self._aead = aead_of(content)

    def _contents(self) -> list[bytes]:
        if self._path is None:
            return []
        return [path.read_bytes() for path in (self._path, next_of(self._path)) if path.exists()]

    def _look_again(self) -> None:
        if self._path is not None and (content := self._path.read_bytes()) and id_of(content) != self.id:
            self._use(content)


def id_of(content: bytes) -> str:
    """What names a key file's key."""
    return "file:" + hashlib.sha256(content).hexdigest()[:16]


def next_of(path: Path) -> Path:
    """Where the key file lies that is about to replace this one."""
    return path.with_name(path.name + ".next")


def new_key_file() -> bytes:
    """The content of a key file that nobody has."""
    return new_key()


def key_file_of(settings: PrivacySettings, default_file: Path) -> Path:
    """Where the key file is, or would be."""
    return Path(settings.key_file) if settings.key_file else default_file


def file_key(path: Path) -> FileKey:
    """The key in a file. Raises `StartFailed` when it cannot be used."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise StartFailed(f"The key file {path} cannot be read: {fault.strerror}. {RUNBOOK}") from fault
    try:
        return FileKey(content, path)
    except NotAuthentic as fault:
        raise StartFailed(f"{path} is no key file, or is damaged. {RUNBOOK}") from fault
