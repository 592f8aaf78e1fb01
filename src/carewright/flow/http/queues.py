"""Queues over HTTP: parse, call one use case, answer."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.flow import (
    AlreadyQueued,
    NothingToUndo,
    NotWaiting,
    OtherScale,
    StepNotAllowed,
    UnknownEncounter,
    UnknownEntry,
    UnknownQueue,
    WalkInsPaused,
)
from carewright.contracts.in_use import Gap
from carewright.contracts.queue import (
    Acuity,
    Arrive,
    Arrived,
    Called,
    CallEntry,
    CallNext,
    EntriesInOrder,
    ListEntries,
    ListQueues,
    OwnTurns,
    PlainAction,
    ProposedTurns,
    ProposeTurns,
    PutQueue,
    Queue,
    QueueEntry,
    QueuesPage,
    StepEntry,
    TransferEntry,
    TriageEntry,
    UndoStep,
    WaitEstimate,
    WaitEstimates,
)
from carewright.flow.service import queue, waits
from carewright.kernel.context import Context
from carewright.kernel.errors import BadInput
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
from carewright.kernel.values import Instant, Limit

C = TypeVar("C")
QUEUES = "/api/v1/queues"
ENTRIES = "/api/v1/queue-entries"


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many of those who wait, and of those who do not."""

    limit: Limit = 100


class ArriveBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is here, or is announced for `expected_at`."""

    patient_id: UUID
    tier: UrgencyTier = "P2"
    encounter_id: UUID | None = None
    practitioner_id: UUID | None = None
    expected_at: Instant | None = None


class EmergencyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is here in an emergency, or is brought by `expected_at`."""

    patient_id: UUID
    encounter_id: UUID | None = None
    practitioner_id: UUID | None = None
    expected_at: Instant | None = None


class CallBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who calls, and to where."""

    practitioner_id: UUID | None = None
    location_id: UUID | None = None


class GapsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gaps as `GET /api/v1/gaps` has them."""

    gaps: Annotated[tuple[Gap, ...], Meta(max_length=500)]


class StepBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: PlainAction


class TriageBody(Acuity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the nurse found."""


class TransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    to_queue_id: UUID
    practitioner_id: UUID | None = None


async def put_queue(ctx: Context, call: Call[Nothing, PutQueue]) -> Queue:
    """The queue of a service at a site."""
    return await queue.put_queue(ctx, msgspec.structs.replace(call.body, expected_version=call.version or call.body.expected_version))


async def list_queues(ctx: Context, call: Call[ListQueues, Nothing]) -> QueuesPage:
    """Queues, and how full each is."""
    return await queue.list_queues(ctx, call.query)


async def list_entries(ctx: Context, call: Call[PageQuery, Nothing]) -> EntriesInOrder:
    """Who is in a queue."""
    return await queue.list_entries(ctx, ListEntries(queue_id=call.path["queue_id"], limit=call.query.limit))


async def arrive(ctx: Context, call: Call[Nothing, ArriveBody]) -> Arrived:
    """Somebody is here, or announced."""
    return await queue.arrive(ctx, Arrive(queue_id=call.path["queue_id"], **msgspec.structs.asdict(call.body)))


async def arrive_in_emergency(ctx: Context, call: Call[Nothing, EmergencyBody]) -> Arrived:
    """Somebody is here in an emergency, or announced: `arrive` with the tier P0, at an address that says so before anything was read."""
    return await queue.arrive(ctx, Arrive(queue_id=call.path["queue_id"], tier="P0", **msgspec.structs.asdict(call.body)))


async def call_next(ctx: Context, call: Call[Nothing, CallBody]) -> Called:
    """Call whoever is next."""
    return await queue.call_next(ctx, CallNext(queue_id=call.path["queue_id"], **msgspec.structs.asdict(call.body)))


async def propose_turns(ctx: Context, call: Call[Nothing, GapsBody]) -> ProposedTurns:
    """Who could be called into which gap."""
    return await queue.propose_turns(ctx, ProposeTurns(queue_id=call.path["queue_id"], gaps=call.body.gaps))


async def own_turns(ctx: Context, _: Call[Nothing, Nothing]) -> OwnTurns:
    """Where the patient waits now."""
    return await queue.own_turns(ctx)


async def get_entry(ctx: Context, call: Call[Nothing, Nothing]) -> QueueEntry:
    """One turn."""
    return await queue.get_entry(ctx, call.path["entry_id"])


async def call_entry(ctx: Context, call: Call[Nothing, CallBody]) -> QueueEntry:
    """Call one patient out of turn."""
    return await queue.call_entry(ctx, _of(CallEntry, call))


async def step_entry(ctx: Context, call: Call[Nothing, StepBody]) -> QueueEntry:
    """Skip, return, start, hold, complete, leave or cancel."""
    return await queue.step_entry(ctx, _of(StepEntry, call))


async def triage_entry(ctx: Context, call: Call[Nothing, TriageBody]) -> QueueEntry:
    """How urgent it is."""
    return await queue.triage_entry(ctx, _of(TriageEntry, call))


async def transfer_entry(ctx: Context, call: Call[Nothing, TransferBody]) -> QueueEntry:
    """On to another queue."""
    return await queue.transfer_entry(ctx, _of(TransferEntry, call))


async def estimate_waits(ctx: Context, call: Call[Nothing, Nothing]) -> WaitEstimates:
    """How long everybody in a queue still waits."""
    return await waits.estimate_waits(ctx, call.path["queue_id"])


async def estimate_wait(ctx: Context, call: Call[Nothing, Nothing]) -> WaitEstimate:
    """How long one still waits."""
    return await waits.estimate_wait(ctx, call.path["entry_id"])


async def undo_step(ctx: Context, call: Call[Nothing, Nothing]) -> QueueEntry:
    """Take the last step back."""
    if call.version is None:
        raise BadInput("Say by If-Match which version is to be taken back.", parameter="If-Match")
    return await queue.undo_step(ctx, UndoStep(entry_id=call.path["entry_id"], expected_version=call.version))


def _of(kind: Callable[..., C], call: Call[Nothing, Any]) -> C:
    """The command about the entry of the address, as the body says it."""
    return kind(entry_id=call.path["entry_id"], expected_version=call.version, **msgspec.structs.asdict(call.body))


ROUTES = (
    Route("PUT", QUEUES, put_queue, "Set the queue of a service at a site", queue.CHANGE, Queue, body=PutQueue, versioned=True),
    Route("GET", QUEUES, list_queues, "Queues, and how full each is", queue.READ, QueuesPage, query=ListQueues, priority=Priority.PRESENCE),
    Route(
        "GET", QUEUES + "/{queue_id}/entries", list_entries, "Who is in a queue, in order", queue.WORK, EntriesInOrder, query=PageQuery,
        priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
    Route(
        "POST", QUEUES + "/{queue_id}/entries", arrive, "Somebody is here without an appointment, or announced", queue.WORK, Arrived,
        body=ArriveBody, keyed=True, versioned=True, created=ENTRIES + "/{id}", priority=Priority.PRESENCE,
        refusals=(UnknownQueue, AlreadyQueued, UnknownEncounter, WalkInsPaused),
    ),
    Route(
        "POST", QUEUES + "/{queue_id}/emergencies", arrive_in_emergency, "Somebody is here in an emergency, or announced", queue.WORK,
        Arrived, body=EmergencyBody, keyed=True, versioned=True, created=ENTRIES + "/{id}", priority=Priority.EMERGENCY,
        refusals=(UnknownQueue, AlreadyQueued, UnknownEncounter),
    ),
    Route(
        "GET", QUEUES + "/{queue_id}/waits", estimate_waits, "How long everybody in a queue still waits", queue.WORK, WaitEstimates,
        refusals=(UnknownQueue,),
    ),
    Route(
        "GET", ENTRIES + "/{entry_id}/wait", estimate_wait, "How long one patient still waits", queue.READ, WaitEstimate,
        refusals=(UnknownEntry, NotWaiting),
    ),
    Route(
        "POST", QUEUES + "/{queue_id}/call", call_next, "Call whoever is next", queue.WORK, Called, body=CallBody, keyed=True,
        priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
    Route(
        "POST", QUEUES + "/{queue_id}/proposals", propose_turns, "Who could be called into which gap of a practitioner's time", queue.WORK,
        ProposedTurns, body=GapsBody, priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
    Route("GET", ENTRIES, own_turns, "Where the patient who asks waits now", queue.READ, OwnTurns),
    Route(
        "GET", ENTRIES + "/{entry_id}", get_entry, "One patient's turn", queue.READ, QueueEntry, versioned=True,
        priority=Priority.PRESENCE, refusals=(UnknownEntry,),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/call", call_entry, "Call a patient out of turn", queue.WORK, QueueEntry, body=CallBody,
        keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownEntry, StepNotAllowed),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/steps", step_entry, "Skip, return, start, hold, complete, leave or cancel a turn", queue.WORK,
        QueueEntry, body=StepBody, keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownEntry, StepNotAllowed),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/triage", triage_entry, "Say how urgent it is", queue.TRIAGE, QueueEntry, body=TriageBody,
        keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownEntry, StepNotAllowed, OtherScale),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/transfer", transfer_entry, "Send a patient on to another queue", queue.WORK, QueueEntry,
        body=TransferBody, keyed=True, versioned=True, priority=Priority.PRESENCE,
        refusals=(UnknownEntry, UnknownQueue, StepNotAllowed, AlreadyQueued),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/undo", undo_step, "Take the last step of a turn back", queue.WORK, QueueEntry, keyed=True,
        versioned=True, priority=Priority.PRESENCE, refusals=(UnknownEntry, NothingToUndo),
    ),
)  # fmt: skip
