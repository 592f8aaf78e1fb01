"""The keys that sign tokens and seal what browsers keep: one, or several while one takes over from another.

They lie in a file that all processes share: 32 random bytes or more, or JSON, as `rotated` makes it. A new key is known everywhere before
it signs, an older one verifies until what it signed has run out. The file is looked at every second, and at once when a token names a key
that nobody here knows, so no process has to start again.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from joserfc.jwk import OctKey
from prometheus_client import Counter

from carewright.kernel import telemetry
from carewright.kernel.private_file import write_private
from carewright.kernel.rng import new_secret
from carewright.kernel.settings import StartFailed

KEY_BYTES = 32
LIFETIME_MAX = timedelta(hours=24)
"""No token lives longer, so no key has to verify for longer once it signs no more."""
LOOK_SECONDS = 1.0
UNREADABLE = Counter("carewright_token_keys_unreadable_total", "Looks at the token key file that found no keys. The former ones stay.")
log = telemetry.logger(__name__)


class TokenKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key. `id` is the `kid` of its tokens. Without `signs_from` it always signed, without `verifies_until` it verifies for ever."""

    id: str
    key: bytes
    signs_from: datetime | None = None
    verifies_until: datetime | None = None

    def verifies(self, now: datetime) -> bool:
        return self.verifies_until is None or now < self.verifies_until

    def signs(self, now: datetime) -> bool:
        return self.verifies(now) and (self.signs_from is None or self.signs_from <= now)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[TokenKey, ...]


class TokenKeys:
    """The keys as their file has them now. `generation` counts how often they changed."""

    def __init__(self, keys: Sequence[TokenKey], path: Path | None = None) -> None:
        self.generation = 0
        self._path = path
        self._seen = _mark(path)
        self._take(keys)

    @classmethod
    def of(cls, key: bytes) -> "TokenKeys":
        """One key, which never changes."""
        return cls([_only(key)])

    @classmethod
    def of_file(cls, path: Path) -> "TokenKeys":
        """The keys of a file. Raises `StartFailed` for a file that has none."""
        try:
            return cls(keys_in(path.read_bytes()), path)
        except OSError as fault:
            raise StartFailed("There is no token key. Set CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE, or start with `carewright up`.") from fault

    def signing(self, now: datetime) -> tuple[str, OctKey]:
        """The id and the key that sign now: the newest whose time has come."""
        chosen = self._signing(now)
        return chosen.id, self._by_id[chosen.id][1]

    def verifying(self, key_id: object, now: datetime) -> OctKey | None:
        """The key of this id, if it still verifies. One that nobody knows makes us look at the file first."""
        if key_id not in self._by_id:
            self.look()
        known, key = self._by_id.get(str(key_id), (None, None))
        return key if known is not None and known.verifies(now) else None

    def secrets(self, now: datetime) -> list[bytes]:
        """What seals now, and behind it what may still open."""
        chosen = self._signing(now)
        return [chosen.key, *(each.key for each in self.keys if each is not chosen and each.verifies(now))]

    def look(self) -> None:
        """Take the file's keys if it has changed. What cannot be read changes nothing, and is told."""
        if (mark := _mark(self._path)) == self._seen or self._path is None:
            return
        self._seen = mark
        try:
            self._take(keys_in(self._path.read_bytes()))
        except (OSError, StartFailed) as fault:
            UNREADABLE.inc()
            self._seen = None
            log.error("token_keys.unreadable", error=type(fault).__name__)
            return
        self.generation += 1
        log.info("token_keys.changed", count=len(self.keys))

    def revoke(self, now: datetime) -> None:
        """Put a new key into the file, and nothing beside it: whatever older ones signed is refused. Raises `StartFailed`."""
        if self._path is None:
            raise StartFailed("There is no token key file here to write a new key into.")
        rotate_file(self._path, now, timedelta(), revoke=True)
        self.look()

    async def follow(self) -> None:
        """Look every second, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def _take(self, keys: Sequence[TokenKey]) -> None:
        self.keys = tuple(keys)
        self._by_id = {each.id: (each, OctKey.import_key(each.key)) for each in self.keys}

    def _signing(self, now: datetime) -> TokenKey:
        """A file whose keys all wait for their time is one that a clock got wrong: its oldest signs."""
        ready = [each for each in self.keys if each.signs(now)]
        return max(ready, key=lambda each: each.signs_from.timestamp() if each.signs_from else 0.0, default=self.keys[-1])


def keys_in(content: bytes) -> tuple[TokenKey, ...]:
    """The keys of a file's content, newest first. Raises `StartFailed` in a sentence that says what is wrong, and nothing of a key."""
    if content.lstrip()[:1] != b"{" or b'"keys"' not in content:
        return (_only(content),)
    try:
        keys = msgspec.json.decode(content, type=_File).keys
    except msgspec.DecodeError as fault:
        raise StartFailed(
            "The token key file is damaged. Take its copy, or make a new key: `carewright keys rotate-tokens --revoke`."
        ) from fault
    if not keys or len({each.id for each in keys}) < len(keys):
        raise StartFailed("The token key file names no key, or one twice.")
    for each in keys:
        _ensure_long(each.key)
    return keys


def rotated(keys: Sequence[TokenKey], now: datetime, delay: timedelta, *, revoke: bool) -> bytes:
    """The content of the file after a rotation. The new key signs after `delay`; with `revoke` it signs now, and no other key counts."""
    signs_from = now if revoke else now + delay
    key = new_secret(KEY_BYTES)
    ends = signs_from + LIFETIME_MAX
    kept = [] if revoke else [
        msgspec.structs.replace(each, verifies_until=each.verifies_until or ends) for each in keys if each.verifies(now)
    ]  # fmt: skip
    content = _File((TokenKey(id=_id_of(key), key=key, signs_from=signs_from), *kept))
    return msgspec.json.format(msgspec.json.encode(content))


def rotate_file(path: Path, now: datetime, delay: timedelta, *, revoke: bool) -> None:
    """Rotate the keys of a file. Revoking needs nothing of what it holds. Raises `StartFailed` where it cannot be read or written."""
    try:
        write_private(path, rotated(() if revoke else keys_in(path.read_bytes()), now, delay, revoke=revoke))
    except OSError as fault:
        raise StartFailed(f"The token key file {path} cannot be changed here: {fault.strerror}. Rotate where the file is kept.") from fault


def _only(key: bytes) -> TokenKey:
    _ensure_long(key)
    return TokenKey(id=_id_of(key), key=key)


def _ensure_long(key: bytes) -> None:
    if len(key) < KEY_BYTES:
        raise StartFailed("The token key is too short: it needs at least 32 bytes.")


def _id_of(key: bytes) -> str:
    return hashlib.sha256(b"carewright.kid" + key).hexdigest()[:16]


def _mark(path: Path | None) -> tuple[int, int, int] | None:
    """What changes when a file does."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_ino, found.st_size)
