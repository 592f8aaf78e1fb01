"""What an EHR has not heard yet: what waits for its turn, and what was tried in vain until somebody has it tried again."""

from uuid import UUID

from carewright.contracts.ehr import Retried, Untold, UntoldAppointment
from carewright.ehr.context import EhrContext
from carewright.ehr.service.connections import LOOK, connection_of, entity
from carewright.ehr.service.pulling import EXCHANGE
from carewright.ehr.service.pushing import PUSH
from carewright.kernel import audit, jobs

SHOWN_MAX = 500


async def list_untold(ctx: EhrContext, connection_id: UUID) -> Untold:
    """Appointments of which the EHR is to hear, oldest first, each as its newest change has it. Raises `UnknownConnection`."""
    ctx.actor.require(LOOK)
    connection = await connection_of(ctx, connection_id)
    found = await jobs.standing(ctx.db, PUSH, f"{connection.id}/", SHOWN_MAX + 1)
    newest = {appointment_of(each): each for each in found[:SHOWN_MAX]}
    items = (
        UntoldAppointment(appointment_id=id_, since=each.created_at, attempts=each.attempts, failed=each.failed)
        for id_, each in newest.items()
    )
    return Untold(items=tuple(items), more=len(found) > SHOWN_MAX)


async def retry_untold(ctx: EhrContext, connection_id: UUID) -> Retried:
    """Tell again what had failed for good; what waits goes on waiting. Raises `UnknownConnection`."""
    ctx.actor.require(EXCHANGE)
    connection = await connection_of(ctx, connection_id)
    async with ctx.db.transaction() as tx:
        count = await jobs.retry_failed(ctx, tx, PUSH, f"{connection.id}/")
        await audit.record(tx, audit.entry(ctx, "ehr.untold.retry", "E", entities=(entity(connection.id),)))
    ctx.wake()
    return Retried(count=count)


def appointment_of(job: jobs.Standing) -> UUID:
    """Which appointment a job tells of, by its key (`pushing.telling`)."""
    return UUID(job.unique_key.split("/")[1])
