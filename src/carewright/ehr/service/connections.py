"""Which EHRs there are, how each knows us, and what their kinds of visits are here."""

from collections.abc import Callable
from uuid import UUID

import msgspec
from joserfc.jwk import ECKey

from carewright.contracts.ehr import MASTERS, AddConnection, Connection, ConnectionExists, UnknownConnection
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.store import Keyed
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.http.outgoing import parsed

MANAGE = "ehr.connection.manage"
LOOK = "ehr.connection.read"
CODE_LENGTH_MAX = 300


async def add_connection(ctx: EhrContext, command: AddConnection) -> Connection:
    """A connection with a key of its own, whose public part the EHR must be given. Raises `ConnectionExists`, `AddressRefused`."""
    ctx.actor.require(MANAGE)
    parsed(command.base)
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, private=True, auto_kid=True)
    made = Connection(
        id=ctx.ids.new(), name=command.name, profile=command.profile, base=command.base.rstrip("/"), client_id=command.client_id,
        patient_system=command.patient_system, masters=MASTERS | command.masters, codes={}, public_key=key.as_dict(private=False),
    )  # fmt: skip
    cipher, private = await ctx.cipher(), msgspec.json.encode(key.as_dict(private=True))
    async with ctx.db.transaction() as tx:
        if not await store.put_connection(tx, cipher, made, private, ctx.clock.now()):
            raise ConnectionExists
        about = (audit.Entity(type="Endpoint", id=made.id),)
        await audit.record(tx, audit.entry(ctx, "ehr.connection.add", "C", entities=about))
    return made


async def list_connections(ctx: EhrContext) -> tuple[Connection, ...]:
    ctx.actor.require(LOOK)
    return await store.connections(ctx.db, ctx.actor.organization_id)


async def set_code(ctx: EhrContext, name: str, code: str, visit_type_id: UUID | None) -> None:
    """What a kind of visit of theirs, as `system|code` or as the code, is here from now on; None for nothing.

    Raises `UnknownConnection`, and `UnknownResource` for a visit type that is none.
    """
    ctx.actor.require(MANAGE)
    if not 1 <= len(code) <= CODE_LENGTH_MAX:
        raise BadInput(f"A code has 1 to {CODE_LENGTH_MAX} letters.")
    if visit_type_id is not None:
        await ctx.directory.get_visit_type(ctx.actor, visit_type_id)
    async with ctx.db.transaction() as tx:
        if not await store.put_code(tx, ctx.actor.organization_id, name, code, visit_type_id):
            raise UnknownConnection
        await audit.record(tx, audit.entry(ctx, "ehr.code.put", "U"))


async def connection_of(ctx: EhrContext, connection_id: UUID) -> Connection:
    """Without its key. Raises `UnknownConnection`."""
    return await _first(ctx, lambda each: each.id == connection_id)


async def connection_named(ctx: EhrContext, name: str) -> Connection:
    """Without its key. Raises `UnknownConnection`."""
    return await _first(ctx, lambda each: each.name == name)


async def keyed(ctx: EhrContext, name: str) -> Keyed:
    """The connection with its key. Raises `UnknownConnection`."""
    found = await store.connection_for_asking(ctx.db, await ctx.cipher(), name)
    if found is None:
        raise UnknownConnection
    return found


async def _first(ctx: EhrContext, is_meant: Callable[[Connection], bool]) -> Connection:
    found = next(filter(is_meant, await store.connections(ctx.db, ctx.actor.organization_id)), None)
    if found is None:
        raise UnknownConnection
    return found
