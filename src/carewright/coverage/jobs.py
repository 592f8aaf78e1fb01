"""What coverage does by itself: asking about visits that were booked, taking answers that come as files, and disposing of what is old."""

from contextlib import suppress

import msgspec

from carewright.contracts.coverage import PatientGone, UnknownVisit
from carewright.contracts.records import days_kept
from carewright.coverage.context import CoverageContext
from carewright.coverage.service import keeping
from carewright.coverage.service.asking_later import ASK_AHEAD, CHECK_VISIT, Booked, Held
from carewright.coverage.service.picking_up import give_up, pick_up
from carewright.coverage.service.reviewing import inquire_due
from carewright.coverage.service.stopping import TELL_STOPS, Changed, tell_all, tell_one
from carewright.coverage.service.visits import check_hold, check_visit
from carewright.kernel.errors import Unavailable
from carewright.kernel.jobs import Job, Timer
from carewright.kernel.keeping import Keeps, disposing

PICK_UP_SECONDS = 10.0
GIVE_UP_SECONDS = 600.0
INQUIRE_SECONDS = 60.0


async def ask_about_visit(ctx: CoverageContext, payload: msgspec.Raw) -> None:
    """Ask about one visit, in the name of the system. A payer who is away is asked again later; what came of each try is kept."""
    what = msgspec.json.decode(payload, type=Booked)
    here = ctx.working_in(what.organization_id)
    try:
        found = await check_visit(here, what.appointment_id, again=False)
    except UnknownVisit:
        return  # the patient was erased meanwhile
    if "payer-away" in found.missing:
        raise Unavailable("The payer did not answer.")


async def ask_about_hold(ctx: CoverageContext, payload: msgspec.Raw) -> None:
    """Ask about a time that somebody keeps. Once: who is away then is asked when it is booked."""
    held = msgspec.json.decode(payload, type=Held)
    with suppress(PatientGone):
        await check_hold(ctx.working_in(held.organization_id), held)


async def tell_stops(ctx: CoverageContext, payload: msgspec.Raw) -> None:
    """A rule of a hospital changed, or what is known of a patient: what stops is told anew."""
    what = msgspec.json.decode(payload, type=Changed)
    here = ctx.working_in(what.organization_id)
    await (tell_all(here) if what.patient_id is None else tell_one(here, what.patient_id))


JOBS = (Job(CHECK_VISIT, ask_about_visit), Job(ASK_AHEAD, ask_about_hold), Job(TELL_STOPS, tell_stops))
KEEPS: tuple[Keeps[CoverageContext], ...] = (
    Keeps("coverages", keeping.dispose_coverages), Keeps("eligibility", keeping.dispose_eligibilities),
)  # fmt: skip
TIMERS = (
    Timer("coverage.pick_up", PICK_UP_SECONDS, pick_up),
    Timer("coverage.give_up", GIVE_UP_SECONDS, give_up),
    Timer("coverage.inquire", INQUIRE_SECONDS, inquire_due),
    disposing("coverage.dispose", KEEPS, days_kept),
)
