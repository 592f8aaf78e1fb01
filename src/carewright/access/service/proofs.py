"""What every proof of another system goes through: its key, its signature, that it serves once, and the record of what proved nothing."""

from datetime import datetime

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from carewright.access import store
from carewright.access.context import AccessContext
from carewright.access.model.assertion import Head, key_among
from carewright.access.model.oidc import NotBelieved
from carewright.access.model.sessions import hash_of
from carewright.access.store import KnownClient
from carewright.contracts.clients import Client, PublicKey
from carewright.kernel import audit, restraint_table
from carewright.kernel.authz import Quarantined
from carewright.kernel.db import Session
from carewright.kernel.errors import Refusal


async def ensure_signed(ctx: AccessContext, client: Client, head: Head, assertion: str) -> None:
    """Raise `NotBelieved` unless one of the client's keys signed it, registered or published."""
    address = client.keys_address
    keys = client.keys if address is None else await ctx.published.at(address, head.kid)
    _ensure_signed(assertion, key_among(keys, head), head.alg)


async def serves_once(tx: Session, known: KnownClient, nonce: str, ends_at: datetime) -> bool:
    """Whether it serves for the first time; now it has. Raises `Quarantined` for a client that is held back."""
    if await restraint_table.holds_client(tx, known.organization_id, known.owner.subject):
        raise Quarantined
    return await store.note_assertion(tx, known.organization_id, known.client.id, hash_of(nonce), ends_at)


async def note(ctx: AccessContext, known: KnownClient | None, event: str, refusal: Refusal) -> None:
    """Record whom somebody said to be, where there is such a client; what came besides is kept nowhere."""
    if known is None:
        await audit.note_refusal(ctx.acting(audit.NOBODY.at(ctx.actor.address), trace=ctx.trace), event, {}, refusal)
        return
    tried = msgspec.structs.replace(
        audit.NOBODY, subject=known.owner.subject, organization_id=known.organization_id, address=ctx.actor.address
    )
    await audit.note_refusal(ctx.acting(tried, trace=ctx.trace), event, {"client_id": known.client.id}, refusal)


def _ensure_signed(assertion: str, key: PublicKey, algorithm: str) -> None:
    try:
        jwt.decode(assertion, import_key(msgspec.to_builtins(key)), algorithms=[algorithm])
    except (JoseError, ValueError, TypeError, KeyError) as fault:
        raise NotBelieved("signature") from fault
