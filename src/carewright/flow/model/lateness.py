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

Why somebody waits passes on with it: where a calendar is free late because an emergency has it, or because who had it before began late for
that reason, or because somebody said so, an emergency is why the next one begins late, and those after it.
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
    `is_emergency` is somebody's who came without an appointment; `by_emergency` is stored: that an emergency is why it begins late.
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
    is_emergency: bool = False
    by_emergency: bool = False

    @property
    def passes_on(self) -> bool:
        """Whether what comes after it is late because of an emergency, where it is late at all."""
        began_late = self.began_at is not None and minutes_of(self.began_at - self.start) >= STEP_MINUTES
        return self.is_emergency or (self.by_emergency and began_late)


class Said(NamedTuple):
    """What somebody said of a calendar at that moment: what is booked `from_at` begins so much later, and whether for an emergency."""

    minutes: int
    at: datetime
    from_at: datetime
    is_emergency: bool = False


class Free(NamedTuple):
    """When a calendar is free, and whether an emergency is why it is not before."""

    at: datetime
    by_emergency: bool


class Ripple(NamedTuple):
    """Minutes after their booked start, for what has not begun; how late each calendar runs now; and who is late for an emergency."""

    late: Mapping[UUID, int]
    calendars: Mapping[UUID, int]
    by_emergency: frozenset[UUID] = frozenset()


def ripple(visits: Iterable[Visit], said: Mapping[UUID, Said], now: datetime) -> Ripple:
    """The day as it goes on from `now`. Minutes are whole, rounded down."""
    day = sorted(visits, key=lambda each: (each.start, each.id))
    of: dict[UUID, list[tuple[Visit, Times]]] = {}
    for visit in day:
        for times in visit.times:
            of.setdefault(times.calendar_id, []).append((visit, times))
    free = {calendar: _free(own, said.get(calendar), now) for calendar, own in of.items()}
    late, calendars = {}, {calendar: minutes_of(_behind(own, free[calendar].at)) for calendar, own in of.items()}
    first: set[UUID] = set()
    by_emergency: set[UUID] = set()
    for visit in day:
        if visit.progress not in ("to-come", "here"):
            continue
        start, is_held_up = _begins(visit, free, now)
        late[visit.id] = minutes_of(start - visit.start)
        if is_held_up and late[visit.id]:
            by_emergency.add(visit.id)
        if visit.progress == "to-come" and start < now:
            continue
        for each in visit.times:
            free[each.calendar_id] = max(free[each.calendar_id], Free(start + (each.end - visit.start), is_held_up))
            if each.calendar_id not in first:
                first.add(each.calendar_id)
                calendars[each.calendar_id] = late[visit.id]
    return Ripple(late, calendars, frozenset(by_emergency))


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


def _begins(visit: Visit, free: Mapping[UUID, Free], now: datetime) -> tuple[datetime, bool]:
    """When it begins, and whether an emergency is why it does not begin before. Who only waits for us to begin waits for what they did."""
    calendars = (Free(free[each.calendar_id].at - (each.start - visit.start), free[each.calendar_id].by_emergency) for each in visit.times)
    booked = Free(visit.start, by_emergency=False)
    last = max(calendars, default=booked)
    found = last if last.at > booked.at else booked
    return (now, visit.by_emergency) if visit.progress == "here" and now > found.at else found


def _free(own: Sequence[tuple[Visit, Times]], said: Said | None, now: datetime) -> Free:
    begun = [(visit, times) for visit, times in own if visit.progress == "begun"]
    if said is not None and stands((visit for visit, _ in own), own[0][1].calendar_id, said):
        return Free(said.from_at + timedelta(minutes=said.minutes), said.is_emergency)
    if begun:
        until = max(Free((visit.began_at or visit.start) + (times.end - visit.start), visit.passes_on) for visit, times in begun)
        return Free(max(now, until.at), until.by_emergency)
    over = [Free(visit.over_at, visit.passes_on) for visit, _ in own if visit.over_at is not None]
    return max(over, default=Free(own[0][1].start, by_emergency=False))


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
