"""Searching appointments of anybody: by patient, by time, by who takes part."""

from msgspec.structs import replace

from carewright.contracts.scheduling import Appointment, AppointmentsFound, SearchAppointments
from carewright.kernel import audit
from carewright.kernel.errors import Forbidden
from carewright.kernel.values import EARLIEST, LATEST, utc
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service.cursors import NO_ID, cursor_of, place_after

COUNT_MAX = 10_000
"""As far as a search counts."""


async def search_appointments(ctx: SchedulingContext, query: SearchAppointments) -> AppointmentsFound:
    """Appointments by start, live and archived, without notes: of everybody at the actor's sites, or of the one patient they act for.

    The journal has an entry for each patient of whom the page shows something, or one without a patient where it shows nothing.
    """
    ctx.actor.require("scheduling.appointment.read")
    asked, cipher, now = _within_reach(ctx, query), await ctx.cipher(), ctx.clock.now()
    found: list[Appointment] = []
    total = 0
    async with ctx.db.transaction() as tx:
        await store.plan_once(tx)
        if asked and (asked.ids or asked.patient_ids):
            found, total = await store.search_these(tx, cipher, asked, _part_of(asked), now)
        elif asked:
            found = await store.search_by_time(tx, cipher, asked, _part_of(asked), now)
            total = await store.count_by_time(tx, cipher, asked, now, COUNT_MAX + 1) if asked.count else 0
        shown = tuple(found[: query.limit])
        about = [(each.patient_id, audit.Entity(type="Appointment", id=each.id)) for each in shown]
        await audit.record(tx, *audit.entries_about(ctx, "scheduling.appointment.search", about))
    return AppointmentsFound(
        items=shown, next=cursor_of(shown[-1]) if len(found) > len(shown) else None,
        total=total if query.count and total <= COUNT_MAX else None,
    )  # fmt: skip


def _within_reach(ctx: SchedulingContext, query: SearchAppointments) -> SearchAppointments | None:
    """The search within what the actor may see and with both ends of its time in UTC; None where nothing is left to look for."""
    start = utc(query.start_from) if query.start_from else EARLIEST
    query = replace(query, start_from=start, start_until=utc(query.start_until) if query.start_until else LATEST)
    if ctx.by_patient:
        own = ctx.actor.patient_id
        if own is None:
            raise Forbidden("You can act for yourself only.")
        if query.patient_ids and own not in query.patient_ids:
            return None
        query = replace(query, patient_ids=(own,))
    if ctx.actor.site_ids:
        sites = ctx.actor.site_ids.intersection(query.site_ids or ctx.actor.site_ids)
        if not sites:
            return None
        query = replace(query, site_ids=tuple(sites))
    return query


def _part_of(query: SearchAppointments) -> store.Part:
    """What the page is taken from: behind its cursor or before it, and never outside the time asked for."""
    first, last = (query.start_from or EARLIEST, NO_ID), (query.start_until or LATEST, NO_ID)
    if query.after is None:
        return store.Part(*first, *last)
    place = place_after(query.after)
    if query.order == "start":
        return store.Part(*max(first, place), *last)
    return store.Part(*first, *min(last, place))
