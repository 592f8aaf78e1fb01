"""The identity provider as we reach it: discovery, keys, and the exchange of a code for an ID token."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey, import_key

from carewright.access.model import oidc as model
from carewright.access.model.oidc import NotBelieved, Provider
from carewright.access.settings import AccessSettings
from carewright.kernel.clock import Clock
from carewright.kernel.errors import Unavailable
from carewright.kernel.rng import new_secret
from carewright.kernel.settings import StartFailed

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 256 * 1024
DISCOVERY_KEPT = timedelta(hours=1)
KEYS_ASKED_AGAIN = timedelta(seconds=10)
"""How soon an unknown key id makes us look at the provider's keys again: it may have new ones, or somebody may be making ids up."""
ASSERTION_LIFETIME = timedelta(seconds=60)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_ALGORITHMS = {"RSA": "RS256", "P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
HEAD_LENGTH_MAX = 4096


class TokenAnswer(msgspec.Struct, frozen=True):
    id_token: str


class Published(msgspec.Struct, frozen=True):
    keys: tuple[dict[str, Any], ...]


class TokenHead(msgspec.Struct, frozen=True):
    alg: str
    kid: str | None = None
    crit: tuple[str, ...] = ()


class IdentityProvider:
    """One provider, by its settings. What it publishes is remembered; nothing is asked before somebody signs in."""

    def __init__(self, settings: AccessSettings, clock: Clock, client: httpx.AsyncClient) -> None:
        self._settings = settings
        self._clock = clock
        self._client = client
        self._secret = _read(settings.oidc_client_secret_file)
        self._key = _private_key(settings.oidc_private_key_file)
        self._provider: tuple[datetime, Provider] | None = None
        self._keys: tuple[datetime, KeySet] | None = None

    async def discovered(self) -> Provider:
        """What the provider says of itself. Raises `NotBelieved`, `Unavailable`."""
        now = self._clock.now()
        if self._provider is None or now - self._provider[0] > DISCOVERY_KEPT:
            issuer = self._settings.oidc_issuer
            _ensure_safe(issuer)
            raw = await self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
            provider = _decoded(raw, Provider, "discovery")
            model.ensure_provider(provider, issuer)
            for address in (provider.authorization_endpoint, provider.token_endpoint, provider.jwks_uri):
                _ensure_safe(address)
            self._provider = (now, provider)
        return self._provider[1]

    async def claims_for(self, code: str, verifier: str, redirect_uri: str) -> Mapping[str, object]:
        """The claims of the ID token that the provider gives for `code`, its signature checked. Raises `NotBelieved`, `Unavailable`."""
        provider = await self.discovered()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        headers, proof = self._proof(provider)
        raw = await self._ask("POST", provider.token_endpoint, data=form | proof, headers=headers)
        return await self._verified(_decoded(raw, TokenAnswer, "token answer").id_token)

    async def _verified(self, id_token: str) -> Mapping[str, object]:
        head = _head(id_token)
        if head.alg not in model.ALGORITHMS or head.crit:
            raise NotBelieved("algorithm")
        key = await self._key_of(head.kid)
        try:
            return jwt.decode(id_token, key, algorithms=[head.alg]).claims
        except (JoseError, ValueError, TypeError) as fault:
            raise NotBelieved("signature") from fault

    async def _key_of(self, kid: str | None) -> Key:
        """The provider's key of that id. Without an id there must be one key only (Core 1.0, section 10.1)."""
        now = self._clock.now()
        keys = self._keys[1] if self._keys is not None else await self._fetched(now)
        found = _among(keys, kid)
        if found is None and self._keys is not None and now - self._keys[0] > KEYS_ASKED_AGAIN:
            found = _among(await self._fetched(now), kid)
        if found is None:
            raise NotBelieved("kid")
        return found

    async def _fetched(self, now: datetime) -> KeySet:
        raw = await self._ask("GET", (await self.discovered()).jwks_uri)
        try:
            published = msgspec.json.decode(raw, type=Published).keys
            keys = KeySet([import_key(each) for each in published if each.get("kty") in ("RSA", "EC", "OKP")])
        except (JoseError, ValueError, TypeError, KeyError, msgspec.DecodeError) as fault:
            raise NotBelieved("keys") from fault
        self._keys = (now, keys)
        return keys

    def _proof(self, provider: Provider) -> tuple[dict[str, str], dict[str, str]]:
        """How we prove who we are: headers and form fields (Core 1.0, section 9)."""
        client_id = self._settings.oidc_client_id
        if self._key is not None:
            return {}, {"client_id": client_id, "client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion(provider)}
        if not self._secret:
            return {}, {"client_id": client_id}
        if "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            basic = httpx.BasicAuth(quote(client_id, safe=""), quote(self._secret, safe=""))
            request = next(basic.auth_flow(httpx.Request("POST", provider.token_endpoint)))
            return {"Authorization": request.headers["Authorization"]}, {}
        return {}, {"client_id": client_id, "client_secret": self._secret}

    def _assertion(self, provider: Provider) -> str:
        """Our signed word that we are the client (RFC 7523), good once and for a minute."""
        key, now = self._key, int(self._clock.now().timestamp())
        if key is None:
            raise NotBelieved("client key")
        public = key.as_dict(private=False)
        algorithm = ASSERTION_ALGORITHMS[str(public.get("crv", public["kty"]))]
        client_id = self._settings.oidc_client_id
        claims = {
            "iss": client_id, "sub": client_id, "aud": provider.token_endpoint, "iat": now,
            "exp": now + int(ASSERTION_LIFETIME.total_seconds()), "jti": new_secret(16).hex(),
        }  # fmt: skip
        return jwt.encode({"alg": algorithm, "kid": key.kid or key.thumbprint()}, claims, key, algorithms=[algorithm])

    async def _ask(self, method: str, address: str, **more: Any) -> bytes:
        """The body of a good answer, within its limit. Redirects are not followed: nobody else was asked."""
        try:
            async with self._client.stream(method, address, follow_redirects=False, timeout=TIMEOUT_SECONDS, **more) as answer:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise NotBelieved("size")
        except httpx.HTTPError as fault:
            raise Unavailable("The identity provider cannot be reached just now. Please try again in a moment.") from fault
        if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unavailable("The identity provider cannot answer just now. Please try again in a moment.")
        if answer.status_code != httpx.codes.OK:
            raise NotBelieved(f"status {answer.status_code}")
        return bytes(body)


def authorization_address(provider: Provider, asked: Mapping[str, str]) -> str:
    """Where to send the browser. The endpoint may have a query of its own."""
    separator = "&" if urlsplit(provider.authorization_endpoint).query else "?"
    return provider.authorization_endpoint + separator + urlencode(asked)


def _ensure_safe(address: str) -> None:
    parts = urlsplit(address)
    model.ensure_safe(parts.scheme, parts.hostname)


def _among(keys: KeySet, kid: str | None) -> Key | None:
    usable = [key for key in keys.keys if isinstance(key, RSAKey | ECKey | OKPKey) and key.as_dict(private=False).get("use") != "enc"]
    if kid is None:
        return usable[0] if len(usable) == 1 else None
    return next((key for key in usable if key.kid == kid), None)


def _head(token: str) -> TokenHead:
    try:
        raw = token.encode("ascii").partition(b".")[0]
        if len(raw) > HEAD_LENGTH_MAX:
            raise NotBelieved("head")
        return msgspec.json.decode(urlsafe_b64decode(raw + b"=" * (-len(raw) % 4)), type=TokenHead)
    except (ValueError, msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise NotBelieved("head") from fault


def _decoded(raw: bytes, kind: type[Any], check: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise NotBelieved(check) from fault


def _read(file: str) -> str:
    try:
        return Path(file).read_text("utf-8").strip() if file else ""
    except OSError as fault:
        raise StartFailed(f"The file {file} with the identity provider's secret cannot be read: {fault.strerror}.") from fault


def _private_key(file: str) -> Key | None:
    text = _read(file)
    try:
        return import_key(msgspec.json.decode(text)) if text else None
    except (JoseError, ValueError, TypeError, KeyError, msgspec.DecodeError) as fault:
        raise StartFailed(f"The file {file} holds no private key in JWK form.") from fault
