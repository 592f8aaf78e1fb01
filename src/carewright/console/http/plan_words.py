"""Plans of days in words: how one stands, why it was searched for, what it moves, and what became of each move."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.console.http.today import STATES as VISIT_STATES
from carewright.contracts.planner import DayPlan, KeptPlan, MoveMade, MoveReason, PlanFault, PlannedMove, PlanState
from carewright.contracts.scheduling import Appointment
from carewright.kernel.errors import PreconditionFailed, Refusal

DAY = timedelta(hours=25)
"""No day is longer, where clocks are set back."""
STATES: Mapping[PlanState, str] = {
    "searching": "Searching", "proposed": "Ready to look at", "accepted": "Accepted", "given-up": "Given up", "failed": "Failed",
}  # fmt: skip
TAGS: Mapping[PlanState, str] = {
    "searching": "pending", "proposed": "proposed", "accepted": "booked", "given-up": "cancelled", "failed": "cancelled",
}  # fmt: skip
"""The tag of the design system that looks like it."""
FAULTS: Mapping[PlanFault, str] = {
    "too-long": "Nothing was found with the time and memory that there are. Plan for a shorter time.",
    "broken": "The search broke off. That is our fault, and has been recorded.",
    "cut-off": "The server that searched went away, several times. Please begin again.",
}
REASONS: Mapping[MoveReason, str] = {"cannot-take-place": "Cannot take place as booked", "makes-room": "Makes room for others"}
"""In the order in which moves are shown."""
COLUMNS = ("Booked", "Proposed")
SUPPOSED_COLUMNS = ("As it is", "Then, as booked", "Then, planned anew")
ONLY_ASKED = "Only a question: nothing of it can be accepted."
OTHER, ITSELF = "somebody else", "by itself, after something went out of service"
GONE = "This appointment is not there any more."
OVER = "That time is over."
THERE = "It is there already."


class Move(NamedTuple):
    """A move as a page shows it. `became` is what came of it or stands against it; `may_choose` whether it can still be made.

    `is_over` is one that something has come between since the plan was made.
    """

    id: UUID
    who: str
    kind: str
    is_emergency: bool
    was: str
    was_with: str
    goes: str
    goes_with: str
    became: str
    is_made: bool
    may_choose: bool
    is_chosen: bool
    is_over: bool


class Figure(NamedTuple):
    """A figure of the day by the columns of `COLUMNS`, or of `SUPPOSED_COLUMNS`; `more` is what the last wins over the one before."""

    name: str
    values: Sequence[str]
    more: str


class Named(NamedTuple):
    """What is asked for once for all moves of a page: appointments as they are now, and names of patients and of calendars."""

    visits: Mapping[UUID, Appointment]
    patients: Mapping[UUID, str]
    actors: Mapping[UUID, str]

    def who(self, appointment_id: UUID) -> str:
        """The patient of an appointment; nothing where no names are asked for."""
        visit = self.visits.get(appointment_id)
        return self.patients.get(visit.patient_id, "") if visit else ""


def span(kept: KeptPlan, zone: ZoneInfo) -> str:
    """What is planned: a day, from when on, and until when where that is longer."""
    start, end = (each.astimezone(zone) for each in (kept.from_at, kept.until_at))
    until = f"{end:%A %H:%M}" if kept.until_at - kept.from_at > DAY else ""
    return f"{start:%A, %d %B}, from {start:%H:%M} {f'to {until}' if until else 'on'}"


def stands(kept: KeptPlan) -> str:
    """How it stands, in a sentence."""
    match kept.state:
        case "searching":
            return f"{kept.percent} percent of the time is spent."
        case "proposed" if kept.asked.what_if is not None:
            return ONLY_ASKED
        case "proposed":
            return proposal(kept)
        case "accepted":
            return outcome(kept)
        case "failed" if kept.fault:
            return FAULTS[kept.fault]
        case _:
            return ""


def proposal(kept: KeptPlan) -> str:
    """What was found, in a sentence."""
    if not kept.moves:
        return "Nobody needs to move."
    moves = counted(kept.moves, "appointment moves", "appointments move")
    return f"{counted(kept.gained, 'more visit has', 'more visits have')} a place, and {moves}." if kept.gained > 0 else f"{moves}."


def ready(kept: KeptPlan) -> str:
    """How the plan stands that was made after something went out of service, for the page of that."""
    match kept.state:
        case "searching":
            return "A better plan is searched for."
        case "proposed" if kept.gained > 0:
            return f"A proposal is ready: {counted(kept.gained, 'visit', 'visits')} can be kept."
        case "proposed":
            return f"A proposal is ready. {proposal(kept)}"
        case "accepted":
            return f"A proposal was accepted. {outcome(kept)}"
        case "failed":
            return "No better plan was found, because the search failed."
        case _:
            return ""


def outcome(kept: KeptPlan) -> str:
    """What was made of it."""
    said = f"{kept.moved} of {counted(kept.moves, 'move was', 'moves were')} made."
    return f"{said} {kept.refused} could not be made." if kept.refused else said


def counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def figures(plan: DayPlan) -> Sequence[Figure]:
    """The day as booked beside the day as proposed, in what a day is measured by; first the day as it is, where something is supposed."""
    days = ([plan.supposed.really] if plan.supposed else []) + [plan.booked, plan.proposed]
    found = [_figure("Visits with a place", [each.placed for each in days])]
    if any(each.emergencies for each in days):
        found.append(_figure("Of these, emergencies", [each.emergencies for each in days]))
    return [*found, _figure("Minutes of care", [each.care_minutes for each in days])]


def quality(plan: DayPlan) -> str:
    """How good it is, and who found it, in a line."""
    near = "How near it is to the best that is possible is not known."
    if plan.gap_percent is not None:
        near = f"At most {plan.gap_percent:.1f} % below the best that is possible."
    return f"{near} Found by the search “{plan.engine}” in {plan.steps:,} steps. {plan.fixed:,} appointments were left where they are."


def move_of(
    move: PlannedMove, made: MoveMade | None, named: Named, kept: KeptPlan, zone: ZoneInfo, now: datetime, without: Collection[Appointment]
) -> Move:
    """A move in words, with what became of it, what has changed since, or who of those `without` a place in the plan is still there."""
    visit = named.visits.get(move.appointment_id)
    is_made = made is not None and made.outcome == "moved"
    changed = "" if is_made else _changed(move, visit, zone, now)
    is_open = kept.state in ("proposed", "accepted") and kept.asked.what_if is None and not is_made and not changed
    there = next((each for each in without if is_where(each, move)), None) if is_open and made is None else None
    is_as_booked = visit is not None and visit.version == move.version
    return Move(
        id=move.appointment_id, who=named.who(move.appointment_id), kind=move.visit_type_name, is_emergency=move.urgency == "P0",
        was=_at(move.booked_start, kept, zone), was_with=_with(visit) if is_as_booked else "", goes=_at(move.start, kept, zone),
        goes_with=", ".join(named.actors[each] for each in move.actor_ids if each in named.actors),
        became=_became(made) if made and not changed else _waits(there, named, kept, zone) if there else changed, is_made=is_made,
        may_choose=is_open, is_chosen=is_open and made is None and there is None, is_over=bool(changed),
    )  # fmt: skip


def is_where(visit: Appointment, move: PlannedMove) -> bool:
    """Whether an appointment takes the time of somebody whom a move needs."""
    taken = [each for each in visit.participants if each.actor_id in move.actor_ids]
    return visit.status == "booked" and any(each.claimed_from < move.end and move.start < each.claimed_to for each in taken)


def _waits(there: Appointment, named: Named, kept: KeptPlan, zone: ZoneInfo) -> str:
    who = named.who(there.id) or f"somebody whose {there.visit_type_name} it is"
    return f"Can be made once {who} gives up {_at(there.start, kept, zone)}: see below, without a place."


def _figure(name: str, values: Sequence[int]) -> Figure:
    more = values[-1] - values[-2]
    return Figure(name, [f"{each:,}" for each in values], f"{more:+,}" if more else "")


def _changed(move: PlannedMove, visit: Appointment | None, zone: ZoneInfo, now: datetime) -> str:
    """Why a move that nobody has made cannot be made any more; nothing where it may be."""
    if visit is None:
        return GONE
    if visit.version != move.version:
        served_by = {each.actor_id for each in visit.participants if each.kind != "patient"}
        if visit.status != "booked":
            return f"{VISIT_STATES.get(visit.status, 'Changed')} since this plan was made."
        if (visit.start, served_by) == (move.start, set(move.actor_ids)):
            return THERE
        if visit.start != move.booked_start:
            return f"Moved since this plan was made, to {visit.start.astimezone(zone):%A %H:%M}."
        return "Changed since this plan was made."
    return OVER if move.start <= now else ""


def _became(made: MoveMade) -> str:
    if made.outcome == "moved":
        return "Moved by itself. The patient is told." if made.by_itself else "Moved. The patient is told."
    kind = Refusal.by_code.get(made.code or "", PreconditionFailed)
    return f"Not moved. {kind.title}"


def _with(visit: Appointment | None) -> str:
    return ", ".join(each.display for each in visit.participants if each.kind != "patient" and each.display) if visit else ""


def _at(instant: datetime, kept: KeptPlan, zone: ZoneInfo) -> str:
    """The time; with its day, where that is not the one that is planned."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == kept.from_at.astimezone(zone).date() else f"{local:%A %H:%M}"
