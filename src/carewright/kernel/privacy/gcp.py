"""A key in Google Cloud Key Management Service, and who we are there.

Sources: https://cloud.google.com/kms/docs/reference/rest/v1/projects.locations.keyRings.cryptoKeys/encrypt, …/decrypt;
https://developers.google.com/identity/protocols/oauth2/service-account (RFC 7523);
https://cloud.google.com/compute/docs/metadata/predefined-metadata-keys.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from carewright.kernel.clock import Clock
from carewright.kernel.privacy.asking import Asking, Renewed, read
from carewright.kernel.privacy.kek import KeyPlace, KeyRefused, WrongKey
from carewright.kernel.settings import StartFailed

NAME = re.compile(r"projects/[\w:.-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+", re.ASCII)
API = "https://cloudkms.googleapis.com"
MACHINE = "http://metadata.google.internal"
MACHINE_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
SCOPE = "https://www.googleapis.com/auth/cloudkms"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_TTL = timedelta(minutes=60)
REASONS = {401: "credentials", 403: "denied", 404: "missing"}


class _Fault(msgspec.Struct):
    status: str = ""


class _Faulty(msgspec.Struct):
    error: _Fault


class _Answer(msgspec.Struct):
    ciphertext: str = ""
    plaintext: str = ""


class _Token(msgspec.Struct):
    access_token: str
    expires_in: int


class _Account(msgspec.Struct):
    client_email: str
    private_key_id: str
    private_key: str
    token_uri: str


class GcpKey:
    """The key of a resource name. The additional authenticated data is its place: organization, purpose, version."""

    def __init__(self, asking: Asking, login: "GcpLogin", name: str, url: str) -> None:
        self.id = f"gcp-kms:{name}"
        self._asking, self._login = asking, login
        self._base = f"{url.rstrip('/')}/v1/{name}"

    async def wrap(self, key: bytes, place: KeyPlace) -> bytes:
        return base64.b64decode((await self._ask("encrypt", place, plaintext=base64.b64encode(key).decode())).ciphertext)

    async def unwrap(self, wrapped: bytes, place: KeyPlace) -> bytes:
        return base64.b64decode((await self._ask("decrypt", place, ciphertext=base64.b64encode(wrapped).decode())).plaintext)

    def take_up(self, kek_id: str) -> bool:
        return self.id == kek_id

    async def _ask(self, what: str, place: KeyPlace, **given: str) -> _Answer:
        body = msgspec.json.encode(given | {"additionalAuthenticatedData": base64.b64encode(bytes(place)).decode()})
        answer = await self._as_us(what, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._login.forget()
            answer = await self._as_us(what, body)
        if answer.is_success:
            return read(answer, _Answer)
        if reason := REASONS.get(answer.status_code):
            raise KeyRefused(reason=reason)
        if read(answer, _Faulty).error.status == "FAILED_PRECONDITION":
            raise KeyRefused(reason="disabled")
        if what == "decrypt":
            raise WrongKey
        raise KeyRefused(reason="unusable")

    async def _as_us(self, what: str, body: bytes) -> httpx.Response:
        headers = {"Authorization": f"Bearer {await self._login.get()}", "Content-Type": "application/json"}
        return await self._asking.ask("POST", f"{self._base}:{what}", headers, body)


class GcpLogin:
    """Access tokens: for the service account in the file of `GOOGLE_APPLICATION_CREDENTIALS`, or for the one that the machine has.

    The second is what the metadata server gives on Compute Engine and, as workload identity, in a pod of GKE. Renewed before they end.
    """

    def __init__(self, asking: Asking, machine: Asking, machine_url: str, environ: Mapping[str, str], clock: Clock) -> None:
        self._asking, self._machine = asking, machine
        self._machine_url = machine_url.rstrip("/") + MACHINE_PATH
        self._file = environ.get("GOOGLE_APPLICATION_CREDENTIALS", "")
        self._clock = clock
        self._token = Renewed(clock, self._of_file if self._file else self._of_machine)

    async def get(self) -> str:
        """Raises `KeyRefused` where there is none, `KeysUnavailable` where none can be asked for just now."""
        return await self._token.get()

    def forget(self) -> None:
        """It is not taken any more."""
        self._token.forget()

    async def _of_machine(self) -> tuple[str, datetime]:
        return self._token_in(await self._machine.ask("GET", self._machine_url, {"Metadata-Flavor": "Google"}))

    async def _of_file(self) -> tuple[str, datetime]:
        where, assertion = _assertion(Path(self._file), self._clock.now())
        form = urlencode({"grant_type": GRANT, "assertion": assertion}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._token_in(await self._asking.ask("POST", where, headers, form))

    def _token_in(self, answer: httpx.Response) -> tuple[str, datetime]:
        if not answer.is_success:
            raise KeyRefused(reason="credentials")
        token = read(answer, _Token)
        return token.access_token, self._clock.now() + timedelta(seconds=token.expires_in)


def ensure_name(name: str) -> str:
    """Raise `StartFailed` unless it is the resource name of a key."""
    if NAME.fullmatch(name) is None:
        raise StartFailed("CAREWRIGHT_PRIVACY_KMS_KEY is no key's name: projects/…/locations/…/keyRings/…/cryptoKeys/… is one.")
    return name


def _assertion(path: Path, now: datetime) -> tuple[str, str]:
    """Where to ask for a token, and a signed statement of who asks. The file is read each time, so it may be renewed."""
    try:
        account = msgspec.json.decode(path.read_bytes(), type=_Account)
        claims = {"iss": account.client_email, "scope": SCOPE, "aud": account.token_uri, "iat": now, "exp": now + ASSERTION_TTL}
        header = {"alg": "RS256", "typ": "JWT", "kid": account.private_key_id}
        return account.token_uri, jwt.encode(header, claims, RSAKey.import_key(account.private_key), algorithms=["RS256"])
    except (OSError, ValueError, msgspec.MsgspecError, JoseError) as fault:
        raise KeyRefused(reason="credentials") from fault
