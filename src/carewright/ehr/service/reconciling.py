"""Reconciling: what differs on both sides, by ids and counts."""

from datetime import timedelta
from uuid import UUID

from carewright.contracts.ehr import Reconciled
from carewright.contracts.scheduling import SearchAppointments
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.service.connections import connection_of, entity
from carewright.ehr.service.pulling import EXCHANGE
from carewright.kernel import audit

SHOWN_MAX = 1000


async def reconcile(ctx: EhrContext, connection_id: UUID) -> Reconciled:
    """What both have, what differs, and what is ours alone within the time that is asked for, as it was after the last pull.

    Raises `UnknownConnection`.
    """
    ctx.actor.require(EXCHANGE)
    connection, organization_id = await connection_of(ctx, connection_id), ctx.actor.organization_id
    linked = await store.count_links(ctx.db, organization_id, connection.id)
    found = await store.differences(ctx.db, organization_id, connection.id, SHOWN_MAX)
    acting, now = ctx.acting(ctx.speaking_for(connection.id, organization_id), trace=ctx.trace), ctx.clock.now()
    until = now + timedelta(days=ctx.settings.window_days)
    query = SearchAppointments(start_from=now, start_until=until, statuses=("booked",), limit=SHOWN_MAX)
    page = await acting.scheduling.search_appointments(acting.actor, query)
    ours = [each.id for each in page.items]
    known = await store.are_linked(ctx.db, organization_id, connection.id, "Appointment", ours)
    await audit.record(ctx.db, audit.entry(ctx, "ehr.reconcile", "E", entities=(entity(connection.id),)))
    only_ours = tuple(each for each in ours if each not in known)
    return Reconciled(linked=linked, differences=found, only_ours=only_ours, more=page.next is not None or len(found) == SHOWN_MAX)
