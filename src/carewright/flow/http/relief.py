"""Relief of queues over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts.elsewhere import NoMoreTime, Said, SayWhere, StayNear, TellTheDesk
from carewright.contracts.flow import StepNotAllowed, UnknownEntry, UnknownQueue
from carewright.contracts.queue import QueueEntry
from carewright.contracts.relief import HandReason, OtherSites, QueueRelief, ReliefKind, SetRelief
from carewright.flow.http.queues import ENTRIES, QUEUES
from carewright.flow.service import elsewhere, relief
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

RELIEF = QUEUES + "/{queue_id}/relief"


class ReliefBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step that is to be on, or off, and why."""

    what: ReliefKind
    is_on: bool
    reason: HandReason


async def get_relief(ctx: Context, call: Call[Nothing, Nothing]) -> QueueRelief:
    """Which steps are on, and which were."""
    return await relief.get_relief(ctx, call.path["queue_id"])


async def set_relief(ctx: Context, call: Call[Nothing, ReliefBody]) -> QueueRelief:
    """Begin or end a step."""
    return await relief.set_relief(ctx, SetRelief(queue_id=call.path["queue_id"], **msgspec.structs.asdict(call.body)))


async def say_where(ctx: Context, call: Call[Nothing, Said]) -> QueueEntry:
    """Where somebody waits."""
    command = SayWhere(entry_id=call.path["entry_id"], expected_version=call.version, **msgspec.structs.asdict(call.body))
    return await elsewhere.say_where(ctx, command)


async def list_other_sites(ctx: Context, call: Call[Nothing, Nothing]) -> OtherSites:
    """Where else one may go."""
    return await relief.list_other_sites(ctx, call.path["queue_id"])


ROUTES = (
    Route(
        "GET", RELIEF, get_relief, "What a queue does because too many wait, and did", relief.READ, QueueRelief,
        priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
    Route(
        "POST", RELIEF, set_relief, "Begin or end a step of relief by hand", relief.CHANGE, QueueRelief, body=ReliefBody, keyed=True,
        priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
    Route(
        "POST", ENTRIES + "/{entry_id}/whereabouts", say_where, "Say where somebody waits", elsewhere.SAY, QueueEntry, body=Said,
        keyed=True, versioned=True, priority=Priority.PRESENCE,
        refusals=(UnknownEntry, StepNotAllowed, StayNear, NoMoreTime, TellTheDesk),
    ),
    Route(
        "GET", QUEUES + "/{queue_id}/other-sites", list_other_sites, "Where else the queue's service is to be had, and the waits there",
        relief.READ, OtherSites, priority=Priority.PRESENCE, refusals=(UnknownQueue,),
    ),
)  # fmt: skip
