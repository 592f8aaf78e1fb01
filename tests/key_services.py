"""AWS KMS with STS, and Google Cloud KMS with its tokens, as far as we speak to them: over HTTP, with their checks and faults.

They are beyond reach here, so these stand for them. Signatures are checked by an own reading of the rules, not by the code under test.
"""

import base64
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from carewright.kernel.privacy.aead import Aead, NotAuthentic, aead_of, new_key
from tests.aws_signature import signature

AWS_KEY = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
AWS_ALIAS = "arn:aws:kms:us-east-1:111122223333:alias/carewright"
ROLE = "arn:aws:iam::111122223333:role/carewright"
GCP_KEY = "projects/hospital/locations/us-east1/keyRings/carewright/cryptoKeys/fields"
GCP_ACCOUNT = "carewright@hospital.iam.gserviceaccount.com"
GCP_METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
SKEW = timedelta(minutes=5)
Answer = tuple[int, str, bytes]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class Faults:
    """What the next requests meet: `before` what each of them waits for, `answers` one after another, before anything else is looked at."""

    answers: list[Answer] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    state: str = "enabled"
    denied: bool = False
    asked: int = 0


@dataclass
class Aws:
    """`known` are secret, session token and end of each access key id; `tokens` the web identities that may take the role."""

    now: Callable[[], datetime]
    known: dict[str, tuple[str, str, datetime | None]] = field(default_factory=lambda: {"AKIDFIXED": ("fixed-secret", "", None)})
    tokens: set[str] = field(default_factory=set)
    role_ttl: timedelta = timedelta(hours=1)
    faults: Faults = field(default_factory=Faults)
    sts_faults: Faults = field(default_factory=Faults)
    contexts: list[dict[str, str]] = field(default_factory=list)
    key: Aead = field(default_factory=lambda: aead_of(new_key()))

    def answer(self, request: Request) -> Answer:
        return self._kms(request) if "x-amz-target" in request.headers else self._sts(request)

    def _kms(self, request: Request) -> Answer:
        self.faults.asked += 1
        self.faults.before(self.faults.asked)
        if self.faults.answers:
            return self.faults.answers.pop(0)
        if fault := self._who(request, "us-east-1", "kms"):
            return kms_fault(fault)
        given = msgspec.json.decode(request.body)
        operation = request.headers["x-amz-target"].removeprefix("TrentService.")
        if self.faults.denied:
            return kms_fault("AccessDeniedException")
        if given["KeyId"] not in (AWS_KEY, AWS_ALIAS):
            return kms_fault("NotFoundException")
        if self.faults.state != "enabled":
            return kms_fault("DisabledException" if self.faults.state == "disabled" else "KMSInvalidStateException")
        context = given["EncryptionContext"]
        self.contexts.append(context)
        about = "\0".join(f"{name}\1{context[name]}" for name in sorted(context)).encode()
        if operation == "Encrypt":
            blob = self.key.encrypt(base64.b64decode(given["Plaintext"]), about)
            return json(
                200, {"CiphertextBlob": base64.b64encode(blob).decode(), "KeyId": AWS_KEY, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}
            )
        try:
            plain = self.key.decrypt(base64.b64decode(given["CiphertextBlob"]), about)
        except NotAuthentic:
            return kms_fault("InvalidCiphertextException")
        return json(200, {"Plaintext": base64.b64encode(plain).decode(), "KeyId": AWS_KEY, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})

    def _who(self, request: Request, region: str, service: str) -> str:
        """The name of the fault that a bad signature brings; nothing for a good one."""
        kind, _, parts = request.headers.get("authorization", "").partition(" ")
        if kind != "AWS4-HMAC-SHA256":
            return "MissingAuthenticationTokenException"
        given = dict(part.strip().split("=", 1) for part in parts.split(","))
        key_id, day, *scope = given["Credential"].split("/")
        if key_id not in self.known:
            return "UnrecognizedClientException"
        secret, session, ends_at = self.known[key_id]
        if session != request.headers.get("x-amz-security-token", ""):
            return "UnrecognizedClientException"
        if ends_at is not None and ends_at <= self.now():
            return "ExpiredTokenException"
        stamp = request.headers["x-amz-date"]
        at = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        names = given["SignedHeaders"].split(";")
        if abs(at - self.now()) > SKEW or [day, *scope] != [stamp[:8], region, service, "aws4_request"]:
            return "InvalidSignatureException"
        if not {"host", "x-amz-date", "x-amz-target"} <= set(names) or (session and "x-amz-security-token" not in names):
            return "InvalidSignatureException"
        lines = (f"{name}:{request.headers[name]}" for name in names)
        canonical = ["POST", request.path, "", *lines, "", ";".join(names), hashlib.sha256(request.body).hexdigest()]
        right = signature(secret, stamp, f"{day}/{region}/{service}/aws4_request", canonical)
        return "" if hmac.compare_digest(right, given["Signature"]) else "InvalidSignatureException"

    def _sts(self, request: Request) -> Answer:
        self.sts_faults.asked += 1
        if self.sts_faults.answers:
            return self.sts_faults.answers.pop(0)
        form = request.form()
        if (form.get("Action"), form.get("Version")) != ("AssumeRoleWithWebIdentity", "2011-06-15"):
            return sts_fault("InvalidAction")
        if form["WebIdentityToken"] not in self.tokens:
            return sts_fault("InvalidIdentityToken")
        if form["RoleArn"] != ROLE:
            return sts_fault("AccessDenied", 403)
        ends_at = self.now() + self.role_ttl
        key_id = f"ASIA{len(self.known)}"
        self.known[key_id] = (f"secret+of/{key_id}=", f"session+of/{key_id}==", ends_at)
        secret, session, _ = self.known[key_id]
        return 200, "text/xml", (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult>'
            f"<Audience>sts.amazonaws.com</Audience><Credentials><SessionToken>{session}</SessionToken>"
            f"<SecretAccessKey>{secret}</SecretAccessKey><Expiration>{ends_at:%Y-%m-%dT%H:%M:%SZ}</Expiration>"
            f"<AccessKeyId>{key_id}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        ).encode()  # fmt: skip


@dataclass
class Gcp:
    """`tokens` are the access tokens that are good, and when each ends."""

    now: Callable[[], datetime]
    account: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, private=True))
    tokens: dict[str, datetime] = field(default_factory=dict)
    token_ttl: timedelta = timedelta(hours=1)
    faults: Faults = field(default_factory=Faults)
    token_faults: Faults = field(default_factory=Faults)
    key: Aead = field(default_factory=lambda: aead_of(new_key()))
    url: str = ""

    def account_file(self) -> bytes:
        """What `gcloud iam service-accounts keys create` writes."""
        return msgspec.json.encode({
            "type": "service_account", "project_id": "hospital", "private_key_id": "k1", "client_email": GCP_ACCOUNT, "client_id": "1",
            "private_key": self.account.as_pem(private=True).decode(), "token_uri": f"{self.url}/token",
        })  # fmt: skip

    def answer(self, request: Request) -> Answer:
        if request.path in ("/token", GCP_METADATA):
            self.token_faults.asked += 1
            if self.token_faults.answers:
                return self.token_faults.answers.pop(0)
            return self._machine(request) if request.path == GCP_METADATA else self._of_account(request)
        self.faults.asked += 1
        if self.faults.answers:
            return self.faults.answers.pop(0)
        return self._kms(request)

    def _kms(self, request: Request) -> Answer:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens or self.tokens[token] <= self.now():
            return gcp_fault(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        name, _, operation = request.path.removeprefix("/v1/").partition(":")
        if self.faults.denied:
            return gcp_fault(403, "PERMISSION_DENIED", f"Permission 'cloudkms.cryptoKeyVersions.useTo{operation}' denied.")
        if name != GCP_KEY:
            return gcp_fault(404, "NOT_FOUND", f"CryptoKey {name} not found.")
        if self.faults.state != "enabled":
            return gcp_fault(
                400, "FAILED_PRECONDITION", f"{name}/cryptoKeyVersions/1 is not enabled, current state is: {self.faults.state}."
            )
        given = msgspec.json.decode(request.body)
        about = base64.b64decode(given["additionalAuthenticatedData"])
        if operation == "encrypt":
            sealed = self.key.encrypt(base64.b64decode(given["plaintext"]), about)
            return json(200, {"name": f"{name}/cryptoKeyVersions/1", "ciphertext": base64.b64encode(sealed).decode()})
        try:
            plain = self.key.decrypt(base64.b64decode(given["ciphertext"]), about)
        except NotAuthentic:
            return gcp_fault(400, "INVALID_ARGUMENT", "Decryption failed: the ciphertext is invalid.")
        return json(200, {"plaintext": base64.b64encode(plain).decode()})

    def _machine(self, request: Request) -> Answer:
        return self._token() if request.headers.get("metadata-flavor") == "Google" else (403, "text/html", b"Missing Metadata-Flavor")

    def _of_account(self, request: Request) -> Answer:
        form = request.form()
        try:
            said = jwt.decode(form["assertion"], self.account, algorithms=["RS256"])
        except JoseError:
            return json(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        claims, now = said.claims, self.now().timestamp()
        right = (
            form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
            and (said.header["kid"], claims["iss"], claims["aud"]) == ("k1", GCP_ACCOUNT, f"{self.url}/token")
            and claims["scope"] == "https://www.googleapis.com/auth/cloudkms"
            and claims["iat"] <= now < claims["exp"] <= claims["iat"] + 3600
        )
        return self._token() if right else json(400, {"error": "invalid_grant", "error_description": "Invalid JWT."})

    def _token(self) -> Answer:
        token = f"ya29.token-{len(self.tokens)}"
        self.tokens[token] = self.now() + self.token_ttl
        return json(200, {"access_token": token, "expires_in": int(self.token_ttl.total_seconds()), "token_type": "Bearer"})


def json(status: int, value: Any) -> Answer:
    return status, "application/json", msgspec.json.encode(value)


def kms_fault(name: str, status: int = 400) -> Answer:
    return status, "application/x-amz-json-1.1", msgspec.json.encode({"__type": name, "message": f"{name} for {AWS_KEY}"})


def sts_fault(name: str, status: int = 400) -> Answer:
    text = f"<ErrorResponse><Error><Type>Sender</Type><Code>{name}</Code><Message>No</Message></Error></ErrorResponse>"
    return status, "text/xml", text.encode()


def gcp_fault(status: int, name: str, message: str) -> Answer:
    return json(status, {"error": {"code": status, "message": message, "status": name}})


@contextmanager
def serving(service: Aws | Gcp) -> Iterator[str]:
    """The address at which a service answers, in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, kind, content = service.answer(Request(self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked may have been killed
                self.wfile.write(content)

        do_GET = do_POST  # noqa: N815  (the library's own naming)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
