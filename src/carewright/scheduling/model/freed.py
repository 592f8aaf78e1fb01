"""Which time a change of an appointment frees, for whom to offer it. Pure rules."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from carewright.contracts.offers import ANSWER_MINUTES_MIN, Offer
from carewright.contracts.scheduling import AppointmentFact, AppointmentRescheduled, ClaimedTime, Slot
from carewright.contracts.waitlist import PolicyTerms
from carewright.scheduling.model.appointment import beyond, claims_of
from carewright.scheduling.model.calendar import Span, merged
from carewright.scheduling.model.waitlist import MINUTE, Match, notice_of

FreedState = Literal["open", "taken", "left"]
"""`left`: nobody whom it suits is left to ask, and it is simply free."""


class FreedTime(msgspec.Struct, frozen=True, kw_only=True):
    """Time at a site that these actors had given to an appointment. `turn` counts how often somebody was asked about it."""

    id: UUID
    state: FreedState
    site_id: UUID
    start: datetime
    end: datetime
    actor_ids: tuple[UUID, ...]
    cause_id: UUID
    cause_version: int
    freed_at: datetime
    turn: int = 0


def freed_by(fact: AppointmentFact, new_id: UUID, now: datetime) -> FreedTime | None:
    """What is free by a change of an appointment that was taken before and is not over; None where there is nothing."""
    given = [each for each in beyond(fact.released, fact.claims) if each.schedule_id != fact.patient_id and each.end > now]
    if not given:
        return None
    left = fact.earlier_site_id if isinstance(fact, AppointmentRescheduled) else None
    return FreedTime(
        id=new_id, state="open", site_id=left or fact.site_id,
        start=min(each.start for each in given), end=max(each.end for each in given),
        actor_ids=tuple(sorted({each.schedule_id for each in given})),
        cause_id=fact.appointment_id, cause_version=fact.version, freed_at=now,
    )  # fmt: skip


def asked_at_once(terms: PolicyTerms) -> int:
    return terms.racers if terms.way == "race" else 1


def answer_until(match: Match, terms: PolicyTerms, now: datetime) -> datetime:
    """Until when somebody may answer: for as long as the site says, and while the notice lasts that they need."""
    return min(now + terms.answer_minutes * MINUTE, match.slot.start - notice_of(match.person.wishes, terms.notice_minutes))


def may_be_asked(match: Match, terms: PolicyTerms, now: datetime) -> bool:
    """Whether there is time to answer, and whether the site lets somebody move for it who has an appointment."""
    return answer_until(match, terms, now) >= now + ANSWER_MINUTES_MIN * MINUTE and (terms.chains or match.person.given_up is None)


def kept_for(slots: Iterable[Slot]) -> tuple[ClaimedTime, ...]:
    """What is claimed for all who are asked at once: of each calendar the time that any of them would take, ordered as claims are."""
    spans: dict[UUID, list[Span]] = defaultdict(list)
    for claim in (claim for slot in slots for claim in claims_of(slot)):
        spans[claim.schedule_id].append((claim.start, claim.end))
    return tuple(
        ClaimedTime(schedule_id=each, lane=0, start=start, end=end) for each in sorted(spans) for start, end in merged(spans[each])
    )


def offered(match: Match, freed: FreedTime, terms: PolicyTerms, offer_id: UUID, now: datetime, site_name: str, time_zone: str) -> Offer:
    """The offer of a freed time to somebody: of a new appointment under the entry's id, or of an earlier time for theirs."""
    person, slot = match.person, match.slot
    given_up = person.given_up
    return Offer(
        id=offer_id, purpose="earlier" if given_up else "waitlist", status="open",
        appointment_id=given_up.id if given_up else person.entry_id, patient_id=person.patient_id, site_id=slot.site_id,
        site_name=site_name, time_zone=time_zone, booked_start=given_up.start if given_up else slot.start,
        booked_actor_ids=given_up.actor_ids if given_up else (), start=slot.start, end=slot.end,
        actor_ids=tuple(each.actor_id for each in slot.participants), made_at=now, expires_at=answer_until(match, terms, now),
        entry_id=person.entry_id, freed_id=freed.id, is_shared=terms.way == "race",
    )  # fmt: skip
