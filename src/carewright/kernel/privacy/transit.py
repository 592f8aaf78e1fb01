"""A key in the transit engine of OpenBao or HashiCorp Vault (https://openbao.org/api-docs/secret/transit/)."""

import base64
from pathlib import Path

import httpx
import msgspec

from carewright.kernel.privacy.asking import Asking, read
from carewright.kernel.privacy.kek import KeyPlace, KeyRefused, WrongKey

REASONS = {403: "denied", 404: "missing"}


class _Data(msgspec.Struct):
    ciphertext: str = ""
    plaintext: str = ""


class _Answer(msgspec.Struct):
    data: _Data


class TransitKey:
    """The key `key` of the engine at `mount`. The token is read each time: whoever renews it writes the file anew."""

    def __init__(self, asking: Asking, url: str, mount: str, key: str, token_file: Path) -> None:
        self.id = f"transit:{mount}/{key}"
        self._asking = asking
        self._base = f"{url.rstrip('/')}/v1/{mount}"
        self._key = key
        self._token_file = token_file

    async def wrap(self, key: bytes, place: KeyPlace) -> bytes:
        return (await self._ask("encrypt", place, plaintext=base64.b64encode(key).decode())).ciphertext.encode()

    async def unwrap(self, wrapped: bytes, place: KeyPlace) -> bytes:
        return base64.b64decode((await self._ask("decrypt", place, ciphertext=wrapped.decode(errors="replace"))).plaintext)

    def take_up(self, kek_id: str) -> bool:
        return self.id == kek_id

    async def _ask(self, what: str, place: KeyPlace, **given: str) -> _Data:
        try:
            token = self._token_file.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise KeyRefused(reason="credentials") from fault
        body = given | {"associated_data": base64.b64encode(bytes(place)).decode()}
        headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
        answer = await self._asking.ask("POST", f"{self._base}/{what}/{self._key}", headers, msgspec.json.encode(body))
        if answer.status_code == httpx.codes.BAD_REQUEST and what == "decrypt":
            raise WrongKey
        if reason := REASONS.get(answer.status_code):
            raise KeyRefused(reason=reason)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise KeyRefused(reason="unusable")
        return read(answer, _Answer).data
