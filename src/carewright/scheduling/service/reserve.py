"""The live copy around a question to the ledger: shown as taken before, given back if the answer is no."""

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from carewright.contracts.scheduling import CalendarMoved, ClaimedTime, PatientBusy, TimeNotFree
from carewright.kernel.errors import Refusal, Unavailable
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.live import Calendars


class Beaten(Exception):
    """The ledger knew better: somebody was faster, or the calendar had changed. Carries what was asked for."""

    def __init__(self, refusal: Refusal, claims: Sequence[ClaimedTime]) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.claims = claims


def ensure_all_got(asked: Sequence[ClaimedTime], got: Sequence[UUID], patient_id: UUID) -> None:
    """Raise `PatientBusy` or `TimeNotFree` unless the ledger gave every claim asked for; `got` names the schedule of each one."""
    if len(got) < len(asked):
        of_patient = sum(claim.schedule_id == patient_id for claim in asked)
        raise TimeNotFree if got.count(patient_id) == of_patient else PatientBusy


@contextmanager
def reserved(ctx: SchedulingContext, calendars: Calendars, claims: Sequence[ClaimedTime]) -> Iterator[None]:
    """Show `claims` as taken. A refusal gives them back; a fault whose outcome is not known leaves them to be read again.

    They are noted once more at the end: a reading of the ledger in between may not have seen them yet.
    """
    _doubt_after_joint(ctx, calendars, claims)
    since = calendars.turn
    calendars.take(claims)
    try:
        yield
        calendars.keep(claims, since)
    except (TimeNotFree, PatientBusy, CalendarMoved) as refusal:
        calendars.give_back(claims)
        calendars.recheck(claims, since)
        raise Beaten(refusal, claims) from refusal
    except Refusal as refusal:
        if refusal.status < 500:
            calendars.give_back(claims)
        calendars.doubt(claims)
        raise
    except BaseException:
        calendars.doubt(claims)
        raise


@contextmanager
def watched(ctx: SchedulingContext, calendars: Calendars) -> Iterator[list[ClaimedTime]]:
    """A list for the time a change is about: if its outcome is not known, or a reading falls in between, the ledger is read again."""
    since = calendars.turn
    claims: list[ClaimedTime] = []
    _doubt_after_joint(ctx, calendars, claims)
    try:
        yield claims
        calendars.recheck(claims, since)
    except Refusal as refusal:
        if refusal.status >= 500:
            calendars.doubt(claims)
        raise
    except BaseException:
        calendars.doubt(claims)
        raise


def _doubt_after_joint(ctx: SchedulingContext, calendars: Calendars, claims: Sequence[ClaimedTime]) -> None:
    """What is got within a joint transaction may be undone by what follows, and nobody else sees it yet: have the ledger read again."""
    if (joint := ctx.db.joint) is None:
        return

    async def doubt() -> None:
        calendars.doubt(claims)
        with contextlib.suppress(Unavailable):  # whoever follows the log reads what is in doubt, in a while
            await ctx.live.settle(calendars)

    joint.afterwards(doubt)
