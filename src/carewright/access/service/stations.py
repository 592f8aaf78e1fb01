"""Screens on walls and kiosks: enrolled by staff, signed in by a code, retired within two seconds."""

from uuid import UUID

from msgspec.structs import replace

from carewright.access.context import AccessContext
from carewright.access.model.spoken import CODE_BYTES, code_hash, code_of
from carewright.access.model.stations import CODE_LIFETIME
from carewright.access.service.sessions import SIGN_IN, acting_for, start
from carewright.access.store import end_sessions_of_account, set_account_disabled
from carewright.access.store import stations as store
from carewright.contracts.access import AccountChanged, StartedSession, StationCodeNotRight, UnknownStation
from carewright.contracts.stations import (
    EnrolledStation,
    EnrolStation,
    RedeemStationCode,
    Station,
    StationsPage,
)
from carewright.kernel import audit, outbox
from carewright.kernel.db import Session
from carewright.kernel.errors import Forbidden
from carewright.kernel.rng import new_secret

MANAGE = "access.station.manage"
OWN = "access.station.own"
STATIONS_SHOWN_MAX = 500
CODE = "station"


async def enrol_station(ctx: AccessContext, command: EnrolStation) -> EnrolledStation:
    """A new screen or kiosk, and the code by which it signs in. Raises `StepUpNeeded`: what is let in stays for long."""
    ctx.actor.require(MANAGE)
    ctx.require_recent()
    if not ctx.actor.works_at(command.site_id):
        raise Forbidden("You enrol screens and kiosks at your own sites only.")
    organization_id, now, code = ctx.actor.organization_id, ctx.clock.now(), code_of(new_secret(CODE_BYTES))
    made = Station(
        id=ctx.ids.new(), kind=command.kind, name=command.name, site_id=command.site_id,
        languages=tuple(dict.fromkeys(command.languages)), queue_ids=tuple(dict.fromkeys(command.queue_ids)), created_at=now,
        code_until=now + CODE_LIFETIME,
    )  # fmt: skip
    async with ctx.db.transaction() as tx:
        await store.insert_station(tx, organization_id, made, code_hash(CODE, code))
        await audit.record(tx, audit.entry(ctx, "access.station.create", "C", entities=(_entity(made.id),)))
        changed = AccountChanged(organization_id=organization_id, account_id=made.id, role=made.kind, disabled=False)
        await outbox.publish(ctx, tx, changed)
    ctx.wake()
    return EnrolledStation(station=made, code=code)


async def renew_station_code(ctx: AccessContext, station_id: UUID) -> EnrolledStation:
    """Another code for a station, as where its device was replaced; an earlier one is of use no more.

    Whoever is signed in stays so until the code is typed. Raises `UnknownStation`, `StepUpNeeded`.
    """
    ctx.actor.require(MANAGE)
    ctx.require_recent()
    code, until = code_of(new_secret(CODE_BYTES)), ctx.clock.now() + CODE_LIFETIME
    async with ctx.db.transaction() as tx:
        found = await _standing(ctx, tx, station_id)
        await store.set_code(tx, ctx.actor.organization_id, station_id, code_hash(CODE, code), until)
        await audit.record(tx, audit.entry(ctx, "access.station.renew", "U", entities=(_entity(station_id),)))
    return EnrolledStation(station=replace(found, code_until=until), code=code)


async def list_stations(ctx: AccessContext) -> StationsPage:
    """The screens and kiosks of the actor's sites, and when each was seen last."""
    ctx.actor.require(MANAGE)
    sites = sorted(ctx.actor.site_ids) or None
    found = await store.stations(ctx.db, ctx.actor.organization_id, sites, None, ctx.clock.now(), STATIONS_SHOWN_MAX)
    return StationsPage(items=found)


async def retire_station(ctx: AccessContext, station_id: UUID) -> Station:
    """A station that is no more: it is signed out everywhere within two seconds, and its code opens nothing. Raises `UnknownStation`."""
    ctx.actor.require(MANAGE)
    organization_id, now = ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        found = await _standing(ctx, tx, station_id)
        await set_account_disabled(tx, organization_id, station_id, now)
        await end_sessions_of_account(tx, organization_id, station_id, now, "disabled")
        await store.set_code(tx, organization_id, station_id, None, None)
        await audit.record(tx, audit.entry(ctx, "access.station.retire", "U", entities=(_entity(station_id),)))
        changed = AccountChanged(organization_id=organization_id, account_id=station_id, role=found.kind, disabled=True)
        await outbox.publish(ctx, tx, changed)
    ctx.wake()
    return replace(found, retired=True, last_seen_at=None, code_until=None)


async def redeem_station_code(ctx: AccessContext, command: RedeemStationCode) -> StartedSession:
    """A session for the right code, once: the station's only one from now on. Raises `StationCodeNotRight`.

    Asked as the system, which does not know yet whose station it is.
    """
    ctx.actor.require(SIGN_IN)
    proof, now = code_hash(CODE, command.code), ctx.clock.now()
    known = await store.station_by_code(ctx.db, proof, now)
    if known is None:
        raise StationCodeNotRight
    tenant = acting_for(ctx, known[0])
    async with tenant.db.transaction() as tx:
        owner = await store.use_code(tx, *known, proof, now)
        if owner is None:
            raise StationCodeNotRight
        await end_sessions_of_account(tx, *known, now, "replaced")
        return await start(tenant, tx, owner, "station")


async def own_station(ctx: AccessContext) -> Station:
    """The station that asks: where it hangs, what it speaks and what it is about. Raises `UnknownStation` for who is none."""
    ctx.actor.require(OWN)
    _, _, text = ctx.actor.subject.partition("/")
    try:
        return await _found(ctx, ctx.db, UUID(text))
    except ValueError as fault:
        raise UnknownStation from fault


async def _standing(ctx: AccessContext, tx: Session, station_id: UUID) -> Station:
    """A station that was not retired, at one of the actor's sites."""
    found = await _found(ctx, tx, station_id)
    if found.retired or not ctx.actor.works_at(found.site_id):
        raise UnknownStation
    return found


async def _found(ctx: AccessContext, db: Session, station_id: UUID) -> Station:
    for found in await store.stations(db, ctx.actor.organization_id, None, station_id, ctx.clock.now(), 1):
        return found
    raise UnknownStation


def _entity(station_id: UUID) -> audit.Entity:
    return audit.Entity(type="Station", id=station_id)
