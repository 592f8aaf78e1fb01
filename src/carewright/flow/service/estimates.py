"""How long those who wait in a queue still do: replayed, corrected by what became of earlier estimates, and remembered for a moment."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from weakref import WeakValueDictionary

import numpy as np
from msgspec.structs import replace

from carewright.contracts.kiosk import KioskTicket
from carewright.contracts.queue import Queue, QueueEntry, WaitEstimate
from carewright.flow.model import waits as rules
from carewright.flow.model import walk_ins
from carewright.flow.model.waiting.estimates import Estimate, estimate
from carewright.flow.model.waiting.learning import Correction, corrected, learned
from carewright.flow.store import kiosk, waits
from carewright.flow.store import queue as store
from carewright.kernel.context import Context

FRESH = timedelta(seconds=5)
"""For so long what one was told is told to the next: minutes do not change faster."""
SOMEWHAT_FRESH = timedelta(seconds=25)
"""What is told of a whole queue may be older: the timer that acts upon it comes every half minute."""
WAITING_MAX = 1_000
"""Of those who are called first. Whoever waits behind them is told how many are before them, and no minutes."""
REMEMBERED_MAX = 1_000
_told: dict[tuple[UUID, UUID], tuple[datetime, Mapping[UUID, datetime], dict[UUID, WaitEstimate]]] = {}
_reckoning: WeakValueDictionary[tuple[UUID, UUID], asyncio.Lock] = WeakValueDictionary()
"""One at a time replays a queue; whoever asks meanwhile is told what that one found."""


async def expected_within(ctx: Context, queue: Queue, minutes: int) -> set[UUID]:
    """Turns of which half are called within so many minutes."""
    found = await estimates_of(ctx, queue)
    return {each.entry_id for each in found.values() if each.median_minutes is not None and each.median_minutes <= minutes}


async def wait_of_last(ctx: Context, queue: Queue) -> tuple[int | None, int | None]:
    """Between how many minutes whoever is called last of those who wait now still waits; None where that cannot be told."""
    told = list((await estimates_of(ctx, queue)).values())
    return (told[-1].low_minutes, told[-1].high_minutes) if told else (None, None)


async def with_wait(ctx: Context, queue: Queue, shown: KioskTicket, wanted: UUID) -> KioskTicket:
    """A ticket with how long it still takes, and how many are before it; without where the queue does not tell."""
    found = (await estimates_of(ctx, queue, wanted)).get(wanted) if queue.policy.shows_wait else None
    if found is None:
        return shown
    return replace(shown, ahead=found.ahead, low_minutes=found.low_minutes, high_minutes=found.high_minutes)


async def longest_wait(ctx: Context, queue: Queue) -> int | None:
    """The most minutes that half of those like one who waits are called within; None where nobody's can be told."""
    found = await estimates_of(ctx, queue, fresh=SOMEWHAT_FRESH)
    return max((each.median_minutes for each in found.values() if each.median_minutes is not None), default=None)


async def estimates_of(ctx: Context, queue: Queue, wanted: UUID | None = None, fresh: timedelta = FRESH) -> dict[UUID, WaitEstimate]:
    """As told a moment ago, unless `wanted` has come since, or somebody was said to be late.

    Whoever has a ticket of a kiosk and is not known to the desk yet waits with the others, and is told by the ticket's id.
    """
    async with _reckoning.setdefault((ctx.actor.organization_id, queue.id), asyncio.Lock()):
        return await _reckoned(ctx, queue, wanted, fresh)


async def _reckoned(ctx: Context, queue: Queue, wanted: UUID | None, fresh: timedelta) -> dict[UUID, WaitEstimate]:
    """That, by whoever has the queue's lock. A long reckoning is as fresh when it ends as a short one."""
    key, now = (ctx.actor.organization_id, queue.id), ctx.clock.now()
    away = await waits.away_until(ctx.db, ctx.actor.organization_id, queue, now)
    at, reckoned, told = _told.get(key, (now - fresh, {}, {}))
    if now - at < fresh and away == reckoned and (wanted is None or wanted in told or len(told) == WAITING_MAX):
        return told
    async with ctx.db.transaction() as tx:
        entries = await store.entries_waiting(tx, ctx.actor.organization_id, queue, now, WAITING_MAX)
        unknown = await kiosk.walk_ins_open(tx, ctx.actor.organization_id, queue.id, WAITING_MAX)
        waiting = walk_ins.waiting_with(queue, entries, unknown, now)[:WAITING_MAX]
        known = await waits.known_of(tx, ctx.actor.organization_id, queue, waiting, away, now)
        outcomes = await waits.outcomes(tx, ctx.actor.organization_id, queue.id)
    rng = np.random.default_rng(ctx.rng.getrandbits(64))
    raw = await asyncio.to_thread(_replayed, rng, known, queue, now)
    async with ctx.db.transaction() as tx:
        known_ids = {each.id for each in entries}
        await waits.note_told(tx, ctx.actor.organization_id, queue.id, now, {id_: one for id_, one in raw.items() if id_ in known_ids})
    found = _shown(waiting, raw, {level: learned(some) for level, some in outcomes.items()}, now)
    if len(_told) >= REMEMBERED_MAX:
        _told.clear()
    _told[key] = ctx.clock.now(), away, found
    return found


def _replayed(rng: np.random.Generator, known: rules.Known, queue: Queue, now: datetime) -> dict[UUID, Estimate]:
    told = estimate(rng, rules.live_queue(known, queue.policy, now))
    return {entry.id: each for entry, each in zip(known.waiting, told, strict=True)}


def _shown(
    waiting: Sequence[QueueEntry], raw: Mapping[UUID, Estimate], corrections: Mapping[int, Correction], now: datetime
) -> dict[UUID, WaitEstimate]:
    """Each level is corrected by its own outcomes: what is slower than thought delays the less urgent more."""
    ahead = rules.ahead_of(waiting)
    shown = {}
    for each in waiting:
        told = corrected(raw[each.id], corrections.get(each.level, Correction()))
        shown[each.id] = WaitEstimate(
            entry_id=each.id, ahead=ahead[each.id], low_minutes=_whole(told.low), median_minutes=_whole(told.median),
            high_minutes=_whole(told.high), as_of=now,
        )  # fmt: skip
    return shown


def _whole(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes)
