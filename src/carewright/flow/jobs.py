"""What flow does by itself: disposing of encounters past their time, forgetting what is over, watching delays, full queues and sensors."""

from datetime import timedelta

import msgspec

from carewright.contracts.records import days_kept
from carewright.flow.service import delays, elsewhere, readings, relief, soon, tuning
from carewright.flow.service.encounters import dispose_encounters
from carewright.flow.service.precautions import dispose_precautions
from carewright.flow.store import bed_requests, coming, kiosk, sensors
from carewright.flow.store import delays as late
from carewright.flow.store import relief as reliefs
from carewright.flow.store import tuning as tunings
from carewright.kernel.context import Context
from carewright.kernel.jobs import Job, Timer
from carewright.kernel.keeping import Keeps, disposing

COMING_KEPT = timedelta(days=1)
COMING_BATCH_MAX = 5_000
DELAYS_KEPT = timedelta(days=90)
RELIEF_KEPT = timedelta(days=90)
TUNINGS_KEPT = timedelta(days=730)
KIOSK_KEPT = timedelta(days=90)
BED_REQUESTS_KEPT = timedelta(days=90)
WATCH_SECONDS = 20.0
"""A minute that passes makes somebody late; five of them are told."""
RELIEF_SECONDS = 30.0
"""Steps last for ten minutes at least."""
SENSORS_SECONDS = 5.0
"""A run counts so late at most, where a device says a change once."""
STOPPED_KEPT = timedelta(days=90)


async def forget_past(ctx: Context) -> int:
    """Drop a batch of the copies of appointments that are over, and of what was seen to or stopped long ago, of every organization."""
    now = ctx.clock.now()
    gone = await coming.forget_past(ctx.db, now - COMING_KEPT, COMING_BATCH_MAX)
    gone += await late.forget_past(ctx.db, (now - DELAYS_KEPT).date(), COMING_BATCH_MAX)
    gone += await tunings.forget_past(ctx.db, now - TUNINGS_KEPT, COMING_BATCH_MAX)
    gone += await sensors.forget_past(ctx.db, now - STOPPED_KEPT, COMING_BATCH_MAX)
    gone += await reliefs.forget_past(ctx.db, now - RELIEF_KEPT, COMING_BATCH_MAX)
    gone += await kiosk.forget_walk_ins(ctx.db, now - KIOSK_KEPT, COMING_BATCH_MAX)
    gone += await bed_requests.forget_requests(ctx.db, now - BED_REQUESTS_KEPT, COMING_BATCH_MAX)
    return gone + await kiosk.forget_help(ctx.db, now - KIOSK_KEPT, COMING_BATCH_MAX)


async def follow_delay(ctx: Context, payload: msgspec.Raw) -> None:
    """How late the calendars of an appointment or a turn run now."""
    moved = msgspec.json.decode(payload, type=delays.Moved)
    await delays.follow_moved(ctx.working_in(moved.organization_id), moved)


async def tell_soon(ctx: Context, payload: msgspec.Raw) -> None:
    """Who of a queue is nearly next."""
    moved = msgspec.json.decode(payload, type=soon.QueueMoved)
    await soon.tell_soon(ctx.working_in(moved.organization_id), moved.queue_id)


async def run_tuning(ctx: Context, payload: msgspec.Raw) -> None:
    """The search for a queue's order."""
    started = msgspec.json.decode(payload, type=tuning.Started)
    await tuning.run_tuning(ctx.working_in(started.organization_id), started.tuning_id)


KEEPS: tuple[Keeps[Context], ...] = (Keeps("encounters", dispose_encounters), Keeps("encounters", dispose_precautions))
TIMERS: tuple[Timer[Context], ...] = (
    disposing("flow.dispose", KEEPS, days_kept),
    Timer("flow.forget_past", 600, forget_past),
    Timer("flow.watch_delays", WATCH_SECONDS, delays.watch),
    Timer("flow.watch_queues", RELIEF_SECONDS, relief.watch),
    Timer("flow.watch_sensors", SENSORS_SECONDS, readings.watch),
    Timer("flow.watch_elsewhere", RELIEF_SECONDS, elsewhere.watch),
)
JOBS: tuple[Job[Context], ...] = (
    Job(delays.FOLLOW, follow_delay), Job(soon.TELL_SOON, tell_soon), Job(tuning.RUN, run_tuning, is_long=True),
)  # fmt: skip
