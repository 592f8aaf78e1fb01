"""How another system proves itself, and when that is believed.

RFC 7523 (a JWT as the client's proof), as SMART App Launch 2.2, Backend Services, narrows it: RS384 or ES384, for our token endpoint, for
five minutes at most, once.
"""

import re
from base64 import urlsafe_b64decode
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.access.model.oidc import CLOCKS_APART, NotBelieved
from carewright.access.model.sessions import CLIENT_ROLE
from carewright.contracts import smart
from carewright.contracts.clients import PublicKey
from carewright.contracts.permissions import ROLES

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LENGTH_MAX = 8192
FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
LIFETIME_MAX = timedelta(minutes=5)
RSA_BITS_MIN = 2048
KINDS = {"RS384": "RSA", "ES384": "EC"}
Short = Annotated[str, Meta(min_length=1, max_length=255)]
C = TypeVar("C")


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing else may stand in the head: no key of its own, no extension. `jku` must be the address that is registered."""

    alg: Literal["RS384", "ES384"]
    kid: Short
    typ: Literal["JWT"] | None = None
    jku: str | None = None


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """The claims we rely on. Times are seconds since the epoch."""

    iss: Short
    sub: Short
    aud: str | tuple[str, ...]
    exp: int | float
    jti: Short
    iat: int | float | None = None
    nbf: int | float | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What an assertion says, believed by nobody yet."""

    head: Head
    claims: Claims
    client_id: UUID


def said_in(assertion: str) -> Said:
    """Take an assertion apart. Raises `NotBelieved` for what has not its form."""
    head, claims = parted(assertion, Claims)
    try:
        return Said(head=head, claims=claims, client_id=UUID(claims.sub))
    except ValueError as fault:
        raise NotBelieved("form") from fault


def parted(assertion: str, kind: type[C]) -> tuple[Head, C]:
    """The head of an assertion, and its claims as a `kind`. Raises `NotBelieved` for what has not its form."""
    if len(assertion) > ASSERTION_LENGTH_MAX or FORM.fullmatch(assertion) is None:
        raise NotBelieved("form")
    parts = assertion.split(".")
    try:
        return msgspec.json.decode(_bytes(parts[0]), type=Head), msgspec.json.decode(_bytes(parts[1]), type=kind)
    except (ValueError, msgspec.DecodeError) as fault:
        raise NotBelieved("form") from fault


def ensure_holds(said: Said, endpoint: str, keys_address: str | None, now: datetime) -> datetime:
    """Raise `NotBelieved` unless the claims are by the client, for us, in force and not for long; returns when the assertion ends."""
    claims = said.claims
    audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    ends_at, checks = time_checks(claims.exp, claims.iat, now)
    ensure_checks(
        checks | {
            "iss": claims.iss == claims.sub == str(said.client_id),
            "aud": audiences == (endpoint,),
            "nbf": claims.nbf is None or _instant(claims.nbf) <= now + CLOCKS_APART,
            "jku": said.head.jku is None or said.head.jku == keys_address,
        }
    )  # fmt: skip
    return ends_at


def time_checks(exp: float, iat: float | None, now: datetime) -> tuple[datetime, dict[str, bool]]:
    """When an assertion ends, and whether it is in force and not for long."""
    ends_at = _instant(exp)
    return ends_at, {
        "exp": now < ends_at <= now + LIFETIME_MAX,
        "iat": iat is None or now - LIFETIME_MAX - CLOCKS_APART <= _instant(iat) <= now + CLOCKS_APART,
    }


def ensure_checks(checks: Mapping[str, bool]) -> None:
    """Raise `NotBelieved` with the first check that does not hold."""
    for check, holds in checks.items():
        if not holds:
            raise NotBelieved(check)


def key_among(keys: Iterable[PublicKey], head: Head) -> PublicKey:
    """The key that the head names, if it is one for that algorithm. Raises `NotBelieved`."""
    found = next((key for key in keys if key.kid == head.kid), None)
    if found is None or found.kty != KINDS[head.alg] or found.alg not in (None, head.alg) or not is_usable(found):
        raise NotBelieved("kid")
    return found


def is_usable(key: PublicKey) -> bool:
    """Whether the key is strong enough and whole: RSA of 2,048 bits at least, or a point on P-384."""
    if key.kty == "EC":
        return key.crv == "P-384" and key.x is not None and key.y is not None and key.n is None
    return key.n is not None and key.e is not None and key.crv is None and _bits(key.n) >= RSA_BITS_MIN


def keys_published(document: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    """The usable keys of a JWK set (RFC 7517, section 5). Others, and whatever else the set says of them, are passed over."""
    listed = document.get("keys")
    found = (_public(each) for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
    return tuple(key for key in found if key is not None and is_usable(key))


def may_register(scope: str) -> bool:
    """Whether another system may have a scope: a permission of integrations, or a clinical scope of `system/` that opens something."""
    clinical = smart.scope_in(scope)
    if clinical is None:
        return scope in ROLES[CLIENT_ROLE]
    return clinical.where == "system" and clinical.type in (*smart.TYPES, smart.ANY_TYPE)


def scopes_granted(asked: str, allowed: Collection[str]) -> tuple[str, ...] | None:
    """The scopes asked for, if there are any and the client may have every one. Permissions and SMART's do not go together."""
    scopes = tuple(dict.fromkeys(asked.split(" ")))
    alike = smart.are_ours(scopes) or len(smart.scopes_in(scopes)) == len(scopes)
    return scopes if alike and smart.covered(scopes, allowed) else None


def _public(listed: Mapping[str, Any]) -> PublicKey | None:
    """One key of a set; None for one of another kind, or one that gives its private part away."""
    try:
        known = {name: listed[name] for name in PublicKey.__struct_fields__ if name in listed}
        return None if "d" in listed else msgspec.convert(known, PublicKey)
    except msgspec.ValidationError:
        return None


def _bits(number: str) -> int:
    """How long an integer of a key is; 0 for one that cannot be read."""
    try:
        return int.from_bytes(_bytes(number)).bit_length()
    except ValueError:
        return 0


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _instant(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError) as fault:
        raise NotBelieved("time") from fault
