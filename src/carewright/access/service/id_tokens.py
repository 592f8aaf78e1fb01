"""Telling apps who signed in: the token, the keys that it is checked by, and where both are described (OpenID Connect Discovery 1.0)."""

import asyncio
from typing import Any

import msgspec

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model import id_tokens as model
from carewright.access.model.apps import Grant
from carewright.access.model.id_tokens import IdKey
from carewright.access.model.sessions import Owner
from carewright.access.service.apps import fhir_base
from carewright.access.service.sessions import SIGN_IN
from carewright.access.store import id_keys
from carewright.contracts import smart
from carewright.contracts.access import SignInNotSetUp
from carewright.kernel.db import Session as Tx
from carewright.kernel.resealing import in_transaction

PUBLISHED_MAX = 1_000


async def id_token(ctx: AccessContext, tx: Tx, grant: Grant, owner: Owner, nonce: str) -> str:
    """Who let the app in, for the app alone, within the caller's transaction."""
    now = ctx.clock.now()
    practitioner_id = await store.practitioner_of_account(tx, ctx.actor.organization_id, grant.account_id)
    who = {"iss": issuer(ctx), "sub": owner.subject, "fhirUser": model.fhir_user(grant, fhir_base(ctx), practitioner_id)}
    return model.signed(await _signing(ctx, tx), grant, who, nonce, now)


async def published_keys(ctx: AccessContext) -> dict[str, list[Any]]:
    """The public keys of every organization, as a JWK set (RFC 7517, section 5): nobody says here whose token they have."""
    ctx.actor.require(SIGN_IN)
    return {"keys": [msgspec.json.decode(each) for each in await id_keys.published_id_keys(ctx.db, PUBLISHED_MAX)]}


def configuration(ctx: AccessContext) -> dict[str, Any]:
    """What an app has to know to check a token. Raises `SignInNotSetUp`."""
    ctx.actor.require(SIGN_IN)
    here = _here(ctx)
    return {
        "issuer": issuer(ctx),
        "authorization_endpoint": here + smart.AUTHORIZE_PATH,
        "token_endpoint": here + smart.TOKEN_PATH,
        "jwks_uri": here + smart.KEYS_PATH,
        "scopes_supported": [smart.OPENID, smart.FHIR_USER],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [model.ALGORITHM],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
    }


def issuer(ctx: AccessContext) -> str:
    """How we name ourselves in tokens; the description lies below it. Raises `SignInNotSetUp`."""
    return _here(ctx) + smart.ISSUER_PATH


reseal_id_keys = in_transaction(id_keys.reseal_id_keys)
"""Seal anew what an older key sealed, at most `limit` with ids behind `after`: one batch of a rotation."""


async def _signing(ctx: AccessContext, tx: Tx) -> IdKey:
    """The key that signs now, made if there is none. Two who make one at once have two, and both are good."""
    now, cipher = ctx.clock.now(), await ctx.cipher()
    kept = await id_keys.signing_id_key(tx, cipher, now)
    if kept is not None:
        return kept
    made = await asyncio.to_thread(model.new_key, ctx.ids.new(), now)
    await id_keys.insert_id_key(tx, cipher, made)
    return made


def _here(ctx: AccessContext) -> str:
    if not ctx.settings.public_url:
        raise SignInNotSetUp
    return ctx.settings.public_url.rstrip("/")
