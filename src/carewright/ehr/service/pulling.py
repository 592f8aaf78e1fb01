"""Pulling: what an EHR says, kind after kind, each thing that was asked longest ago first."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from carewright.contracts.ehr import ConnectionStopped, Kind, NotUnderstood, PagesWithoutEnd, Pulled, PullRunning
from carewright.contracts.scheduling import SearchAppointments
from carewright.ehr import store
from carewright.ehr.context import EhrContext
from carewright.ehr.model.reading import Misread, instant
from carewright.ehr.service.asking import Ehr
from carewright.ehr.service.connections import entity, keyed
from carewright.ehr.service.directory import Kind as EntryKind
from carewright.ehr.service.directory import numbers_of, see_place, see_practitioner
from carewright.ehr.service.paying import see_coverage, zone_of
from carewright.ehr.service.people import see_patient
from carewright.ehr.service.visits import read_unlisted, see_visit
from carewright.ehr.service.work import Work
from carewright.kernel import audit
from carewright.kernel.errors import Refusal

EXCHANGE = "ehr.exchange"
BROKE = "ehr.broke"
OUTCOMES: dict[bool, audit.Outcome] = {False: "success", True: "failed"}
LEASE = timedelta(minutes=30)
PULL_MAX = timedelta(minutes=20)
"""A pull that takes longer is cut short, before its lease ends; the next goes on where it was."""
LINKS_BATCH = 50
EXPECTED_MAX = 1000
NUMBERS_AT_ONCE = 20
"""Identifiers of one search."""
See = Callable[[Work, Any], Awaitable[object]]


async def pull(ctx: EhrContext, name: str) -> Pulled:
    """Ask an EHR for everything that we keep of it. What it says before it fails stays; `ended_by` says by what it was ended.

    Raises `UnknownConnection`, `ConnectionStopped`, and `PullRunning` while it is being asked already.
    """
    ctx.actor.require(EXCHANGE)
    asked, now = await keyed(ctx, name), ctx.clock.now()
    organization_id, connection_id = ctx.actor.organization_id, asked.connection.id
    if not await store.claim_asking(ctx.db, organization_id, connection_id, now, now + LEASE):
        raise PullRunning
    acting = ctx.acting(ctx.speaking_for(connection_id, organization_id), trace=ctx.trace)
    work, ended_by = Work(acting, await acting.cipher(), Ehr(acting, asked), now), BROKE
    try:
        ended_by = await _pulled(work)
    finally:
        await _end(work, ended_by)
    return Pulled(counts=dict(work.counts), ended_by=ended_by or None)


async def pull_due(ctx: EhrContext) -> int:
    """Pull from those that nobody asked for `pull_minutes`, of every organization; how many there were.

    Those that wake us are asked every `net_minutes` besides: what is sent can be lost.
    """
    if not ctx.settings.pull_minutes:
        return 0
    now = ctx.clock.now()
    asked_before, net_before = (now - timedelta(minutes=each) for each in (ctx.settings.pull_minutes, ctx.settings.net_minutes))
    due = await store.connections_due(ctx.db, asked_before, net_before, now, LINKS_BATCH)
    for named in due:
        await pull_one(ctx, named)
    return len(due)


async def pull_one(ctx: EhrContext, named: store.Named) -> None:
    """Pull from one whose turn it is, unless somebody else does or it was stopped meanwhile."""
    organization_id, name = named
    with suppress(PullRunning, ConnectionStopped):
        await pull(ctx.acting(ctx.tokens.actor("system", "system", organization_id)), name)


async def _pulled(work: Work) -> str:
    """The code of what ended it early, or nothing. Pages without end end a search, and not the pull."""
    ended_by = ""
    for step in (_practitioners, _places, _patients, _visits, _unlisted, _coverages):
        try:
            await step(work)
        except PagesWithoutEnd as refusal:
            ended_by = refusal.code
        except Refusal as refusal:
            return refusal.code
    return ended_by


async def _end(work: Work, ended_by: str) -> None:
    """Others may ask from now on, and it is on record that somebody did. What went wrong is tried as soon as if nobody woke us."""
    connection_id, outcome = work.connection.id, OUTCOMES[bool(ended_by)]
    async with work.ctx.db.transaction() as tx:
        await store.end_asking(tx, work.cipher.organization_id, connection_id, work.ctx.clock.now())
        if ended_by and work.ctx.settings.pull_minutes:
            again = work.ctx.clock.now() + timedelta(minutes=work.ctx.settings.pull_minutes)
            await store.put_off_pull(tx, work.cipher.organization_id, connection_id, again)
        about = (entity(connection_id),)
        await audit.record(tx, audit.entry(work.ctx, "ehr.pull", "E", entities=about, outcome=outcome, code=ended_by or None))


async def _practitioners(work: Work) -> None:
    await _entries(work, "Practitioner", work.profile.practitioners, see_practitioner)


async def _places(work: Work) -> None:
    await _entries(work, "Location", work.profile.locations, see_place)


async def _entries(work: Work, kind: EntryKind, query: Mapping[str, str] | None, see: See) -> None:
    """All of theirs, or those that carry a number of ours, as their profile allows."""
    if query is not None:
        await _seen(work, kind, work.ehr.search(kind, {**query, "_count": str(work.profile.page_size)}), see)
        return
    numbers = [f"{one.system}|{one.value}" for one in await numbers_of(work, kind)]
    await _by_number(work, kind, numbers, see)


async def _patients(work: Work) -> None:
    """Ours who are expected from now on, by their number there; where that is not needed, appointments name theirs."""
    if not (work.profile.patients_by_number and work.connection.patient_system):
        return
    query = SearchAppointments(start_from=work.began_at, statuses=("booked", "pending"), limit=EXPECTED_MAX)
    found = await work.ctx.scheduling.search_appointments(work.ctx.actor, query)
    ids = tuple(dict.fromkeys(each.patient_id for each in found.items))
    for first in range(0, len(ids), NUMBERS_AT_ONCE):
        patients = await work.ctx.patients.get_patients(work.ctx.actor, ids[first : first + NUMBERS_AT_ONCE])
        numbers = [one for each in patients for one in each.identifiers if one.system == work.connection.patient_system]
        await _by_number(work, "Patient", [f"{one.system}|{one.value}" for one in numbers], see_patient)


async def _by_number(work: Work, kind: Kind, numbers: list[str], see: See) -> None:
    for first in range(0, len(numbers), NUMBERS_AT_ONCE):
        await _seen(work, kind, work.ehr.search(kind, {"identifier": ",".join(numbers[first : first + NUMBERS_AT_ONCE])}), see)


async def _visits(work: Work) -> None:
    """The appointments of each link, those asked longest ago first. One that cannot be asked keeps no other waiting."""
    kind, fault = work.profile.appointments_by[0], None
    while links := await store.next_to_ask(work.ctx.db, work.cipher, work.connection.id, kind, work.began_at, LINKS_BATCH):
        for link_id, theirs in links:
            if await _is_over(work):
                return
            try:
                await _visits_of(work, theirs)
            except (PagesWithoutEnd, NotUnderstood) as refusal:
                fault = refusal
            await store.mark_asked(work.ctx.db, work.cipher.organization_id, link_id, work.ctx.clock.now())
    if fault is not None:
        raise fault


async def _visits_of(work: Work, theirs: str) -> None:
    """From now on, within the window."""
    until = work.began_at + timedelta(days=work.ctx.settings.window_days)
    dates = [("date", f"ge{instant(work.began_at)}"), ("date", f"lt{instant(until)}")]
    found = work.ehr.search("Appointment", [(work.profile.appointments_by[1], theirs), *dates])
    await _seen(work, "Appointment", found, see_visit)


async def _unlisted(work: Work) -> None:
    """Appointments of both that no list named, though we expect them within the time that was asked for: each is read by its id."""
    until, fault = work.began_at + timedelta(days=work.ctx.settings.window_days), None
    query = SearchAppointments(start_from=work.began_at, start_until=until, statuses=("booked", "pending"), limit=EXPECTED_MAX)
    while True:
        page = await work.ctx.scheduling.search_appointments(work.ctx.actor, query)
        ours = {each.id: each for each in page.items}
        for each in await store.unlisted(work.ctx.db, work.cipher, work.connection.id, list(ours), work.began_at):
            if await _is_over(work):
                return
            try:
                await _seen(work, "Appointment", read_unlisted(work, each.theirs, ours[each.ours]), see_visit)
            except NotUnderstood as refusal:
                fault = refusal
        if page.next is None:
            break
        query = msgspec.structs.replace(query, after=page.next)
    if fault is not None:
        raise fault


async def _coverages(work: Work) -> None:
    """Who pays for each patient of both, those asked longest ago first. It comes last: visits wait for nobody's plan."""
    fault, before, zone = None, work.began_at - timedelta(hours=work.ctx.settings.coverage_hours), await zone_of(work)
    while people := await store.next_to_ask_who_pays(work.ctx.db, work.cipher, work.connection.id, before, LINKS_BATCH):
        for each in people:
            if await _is_over(work):
                return
            try:
                found = work.ehr.search("Coverage", {"patient": each.theirs})
                await _seen(work, "Coverage", found, partial(see_coverage, patient_id=each.ours, zone=zone))
            except (PagesWithoutEnd, NotUnderstood) as refusal:
                fault = refusal
            await store.mark_payers_asked(work.ctx.db, work.cipher.organization_id, each.id, work.ctx.clock.now())
    if fault is not None:
        raise fault


async def _is_over(work: Work) -> bool:
    """Whether it took too long, or the connection was stopped meanwhile."""
    is_late = work.ctx.clock.now() - work.began_at > PULL_MAX
    return is_late or await store.is_stopped(work.ctx.db, work.cipher.organization_id, work.connection.id)


async def _seen(work: Work, kind: Kind, resources: AsyncIterator[Any], see: See) -> None:
    """Each resource by itself: one that cannot be read keeps nobody else from being seen."""
    async for resource in resources:
        try:
            await see(work, resource)
        except Misread:
            work.counts[f"{kind} misread"] += 1
