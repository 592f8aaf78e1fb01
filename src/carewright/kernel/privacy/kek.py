"""The key-encryption key: it wraps the keys of every organization and never meets a person's data.

It is a file by default. With OpenBao or HashiCorp Vault it stays in there: the transit engine wraps and unwraps, and its key never leaves.
"""

import base64
import hashlib
from pathlib import Path
from typing import Protocol

import httpx

from carewright.kernel.errors import Unavailable
from carewright.kernel.privacy.aead import NotAuthentic, aead_of, new_key
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.settings import StartFailed

TRANSIT_SECONDS_MAX = 5.0
RUNBOOK = "See docs/runbooks/key-missing.md."


class WrongKey(Exception):
    """What was to be unwrapped was wrapped by another key, for another purpose, or was changed."""


class KeyService(Protocol):
    """Wraps and unwraps keys. `id` names the key and is stored beside what it wrapped; `about` must be the same both times."""

    id: str

    async def wrap(self, key: bytes, about: bytes) -> bytes: ...

    async def unwrap(self, wrapped: bytes, about: bytes) -> bytes: ...

    def take_up(self, kek_id: str) -> bool:
        """Whether the key of that id is at hand, and is used from now on."""
        ...


class KeysUnavailable(Unavailable):
    code = "kernel.keys_unavailable"
    title = "The key service does not answer just now. Nothing was changed; try again in a moment."


class FileKey:
    """An AES-256-GCM keyset in a file. Its id is a hash of it, so that another file is noticed at once.

    A file that was replaced while the process runs is looked at again, and so is the one that is about to replace it (`next_of`).
    """

    def __init__(self, content: bytes, path: Path | None = None) -> None:
        self._path = path
        self._use(content)

    async def wrap(self, key: bytes, about: bytes) -> bytes:
        self._look_again()
        return self._aead.encrypt(key, about)

    async def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        for aead in (self._aead, *(aead_of(content) for content in self._contents())):
            try:
                return aead.decrypt(wrapped, about)
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


class TransitKey:
    """A key in the transit engine of OpenBao or HashiCorp Vault (https://openbao.org/api-docs/secret/transit/)."""

    def __init__(self, url: str, mount: str, key: str, token_file: Path) -> None:
        self.id = f"transit:{mount}/{key}"
        self._base = f"{url.rstrip('/')}/v1/{mount}"
        self._key = key
        self._token_file = token_file

    async def wrap(self, key: bytes, about: bytes) -> bytes:
        given = {"plaintext": base64.b64encode(key).decode(), "associated_data": base64.b64encode(about).decode()}
        return (await self._ask("encrypt", given))["ciphertext"].encode()

    async def unwrap(self, wrapped: bytes, about: bytes) -> bytes:
        given = {"ciphertext": wrapped.decode(), "associated_data": base64.b64encode(about).decode()}
        return base64.b64decode((await self._ask("decrypt", given))["plaintext"])

    def take_up(self, kek_id: str) -> bool:
        return self.id == kek_id

    async def _ask(self, what: str, given: dict[str, str]) -> dict[str, str]:
        """The token is read each time: whoever renews it writes the file anew."""
        try:
            token = self._token_file.read_text("ascii").strip()
            async with httpx.AsyncClient(trust_env=False, timeout=TRANSIT_SECONDS_MAX) as client:
                answer = await client.post(f"{self._base}/{what}/{self._key}", json=given, headers={"X-Vault-Token": token})
        except (OSError, httpx.HTTPError) as fault:
            raise KeysUnavailable from fault
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise WrongKey
        if not answer.is_success:
            raise KeysUnavailable
        data: dict[str, str] = answer.json()["data"]
        return data


def id_of(content: bytes) -> str:
    """What names a key file's key."""
    return "file:" + hashlib.sha256(content).hexdigest()[:16]


def next_of(path: Path) -> Path:
    """Where the key file lies that is about to replace this one."""
    return path.with_name(path.name + ".next")


def new_key_file() -> bytes:
    """The content of a key file that nobody has."""
    return new_key()


def key_service(settings: PrivacySettings, default_file: Path) -> KeyService:
    """The key service that the settings name. Raises `StartFailed` when it cannot be used."""
    if settings.key_service == "transit":
        if not (settings.transit_url and settings.transit_token_file):
            raise StartFailed("A transit key needs CAREWRIGHT_PRIVACY_TRANSIT_URL and CAREWRIGHT_PRIVACY_TRANSIT_TOKEN_FILE.")
        return TransitKey(settings.transit_url, settings.transit_mount, settings.transit_key, Path(settings.transit_token_file))
    return _file_key(key_file_of(settings, default_file))


def key_file_of(settings: PrivacySettings, default_file: Path) -> Path:
    """Where the key file is, or would be."""
    return Path(settings.key_file) if settings.key_file else default_file


def _file_key(path: Path) -> FileKey:
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise StartFailed(f"The key file {path} cannot be read: {fault.strerror}. {RUNBOOK}") from fault
    try:
        return FileKey(content, path)
    except NotAuthentic as fault:
        raise StartFailed(f"{path} is no key file, or is damaged. {RUNBOOK}") from fault
