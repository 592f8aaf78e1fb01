"""Records over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts import records as c
from carewright.contracts.access import StepUpNeeded
from carewright.contracts.patients import RecordMerged, UnknownPatient
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
from carewright.kernel.privacy.vault import RegionNotServed
from carewright.kernel.values import Reason
from carewright.records.context import RecordsContext
from carewright.records.service import export
from carewright.records.service import rules as service


class LiftBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Reason


async def get_keeping(ctx: Context, _: Call[Nothing, Nothing]) -> c.Keeping:
    return await service.get_keeping(ctx)


async def set_retention(ctx: Context, call: Call[Nothing, c.SetRetention]) -> c.Keeping:
    return await service.set_retention(ctx, call.body)


async def set_jurisdiction(ctx: Context, call: Call[Nothing, c.SetJurisdiction]) -> c.Keeping:
    return await service.set_jurisdiction(ctx, call.body)


async def set_hold(ctx: Context, call: Call[Nothing, c.SetHold]) -> c.Hold:
    return await service.set_hold(ctx, call.body)


async def list_holds(ctx: Context, call: Call[c.ListHolds, Nothing]) -> c.HoldsPage:
    return await service.list_holds(ctx, call.query)


async def lift_hold(ctx: Context, call: Call[Nothing, LiftBody]) -> c.Hold:
    return await service.lift_hold(ctx, c.LiftHold(hold_id=call.path["hold_id"], reason=call.body.reason))


async def export_record(ctx: RecordsContext, call: Call[Nothing, c.ExportRecord]) -> c.ExportPage:
    return await export.export_record(ctx, call.body)


ROUTES = (
    Route("GET", "/api/v1/records/retention", get_keeping, "How long what is kept here, and where.", service.READ, c.Keeping),
    Route(
        "PUT", "/api/v1/records/retention", set_retention, "Keep one kind of record for another time.", service.CHANGE, c.Keeping,
        body=c.SetRetention, refusals=(c.BelowFloor, c.NeverDisposed),
    ),
    Route(
        "PUT", "/api/v1/records/jurisdiction", set_jurisdiction, "Declare the region and the state whose law is followed.",
        service.CHANGE, c.Keeping, body=c.SetJurisdiction, refusals=(RegionNotServed,),
    ),
    Route("GET", "/api/v1/records/legal-holds", list_holds, "What is on legal hold.", service.HOLD, c.HoldsPage, query=c.ListHolds),
    Route(
        "POST", "/api/v1/records/legal-holds", set_hold, "Put a patient's records, or everybody's, on legal hold.", service.HOLD, c.Hold,
        body=c.SetHold, keyed=True,
    ),
    Route(
        "POST", "/api/v1/records/legal-holds/{hold_id}/lift", lift_hold, "Lift a legal hold.", service.HOLD, c.Hold, body=LiftBody,
        refusals=(c.UnknownHold,),
    ),
    Route(
        "POST", "/api/v1/records/export", export_record, "Everything that is held about one patient, as FHIR R4, a page at a time.",
        export.EXPORT, c.ExportPage, body=c.ExportRecord, priority=Priority.REPORT,
        refusals=(UnknownPatient, StepUpNeeded, RecordMerged),
    ),
)  # fmt: skip
