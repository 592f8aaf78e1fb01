"""Scheduling's language of the waitlist: who waits for a time, what suits them, and how a site offers time that falls free.

An entry is no appointment and holds no time. Whoever says yes to an offer is booked under the entry's own id, or has the appointment that
they wanted to give up moved. Dates and minutes of the day are those of the site's clock.
"""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Day, Instant, Limit, MinuteOfDay, Version, Weekday

WaitState = Literal["waiting", "offered", "booked", "withdrawn", "expired"]
"""`offered`: waits still, and is asked about a time just now. The last three are how it ended."""
OfferWay = Literal["off", "cascade", "race"]
"""`cascade` asks one after the other, `race` several at once, of whom the first who says yes has it."""
WAITS_AT_ONCE_MAX = 10
"""For so many kinds of visits one person waits at the same time."""
Sites = Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=20)]
NoticeMinutes = Annotated[int, Meta(ge=0, le=10080)]


class WaitWindow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When somebody can come: on these weekdays (0 is Monday; none named is all), the whole visit between two minutes of the day."""

    weekdays: Annotated[tuple[Weekday, ...], Meta(max_length=7)] = ()
    from_minute: MinuteOfDay = 0
    until_minute: MinuteOfDay = 1440

    def __post_init__(self) -> None:
        if self.from_minute >= self.until_minute:
            raise ValueError("`until_minute` must be later than `from_minute`.")


class Wishes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody waits for: where, between which dates (both included), in any of the windows, with any of the practitioners.

    What is empty does not narrow. `notice_minutes` is how long before a visit they have to know of it. `urgency` is said by staff; None
    leaves it as it is, P2 at first.
    """

    site_ids: Sites
    urgency: UrgencyTier | None = None
    earliest_on: Day | None = None
    latest_on: Day | None = None
    windows: Annotated[tuple[WaitWindow, ...], Meta(max_length=14)] = ()
    practitioner_ids: Annotated[tuple[UUID, ...], Meta(max_length=20)] = ()
    notice_minutes: NoticeMinutes = 60

    def __post_init__(self) -> None:
        if self.earliest_on and self.latest_on and self.latest_on < self.earliest_on:
            raise ValueError("`latest_on` must not lie before `earliest_on`.")


class JoinWaitlist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait for a kind of visit. `given_up_id` is an appointment of that kind that the patient would give up for an earlier one."""

    patient_id: UUID
    visit_type_id: UUID
    wishes: Wishes
    given_up_id: UUID | None = None


class WaitlistEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the waitlist. In `wishes` the urgency is never None.

    `declined` and `unanswered` count offers so far, `passed_over` how often a time that suited was offered to others alone.
    `version` counts changes from 1 and is the ETag.
    """

    id: UUID
    state: WaitState
    patient_id: UUID
    visit_type_id: UUID
    wishes: Wishes
    given_up_id: UUID | None = None
    since: Instant
    declined: int = 0
    unanswered: int = 0
    passed_over: int = 0
    ended_at: Instant | None = None
    version: int = 1


class ChangeWaiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Other wishes; the place in the list stays. What is offered just now stays offered."""

    entry_id: UUID
    wishes: Wishes
    expected_version: Version | None = None


class LeaveWaitlist(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Wait no longer. What is offered just now is taken back; an appointment that was to be given up stays."""

    entry_id: UUID
    expected_version: Version | None = None


class ListWaiting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries that meet every condition that has a value, oldest first; of one's own, or at one's sites. `after` is an earlier `next`."""

    site_id: UUID | None = None
    patient_id: UUID | None = None
    visit_type_id: UUID | None = None
    states: Annotated[tuple[WaitState, ...], Meta(max_length=5)] = ()
    after: UUID | None = None
    limit: Limit = 50


class WaitlistPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[WaitlistEntry, ...]
    next: UUID | None = None


class PolicyTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How time that falls free is offered: in which way, and to how many at once in a race.

    They may think for `answer_minutes`, and have answered `notice_minutes` before the visit. With `chains` those are asked too who have an
    appointment and would give it up for an earlier one, which frees another time.
    """

    way: OfferWay = "off"
    racers: Annotated[int, Meta(ge=2, le=5)] = 3
    answer_minutes: Annotated[int, Meta(ge=5, le=1440)] = 30
    notice_minutes: NoticeMinutes = 120
    chains: bool = True


class WaitlistPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A site's policy. `version` 0 is what holds where nobody has set one: nothing is offered."""

    site_id: UUID
    terms: PolicyTerms
    version: int = 0


class SetWaitlistPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    site_id: UUID
    terms: PolicyTerms
    expected_version: Version | None = None


# --- refusals -----------------------------------------------------------------------------------------------------------------


class UnknownWaiting(Refusal):
    code = "waitlist.unknown_entry"
    status = 404
    issue = "not-found"
    title = "We know no entry of the waitlist under this id."


class AlreadyWaiting(Refusal):
    """`entry_id` is the entry there is."""

    code = "waitlist.already_waiting"
    status = 409
    issue = "duplicate"
    title = "The patient waits for this kind of visit already."


class WaitsEnough(Refusal):
    code = "waitlist.waits_enough"
    status = 409
    issue = "too-costly"
    title = "The patient waits for as many kinds of visits as one person may."


class NotWaiting(Refusal):
    """`state` says how it ended."""

    code = "waitlist.not_waiting"
    status = 409
    issue = "business-rule"
    title = "Nobody waits by this entry any more."


class NothingToGiveUp(Refusal):
    code = "waitlist.nothing_to_give_up"
    status = 422
    issue = "business-rule"
    title = "That is no appointment of the same kind and patient that is still to come."


# --- events -------------------------------------------------------------------------------------------------------------------


class WaitingChanged(Event, frozen=True, kw_only=True):
    """Somebody waits, waits for something else, or does so no more: ids, dates and codes."""

    topic: ClassVar[str] = "waitlist.entry.changed.v1"
    entry_id: UUID
    state: WaitState
    patient_id: UUID
    visit_type_id: UUID
    site_ids: tuple[UUID, ...]
    urgency: UrgencyTier
    version: int

    @property
    def subject(self) -> UUID:
        return self.entry_id


class KeepsWaitlist(Protocol):
    """The part of `Scheduling` that keeps the waitlist."""

    async def join_waitlist(self, actor: Actor, command: JoinWaitlist, idempotency_key: str | None = None) -> WaitlistEntry: ...

    async def change_waiting(self, actor: Actor, command: ChangeWaiting, idempotency_key: str | None = None) -> WaitlistEntry: ...

    async def leave_waitlist(self, actor: Actor, command: LeaveWaitlist, idempotency_key: str | None = None) -> WaitlistEntry: ...

    async def get_waiting(self, actor: Actor, entry_id: UUID) -> WaitlistEntry: ...

    async def list_waiting(self, actor: Actor, query: ListWaiting) -> WaitlistPage: ...

    async def get_waitlist_policy(self, actor: Actor, site_id: UUID) -> WaitlistPolicy: ...

    async def set_waitlist_policy(self, actor: Actor, command: SetWaitlistPolicy, idempotency_key: str | None = None) -> WaitlistPolicy: ...
