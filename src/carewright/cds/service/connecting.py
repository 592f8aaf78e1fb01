"""Which services of others are asked, and how they know us."""

from typing import Any
from uuid import UUID

import msgspec
from joserfc.jwk import ECKey

from carewright.cds import store
from carewright.cds.context import CdsContext
from carewright.cds.model.asking import offered_in, prefetch_of
from carewright.contracts.cds import AddService, AskedService, AskingNotSetUp, ServiceNotAdded, ServiceNotOffered, UnknownAskedService
from carewright.kernel import audit
from carewright.kernel.resealing import in_transaction

MANAGE = "cds.service.manage"
SERVICES_MAX = 5
"""One booking asks so many at once, at most."""
DISCOVERY = "/cds-services"
reseal_services = in_transaction(store.reseal)
"""Seal keys anew that an older key sealed: one batch of a rotation."""


async def add_service(ctx: CdsContext, command: AddService) -> AskedService:
    """Ask it from now on, if it offers itself, under a key of our own that it finds by `jku`.

    Raises `AskingNotSetUp`, `ServiceNotOffered`, `ServiceNotAdded`, `AddressRefused`, `Unavailable`.
    """
    ctx.actor.require(MANAGE)
    if not ctx.settings.public_url:
        raise AskingNotSetUp
    discovery = command.base.rstrip("/") + DISCOVERY
    answer = await ctx.outgoing.fetch("GET", discovery, headers={"Accept": "application/json"})
    offered = offered_in(answer.content, command.service) if answer.is_success else None
    if offered is None:
        raise ServiceNotOffered
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, private=True, auto_kid=True)
    made = AskedService(
        id=ctx.ids.new(), name=command.name, address=f"{discovery}/{command.service}", site_ids=command.site_ids,
        prefetch=prefetch_of(offered), public_key=dict(key.as_dict(private=False)), added_at=ctx.clock.now(),
    )  # fmt: skip
    cipher, private = await ctx.cipher(), msgspec.json.encode(key.as_dict(private=True))
    async with ctx.db.transaction() as tx:
        if not await store.insert_service(tx, cipher, made, private, SERVICES_MAX):
            raise ServiceNotAdded
        await audit.record(tx, audit.entry(ctx, "cds.service.add", "C", entities=(_entity(made.id),)))
    return made


async def list_services(ctx: CdsContext) -> tuple[AskedService, ...]:
    """In the order in which they were added."""
    ctx.actor.require(MANAGE)
    return await store.services(ctx.db, ctx.actor.organization_id)


async def remove_service(ctx: CdsContext, name: str) -> None:
    """Ask it no more, and publish no key for it. Raises `UnknownAskedService`."""
    ctx.actor.require(MANAGE)
    async with ctx.db.transaction() as tx:
        gone = await store.delete_service(tx, ctx.actor.organization_id, name)
        if gone is None:
            raise UnknownAskedService
        await audit.record(tx, audit.entry(ctx, "cds.service.remove", "D", entities=(_entity(gone),)))


async def published_keys(ctx: CdsContext, service_id: UUID) -> dict[str, Any]:
    """The JWK set by which a service knows us. Raises `UnknownAskedService`."""
    found = await store.published_key(ctx.db, service_id)
    if found is None:
        raise UnknownAskedService
    return {"keys": [found]}


def _entity(id_: UUID) -> audit.Entity:
    return audit.Entity(type="Endpoint", id=id_)
