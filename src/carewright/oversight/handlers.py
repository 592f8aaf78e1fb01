"""What oversight does about what others report. Safe to repeat: a job under the fact's own key. There is no copy that could be stale."""

from carewright.contracts.access import CodesGuessed
from carewright.kernel import jobs
from carewright.kernel.context import Context
from carewright.kernel.db import Session
from carewright.oversight.service.incidents import GUESSED


async def open_incident_of_guessing(ctx: Context, tx: Session, event: CodesGuessed) -> None:
    """Somebody guesses at the codes of one account."""
    await jobs.enqueue(ctx, tx, GUESSED, event, unique_key=f"{event.account_id}:{event.failures}")
