"""Scheduling's language: finding time, claiming it, and what an appointment is.

Instants carry an offset and lie on the 5-minute grid; `*_on` are dates in the site's zone; minutes of day count from local midnight.
Statuses are FHIR R4's (http://hl7.org/fhir/R4/valueset-appointmentstatus.html).
"""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType, field
from msgspec.structs import force_setattr

from carewright.contracts import offers as o
from carewright.contracts.board import Board, MovePreview, ReadBoard, ReadUse, SiteUse
from carewright.contracts.directory import ActorKind, UrgencyTier
from carewright.contracts.hours import BlockChange, BlockTime, Override
from carewright.contracts.in_use import Gaps, GivenBack, ListGaps, TakeTime, TimeInUse
from carewright.contracts.links import LinksAppointments
from carewright.contracts.masters import ChangeMaster, Masters
from carewright.contracts.outages import ListOutages, Outage, OutagesPage, ReportOutage
from carewright.contracts.planner import PlansDays
from carewright.contracts.schedules import Calendar, GetCalendar, ListedIds, ListSchedules, SchedulesPage
from carewright.contracts.starts import FindTimes, IsExpected, ListStarts, Start
from carewright.contracts.versions import ListVersions
from carewright.contracts.waitlist import KeepsWaitlist
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import EARLIEST, Code, Cursor, Instant, Language, Limit, LongText, ShortText, Version

AppointmentStatus = Literal[
    "proposed", "pending", "booked", "arrived", "checked-in", "fulfilled", "cancelled", "noshow", "waitlist", "entered-in-error"
]
AdvanceStatus = Literal["arrived", "checked-in", "fulfilled", "noshow", "entered-in-error"]
ParticipationStatus = Literal["accepted", "declined", "tentative", "needs-action"]


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """One actor of an appointment with the time it is claimed, buffers included. `kind` "patient" is the person it is for."""

    kind: ActorKind | Literal["patient"]
    actor_id: UUID
    display: str = ""
    status: ParticipationStatus = "accepted"
    claimed_from: Instant
    claimed_to: Instant


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A time that was free a moment ago, with the actors proposed for it. Nothing is promised until it is held or booked."""

    visit_type_id: UUID
    site_id: UUID
    start: Instant
    end: Instant
    participants: tuple[Participant, ...]


class TimesPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next` is the cursor of the following page, or None at the end. `total` counts every start of all pages, where it was asked for."""

    items: tuple[Slot, ...]
    next: str | None = None
    total: int | None = None


class PickedTime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A start the caller wants. The engine picks the actors; `practitioner_id` and `actor_ids` narrow the choice."""

    visit_type_id: UUID
    site_id: UUID
    start: Instant
    practitioner_id: UUID | None = None
    actor_ids: Annotated[tuple[UUID, ...], Meta(max_length=20)] = ()
    language: Language | None = None
    urgency: UrgencyTier = "P2"


class HoldTime(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep a time for a few minutes while the person decides. `patient_id` may follow when it is booked."""

    time: PickedTime
    patient_id: UUID


class BookAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Book a held time (`hold_id`) or a free one (`time`): exactly one of the two.

    `based_on` names the referral where the visit type needs one. `note` is free text for the practice; it never enters an event.
    """

    patient_id: UUID
    hold_id: UUID | None = None
    time: PickedTime | None = None
    based_on: ShortText | None = None
    note: LongText | None = None
    override: Override | None = None


class ConfirmAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Staff accept a pending request (it becomes booked); a patient's confirmation of a booked visit marks them `accepted`."""

    appointment_id: UUID
    expected_version: Version | None = None


class CancelAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reason` is a code of http://hl7.org/fhir/R4/valueset-appointment-cancellation-reason.html, such as `pat` or `prov`."""

    appointment_id: UUID
    reason: Code = "pat"
    expected_version: Version | None = None


class RescheduleAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Move to another time in one step; the id stays."""

    appointment_id: UUID
    time: PickedTime
    expected_version: Version | None = None
    override: Override | None = None


class AdvanceAppointment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Record what happened: arrived, checked-in, fulfilled, noshow, entered-in-error."""

    appointment_id: UUID
    status: AdvanceStatus
    expected_version: Version | None = None


HOLD_ENDED = frozenset({"hold-released", "hold-expired"})
"""Why a hold was given up: a `cancelation_reason` that nobody chose."""


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment as scheduling keeps it. `version` counts changes from 1 and is the ETag.

    `updated_at` is when this version came to be.
    `note` is what was written to the practice. It is there when somebody reads the appointment who may read notes, and in no other answer.
    """

    id: UUID
    status: AppointmentStatus
    visit_type_id: UUID
    visit_type_name: str
    service_name: str
    site_id: UUID
    site_name: str
    time_zone: str
    patient_id: UUID
    start: Instant
    end: Instant
    participants: tuple[Participant, ...]
    urgency: UrgencyTier = "P2"
    expires_at: Instant | None = None
    series_id: UUID | None = None
    based_on: ShortText | None = None
    override_reason: str | None = None
    cancelation_reason: str | None = None
    created_at: Instant
    updated_at: Instant = field(default_factory=EARLIEST.replace)
    version: int = 1
    note: LongText | UnsetType = UNSET

    def __post_init__(self) -> None:
        """What was stored before versions had their instant says that of the first."""
        if self.updated_at == EARLIEST:
            force_setattr(self, "updated_at", self.created_at)


class ListAppointments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Appointments of one patient, newest start last; by `clashing` those that meet another of theirs. Without `patient_id` one's own."""

    patient_id: UUID | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    statuses: Annotated[tuple[AppointmentStatus, ...], Meta(max_length=10)] = ()
    clashing: bool = False
    limit: Limit = 50
    after: Cursor | None = None


class AppointmentsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Appointment, ...]
    next: str | None = None


class SearchAppointments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Appointments of anybody that meet every condition that has a value, by start; without notes.

    Staff search at their sites, everybody else among their own. `start_until` is itself left out. Holds are found by `pending` alone, while
    they live; time given back never is. `after` is the cursor of an earlier page of the same order. `count` asks how many there are.
    """

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    statuses: Annotated[tuple[AppointmentStatus, ...], Meta(max_length=10)] = ()
    actor_ids: ListedIds = ()
    site_ids: ListedIds = ()
    visit_type_ids: ListedIds = ()
    start_from: Instant | None = None
    start_until: Instant | None = None
    order: Literal["start", "-start"] = "start"
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50
    after: Cursor | None = None
    count: bool = False


class AppointmentsFound(msgspec.Struct, frozen=True, kw_only=True):
    """`total` is there where it was asked for and is not more than 10,000."""

    items: tuple[Appointment, ...]
    next: str | None = None
    total: int | None = None


class CalendarChanged(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a calendar change: what it hit. Nothing was dropped; somebody must decide about each.

    `hit` shows the appointments to whoever may read every patient's; others get their ids alone.
    """

    schedule_id: UUID
    block_id: UUID | None = None
    hit_appointment_ids: tuple[UUID, ...] = ()
    hit: tuple[Appointment, ...] = ()


# --- refusals -----------------------------------------------------------------------------------------------------------------


class TimeNotFree(Refusal):
    code = "scheduling.time_not_free"
    status = 409
    issue = "conflict"
    title = "This time has just been taken. Please choose another."


class PatientBusy(Refusal):
    code = "scheduling.patient_busy"
    status = 409
    issue = "conflict"
    title = "The patient already has an appointment at this time."


class CalendarMoved(Refusal):
    code = "scheduling.calendar_moved"
    status = 409
    issue = "conflict"
    title = "The calendar was just changed. Please look at the free times again."


class HoldExpired(Refusal):
    code = "scheduling.hold_expired"
    status = 409
    issue = "expired"
    title = "The time was kept for you, but that has run out. Please choose again."


class HoldLimitReached(Refusal):
    code = "scheduling.hold_limit_reached"
    status = 409
    issue = "too-costly"
    title = "You are holding as many times as one person may. Book or release one first."


class IllegalStep(Refusal):
    code = "scheduling.illegal_step"
    status = 409
    issue = "business-rule"
    title = "An appointment in this state cannot take this step."


class UnknownAppointment(Refusal):
    code = "scheduling.unknown_appointment"
    status = 404
    issue = "not-found"
    title = "We do not know this appointment."


class UnknownVisitType(Refusal):
    code = "scheduling.unknown_visit_type"
    status = 422
    issue = "not-found"
    title = "We do not know this kind of visit."


class UnknownSite(Refusal):
    code = "scheduling.unknown_site"
    status = 422
    issue = "not-found"
    title = "This visit is not offered at that site."


class UnknownSchedule(Refusal):
    code = "scheduling.unknown_schedule"
    status = 404
    issue = "not-found"
    title = "We know no calendar under this id."


class UnknownPatient(Refusal):
    code = "scheduling.unknown_patient"
    status = 422
    issue = "not-found"
    title = "We do not know this patient."


class UnknownBlock(Refusal):
    code = "scheduling.unknown_block"
    status = 404
    issue = "not-found"
    title = "We know no blocked period under this id."


class OutsideRules(Refusal):
    code = "scheduling.outside_rules"
    status = 422
    issue = "business-rule"
    title = "This kind of visit cannot be booked like this."


class PrerequisiteMissing(Refusal):
    code = "scheduling.prerequisite_missing"
    status = 422
    issue = "business-rule"
    title = "Something has to happen before this visit can be booked."


class SeriesNotFree(Refusal):
    code = "scheduling.series_not_free"
    status = 409
    issue = "conflict"
    title = "Not every visit of the series is free, so none was booked."


class OverrideExhausted(Refusal):
    code = "scheduling.override_exhausted"
    status = 409
    issue = "too-costly"
    title = "This time is already overbooked as far as it may be."


class BookedElsewhere(Refusal):
    code = "scheduling.booked_elsewhere"
    status = 409
    issue = "business-rule"
    title = "This visit is still booked, moved and cancelled in another system of the hospital. Please call us if you need help."


class NotMirrored(Refusal):
    code = "scheduling.not_mirrored"
    status = 409
    issue = "business-rule"
    title = "That system is not master of this service here, so nothing is taken from it."


class WrongMasterStep(Refusal):
    code = "scheduling.wrong_master_step"
    status = 409
    issue = "business-rule"
    title = "The service cannot take this step from where it stands."


class UnknownService(Refusal):
    code = "scheduling.unknown_service"
    status = 422
    issue = "not-found"
    title = "We know no service under this id that is offered there."


class NoTimeForTurn(Refusal):
    """`free_minutes` from now on are free, which is less than is needed."""

    code = "scheduling.no_time_for_turn"
    status = 409
    issue = "conflict"
    title = "The practitioner or the room is taken now, or somebody is booked too soon."


# --- events -------------------------------------------------------------------------------------------------------------------


class ClaimedTime(msgspec.Struct, frozen=True, kw_only=True):
    """Time of one schedule, taken or given back."""

    schedule_id: UUID
    lane: int
    start: Instant
    end: Instant


class AppointmentFact(Event, frozen=True, kw_only=True):
    """What every appointment event carries: ids, times and codes, never a name or a note.

    `claims` are those the appointment holds now, `released` those it gave back by this change. `practitioner_ids` are who it is with.
    """

    appointment_id: UUID
    version: int
    status: AppointmentStatus
    visit_type_id: UUID
    site_id: UUID
    patient_id: UUID
    start: Instant
    end: Instant
    urgency: UrgencyTier
    expires_at: Instant | None = None
    series_id: UUID | None = None
    practitioner_ids: tuple[UUID, ...] = ()
    claims: tuple[ClaimedTime, ...] = ()
    released: tuple[ClaimedTime, ...] = ()

    @property
    def subject(self) -> UUID:
        return self.appointment_id


class AppointmentHeld(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.held.v1"


class AppointmentRequested(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.requested.v1"


class AppointmentBooked(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.booked.v1"


class AppointmentConfirmed(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.confirmed.v1"


class AppointmentRescheduled(AppointmentFact, frozen=True, kw_only=True):
    """`earlier_site_id` is the site that it moved away from; none where it stayed."""

    topic: ClassVar[str] = "scheduling.appointment.rescheduled.v1"
    earlier_site_id: UUID | None = None


class AppointmentCancelled(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.cancelled.v1"


class AppointmentHoldExpired(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.hold_expired.v1"


class AppointmentAdvanced(AppointmentFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "scheduling.appointment.advanced.v1"


class AppointmentTransferred(AppointmentFact, frozen=True, kw_only=True):
    """Another record has the appointment now: the one that had it was merged into that. Time, place and state are as they were."""

    topic: ClassVar[str] = "scheduling.appointment.transferred.v1"


class ScheduleChanged(Event, frozen=True, kw_only=True):
    """Working hours, blocks or abilities of a schedule changed; `hit_appointment_ids` no longer fit. `site_ids` are where it belongs.

    `block` says which, where time was closed or opened again.
    """

    topic: ClassVar[str] = "scheduling.schedule.changed.v1"
    schedule_id: UUID
    site_ids: tuple[UUID, ...] = ()
    calendar_version: int
    hit_appointment_ids: tuple[UUID, ...] = ()
    block: BlockChange | None = None

    @property
    def subject(self) -> UUID:
        return self.schedule_id


class TimeInUseChanged(Event, frozen=True, kw_only=True):
    """A turn in a queue took time, or more of it, or gave it back. `claims` are those it has now, `released` those it gave back."""

    topic: ClassVar[str] = "scheduling.time_in_use.changed.v1"
    entry_id: UUID
    site_id: UUID
    claims: tuple[ClaimedTime, ...] = ()
    released: tuple[ClaimedTime, ...] = ()

    @property
    def subject(self) -> UUID:
        return self.entry_id


class CatalogueChanged(Event, frozen=True, kw_only=True):
    """Scheduling's own copy of a site or visit type changed; its processes read it again."""

    topic: ClassVar[str] = "scheduling.catalogue.changed.v1"
    entry_id: UUID

    @property
    def subject(self) -> UUID:
        return self.entry_id


class Scheduling(PlansDays, LinksAppointments, KeepsWaitlist, Protocol):
    """What the rims may ask of scheduling. Every change takes the actor's idempotency key, where one was given.

    `in_stead_of` names the older system whose mirror the actor is: of what that system is master of, nobody else writes.
    """

    async def find_times(self, actor: Actor, query: FindTimes) -> TimesPage: ...

    async def list_starts(self, actor: Actor, query: ListStarts) -> tuple[Start, ...]: ...

    async def hold_time(self, actor: Actor, command: HoldTime, idempotency_key: str | None = None) -> Appointment: ...

    async def release_hold(self, actor: Actor, appointment_id: UUID, idempotency_key: str | None = None) -> Appointment: ...

    async def book_appointment(
        self, actor: Actor, command: BookAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> Appointment: ...

    async def confirm_appointment(self, actor: Actor, command: ConfirmAppointment, idempotency_key: str | None = None) -> Appointment: ...

    async def cancel_appointment(
        self, actor: Actor, command: CancelAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> Appointment: ...

    async def reschedule_appointment(
        self, actor: Actor, command: RescheduleAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> Appointment: ...

    async def advance_appointment(
        self, actor: Actor, command: AdvanceAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> Appointment: ...

    async def change_master(self, actor: Actor, command: ChangeMaster, idempotency_key: str | None = None) -> Masters: ...

    async def list_masters(self, actor: Actor) -> Masters: ...

    async def block_time(self, actor: Actor, command: BlockTime, idempotency_key: str | None = None) -> CalendarChanged: ...

    async def unblock_time(self, actor: Actor, block_id: UUID, idempotency_key: str | None = None) -> CalendarChanged: ...

    async def report_outage(self, actor: Actor, command: ReportOutage, idempotency_key: str | None = None) -> Outage: ...

    async def end_outage(self, actor: Actor, outage_id: UUID, idempotency_key: str | None = None) -> Outage: ...

    async def get_outage(self, actor: Actor, outage_id: UUID) -> Outage: ...

    async def list_outages(self, actor: Actor, query: ListOutages) -> OutagesPage: ...

    async def get_appointment(self, actor: Actor, appointment_id: UUID) -> Appointment: ...

    async def list_versions(self, actor: Actor, query: ListVersions) -> AppointmentsFound: ...

    async def list_appointments(self, actor: Actor, query: ListAppointments) -> AppointmentsPage: ...

    async def search_appointments(self, actor: Actor, query: SearchAppointments) -> AppointmentsFound: ...

    async def get_calendar(self, actor: Actor, query: GetCalendar) -> Calendar: ...

    async def list_schedules(self, actor: Actor, query: ListSchedules) -> SchedulesPage: ...

    async def read_board(self, actor: Actor, query: ReadBoard) -> Board: ...

    async def read_use(self, actor: Actor, query: ReadUse) -> SiteUse: ...

    async def preview_move(self, actor: Actor, command: RescheduleAppointment) -> MovePreview: ...

    async def is_expected(self, actor: Actor, query: IsExpected) -> bool: ...

    async def take_time(self, actor: Actor, command: TakeTime, idempotency_key: str | None = None) -> TimeInUse: ...

    async def give_time_back(self, actor: Actor, entry_id: UUID) -> GivenBack: ...

    async def list_gaps(self, actor: Actor, query: ListGaps) -> Gaps: ...


class Offers(Protocol):
    """What the rims may ask of offers. An offer is told to its patient by a link, which opens that offer and nothing else."""

    async def make_offer(self, actor: Actor, command: o.MakeOffer, idempotency_key: str | None = None) -> o.Offer: ...

    async def withdraw_offer(self, actor: Actor, command: o.WithdrawOffer, idempotency_key: str | None = None) -> o.Offer: ...

    async def answer_offer(self, actor: Actor, command: o.AnswerOffer, idempotency_key: str | None = None) -> o.Offer: ...

    async def get_offer(self, actor: Actor, offer_id: UUID) -> o.Offer: ...

    async def list_offers(self, actor: Actor, query: o.ListOffers) -> o.OffersPage: ...

    async def link_to_offer(self, actor: Actor, command: o.LinkToOffer) -> o.OfferLink: ...

    async def offer_by_link(self, actor: Actor, query: o.OfferByLink) -> o.LinkedOffer: ...

    async def answer_by_link(self, actor: Actor, command: o.AnswerByLink, idempotency_key: str | None = None) -> o.Offer: ...

    async def note_offer_unreached(self, actor: Actor, command: o.NoteOfferUnreached) -> None: ...
