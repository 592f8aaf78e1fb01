"""The provider at work: passwords, codes, and signed ID tokens."""

import asyncio
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from joserfc import jwt
from joserfc.jwk import ECKey

from carewright.identity import model
from carewright.identity.model import Grant, Wrong
from carewright.identity.settings import IdentitySettings
from carewright.kernel import audit
from carewright.kernel.context import Context
from carewright.kernel.errors import Unauthenticated
from carewright.kernel.rng import new_secret

ALGORITHM = "ES256"
CODES_MAX = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityContext(Context):
    """The context with the provider's key and the codes on their way. `secret` is the client's."""

    settings: IdentitySettings
    secret: str
    key: ECKey
    grants: dict[str, Grant] = field(default_factory=dict)


def new_key() -> ECKey:
    """A signing key of this process: after each start it has another id, as a provider's keys have after each rotation."""
    return ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True)


def is_here(address: str) -> bool:
    """Whether only this machine can reach the address."""
    return model.is_loopback(urlsplit(address).hostname or "")


def ensure_client(ctx: IdentityContext, asked: Mapping[str, str]) -> None:
    """Raise `Wrong` for an unknown client or address: an error must not be sent there either (RFC 6749, section 4.1.2.1)."""
    if asked.get("client_id") != ctx.settings.client_id or asked.get("redirect_uri") != ctx.settings.redirect_uri:
        raise Wrong("unauthorized_client")


async def grant_code(ctx: IdentityContext, asked: Mapping[str, str], account: str, password: str) -> str | None:
    """A code for the right name and password, or None, which is recorded. The hash is checked for unknown names too: both take as long."""
    ensure_client(ctx, asked)
    model.ensure_request(asked)
    right = await asyncio.to_thread(_is_right, ctx.settings.password_hash, password)
    if not right or account not in model.ACCOUNTS or len(ctx.grants) >= CODES_MAX:
        _forget(ctx)
        await note_refused(ctx, account)
        return None
    now, code = ctx.clock.now(), new_secret(32).hex()
    ctx.grants[code] = Grant(
        account=account, redirect_uri=asked["redirect_uri"], challenge=asked["code_challenge"], nonce=asked["nonce"], proved_at=now,
        until=now + model.CODE_LIFETIME,
    )  # fmt: skip
    return code


async def exchange_code(ctx: IdentityContext, form: Mapping[str, str], authorization: str) -> dict[str, object]:
    """The ID token for a code, once, to the client it was made for (RFC 6749, section 4.1.3). Raises `Wrong`, which is recorded."""
    try:
        return _exchanged(ctx, form, authorization)
    except Wrong:
        await note_refused(ctx, "", "identity.code.exchange")
        raise


def _exchanged(ctx: IdentityContext, form: Mapping[str, str], authorization: str) -> dict[str, object]:
    _ensure_secret(ctx, form, authorization)
    if form.get("grant_type") != "authorization_code":
        raise Wrong("unsupported_grant_type")
    now = ctx.clock.now()
    grant = model.ensure_grant(ctx.grants.pop(form.get("code", ""), None), form, now)
    claims = model.id_claims(grant, ctx.settings.issuer, ctx.settings.client_id, now)
    token = jwt.encode({"alg": ALGORITHM, "kid": ctx.key.kid}, claims, ctx.key, algorithms=[ALGORITHM])
    seconds = int(model.TOKEN_LIFETIME.total_seconds())
    scheme = "Bearer"
    return {"token_type": scheme, "access_token": new_secret(16).hex(), "expires_in": seconds, "id_token": token}


def discovery(ctx: IdentityContext) -> dict[str, object]:
    """The discovery document (OpenID Connect Discovery 1.0, section 3)."""
    issuer = ctx.settings.issuer
    return {
        "issuer": issuer, "authorization_endpoint": f"{issuer}/authorize", "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/keys", "response_types_supported": ["code"],
        "response_modes_supported": ["query"], "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"], "scopes_supported": ["openid", "profile"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["sub", "name", "roles", "auth_time", "nonce"],
    }  # fmt: skip


def _ensure_secret(ctx: IdentityContext, form: Mapping[str, str], authorization: str) -> None:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if authorization.lower().startswith("basic "):
        try:
            name, _, given = b64decode(authorization[6:], validate=True).decode().partition(":")
        except ValueError as fault:
            raise Wrong("invalid_client") from fault
        client_id, secret = unquote(name), unquote(given)
    if client_id != ctx.settings.client_id or not hmac.compare_digest(secret.encode(), ctx.secret.encode()):
        raise Wrong("invalid_client")


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


async def note_refused(ctx: IdentityContext, account: str, event: str = "identity.sign_in") -> None:
    """Record whom somebody tried to be, where they said so. A name that is nobody's is left out: people type passwords into that field."""
    subject = model.subject_of(account) if account in model.ACCOUNTS else audit.NOBODY.subject
    organization_id = ctx.settings.organization_id or audit.NOBODY.organization_id
    tried = msgspec.structs.replace(audit.NOBODY, subject=subject, organization_id=organization_id, address=ctx.actor.address)
    await audit.note_refusal(ctx.acting(tried, trace=ctx.trace), event, {}, Unauthenticated())


def _forget(ctx: IdentityContext) -> None:
    now = ctx.clock.now()
    for code in [code for code, grant in ctx.grants.items() if now >= grant.until]:
        del ctx.grants[code]
