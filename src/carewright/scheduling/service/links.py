"""Use cases of links: have an appointment depend on another, take that away, see to what is broken, and read it."""

from uuid import UUID

from carewright.contracts.links import (
    LINKS_MAX,
    AlreadyLinked,
    AppointmentLink,
    LinkAppointments,
    LinkChanged,
    LinkMade,
    LinkNotBroken,
    LinkRemoved,
    LinksPage,
    ListLinks,
    NoteLinkSeen,
    TooManyLinks,
    UnknownLink,
    UnlinkAppointments,
)
from carewright.contracts.scheduling import Appointment
from carewright.kernel import audit, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.errors import ensure_version
from carewright.kernel.idempotency import once_committed
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.model import links as rules
from carewright.scheduling.model.appointment import ensure_movable
from carewright.scheduling.service.own import list_own
from carewright.scheduling.store import links as rows

MAKE = "scheduling.appointment.link"
READ = "scheduling.appointment.read"


async def link_appointments(ctx: SchedulingContext, command: LinkAppointments) -> AppointmentLink:
    """Have an appointment depend on another.

    Raises `UnknownAppointment` for what is not the actor's, `IllegalStep` for what is not booked or not to come, `LinkContradicts`,
    `LinkDoesNotFit` for what lies otherwise already, `AlreadyLinked`, `TooManyLinks`.
    """
    ctx.actor.require(MAKE)
    await ctx.cipher()  # before the transaction, which is not to wait for keys

    async def work(tx: Session) -> AppointmentLink:
        organization_id = ctx.actor.organization_id
        one, other = await _both(ctx, tx, command)
        if (known := await rows.between(tx, organization_id, one.id, other.id)) is not None:
            raise AlreadyLinked(link_id=str(known))
        rules.ensure_linkable(command, one, other, await rows.depended_on(tx, organization_id, other.id))
        for each in (one, other):
            if len(await rows.of(tx, organization_id, [each.id])) >= LINKS_MAX:
                raise TooManyLinks(appointment_id=str(each.id))
        link = rules.linked(command, one, ctx.ids.new(), ctx.clock.now())
        await rows.insert(tx, organization_id, link)
        await outbox.publish(ctx, tx, rules.fact_of(LinkMade, link, organization_id))
        await _note(ctx, tx, "scheduling.link.make", "C", link)
        return link

    return await once_committed(ctx, AppointmentLink, work)


async def _both(ctx: SchedulingContext, tx: Session, command: LinkAppointments) -> tuple[Appointment, Appointment]:
    """Both appointments, locked in everybody's order, after their patient: links of one patient are made one after another."""
    cipher, found = await ctx.cipher(), {}
    whose = ctx.require_own(await store.appointment_by_id(tx, cipher, command.appointment_id)).patient_id
    await store.lock_patient(tx, cipher.organization_id, whose)
    for each in sorted({command.appointment_id, command.depends_on_id}):
        found[each] = ctx.require_own((await store.appointment_for_change(tx, cipher, each))[0])
        ensure_movable(found[each], ctx.clock.now())
    return found[command.appointment_id], found[command.depends_on_id]


async def unlink_appointments(ctx: SchedulingContext, command: UnlinkAppointments) -> AppointmentLink:
    """Take a link away; the answer is what it was. Raises `UnknownLink`, `PreconditionFailed`."""
    ctx.actor.require(MAKE)

    async def work(tx: Session) -> AppointmentLink:
        link = await _for_change(ctx, tx, command.link_id, command.expected_version)
        await rows.delete(tx, ctx.actor.organization_id, link.id)
        await outbox.publish(ctx, tx, rules.fact_of(LinkRemoved, link, ctx.actor.organization_id))
        await _note(ctx, tx, "scheduling.link.remove", "D", link)
        return link

    return await once_committed(ctx, AppointmentLink, work)


async def note_link_seen(ctx: SchedulingContext, command: NoteLinkSeen) -> AppointmentLink:
    """Somebody saw to a broken link. Raises `UnknownLink`, `PreconditionFailed`, `LinkNotBroken`."""
    ctx.actor.require(MAKE)

    async def work(tx: Session) -> AppointmentLink:
        link = await _for_change(ctx, tx, command.link_id, command.expected_version)
        if link.status != "broken":
            raise LinkNotBroken(link_id=str(link.id), link_status=link.status)
        seen = rules.changed(link, ctx.clock.now(), "seen", link.cause, link.attempt)
        await keep_changed(ctx, tx, ctx.actor.organization_id, seen)
        await _note(ctx, tx, "scheduling.link.see_to", "U", seen)
        return seen

    return await once_committed(ctx, AppointmentLink, work)


async def get_link(ctx: SchedulingContext, link_id: UUID) -> AppointmentLink:
    """One link. Raises `UnknownLink` for what is not there or not the actor's."""
    ctx.actor.require(READ)
    async with ctx.db.transaction() as tx:
        link = _own(ctx, await rows.by_id(tx, ctx.actor.organization_id, link_id))
        await _note(ctx, tx, "scheduling.link.read", "R", link)
    return link


async def list_links(ctx: SchedulingContext, query: ListLinks) -> LinksPage:
    """Links of one's own appointments, or of everybody's at one's sites, oldest first. Raises `Forbidden`."""
    ctx.actor.require(READ)
    items, after = await list_own(ctx, query, rows.page, "scheduling.link.list", "AppointmentLink")
    return LinksPage(items=items, next=after)


async def keep_changed(ctx: Context, tx: Session, organization_id: UUID, link: AppointmentLink) -> None:
    """Store a changed link and say so. The caller holds its row."""
    await rows.save(tx, organization_id, link)
    await outbox.publish(ctx, tx, rules.fact_of(LinkChanged, link, organization_id))


async def _for_change(ctx: SchedulingContext, tx: Session, link_id: UUID, expected_version: int | None) -> AppointmentLink:
    link = _own(ctx, next(iter(await rows.for_change(tx, ctx.actor.organization_id, [link_id])), None))
    ensure_version(link.version, expected_version)
    return link


def _own(ctx: SchedulingContext, link: AppointmentLink | None) -> AppointmentLink:
    """The link, if there is one for the actor. To others it does not exist."""
    if link is None or not ctx.concerns(link.patient_id, (link.site_id,)):
        raise UnknownLink
    return link


async def _note(ctx: SchedulingContext, tx: Session, deed: str, action: audit.Action, link: AppointmentLink) -> None:
    await audit.record(tx, audit.entry(ctx, deed, action, patient_id=link.patient_id, entities=about(link)))


def about(link: AppointmentLink) -> tuple[audit.Entity, ...]:
    """What a deed about a link touches."""
    ends = (audit.Entity(type="Appointment", id=each) for each in (link.appointment_id, link.depends_on_id))
    return (audit.Entity(type="AppointmentLink", id=link.id), *ends)
