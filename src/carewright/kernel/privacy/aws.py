"""A key in AWS Key Management Service, and who we are there.

Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, …/API_Decrypt.html, and
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html.
"""

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import msgspec

from carewright.kernel.clock import Clock
from carewright.kernel.privacy.asking import Asking, Renewed, read
from carewright.kernel.privacy.kek import KeyPlace, KeyRefused, KeysUnavailable, WrongKey
from carewright.kernel.settings import StartFailed
from carewright.kernel.sigv4 import AwsCredentials, NoCredentials, credentials_in, signed

ARN = re.compile(r"arn:(aws[a-z-]*):kms:([a-z0-9-]+):\d{12}:(key|alias)/[A-Za-z0-9/_-]+")
DOMAINS = {"aws-cn": "amazonaws.com.cn"}
ROLE_SECONDS = 3600
SESSION = "carewright"
WRONG = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
BUSY = frozenset({"ThrottlingException", "Throttling", "RequestThrottled", "IDPCommunicationError", "KeyUnavailableException"})
ENDED = "ExpiredTokenException"
REASONS = {
    "AccessDeniedException": "denied", "AccessDenied": "denied",
    "DisabledException": "disabled", "KMSInvalidStateException": "disabled",
    "NotFoundException": "missing",
    "InvalidKeyUsageException": "unusable",
}  # fmt: skip
"""Everything else that AWS answers is about our credentials, their signature, or the time of day."""


class _Fault(msgspec.Struct):
    kind: str = msgspec.field(default="", name="__type")


class _Answer(msgspec.Struct):
    blob: str = msgspec.field(default="", name="CiphertextBlob")
    plaintext: str = msgspec.field(default="", name="Plaintext")


class AwsKey:
    """The key of an ARN. The encryption context names organization, purpose and version: CloudTrail shows it, a key's policy may ask it."""

    def __init__(self, asking: Asking, login: "AwsLogin", arn: str, url: str, clock: Clock) -> None:
        self.id = f"aws-kms:{arn}"
        self._asking, self._login, self._clock = asking, login, clock
        self._arn, self._region = arn, parts_of(arn)[0]
        self._url = url

    async def wrap(self, key: bytes, place: KeyPlace) -> bytes:
        return base64.b64decode((await self._ask("Encrypt", place, Plaintext=base64.b64encode(key).decode())).blob)

    async def unwrap(self, wrapped: bytes, place: KeyPlace) -> bytes:
        return base64.b64decode((await self._ask("Decrypt", place, CiphertextBlob=base64.b64encode(wrapped).decode())).plaintext)

    def take_up(self, kek_id: str) -> bool:
        return self.id == kek_id

    async def _ask(self, what: str, place: KeyPlace, **given: str) -> _Answer:
        context = {"organization": str(place.organization_id), "purpose": place.purpose, "version": str(place.version)}
        body = msgspec.json.encode(given | {"KeyId": self._arn, "EncryptionContext": context})
        answer = await self._signed(what, body)
        if fault_of(answer) == ENDED:
            self._login.forget()
            answer = await self._signed(what, body)
        if (fault := fault_of(answer)) in WRONG:
            raise WrongKey
        if not answer.is_success:
            raise KeyRefused(reason=REASONS.get(fault, "credentials"))
        return read(answer, _Answer)

    async def _signed(self, what: str, body: bytes) -> httpx.Response:
        headers = {
            "host": httpx.URL(self._url).netloc.decode(), "content-type": "application/x-amz-json-1.1",
            "x-amz-target": f"TrentService.{what}",
        }  # fmt: skip
        ours = signed(await self._login.get(), self._region, "kms", self._clock.now(), headers, body)
        return await self._asking.ask("POST", self._url, ours, body)


class AwsLogin:
    """Credentials by AWS's own environment variables: fixed ones, those of a file, or a role for a web identity (EKS).

    A file is read at each use, so it may be renewed. A role's credentials are asked for anew before they end.
    """

    def __init__(self, asking: Asking, url: str, environ: Mapping[str, str], clock: Clock) -> None:
        self._asking = asking
        self._url = url
        self._environ = environ
        self._role = Renewed(clock, self._assume)

    async def get(self) -> AwsCredentials:
        """Raises `KeyRefused` where there are none, `KeysUnavailable` where they cannot be asked for just now."""
        try:
            return credentials_in(self._environ) or await self._role.get()
        except NoCredentials as fault:
            raise KeyRefused(reason="credentials") from fault

    def forget(self) -> None:
        """They have ended before their time."""
        self._role.forget()

    async def _assume(self) -> tuple[AwsCredentials, datetime]:
        form = {
            "Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "DurationSeconds": str(ROLE_SECONDS),
            "RoleSessionName": self._environ.get("AWS_ROLE_SESSION_NAME", SESSION), **_web_identity(self._environ),
        }  # fmt: skip
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self._asking.ask("POST", self._url, headers, urlencode(form).encode())
        if not answer.is_success:
            raise KeyRefused(reason="denied" if _element(answer.text, "Code") == "AccessDenied" else "credentials")
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        key_id, secret, session, ends_at = (_element(answer.text, name) for name in names)
        try:
            return AwsCredentials(key_id, secret, session), datetime.fromisoformat(ends_at)
        except ValueError as fault:
            raise KeysUnavailable from fault


def parts_of(arn: str) -> tuple[str, str]:
    """The region of a key, and the domain in which its services are. Raises `StartFailed` for what is no key's ARN."""
    found = ARN.fullmatch(arn)
    if found is None:
        raise StartFailed("CAREWRIGHT_PRIVACY_KMS_KEY is no ARN of a key: arn:aws:kms:us-east-1:111122223333:key/… is one.")
    return found[2], DOMAINS.get(found[1], "amazonaws.com")


def is_busy(answer: httpx.Response) -> bool:
    """Whether an answer of AWS means "later"; it throttles with 400."""
    return not answer.is_success and (fault_of(answer) or _element(answer.text, "Code")) in BUSY


def fault_of(answer: httpx.Response) -> str:
    """The name of a fault as KMS tells it: `…#DisabledException` or bare. Nothing for a good answer."""
    if answer.is_success:
        return ""
    try:
        return msgspec.json.decode(answer.content, type=_Fault).kind.rpartition("#")[2]
    except msgspec.MsgspecError:
        return ""


def _element(text: str, name: str) -> str:
    """What stands in an element of STS's answer: its values are letters, digits and what base64 has, so nothing needs unescaping."""
    found = re.search(f"<{name}>([^<]*)</{name}>", text)
    return found[1].strip() if found else ""


def _web_identity(environ: Mapping[str, str]) -> dict[str, str]:
    try:
        token = Path(environ["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text("ascii").strip()
        return {"RoleArn": environ["AWS_ROLE_ARN"], "WebIdentityToken": token}
    except (KeyError, OSError, UnicodeDecodeError) as fault:
        raise KeyRefused(reason="credentials") from fault
