"""What patients do by themselves: letting go of kept answers about whoever was erased, and of groups that nobody keeps up."""

import msgspec

from carewright.contracts.records import days_kept
from carewright.kernel.context import Context
from carewright.kernel.idempotency import forget_answers_about
from carewright.kernel.jobs import Job
from carewright.kernel.keeping import Keeps, disposing
from carewright.patients.service.groups import dispose_groups
from carewright.patients.service.records import FORGET_ANSWERS, Forgotten


async def forget_answers(ctx: Context, payload: msgspec.Raw) -> None:
    """Delete every answer kept for a repeated request in which the patient occurs."""
    what = msgspec.json.decode(payload, type=Forgotten)
    await forget_answers_about(ctx.working_in(what.organization_id), what.patient_id)


KEEPS: tuple[Keeps[Context], ...] = (Keeps("groups", dispose_groups),)
TIMERS = (disposing("patients.dispose", KEEPS, days_kept),)
JOBS = (Job(FORGET_ANSWERS, forget_answers),)
