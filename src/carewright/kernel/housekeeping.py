"""Forgets what is past its time: answers kept under keys, events that everybody has read, the notes of their delivery, links."""

from datetime import timedelta

from carewright.kernel.context import Context
from carewright.kernel.idempotency import KEEP_DAYS
from carewright.kernel.jobs import Timer
from carewright.kernel.sql import load

Q = load("carewright.kernel")
EVERY_SECONDS = 3600.0
BATCH_MAX = 5_000
BATCHES_PER_TURN_MAX = 200


async def forget_old(ctx: Context) -> int:
    """Delete in bounded batches and return how many rows went. What is left waits for the next turn."""
    old = ctx.clock.now() - timedelta(days=KEEP_DAYS)
    gone = 0
    for query in (Q.forget_old_answers, Q.forget_old_events, Q.forget_old_deliveries, Q.forget_old_links):
        for _ in range(BATCHES_PER_TURN_MAX):
            row = await ctx.db.fetch_one(query, old, BATCH_MAX)
            count = row["count"] if row else 0
            gone += count
            if count < BATCH_MAX:
                break
    return gone


HOUSEKEEPING: Timer[Context] = Timer("kernel.housekeeping", EVERY_SECONDS, forget_old)
