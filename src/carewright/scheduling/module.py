"""How scheduling is wired: what it offers, serves, listens to and does by itself."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from carewright.contracts import links as k
from carewright.contracts import offers as o
from carewright.contracts import scheduling as c
from carewright.contracts import waitlist as w
from carewright.contracts.board import Board, MovePreview, ReadBoard, ReadUse, SiteUse
from carewright.contracts.coverage import VisitsStopped
from carewright.contracts.directory import DeviceChanged, LocationChanged, PractitionerChanged, VisitTypeChanged
from carewright.contracts.flow import QueueEntryMoved
from carewright.contracts.hours import BlockTime
from carewright.contracts.in_use import Gaps, GivenBack, ListGaps, TakeTime, TimeInUse
from carewright.contracts.masters import ChangeMaster, Masters
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.outages import ListOutages, Outage, OutageEnded, OutageReported, OutagesPage, ReportOutage
from carewright.contracts.patients import PatientChanged, PatientErased, PatientMerged
from carewright.contracts.planner import (
    AcceptPlan,
    GetPlanningRules,
    GiveUpPlan,
    KeptPlan,
    ListPlans,
    PlanDay,
    PlanningRules,
    PlansPage,
    Proposed,
    ProposeInstead,
    SetPlanningRules,
)
from carewright.contracts.schedules import Calendar, GetCalendar, ListSchedules, SchedulesPage
from carewright.contracts.starts import FindTimes, IsExpected, ListStarts, Start
from carewright.contracts.versions import ListVersions
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.modules import Module, Running
from carewright.scheduling import handlers
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.engines.warm import warm_up
from carewright.scheduling.http import ROUTES
from carewright.scheduling.jobs import JOBS, TIMERS
from carewright.scheduling.live import Live
from carewright.scheduling.model.choice import LeastFragmentation
from carewright.scheduling.model.shown import APPOINTMENTS, CALENDARS, DAY_PLANS, LINKS, OFFERS, TIME_IN_USE
from carewright.scheduling.service import (
    board,
    book,
    calendars,
    change,
    find,
    gaps,
    in_use,
    instead,
    links,
    masters,
    offer_links,
    offers,
    outages,
    plans,
    preview,
    search,
    starts,
    waitlist,
)
from carewright.scheduling.service.reseal import SEALED
from carewright.scheduling.settings import Settings


class LocalScheduling:
    """The `Scheduling` Protocol in this process."""

    def __init__(self, context: SchedulingContext) -> None:
        self._context = context

    def _as(self, actor: Actor, key: str | None = None, command: object = None) -> SchedulingContext:
        return self._context.acting(actor, Once.of(key, command))

    def _writing(self, actor: Actor, key: str | None, command: object, in_stead_of: str | None) -> SchedulingContext:
        return masters.mirroring(self._as(actor, key, command), in_stead_of)

    async def find_times(self, actor: Actor, query: FindTimes) -> c.TimesPage:
        return await find.find_times(self._as(actor), query)

    async def list_starts(self, actor: Actor, query: ListStarts) -> tuple[Start, ...]:
        return await starts.list_starts(self._as(actor), query)

    async def hold_time(self, actor: Actor, command: c.HoldTime, idempotency_key: str | None = None) -> c.Appointment:
        return await book.hold_time(self._as(actor, idempotency_key, command), command)

    async def release_hold(self, actor: Actor, appointment_id: UUID, idempotency_key: str | None = None) -> c.Appointment:
        return await change.release_hold(self._as(actor, idempotency_key, appointment_id), appointment_id)

    async def book_appointment(
        self, actor: Actor, command: c.BookAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> c.Appointment:
        return await book.book_appointment(self._writing(actor, idempotency_key, command, in_stead_of), command)

    async def confirm_appointment(self, actor: Actor, command: c.ConfirmAppointment, idempotency_key: str | None = None) -> c.Appointment:
        return await change.confirm_appointment(self._as(actor, idempotency_key, command), command)

    async def cancel_appointment(
        self, actor: Actor, command: c.CancelAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> c.Appointment:
        return await change.cancel_appointment(self._writing(actor, idempotency_key, command, in_stead_of), command)

    async def reschedule_appointment(
        self, actor: Actor, command: c.RescheduleAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> c.Appointment:
        return await change.reschedule_appointment(self._writing(actor, idempotency_key, command, in_stead_of), command)

    async def advance_appointment(
        self, actor: Actor, command: c.AdvanceAppointment, idempotency_key: str | None = None, in_stead_of: str | None = None
    ) -> c.Appointment:
        return await change.advance_appointment(self._writing(actor, idempotency_key, command, in_stead_of), command)

    async def change_master(self, actor: Actor, command: ChangeMaster, idempotency_key: str | None = None) -> Masters:
        return await masters.change_master(self._as(actor, idempotency_key, command), command)

    async def list_masters(self, actor: Actor) -> Masters:
        return await masters.list_masters(self._as(actor))

    async def block_time(self, actor: Actor, command: BlockTime, idempotency_key: str | None = None) -> c.CalendarChanged:
        return await calendars.block_time(self._as(actor, idempotency_key, command), command)

    async def unblock_time(self, actor: Actor, block_id: UUID, idempotency_key: str | None = None) -> c.CalendarChanged:
        return await calendars.unblock_time(self._as(actor, idempotency_key, block_id), block_id)

    async def report_outage(self, actor: Actor, command: ReportOutage, idempotency_key: str | None = None) -> Outage:
        return await outages.report_outage(self._as(actor, idempotency_key, command), command)

    async def end_outage(self, actor: Actor, outage_id: UUID, idempotency_key: str | None = None) -> Outage:
        return await outages.end_outage(self._as(actor, idempotency_key, outage_id), outage_id)

    async def get_outage(self, actor: Actor, outage_id: UUID) -> Outage:
        return await outages.get_outage(self._as(actor), outage_id)

    async def list_outages(self, actor: Actor, query: ListOutages) -> OutagesPage:
        return await outages.list_outages(self._as(actor), query)

    async def get_appointment(self, actor: Actor, appointment_id: UUID) -> c.Appointment:
        return await change.get_appointment(self._as(actor), appointment_id)

    async def list_versions(self, actor: Actor, query: ListVersions) -> c.AppointmentsFound:
        return await change.list_versions(self._as(actor), query)

    async def list_appointments(self, actor: Actor, query: c.ListAppointments) -> c.AppointmentsPage:
        return await change.list_appointments(self._as(actor), query)

    async def search_appointments(self, actor: Actor, query: c.SearchAppointments) -> c.AppointmentsFound:
        return await search.search_appointments(self._as(actor), query)

    async def get_calendar(self, actor: Actor, query: GetCalendar) -> Calendar:
        return await calendars.get_calendar(self._as(actor), query)

    async def list_schedules(self, actor: Actor, query: ListSchedules) -> SchedulesPage:
        return await calendars.list_schedules(self._as(actor), query)

    async def read_board(self, actor: Actor, query: ReadBoard) -> Board:
        return await board.read_board(self._as(actor), query)

    async def read_use(self, actor: Actor, query: ReadUse) -> SiteUse:
        return await board.read_use(self._as(actor), query)

    async def propose_instead(self, actor: Actor, query: ProposeInstead) -> Proposed:
        return await instead.propose_instead(self._as(actor), query)

    async def start_plan(self, actor: Actor, command: PlanDay, idempotency_key: str | None = None) -> KeptPlan:
        return await plans.start_plan(self._as(actor, idempotency_key, command), command)

    async def get_plan(self, actor: Actor, plan_id: UUID) -> KeptPlan:
        return await plans.get_plan(self._as(actor), plan_id)

    async def list_plans(self, actor: Actor, query: ListPlans) -> PlansPage:
        return await plans.list_plans(self._as(actor), query)

    async def give_up_plan(self, actor: Actor, command: GiveUpPlan, idempotency_key: str | None = None) -> KeptPlan:
        return await plans.give_up_plan(self._as(actor, idempotency_key, command), command)

    async def accept_plan(self, actor: Actor, command: AcceptPlan, idempotency_key: str | None = None) -> KeptPlan:
        return await plans.accept_plan(self._as(actor, idempotency_key, command), command)

    async def get_planning_rules(self, actor: Actor, query: GetPlanningRules) -> PlanningRules:
        return await plans.get_planning_rules(self._as(actor), query)

    async def set_planning_rules(self, actor: Actor, command: SetPlanningRules, idempotency_key: str | None = None) -> PlanningRules:
        return await plans.set_planning_rules(self._as(actor, idempotency_key, command), command)

    async def preview_move(self, actor: Actor, command: c.RescheduleAppointment) -> MovePreview:
        return await preview.preview_move(self._as(actor), command)

    async def is_expected(self, actor: Actor, query: IsExpected) -> bool:
        return await change.is_expected(self._as(actor), query)

    async def take_time(self, actor: Actor, command: TakeTime, idempotency_key: str | None = None) -> TimeInUse:
        return await in_use.take_time(self._as(actor, idempotency_key, command), command)

    async def give_time_back(self, actor: Actor, entry_id: UUID) -> GivenBack:
        return await in_use.give_time_back(self._as(actor), entry_id)

    async def list_gaps(self, actor: Actor, query: ListGaps) -> Gaps:
        return await gaps.list_gaps(self._as(actor), query)

    async def link_appointments(self, actor: Actor, command: k.LinkAppointments, idempotency_key: str | None = None) -> k.AppointmentLink:
        return await links.link_appointments(self._as(actor, idempotency_key, command), command)

    async def unlink_appointments(
        self, actor: Actor, command: k.UnlinkAppointments, idempotency_key: str | None = None
    ) -> k.AppointmentLink:
        return await links.unlink_appointments(self._as(actor, idempotency_key, command), command)

    async def note_link_seen(self, actor: Actor, command: k.NoteLinkSeen, idempotency_key: str | None = None) -> k.AppointmentLink:
        return await links.note_link_seen(self._as(actor, idempotency_key, command), command)

    async def get_link(self, actor: Actor, link_id: UUID) -> k.AppointmentLink:
        return await links.get_link(self._as(actor), link_id)

    async def list_links(self, actor: Actor, query: k.ListLinks) -> k.LinksPage:
        return await links.list_links(self._as(actor), query)

    async def join_waitlist(self, actor: Actor, command: w.JoinWaitlist, idempotency_key: str | None = None) -> w.WaitlistEntry:
        return await waitlist.join_waitlist(self._as(actor, idempotency_key, command), command)

    async def change_waiting(self, actor: Actor, command: w.ChangeWaiting, idempotency_key: str | None = None) -> w.WaitlistEntry:
        return await waitlist.change_waiting(self._as(actor, idempotency_key, command), command)

    async def leave_waitlist(self, actor: Actor, command: w.LeaveWaitlist, idempotency_key: str | None = None) -> w.WaitlistEntry:
        return await waitlist.leave_waitlist(self._as(actor, idempotency_key, command), command)

    async def get_waiting(self, actor: Actor, entry_id: UUID) -> w.WaitlistEntry:
        return await waitlist.get_waiting(self._as(actor), entry_id)

    async def list_waiting(self, actor: Actor, query: w.ListWaiting) -> w.WaitlistPage:
        return await waitlist.list_waiting(self._as(actor), query)

    async def get_waitlist_policy(self, actor: Actor, site_id: UUID) -> w.WaitlistPolicy:
        return await waitlist.get_waitlist_policy(self._as(actor), site_id)

    async def set_waitlist_policy(self, actor: Actor, command: w.SetWaitlistPolicy, idempotency_key: str | None = None) -> w.WaitlistPolicy:
        return await waitlist.set_waitlist_policy(self._as(actor, idempotency_key, command), command)


class LocalOffers:
    """The `Offers` Protocol in this process."""

    def __init__(self, context: SchedulingContext) -> None:
        self._context = context

    async def make_offer(self, actor: Actor, command: o.MakeOffer, idempotency_key: str | None = None) -> o.Offer:
        return await offers.make_offer(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def withdraw_offer(self, actor: Actor, command: o.WithdrawOffer, idempotency_key: str | None = None) -> o.Offer:
        return await offers.withdraw_offer(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def answer_offer(self, actor: Actor, command: o.AnswerOffer, idempotency_key: str | None = None) -> o.Offer:
        return await offers.answer_offer(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def get_offer(self, actor: Actor, offer_id: UUID) -> o.Offer:
        return await offers.get_offer(self._context.acting(actor), offer_id)

    async def list_offers(self, actor: Actor, query: o.ListOffers) -> o.OffersPage:
        return await offers.list_offers(self._context.acting(actor), query)

    async def link_to_offer(self, actor: Actor, command: o.LinkToOffer) -> o.OfferLink:
        return await offer_links.link_to_offer(self._context.acting(actor), command)

    async def offer_by_link(self, actor: Actor, query: o.OfferByLink) -> o.LinkedOffer:
        return await offer_links.offer_by_link(self._context.acting(actor), query)

    async def answer_by_link(self, actor: Actor, command: o.AnswerByLink, idempotency_key: str | None = None) -> o.Offer:
        return await offer_links.answer_by_link(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def note_offer_unreached(self, actor: Actor, command: o.NoteOfferUnreached) -> None:
        await offers.note_unreached(self._context.acting(actor), command)


async def start(base: Context, settings: Settings, _: Callable[[type], Any]) -> Running:
    """Bring scheduling up: its context with a live copy that follows the log."""
    live = Live(base.db, base.clock, base.origin, base.wake, settings.horizon_days)
    context = SchedulingContext(
        actor=base.actor, clock=base.clock, ids=base.ids, rng=base.rng, db=base.db, wake=base.wake,
        vault=base.vault, origin=base.origin, settings=settings, live=live, choose=LeastFragmentation(),
    )  # fmt: skip
    offered: dict[type, object] = {c.Scheduling: LocalScheduling(context), c.Offers: LocalOffers(context)}
    return Running(context, offered, ready=lambda: live.ready, follow=live.follow, warm=warm_up)


MODULE = Module(
    name="scheduling",
    start=start,
    settings=Settings,
    offers=(c.Scheduling, c.Offers),
    routes=ROUTES,
    prefixes=(
        "/api/v1/availability", "/api/v1/holds", "/api/v1/appointments", "/api/v1/appointment-series",
        "/api/v1/schedules", "/api/v1/blocks", "/api/v1/gaps", "/api/v1/time-in-use", "/api/v1/outages", "/api/v1/offers",
        "/api/v1/day-plans", "/api/v1/planning-rules", "/api/v1/appointment-links",
        "/api/v1/waitlist", "/api/v1/waitlist-policies",
    ),
    subscriptions={
        LocationChanged: handlers.copy_location,
        PractitionerChanged: handlers.copy_practitioner,
        DeviceChanged: handlers.copy_device,
        VisitTypeChanged: handlers.copy_visit_type,
        PatientChanged: handlers.copy_patient,
        PatientErased: handlers.erase_patient,
        VisitsStopped: handlers.copy_stops,
        PatientMerged: handlers.take_over,
        QueueEntryMoved: handlers.follow_turn,
        c.AppointmentRescheduled: handlers.follow_appointment,
        c.AppointmentCancelled: handlers.follow_appointment,
        c.AppointmentAdvanced: handlers.follow_appointment,
        c.AppointmentHoldExpired: handlers.offer_hold,
        c.AppointmentBooked: handlers.follow_booking,
        o.OfferEnded: handlers.follow_offer,
        w.WaitingChanged: handlers.follow_waiting,
        CommunicationNotDone: handlers.note_unreached,
        OutageReported: handlers.propose_plans,
        OutageEnded: handlers.give_up_plans,
    },
    at_once=frozenset({PatientChanged}),
    shown=(APPOINTMENTS, CALENDARS, TIME_IN_USE, OFFERS, DAY_PLANS, LINKS),
    jobs=JOBS,
    timers=TIMERS,
    sealed=SEALED,
)  # fmt: skip
