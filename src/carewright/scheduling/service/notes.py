"""What a patient writes to the practice: shown here or nowhere."""

from collections.abc import Sequence

import msgspec

from carewright.contracts.scheduling import Appointment
from carewright.kernel import audit
from carewright.kernel.db import Session
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.scheduling import store
from carewright.scheduling.context import SchedulingContext


async def with_notes(ctx: SchedulingContext, tx: Session, cipher: FieldCipher, found: Sequence[Appointment]) -> tuple[Appointment, ...]:
    """The appointments with their notes, each one shown recorded as read; for who may not read notes, as they are.

    The caller has made sure that the appointments are the actor's to see, and passes the transaction in which they were read.
    """
    if not ctx.actor.may("scheduling.appointment.read_note"):
        return tuple(found)
    notes = await store.notes_of(tx, cipher, [each.id for each in found])
    shown = tuple(msgspec.structs.replace(each, note=notes[each.id]) if each.id in notes else each for each in found)
    read = (store.entry_of(ctx, "scheduling.appointment.read_note", "R", each) for each in shown if each.id in notes)
    await audit.record(tx, *read)
    return shown
