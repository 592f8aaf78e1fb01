"""Calendars as FHIR Slots: what is free of the openings, and what is taken, and why (http://hl7.org/fhir/R4/valueset-slotstatus.html)."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from carewright.contracts.fhir.basics import Resource, instant, resource
from carewright.contracts.hours import Busy
from carewright.contracts.schedules import Calendar
from carewright.contracts.scheduling import Participant
from carewright.fhir.model.ids import SlotId, write_slot

Stretch = tuple[str, datetime, datetime]
"""Status, start and end."""


def slot(id_: SlotId, status: str) -> Resource:
    return resource("Slot", write_slot(id_), {
        "schedule": {"reference": f"Schedule/{id_.schedule_id}"}, "status": status, "start": instant(id_.start), "end": instant(id_.end),
    })  # fmt: skip


def slots_taken(participants: Iterable[Participant]) -> list[Resource]:
    """The time that an appointment takes of each calendar, buffers included."""
    return [
        slot(SlotId(each.actor_id, each.claimed_from, int((each.claimed_to - each.claimed_from).total_seconds() // 60)), "busy")
        for each in participants
        if each.kind != "patient"
    ]


def slot_at(id_: SlotId, calendar: Calendar) -> Resource:
    """A stretch as the calendar has it: free if all of it is, else what the first thing in its way is."""
    inside = [each for each in stretches(calendar) if each[1] < id_.end and each[2] > id_.start]
    taken = next((status for status, _, _ in inside if status != "free"), None)
    whole = any(status == "free" and start <= id_.start and end >= id_.end for status, start, end in inside)
    return slot(id_, "free" if whole else taken or "busy-unavailable")


def slots_of(calendar: Calendar, minutes: int | None = None) -> Iterator[Resource]:
    """Every stretch of a calendar as a slot, by start; what is free cut into pieces of `minutes` where some are given."""
    for status, start, end in stretches(calendar):
        for begin, finish in _pieces(start, end, minutes) if status == "free" and minutes else [(start, end)]:
            length = int((finish - begin).total_seconds() // 60)
            yield slot(SlotId(calendar.schedule_id, begin, length), status)


def stretches(calendar: Calendar) -> list[Stretch]:
    """What the openings are made of, and whatever is taken, in or outside of them; by start."""
    free = [("free", start, end) for opening in calendar.openings for start, end in _without(opening.start, opening.end, calendar.busy)]
    return sorted([*free, *((each.status, each.start, each.end) for each in calendar.busy)], key=lambda one: (one[1], one[2]))


def _without(start: datetime, end: datetime, busy: Iterable[Busy]) -> Iterator[tuple[datetime, datetime]]:
    """What is left of a stretch."""
    at = start
    for each in sorted(busy, key=lambda one: one.start):
        if each.end <= at or each.start >= end:
            continue
        if each.start > at:
            yield at, each.start
        at = max(at, each.end)
    if at < end:
        yield at, end


def _pieces(start: datetime, end: datetime, minutes: int) -> Iterator[tuple[datetime, datetime]]:
    length = timedelta(minutes=minutes)
    while start + length <= end:
        yield start, start + length
        start += length
