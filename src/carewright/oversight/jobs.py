"""What oversight does by itself: look at who reads and who is refused, and open an incident where that is more than a person does."""

import msgspec

from carewright.contracts.access import CodesGuessed
from carewright.kernel.jobs import Job, Timer
from carewright.oversight import service
from carewright.oversight.context import OversightContext

WATCH_EVERY_SECONDS = 5.0


async def respond_to_guessing(ctx: OversightContext, payload: msgspec.Raw) -> None:
    """Open an incident for an account that is guessed at."""
    await service.respond_to_guessing(ctx, msgspec.json.decode(payload, type=CodesGuessed))


JOBS = (Job(service.GUESSED, respond_to_guessing),)
TIMERS = (Timer("oversight.watch", WATCH_EVERY_SECONDS, service.watch),)
