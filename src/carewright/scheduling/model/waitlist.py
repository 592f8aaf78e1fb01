"""Who of those waiting fits a time that fell free, and in which order they are asked. Pure: it is called without a database, too.

The order. The urgency tier comes first and is never weighed: P0, then P1, then P2. Within a tier the greater worth is asked first, in days:

    worth = a * (1 - n) * (1 + min(w, 365) + 7 * min(p, 52))        0 < worth < 730

- `w`, days since they began to wait; a year at most counts.
- `p`, fairness: how often a time that suited them was offered to others alone. Each counts as a week of waiting, 52 at most.
- `a`, the chance that they say yes, between 0 and 1: their own answers, drawn to the base rate by as much as `BASE_WEIGHT` answers would,
  times h / (h + 2) for `h` hours of notice. Who declines, or leaves unanswered, is asked later, and never shut out.
- `n`, the chance that they do not come, by the port `Risks`.

So it is how much waiting one question is to be expected to end. Equal worth goes by who waits longer, then by id: the same list gives the
same order. The days are a scale of ours, the two hours an assumption: no figure of answers by notice is known to us yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.scheduling import Slot
from carewright.contracts.waitlist import JoinWaitlist, WaitingChanged, WaitlistEntry, WaitState, WaitWindow, Wishes

WAITS: frozenset[WaitState] = frozenset({"waiting", "offered"})
TIERS: tuple[UrgencyTier, ...] = ("P0", "P1", "P2")
ACCEPT_BASE = 0.083
"""14,717 of 177,311 offers of an earlier appointment were accepted: Chung et al., J Med Internet Res 22(6), 2020, e16451."""
BASE_WEIGHT = 4
"""As many answers of one's own weigh as much as the base rate."""
NOTICE_HALF_HOURS = 2.0
NO_SHOW_BASE = 0.23
"""The average of 105 studies: Dantas et al., Health Policy 122, 2018."""
DAYS_COUNTED_MAX, PASSED_OVER_MAX, PASSED_OVER_DAYS = 365.0, 52, 7.0
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


class Risks(Protocol):
    """Who may not come, where somebody knows better than the base rate."""

    def no_show(self, patient_id: UUID, slot: Slot) -> float:
        """The chance, from 0 to 1, that the patient does not come to a visit at this time."""
        ...


class BaseRate:
    """The same chance for everybody: nothing is known of anybody yet."""

    def no_show(self, patient_id: UUID, slot: Slot) -> float:  # noqa: ARG002  # the port's arguments
        return NO_SHOW_BASE


class GivenUp(NamedTuple):
    """An appointment that its patient would give up for an earlier one, as it is booked now."""

    id: UUID
    version: int
    site_id: UUID
    start: datetime
    actor_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who waits, as the matching sees them.

    `asked` are their offers so far that were answered or ran out, `accepted` those of them to which they said yes. Who has an appointment
    to give up is asked about an earlier one at the same site alone.
    """

    entry_id: UUID
    patient_id: UUID
    visit_type_id: UUID
    wishes: Wishes
    since: datetime
    asked: int = 0
    accepted: int = 0
    passed_over: int = 0
    given_up: GivenUp | None = None


class Match(NamedTuple):
    """A time that suits somebody, and what it is worth to ask them: days of waiting that one question is expected to end."""

    person: Person
    slot: Slot
    worth: float


def matches(
    people: Iterable[Person], slots: Mapping[UUID, Sequence[Slot]], zone: ZoneInfo, now: datetime, *, notice_minutes: int, risks: Risks
) -> list[Match]:
    """Whom to ask, first first: everybody whom some slot of their kind of visit suits, each with the earliest such slot.

    `slots` are by visit type, by their start. `notice_minutes` is asked for by the site; whoever needs longer is asked by their own.
    """
    found = []
    for person in people:
        earliest = now + notice_of(person.wishes, notice_minutes)
        slot = next((each for each in slots.get(person.visit_type_id, ()) if each.start >= earliest and suits(person, each, zone)), None)
        if slot is not None:
            found.append(Match(person, slot, worth(person, slot, now, risks)))
    return sorted(found, key=_rank)


def suits(person: Person, slot: Slot, zone: ZoneInfo) -> bool:
    """Whether a slot is what somebody waits for: the site, the day, the time of day and the people."""
    wishes = person.wishes
    start, end = slot.start.astimezone(zone), slot.end.astimezone(zone)
    served_by = {each.actor_id for each in slot.participants if each.kind == "practitioner"}
    return (
        slot.site_id in wishes.site_ids
        and (wishes.earliest_on is None or wishes.earliest_on <= start.date())
        and (wishes.latest_on is None or start.date() <= wishes.latest_on)
        and (person.given_up is None or (slot.site_id == person.given_up.site_id and slot.start < person.given_up.start))
        and (not wishes.practitioner_ids or not served_by.isdisjoint(wishes.practitioner_ids))
        and (not wishes.windows or any(_within(each, start, end) for each in wishes.windows))
    )


def notice_of(wishes: Wishes, notice_minutes: int) -> timedelta:
    """How long before the visit somebody is asked at the latest, and has to have answered."""
    return max(wishes.notice_minutes, notice_minutes) * MINUTE


def worth(person: Person, slot: Slot, now: datetime, risks: Risks) -> float:
    """The formula above."""
    waited = min(max((now - person.since) / DAY, 0.0), DAYS_COUNTED_MAX)
    comes = 1.0 - risks.no_show(person.patient_id, slot)
    return accepts(person, slot.start - now) * comes * (1.0 + waited + PASSED_OVER_DAYS * min(person.passed_over, PASSED_OVER_MAX))


def accepts(person: Person, notice: timedelta) -> float:
    """The chance that somebody says yes, by their answers so far and how soon it is."""
    hours = notice / HOUR
    by_answers = (person.accepted + ACCEPT_BASE * BASE_WEIGHT) / (person.asked + BASE_WEIGHT)
    return by_answers * hours / (hours + NOTICE_HALF_HOURS)


def _rank(match: Match) -> tuple[int, float, datetime, UUID]:
    person = match.person
    return TIERS.index(person.wishes.urgency or "P2"), -match.worth, person.since, person.entry_id


def _within(window: WaitWindow, start: datetime, end: datetime) -> bool:
    """Whether a visit lies in a window of its first day; what ends after that midnight lies in none."""
    minutes = [each.hour * 60 + each.minute for each in (start, end)]
    if end.date() > start.date():
        minutes[1] = 1440 if end == end.replace(hour=0, minute=0) and (end.date() - start.date()).days == 1 else 2880
    on_day = not window.weekdays or start.weekday() in window.weekdays
    return on_day and window.from_minute <= minutes[0] and minutes[1] <= window.until_minute


def joined(command: JoinWaitlist, entry_id: UUID, now: datetime) -> WaitlistEntry:
    """A new entry. Nobody has said how urgent it is where it is P2."""
    wishes = msgspec.structs.replace(command.wishes, urgency=command.wishes.urgency or "P2")
    return WaitlistEntry(
        id=entry_id, state="waiting", patient_id=command.patient_id, visit_type_id=command.visit_type_id, wishes=wishes,
        given_up_id=command.given_up_id, since=now,
    )  # fmt: skip


def changed(before: WaitlistEntry, wishes: Wishes) -> WaitlistEntry:
    """The entry with other wishes; the urgency stays where none is said."""
    kept = msgspec.structs.replace(wishes, urgency=wishes.urgency or before.wishes.urgency)
    return msgspec.structs.replace(before, wishes=kept, version=before.version + 1)


def ended(before: WaitlistEntry, state: WaitState, now: datetime) -> WaitlistEntry:
    return msgspec.structs.replace(before, state=state, ended_at=now, version=before.version + 1)


def fact_of(one: WaitlistEntry, organization_id: UUID) -> WaitingChanged:
    """The event that reports the entry as it is now."""
    return WaitingChanged(
        organization_id=organization_id, entry_id=one.id, state=one.state, patient_id=one.patient_id, visit_type_id=one.visit_type_id,
        site_ids=one.wishes.site_ids, urgency=one.wishes.urgency or "P2", version=one.version,
    )  # fmt: skip
