"""How late appointments begin when a calendar runs late: pure rules.

Appointments of a day are walked in the order of their booked starts. Each begins when it is booked to, or when the last of its calendars is
free, whichever is later (Lindley's recursion, Proc. Camb. Phil. Soc. 48, 1952, for every calendar at once), and each of its calendars is
free again when it has taken as long as it was booked for. So a gap absorbs as much of a delay as it is long, and a delay of one calendar
passes to another only where both are needed.

A calendar is free

- when the appointment that has begun is over: as long after its true beginning as it is booked for, and not before now;
- as said, where somebody said it and nothing of the calendar has begun since: what was to begin next when it was said begins so much later;
- since the last one ended, else.

Whoever is here begins now at the earliest. Whoever is not here when it would be their turn holds nobody up.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

from carewright.contracts.delays import Telling

STEP_MINUTES = 5
"""Less than this is on time, and what changes by less is not said anew: nobody's clock is better."""
NOT_COMING = timedelta(minutes=15)
"""Who is later than this is waited for no more, as in a queue's usual policy (`grace_minutes`)."""
Progress = Literal["to-come", "here", "begun", "over"]


class Times(NamedTuple):
    """What one calendar gives to an appointment, its own preparation included."""

    calendar_id: UUID
    start: datetime
    end: datetime


class Visit(NamedTuple):
    """An appointment of the day: as booked, and what is known of it.

    `people` are those of its calendars that are practitioners'. `late` and `told` are minutes, as stored and as the patient heard.
    """

    id: UUID
    site_id: UUID
    patient_id: UUID
    start: datetime
    times: tuple[Times, ...]
    people: frozenset[UUID] = frozenset()
    progress: Progress = "to-come"
    began_at: datetime | None = None
    over_at: datetime | None = None
    late: int = 0
    told: int = 0
    version: int = 0


class Said(NamedTuple):
    """What somebody said of a calendar at that moment: what is booked `from_at` begins so much later."""

    minutes: int
    at: datetime
    from_at: datetime


class Ripple(NamedTuple):
    """Minutes after their booked start, for what has not begun; and how late each calendar runs now."""

    late: Mapping[UUID, int]
    calendars: Mapping[UUID, int]


def ripple(visits: Iterable[Visit], said: Mapping[UUID, Said], now: datetime) -> Ripple:
    """The day as it goes on from `now`. Minutes are whole, rounded down."""
    day = sorted(visits, key=lambda each: (each.start, each.id))
    of: dict[UUID, list[tuple[Visit, Times]]] = {}
    for visit in day:
        for times in visit.times:
            of.setdefault(times.calendar_id, []).append((visit, times))
    free = {calendar: _free(own, said.get(calendar), now) for calendar, own in of.items()}
    late, calendars = {}, {calendar: minutes_of(_behind(own, free[calendar])) for calendar, own in of.items()}
    first: set[UUID] = set()
    for visit in day:
        if visit.progress not in ("to-come", "here"):
            continue
        start = max([visit.start, *(free[each.calendar_id] - (each.start - visit.start) for each in visit.times)])
        start = max(start, now) if visit.progress == "here" else start
        late[visit.id] = minutes_of(start - visit.start)
        if visit.progress == "to-come" and start < now:
            continue
        for each in visit.times:
            free[each.calendar_id] = max(free[each.calendar_id], start + (each.end - visit.start))
            if each.calendar_id not in first:
                first.add(each.calendar_id)
                calendars[each.calendar_id] = late[visit.id]
    return Ripple(late, calendars)


def next_from(visits: Iterable[Visit], calendar_id: UUID, now: datetime) -> datetime:
    """When what comes next of a calendar is booked, or should have begun already; now, where nothing comes."""
    starts = [
        times.start
        for visit in visits
        for times in visit.times
        if times.calendar_id == calendar_id
        and (visit.progress == "here" or (visit.progress == "to-come" and times.start >= now - NOT_COMING))
    ]
    return min(starts, default=now)


def stands(own: Iterable[Visit], calendar_id: UUID, said: Said) -> bool:
    """Whether what was said still counts: nothing of the calendar has begun since."""
    return all(each.began_at is None or each.began_at <= said.at for each in own if any(t.calendar_id == calendar_id for t in each.times))


def _free(own: Sequence[tuple[Visit, Times]], said: Said | None, now: datetime) -> datetime:
    begun = [(visit, times) for visit, times in own if visit.progress == "begun"]
    if said is not None and stands((visit for visit, _ in own), own[0][1].calendar_id, said):
        return said.from_at + timedelta(minutes=said.minutes)
    if begun:
        return max(now, *((visit.began_at or visit.start) + (times.end - visit.start) for visit, times in begun))
    return max((visit.over_at for visit, _ in own if visit.over_at is not None), default=own[0][1].start)


def _behind(own: Sequence[tuple[Visit, Times]], free: datetime) -> timedelta:
    """How late a calendar runs with which nothing is to begin any more: by what goes on."""
    ends = [times.end for visit, times in own if visit.progress == "begun"]
    return free - max(ends) if ends else timedelta()


def minutes_of(late: timedelta) -> int:
    return max(0, int(late.total_seconds() // 60))


def settled(stored: int, found: int, *, is_said: bool = False) -> int:
    """What is kept and told from now on: what was, unless it is a step off, or over, or somebody has just said it."""
    found = found if found >= STEP_MINUTES else 0
    return found if is_said or found == 0 or abs(found - stored) >= STEP_MINUTES else stored


def telling(late: int, told: int, tell_minutes: int) -> Telling | None:
    """What a patient hears who was told of `told` minutes before: of a delay that grew by the site's threshold, and when it is over."""
    if late >= told + tell_minutes:
        return "later"
    return "as-booked" if late == 0 and told > 0 else None
