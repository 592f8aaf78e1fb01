"""An identity provider that a test holds in its hand: it signs whatever it is told to, right or wrong."""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from carewright.kernel.clock import ManualClock

ISSUER = "https://login.example.org/realm"
CLIENT = "carewright"
SETTINGS: dict[str, Any] = {
    "oidc_issuer": ISSUER, "oidc_client_id": CLIENT, "public_url": "https://care.example.org", "oidc_role_claim": "realm_access.roles",
    "oidc_roles": "doctors=physician,ward=nurse,office=administrator",
}  # fmt: skip
_KEY = RSAKey.generate_key(2048, {"use": "sig"}, private=True, auto_kid=True)


@dataclass
class Issuer:
    """`changes` are laid over the claims (None leaves one out), `header` over the header; `forge` replaces the whole token."""

    clock: ManualClock
    key: RSAKey | ECKey = field(default_factory=lambda: _KEY)
    published: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    forge: str | None = None
    status: int = 200
    asked: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    headers: list[httpx.Headers] = field(default_factory=list)
    nonce: str = ""

    def __post_init__(self) -> None:
        self.published = [self.public(self.key)]

    @staticmethod
    def public(key: RSAKey | ECKey) -> dict[str, Any]:
        return dict(key.as_dict(private=False))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(urlsplit(ISSUER).path)
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return httpx.Response(200, json=self.document())
        if path == "/keys":
            return httpx.Response(200, json={"keys": self.published})
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        self.headers.append(request.headers)
        return httpx.Response(self.status, json={"id_token": self.token(), "access_token": "x", "token_type": "Bearer"})

    def document(self) -> dict[str, Any]:
        return {
            "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
        } | self.discovery  # fmt: skip

    def claims(self) -> dict[str, Any]:
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": ISSUER, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": self.nonce, "auth_time": now,
            "name": "Dr Grace Example", "realm_access": {"roles": ["ward"]},
        } | self.changes  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def token(self) -> str:
        if self.forge is not None:
            return self.forge
        algorithm = "RS256" if isinstance(self.key, RSAKey) else "ES256"
        header = {"alg": algorithm, "kid": self.key.kid} | self.header
        return jwt.encode({name: value for name, value in header.items() if value is not None}, self.claims(), self.key)

    def signed_by_secret(self, secret: bytes, algorithm: str = "HS256") -> str:
        """The right claims under a MAC: what a client that takes any algorithm would believe."""
        signed = f"{part({'alg': algorithm, 'kid': self.key.kid})}.{part(self.claims())}"
        return f"{signed}.{urlsafe_b64encode(hmac.digest(secret, signed.encode(), 'sha256')).rstrip(b'=').decode()}"

    def unsigned(self, algorithm: str) -> str:
        return f"{part({'alg': algorithm, 'kid': self.key.kid})}.{part(self.claims())}."


def part(value: object) -> str:
    return urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()
