"""Orders and referrals as others tell of them: kept as they say. Every rule is that of `orders`; who books is a person."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from carewright.contracts.orders import Party, RecordRequest, RequestDetails, SearchRequests, ServiceRequest, UpdateRequest
from carewright.hl7.model.codes import BY_HAND, DoesNotFit
from carewright.hl7.model.orc import Order, orders_in
from carewright.hl7.model.when import instant_of
from carewright.hl7.service import adt
from carewright.hl7.service.codes import practitioner_of
from carewright.hl7.service.work import Work

RECORD = "orders.request.record"


async def keep(work: Work) -> UUID:
    """Each order is afterwards as the message says, if its sender may record any.

    The message waits all the same, by `DoesNotFit`: a person books, moves or cancels what is wanted.
    """
    told = orders_in(work.message)
    if told and work.ctx.actor.may(RECORD):
        patient_id = await adt.present(work)
        for number, order in enumerate(told):
            await _keep(work, order, patient_id, work.key(f"order{number}"))
    raise DoesNotFit(BY_HAND)


async def _keep(work: Work, order: Order, patient_id: UUID, key: str) -> None:
    before = await _known(work, order)
    if before is None:
        details = await _details(work, order, RequestDetails(status=order.status or "active", intent="order"))
        await work.ctx.orders.record_request(work.ctx.actor, RecordRequest(patient_id=patient_id, details=details), key)
    else:
        await work.ensure_of(patient_id, before.patient_id)
        kept = RequestDetails(**{name: getattr(before, name) for name in RequestDetails.__struct_fields__})
        command = UpdateRequest(request_id=before.id, details=await _details(work, order, kept))
        await work.ctx.orders.update_request(work.ctx.actor, command, key)


async def _known(work: Work, order: Order) -> ServiceRequest | None:
    """The order that one of its numbers names, the filler's before the placer's."""
    for number in filter(None, (order.filler, order.placer)):
        query = SearchRequests(identifiers=(number.identifier(work.codes.authorities),))
        for found in (await work.ctx.orders.search_requests(work.ctx.actor, query)).items:
            return found
    return None


async def _details(work: Work, order: Order, before: RequestDetails) -> RequestDetails:
    """What the message says; what it does not say stays."""
    wanted = _instant(work, order.wanted)
    said = {
        "status": order.status, "priority": order.priority, "code": order.code,
        "placer": order.placer and order.placer.identifier(work.codes.authorities),
        "filler": order.filler and order.filler.identifier(work.codes.authorities),
        "requester": await _requester(work, order), "authored_at": _instant(work, order.written),
        "occurs_from": wanted, "occurs_until": wanted, "reasons": (order.reason[:2000],) if order.reason else None,
    }  # fmt: skip
    return replace(before, **{name: value for name, value in said.items() if value is not None})


async def _requester(work: Work, order: Order) -> Party | None:
    """One of ours; whoever refers from outside is kept by their name."""
    try:
        found = await practitioner_of(work.ctx, work.codes, (order.requester,) if order.requester else ())
    except DoesNotFit:
        found = None
    if found is not None:
        return Party(kind="Practitioner", id=found, display=order.requester_name[:200])
    return Party(display=order.requester_name[:200]) if order.requester_name else None


def _instant(work: Work, text: str) -> datetime | None:
    """A wall time is that of the zone that all sites share; where they share none, nobody knows it."""
    zones: set[ZoneInfo] = set(work.codes.zones.values())
    return instant_of(text, next(iter(zones))) if text and len(zones) == 1 else None
