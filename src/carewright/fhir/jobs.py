"""What the rim does by itself: forgetting exports that are over."""

from carewright.fhir import store
from carewright.fhir.context import FhirContext
from carewright.kernel.jobs import Timer

EVERY_SECONDS = 600.0
BATCH_MAX = 5_000


async def forget_exports(ctx: FhirContext) -> int:
    """One bounded batch; what is left waits for the next turn."""
    await store.forget_exports(ctx.db, ctx.clock.now(), BATCH_MAX)
    return 0


TIMERS: tuple[Timer[FhirContext], ...] = (Timer("fhir.forget_exports", EVERY_SECONDS, forget_exports),)
