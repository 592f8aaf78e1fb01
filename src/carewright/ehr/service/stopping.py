"""Stopping a connection, and resuming it.

While it is stopped nothing is asked, told or heard. What is linked stays linked, and differences stay on record. What was still to be told
is told when the connection is resumed, as it is then, with whatever changed here meanwhile.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.ehr import Connection, Resumed, Stopped
from carewright.contracts.scheduling import SearchAppointments
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.service.connections import MANAGE, connection_of, entity
from carewright.ehr.service.pushing import PUSH, queue_telling
from carewright.ehr.service.subscribing import keep, see_to
from carewright.kernel import audit, jobs

PAGE = 1000
LATE_MAX = timedelta(days=1)
"""How long what changed here may take until the relay has it told; what was told already is only compared."""


async def stop_connection(ctx: EhrContext, connection_id: UUID) -> Stopped:
    """Ask and tell nothing any more, and take our subscription away. A pull that goes on ends before its next question.

    One that was stopped already stays as it was. Raises `UnknownConnection`.
    """
    ctx.actor.require(MANAGE)
    connection, organization_id, now = await connection_of(ctx, connection_id), ctx.actor.organization_id, ctx.clock.now()
    async with ctx.db.transaction() as tx:
        dropped = await jobs.drop(tx, PUSH, f"{connection.id}/")
        since = min([now, *(each.created_at for each in dropped)]) - LATE_MAX
        await store.stop_connection(tx, organization_id, connection.id, now, since)
        await see_to(ctx, tx, msgspec.structs.replace(connection, stopped_at=now))
        await audit.record(tx, audit.entry(ctx, "ehr.connection.stop", "U", entities=(entity(connection.id),)))
    await keep(ctx, connection.name)
    return Stopped(dropped=len(dropped))


async def resume_connection(ctx: EhrContext, connection_id: UUID) -> Resumed:
    """Ask and tell again, and tell what changed here meanwhile. One that goes on goes on. Raises `UnknownConnection`."""
    ctx.actor.require(MANAGE)
    connection = msgspec.structs.replace(await connection_of(ctx, connection_id), stopped_at=None)
    async with ctx.db.transaction() as tx:
        since = await store.resume_connection(tx, ctx.actor.organization_id, connection.id)
        await see_to(ctx, tx, connection)
        await audit.record(tx, audit.entry(ctx, "ehr.connection.resume", "U", entities=(entity(connection.id),)))
    count = await _tell_since(ctx, connection, since) if since else 0
    ctx.wake()
    await keep(ctx, connection.name)
    return Resumed(count=count)


async def _tell_since(ctx: EhrContext, connection: Connection, since: datetime) -> int:
    """Queue what changed here since then, of appointments that are still to come; how many there are.

    Whatever changes from now on is queued by its event. Until all is queued, resuming once more begins anew.
    """
    organization_id = ctx.actor.organization_id
    acting, count = ctx.acting(ctx.speaking_for(connection.id, organization_id)), 0
    query = SearchAppointments(start_from=ctx.clock.now(), limit=PAGE)
    while True:
        page = await acting.scheduling.search_appointments(acting.actor, query)
        changed = [each for each in page.items if each.updated_at >= since]
        async with ctx.db.transaction() as tx:
            for each in changed:
                await queue_telling(ctx, tx, organization_id, connection, each.id, each.version)
            if page.next is None:
                await store.note_told(tx, organization_id, connection.id, since)
        count += len(changed)
        if page.next is None:
            return count
        query = msgspec.structs.replace(query, after=page.next)
