"""The audit log over HTTP: parse, call one use case, answer."""

from typing import Any

from carewright.audit import service
from carewright.audit.context import AuditContext
from carewright.contracts.audit import (
    AuditEventsPage,
    Checkpoint,
    FindAuditEvents,
    FindDisclosures,
    InclusionProof,
    NoCheckpoint,
    UnknownAuditEvent,
)
from carewright.contracts.fhir.audit import audit_event
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority


async def find_events(ctx: AuditContext, call: Call[FindAuditEvents, Nothing]) -> AuditEventsPage:
    """Entries of the audit log, a page of them."""
    return await service.find_events(ctx, call.query)


async def find_disclosures(ctx: AuditContext, call: Call[FindDisclosures, Nothing]) -> AuditEventsPage:
    """A patient's accounting of disclosures."""
    return await service.find_disclosures(ctx, call.query)


async def get_event(ctx: AuditContext, call: Call[Nothing, Nothing]) -> dict[str, Any]:
    """One entry in FHIR."""
    return audit_event(await service.get_event(ctx, call.path["event_id"]))


async def prove_event(ctx: AuditContext, call: Call[Nothing, Nothing]) -> InclusionProof:
    """One entry with its proof."""
    return await service.prove_event(ctx, call.path["event_id"])


async def get_checkpoint(ctx: AuditContext, _: Call[Nothing, Nothing]) -> Checkpoint:
    """The newest checkpoint."""
    return await service.get_checkpoint(ctx)


ROUTES = (
    Route(
        "GET", "/api/v1/audit/events", find_events, "Search and sort the audit log", service.READ, AuditEventsPage, query=FindAuditEvents,
        priority=Priority.REPORT,
    ),
    Route(
        "GET", "/api/v1/audit/disclosures", find_disclosures, "Whose eyes a patient's record was shown to, beside their care's",
        service.READ, AuditEventsPage, query=FindDisclosures, priority=Priority.REPORT,
    ),
    Route(
        "GET", "/api/v1/audit/checkpoint", get_checkpoint, "The newest signed checkpoint", service.READ, Checkpoint,
        priority=Priority.REPORT, refusals=(NoCheckpoint,),
    ),
    Route(
        "GET", "/api/v1/audit/events/{event_id}", get_event, "One entry as a FHIR AuditEvent", service.READ, dict[str, Any],
        priority=Priority.REPORT, refusals=(UnknownAuditEvent,),
    ),
    Route(
        "GET", "/api/v1/audit/events/{event_id}/proof", prove_event, "One entry with the proof that it is sealed", service.READ,
        InclusionProof, priority=Priority.REPORT, refusals=(UnknownAuditEvent, NoCheckpoint),
    ),
)  # fmt: skip
