"""Who waits for a bed over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts.flow import BedRequestEnded, StatusNotAllowed, UnknownBedRequest, UnknownEncounter
from carewright.contracts.rooms import AskForBed, BedRequest, BedRequests, CancelBedRequest, CancelReason, ListBedRequests
from carewright.flow.service import bed_requests, places
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

BED_REQUESTS = "/api/v1/bed-requests"


class CancelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why nobody waits any more."""

    reason: CancelReason


async def list_bed_requests(ctx: Context, call: Call[ListBedRequests, Nothing]) -> BedRequests:
    """Who waits for a bed at a site."""
    return await bed_requests.list_bed_requests(ctx, call.query)


async def ask_for_bed(ctx: Context, call: Call[Nothing, AskForBed]) -> BedRequest:
    """Have somebody wait for a bed."""
    return await bed_requests.ask_for_bed(ctx, call.body)


async def cancel_bed_request(ctx: Context, call: Call[Nothing, CancelBody]) -> BedRequest:
    """Nobody waits for it any more."""
    command = CancelBedRequest(request_id=call.path["request_id"], expected_version=call.version, reason=call.body.reason)
    return await bed_requests.cancel_bed_request(ctx, command)


ROUTES = (
    Route(
        "GET", BED_REQUESTS, list_bed_requests, "Who waits for a bed at a site, in the order in which they are to have one", places.READ,
        BedRequests, query=ListBedRequests, priority=Priority.PRESENCE,
    ),
    Route(
        "POST", BED_REQUESTS, ask_for_bed, "Have a patient wait for a bed, or for another one than before", places.WORK, BedRequest,
        body=AskForBed, keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownEncounter, StatusNotAllowed),
    ),
    Route(
        "POST", BED_REQUESTS + "/{request_id}/cancel", cancel_bed_request, "Nobody waits for this bed any more", places.WORK, BedRequest,
        body=CancelBody, keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownBedRequest, BedRequestEnded),
    ),
)  # fmt: skip
