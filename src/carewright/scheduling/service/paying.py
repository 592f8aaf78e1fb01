"""What payers said, where it stops a booking: only what is known already, never an urgent visit, nor one that its master has booked."""

from carewright.contracts.coverage import NotAuthorised, NotCovered
from carewright.contracts.scheduling import Appointment
from carewright.kernel.db import Session
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.store import stops


async def ensure_not_stopped(ctx: SchedulingContext, db: Session, appointment: Appointment) -> None:
    """Raise `NotCovered` or `NotAuthorised` where the payer said no, and the site books nothing then. Nobody is asked, or waited for.

    What is mirrored stands in the older system already: it is written here whatever was said.
    """
    if ctx.mirrors is not None:
        return
    match await stops.payer_stop(db, ctx.actor.organization_id, appointment, ctx.clock.now()):
        case "not-covered":
            raise NotCovered
        case "not-authorised":
            raise NotAuthorised
