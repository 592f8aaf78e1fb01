"""Late running over HTTP: parse, call one use case, answer."""

from uuid import UUID

import msgspec

from carewright.contracts.delays import (
    AtSite,
    Delay,
    DelayHistory,
    DelayReason,
    DelaysPage,
    ExpectedStarts,
    LateMinutes,
    ListExpected,
    SetDelay,
    SetTelling,
)
from carewright.contracts.flow import UnknownCalendar
from carewright.flow.service import delays
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

DELAYS = "/api/v1/delays"
EXPECTED = "/api/v1/expected-starts"


class DelayBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many minutes late from now on, and why; 0 is on time again."""

    site_id: UUID
    minutes: LateMinutes
    reason: DelayReason = "other"


async def list_delays(ctx: Context, call: Call[AtSite, Nothing]) -> DelaysPage:
    """Which calendars run late today."""
    return await delays.list_delays(ctx, call.query)


async def get_delay(ctx: Context, call: Call[AtSite, Nothing]) -> DelayHistory:
    """One calendar, and how late it was since the morning."""
    return await delays.get_delay(ctx, call.path["calendar_id"], call.query)


async def set_delay(ctx: Context, call: Call[Nothing, DelayBody]) -> Delay:
    """A calendar runs late, or on time again."""
    command = SetDelay(calendar_id=call.path["calendar_id"], expected_version=call.version, **msgspec.structs.asdict(call.body))
    return await delays.set_delay(ctx, command)


async def set_telling(ctx: Context, call: Call[Nothing, SetTelling]) -> SetTelling:
    """From when on patients are told."""
    return await delays.set_telling(ctx, call.body)


async def list_expected(ctx: Context, call: Call[ListExpected, Nothing]) -> ExpectedStarts:
    """What begins later than booked."""
    return await delays.list_expected(ctx, call.query)


ROUTES = (
    Route(
        "GET", DELAYS, list_delays, "Which calendars of a site run late today", delays.LIST, DelaysPage, query=AtSite,
        priority=Priority.PRESENCE, refusals=(UnknownCalendar,),
    ),
    Route(
        "PUT", DELAYS + "/telling", set_telling, "From how many minutes on patients are told of a delay", delays.SET_TELLING, SetTelling,
        body=SetTelling, keyed=True, refusals=(UnknownCalendar,),
    ),
    Route(
        "GET", DELAYS + "/{calendar_id}", get_delay, "How late one calendar is, and was since the morning", delays.LIST, DelayHistory,
        query=AtSite, priority=Priority.PRESENCE, refusals=(UnknownCalendar,),
    ),
    Route(
        "PUT", DELAYS + "/{calendar_id}", set_delay, "Say how late a calendar runs, or that it is on time again", delays.CHANGE, Delay,
        body=DelayBody, keyed=True, versioned=True, priority=Priority.PRESENCE, refusals=(UnknownCalendar,),
    ),
    Route(
        "GET", EXPECTED, list_expected, "What begins later than booked: at a site, or of your own", delays.READ, ExpectedStarts,
        query=ListExpected, priority=Priority.PRESENCE,
    ),
)  # fmt: skip
