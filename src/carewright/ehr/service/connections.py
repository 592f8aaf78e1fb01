"""Which EHRs there are, how each knows us, and what their kinds of visits are here."""

from collections.abc import Callable
from uuid import UUID

import msgspec
from joserfc.jwk import ECKey

from carewright.contracts.ehr import (
    MASTERS,
    AddConnection,
    Connection,
    ConnectionExists,
    ConnectionStopped,
    ModeNotOffered,
    NoPublicAddress,
    UnknownConnection,
)
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.model.profiles import PROFILES
from carewright.ehr.store import Keyed
from carewright.kernel import audit
from carewright.kernel.errors import BadInput
from carewright.kernel.http.outgoing import parsed

MANAGE = "ehr.connection.manage"
LOOK = "ehr.connection.read"
CODE_LENGTH_MAX = 300
HOOKS = "/ehr-hooks"
"""Where EHRs wake us: the id of the connection follows."""


async def add_connection(ctx: EhrContext, command: AddConnection) -> Connection:
    """A connection with a key of its own, whose public part the EHR must be given. What the mode needs at the EHR is made once it is.

    Raises `ConnectionExists`, `AddressRefused`, `ModeNotOffered` and `NoPublicAddress`.
    """
    ctx.actor.require(MANAGE)
    parsed(command.base)
    key = ECKey.generate_key("P-384", {"use": "sig", "alg": "ES384"}, private=True, auto_kid=True)
    made = Connection(
        id=ctx.ids.new(), name=command.name, profile=command.profile, base=command.base.rstrip("/"), client_id=command.client_id,
        patient_system=command.patient_system, masters=MASTERS | command.masters, codes={}, public_key=key.as_dict(private=False),
        mode=command.mode,
    )  # fmt: skip
    ensure_offered(ctx, made)
    cipher, private = await ctx.cipher(), msgspec.json.encode(key.as_dict(private=True))
    async with ctx.db.transaction() as tx:
        if not await store.put_connection(tx, cipher, made, private, ctx.clock.now()):
            raise ConnectionExists
        if is_wanted(made):
            await store.want_subscription(tx, cipher.organization_id, made.id, ctx.clock.now())
        await audit.record(tx, audit.entry(ctx, "ehr.connection.add", "C", entities=(entity(made.id),)))
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


def is_wanted(connection: Connection) -> bool:
    """Whether there is to be a subscription at the EHR."""
    return connection.mode == "subscription" and connection.stopped_at is None


def ensure_offered(ctx: EhrContext, connection: Connection) -> None:
    """Raise what speaks against a connection's mode: `ModeNotOffered`, `NoPublicAddress`."""
    if is_wanted(connection):
        if not PROFILES[connection.profile].subscriptions:
            raise ModeNotOffered
        endpoint_of(ctx, connection.id)


def endpoint_of(ctx: EhrContext, connection_id: UUID) -> str:
    """Where the EHR wakes us. Raises `NoPublicAddress`."""
    if not ctx.settings.public_url:
        raise NoPublicAddress
    return f"{ctx.settings.public_url.rstrip('/')}{HOOKS}/{connection_id}"


def entity(connection_id: UUID) -> audit.Entity:
    """A connection, as the audit log names it."""
    return audit.Entity(type="Endpoint", id=connection_id)


async def connection_of(ctx: EhrContext, connection_id: UUID) -> Connection:
    """Without its key. Raises `UnknownConnection`."""
    return await _first(ctx, lambda each: each.id == connection_id)


async def connection_named(ctx: EhrContext, name: str) -> Connection:
    """Without its key. Raises `UnknownConnection`."""
    return await _first(ctx, lambda each: each.name == name)


async def keyed(ctx: EhrContext, name: str) -> Keyed:
    """The connection with its key. Raises `UnknownConnection` and `ConnectionStopped`."""
    found = await store.connection_for_asking(ctx.db, await ctx.cipher(), name)
    if found is None:
        raise UnknownConnection
    if found.connection.stopped_at is not None:
        raise ConnectionStopped
    return found


async def _first(ctx: EhrContext, is_meant: Callable[[Connection], bool]) -> Connection:
    found = next(filter(is_meant, await store.connections(ctx.db, ctx.actor.organization_id)), None)
    if found is None:
        raise UnknownConnection
    return found
