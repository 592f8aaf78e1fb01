"""What a client may know of events, and of what changed."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from carewright.contracts.fhir import people, scheduling
from carewright.contracts.fhir.basics import Resource
from carewright.contracts.subscriptions import Focus, Noted
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.subscriptions.context import SubscriptionsContext


def seen(noted: Noted, actor: Actor) -> Noted:
    """The event as the client may know it: of another site no more than that there was one, so that numbers have no gap."""
    if noted.site_id is None or actor.works_at(noted.site_id):
        return noted
    return msgspec.structs.replace(noted, focus_id=None, patient_id=None)


async def resources_of(ctx: SubscriptionsContext, actor: Actor, noted: Sequence[Noted]) -> dict[UUID, Resource]:
    """What changed, as it is now and as the client may read it; what it may not read is left out."""
    found: dict[UUID, Resource] = {}
    for each in noted:
        if each.focus_id and each.focus_id not in found and (whole := await _resource(ctx, actor, each.focus, each.focus_id)):
            found[each.focus_id] = whole
    return found


async def _resource(ctx: SubscriptionsContext, actor: Actor, focus: Focus, id_: UUID) -> Resource | None:
    try:
        if focus == "Patient":
            return people.patient(await ctx.patients.get_patient(actor, id_))
        return scheduling.appointment(await ctx.scheduling.get_appointment(actor, id_))
    except Refusal as refusal:
        if refusal.status >= 500:  # nobody is away for ever: who asks asks again
            raise
        return None
