"""What oversight does by itself: open an incident where somebody does more than a person does, and look for unusual access."""

import msgspec

from carewright.contracts.access import CodesGuessed
from carewright.kernel.jobs import Job, Timer
from carewright.oversight.context import OversightContext
from carewright.oversight.service import incidents, unusual

WATCH_EVERY_SECONDS = 5.0
LOOK_EVERY_SECONDS = 60.0


async def respond_to_guessing(ctx: OversightContext, payload: msgspec.Raw) -> None:
    """Open an incident for an account that is guessed at."""
    await incidents.respond_to_guessing(ctx, msgspec.json.decode(payload, type=CodesGuessed))


JOBS = (Job(incidents.GUESSED, respond_to_guessing),)
TIMERS = (
    Timer("oversight.watch", WATCH_EVERY_SECONDS, incidents.watch),
    Timer("oversight.look_for_unusual", LOOK_EVERY_SECONDS, unusual.look_for_unusual),
)
