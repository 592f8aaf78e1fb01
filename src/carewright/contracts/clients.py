"""The part of access's language that is about other systems and apps: who may ask for tokens, and how they prove themselves."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Code, Instant

KeyId = Annotated[str, Meta(min_length=1, max_length=200)]
Number = Annotated[str, Meta(min_length=1, max_length=1400, pattern=r"^[A-Za-z0-9_-]+$")]
"""An integer of a key, in base64url."""
WebAddress = Annotated[str, Meta(min_length=9, max_length=2000, pattern=r"^https?://")]
RedirectAddress = Annotated[str, Meta(min_length=9, max_length=500)]
BEARER = "Bearer"


class PublicKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The public part of a key as a JWK (RFC 7517): RSA of 2,048 bits at least for RS384, or P-384 for ES384. A private part is refused."""

    kty: Literal["RSA", "EC"]
    kid: KeyId
    alg: Literal["RS384", "ES384"] | None = None
    use: Literal["sig"] | None = None
    n: Number | None = None
    e: Number | None = None
    crv: Literal["P-384"] | None = None
    x: Number | None = None
    y: Number | None = None


PublicKeys = Annotated[tuple[PublicKey, ...], Meta(max_length=10)]


class RegisterClient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another system that may ask for tokens, or with `redirect_uris` an app that people may let in.

    One with a `launch_uri` is an app that the staff start themselves too: it begins there.
    A system's scopes are permissions that integrations have, or SMART's (`system/Appointment.rs`); an app's are SMART's
    (`patient/Appointment.rs`, `user/Appointment.rs`, `launch`, `offline_access`). Either proves itself by one of `keys`, or of those that
    it publishes at `keys_address` (a JWK set): exactly one of the two. An app that can keep no secret has neither.
    `issuer` is how a system names itself where it signs every request instead (`iss` of CDS Hooks).
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    scopes: Annotated[tuple[Code, ...], Meta(min_length=1, max_length=100)]
    keys: PublicKeys = ()
    keys_address: WebAddress | None = None
    issuer: WebAddress | None = None
    site_ids: Annotated[tuple[UUID, ...], Meta(max_length=100)] = ()
    redirect_uris: Annotated[tuple[RedirectAddress, ...], Meta(max_length=10)] = ()
    launch_uri: RedirectAddress | None = None


class ChangeClientKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other keys for a client: `keys`, or an address that publishes them."""

    client_id: UUID
    keys: PublicKeys = ()
    keys_address: WebAddress | None = None


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """Another system, or an app. Its id is that of its account: disabling that ends its tokens at once."""

    id: UUID
    name: str
    scopes: tuple[str, ...]
    keys: PublicKeys = ()
    keys_address: str | None = None
    issuer: str | None = None
    site_ids: tuple[UUID, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    launch_uri: str | None = None
    disabled: bool = False
    created_at: Instant


class ClientsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Client, ...]


class RequestToken(msgspec.Struct, frozen=True, kw_only=True):
    """What another system asks for, and the signed assertion by which it proves itself. `scope` has spaces between scopes."""

    assertion: str
    scope: str
    client_id: str | None = None


class IssuedToken(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of RFC 6749, section 5.1. The token is shown this once: we keep only its SHA-256."""

    access_token: str
    token_type: str = BEARER
    expires_in: int
    scope: str
