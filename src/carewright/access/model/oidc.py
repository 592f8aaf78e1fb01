"""OpenID Connect as the client of an identity provider: what is asked, and when an answer is believed.

OpenID Connect Core 1.0, with PKCE (RFC 7636) and the issuer in the answer (RFC 9207).
"""

import hashlib
import hmac
import ipaddress
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.permissions import STAFF

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures of a private key alone: with a shared secret, or none, anybody who knows our settings could sign."""
SIGN_IN_LIFETIME = timedelta(minutes=10)
CLOCKS_APART = timedelta(seconds=60)
ID_TOKEN_AGE_MAX = timedelta(minutes=10)


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What discovery says of the provider (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class IdToken(msgspec.Struct, frozen=True, kw_only=True):
    """The claims we rely on. Times are seconds since the epoch."""

    iss: str
    sub: str
    aud: str | tuple[str, ...]
    exp: int | float
    iat: int | float
    nonce: str
    azp: str | None = None
    auth_time: int | float | None = None
    name: str = ""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer to one sign-in must say. `again` is when the person was asked to prove anew who they are."""

    issuer: str
    client_id: str
    nonce: str
    again: datetime | None = None


class NotBelieved(Exception):
    """`check` is the one that failed: a word for our log, and for nobody else."""

    def __init__(self, check: str) -> None:
        super().__init__(check)
        self.check = check


def challenge_of(verifier: str) -> str:
    """PKCE's S256 challenge (RFC 7636, section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def ensure_safe(scheme: str, host: str | None) -> None:
    """Raise `NotBelieved` for an address that others could read or answer: HTTPS, or this machine."""
    if not host or not (scheme == "https" or (scheme == "http" and is_loopback(host))):
        raise NotBelieved("address")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def ensure_provider(provider: Provider, issuer: str) -> None:
    """Raise `NotBelieved` unless the discovery document is the issuer's own (Discovery 1.0, section 4.3)."""
    if provider.issuer != issuer:
        raise NotBelieved("discovery")


def ensure_answer(provider: Provider, iss: str | None) -> None:
    """Raise `NotBelieved` when another provider answered than was asked (RFC 9207, section 2.4)."""
    if (iss is None and provider.authorization_response_iss_parameter_supported) or (iss is not None and iss != provider.issuer):
        raise NotBelieved("iss of the answer")


def believed(claims: Mapping[str, object], expected: Expected, now: datetime) -> IdToken:
    """The claims of an ID token whose signature holds, once they say what they must (Core 1.0, section 3.1.3.7)."""
    try:
        token = msgspec.convert(claims, IdToken)
    except msgspec.ValidationError as fault:
        raise NotBelieved("form") from fault
    audiences = (token.aud,) if isinstance(token.aud, str) else token.aud
    checks = {
        "iss": token.iss == expected.issuer,
        "aud": expected.client_id in audiences,
        "azp": (token.azp is None and len(audiences) == 1) or token.azp == expected.client_id,
        "exp": token.exp > now.timestamp(),
        "iat": abs(now - _instant(token.iat)) <= ID_TOKEN_AGE_MAX and _instant(token.iat) <= now + CLOCKS_APART,
        "nonce": hmac.compare_digest(token.nonce.encode(), expected.nonce.encode()),
        "sub": 0 < len(token.sub) <= 255,
        "auth_time": expected.again is None or proved_at(token, None, now) >= expected.again - CLOCKS_APART,
    }
    for check, holds in checks.items():
        if not holds:
            raise NotBelieved(check)
    return token


def proved_at(token: IdToken, otherwise: datetime | None, now: datetime) -> datetime:
    """When the person last proved who they are. A provider that does not say may have remembered them since long ago."""
    if token.auth_time is None:
        return otherwise or datetime.min.replace(tzinfo=UTC)
    return min(_instant(token.auth_time), now)


def role_among(claims: Mapping[str, object], path: str, meanings: str) -> str | None:
    """The first role of the table `theirs=ours,…` that the person has; None for somebody without."""
    theirs = _words(_at(claims, path))
    pairs = (pair.partition("=") for pair in meanings.split(",") if "=" in pair)
    return next((ours.strip() for name, _, ours in pairs if name.strip() in theirs and ours.strip() in STAFF), None)


def sites_among(claims: Mapping[str, object], path: str) -> tuple[UUID, ...]:
    """The ids of the person's sites. What is no id is left out: less is seen rather than more, down to nothing."""
    return _ids_among(claims, path)


def practitioner_among(claims: Mapping[str, object], path: str) -> UUID | None:
    """The id of the person's entry in our directory. None where the claim says none, or several."""
    found = _ids_among(claims, path) if path else ()
    return found[0] if len(found) == 1 else None


def _ids_among(claims: Mapping[str, object], path: str) -> tuple[UUID, ...]:
    found = []
    for word in sorted(_words(_at(claims, path))):
        try:
            found.append(UUID(word))
        except ValueError:
            continue
    return tuple(found)


def unknown_roles(meanings: str) -> list[str]:
    """Entries of the table that name no role of staff."""
    return [pair for pair in meanings.split(",") if pair.strip() and pair.partition("=")[2].strip() not in STAFF]


def _at(claims: Mapping[str, object], path: str) -> object:
    """The claim at a dotted path. A claim whose own name has dots (as URLs do) is found by its whole name."""
    if not path or path in claims:
        return claims.get(path)
    found: object = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _words(found: object) -> set[str]:
    if isinstance(found, str):
        return set(found.split())
    return {word for word in found if isinstance(word, str)} if isinstance(found, list | tuple) else set()


def _instant(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as fault:
        raise NotBelieved("time") from fault
