"""What patients do by themselves: letting go of kept answers about whoever was erased."""

import msgspec

from carewright.kernel.context import Context
from carewright.kernel.idempotency import forget_answers_about
from carewright.kernel.jobs import Job
from carewright.patients.service import FORGET_ANSWERS, Forgotten


async def forget_answers(ctx: Context, payload: msgspec.Raw) -> None:
    """Delete every answer kept for a repeated request in which the patient occurs."""
    what = msgspec.json.decode(payload, type=Forgotten)
    await forget_answers_about(ctx.working_in(what.organization_id), what.patient_id)


JOBS = (Job(FORGET_ANSWERS, forget_answers),)
