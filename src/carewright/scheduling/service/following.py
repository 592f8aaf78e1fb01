"""What becomes of appointments that depend on one that was cancelled, missed or moved: kept, called off, or left to be seen to.

In the transaction that hears of it, whoever changed it and by whatever way. Another time is looked for by a job of its own (`mending`).
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from carewright.contracts.links import WITHOUT_OTHER, AppointmentLink
from carewright.contracts.scheduling import Appointment, AppointmentCancelled, AppointmentFact, AppointmentRescheduled
from carewright.kernel import audit, jobs, outbox
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.scheduling import store
from carewright.scheduling.model import links as rules
from carewright.scheduling.model.appointment import fact_of, stepped
from carewright.scheduling.service.change import replace_stored
from carewright.scheduling.service.links import about, keep_changed
from carewright.scheduling.store import links as rows

MEND = "scheduling.mend_link"
"""The job that looks for another time."""


class ToMend(msgspec.Struct, frozen=True):
    """A link whose dependent appointment is to be at another time."""

    organization_id: UUID
    link_id: UUID


async def follow_appointment(ctx: Context, tx: Session, event: AppointmentFact) -> None:
    """See how each link of an appointment stands now, and do what it says. Heard again, it changes nothing: it goes by how things are.

    Appointments are locked in everybody's order, before the links and before any time is given back.
    """
    organization_id = event.organization_id
    found = await rows.of(tx, organization_id, [event.appointment_id])
    if not found:
        return
    cipher = await ctx.working_in(organization_id).cipher()
    known, masters = await _locked(ctx, tx, cipher, found)
    for link in await rows.for_change(tx, organization_id, [each.id for each in found]):
        one, other = known.get(link.appointment_id), known.get(link.depends_on_id)
        if one is None or other is None:
            continue  # erased or disposed of this very moment
        follows = event.appointment_id == other.id
        judged = rules.judge(link, one, other, ctx.clock.now(), is_ours=masters.get(one.id) is None, follows=follows)
        if judged.is_released:
            known[one.id] = await _call_off(ctx, tx, cipher, one)
        is_new = isinstance(event, AppointmentRescheduled)
        now_is = rules.as_judged(link, judged, one.site_id, ctx.clock.now(), is_new=is_new)
        if now_is != link:
            await _note(ctx, tx, organization_id, now_is)


async def _locked(
    ctx: Context, tx: Session, cipher: FieldCipher, links: Iterable[AppointmentLink]
) -> tuple[dict[UUID, Appointment], dict[UUID, str | None]]:
    """The appointments at both ends. What may have to be called off is locked, and what is master of it told."""
    ids = sorted({each for link in links for each in (link.appointment_id, link.depends_on_id)})
    dependent = {link.appointment_id for link in links}
    known: dict[UUID, Appointment] = {}
    masters: dict[UUID, str | None] = {}
    for each in ids:
        one = await store.appointment_by_id(tx, cipher, each)
        if one is not None and each in dependent and rules.is_to_come(one, ctx.clock.now()):
            one, masters[each] = await store.appointment_for_change(tx, cipher, each)
        if one is not None:
            known[each] = one
    return known, masters


async def _call_off(ctx: Context, tx: Session, cipher: FieldCipher, one: Appointment) -> Appointment:
    """Cancel an appointment that is worth nothing any more, and free everybody whom it took."""
    organization_id = cipher.organization_id
    gone = stepped(one, "cancelled", ctx.clock.now(), reason=WITHOUT_OTHER)
    released = await store.release_claims(tx, organization_id, [gone.id])
    await replace_stored(ctx, tx, cipher, one, gone)
    await outbox.publish(ctx, tx, fact_of(AppointmentCancelled, gone, organization_id, released=released))
    name, entity = "scheduling.appointment.cancel", (audit.Entity(type="Appointment", id=gone.id),)
    await audit.record(tx, audit.entry_of_system(ctx, organization_id, name, "U", patient_id=gone.patient_id, entities=entity))
    return gone


async def _note(ctx: Context, tx: Session, organization_id: UUID, link: AppointmentLink) -> None:
    """Store how a link stands now, and have another time looked for where one is due."""
    await keep_changed(ctx, tx, organization_id, link)
    entry = audit.entry_of_system(ctx, organization_id, "scheduling.link.follow", "U", patient_id=link.patient_id, entities=about(link))
    await audit.record(tx, entry)
    if link.attempt == "due":
        await jobs.enqueue(ctx, tx, MEND, ToMend(organization_id, link.id), unique_key=f"{link.id}:{link.version}")
