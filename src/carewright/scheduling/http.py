"""Scheduling over HTTP: parse, call one use case, render."""

from typing import Annotated
from uuid import UUID

import msgspec

from carewright.contracts import hours as h
from carewright.contracts import links as k
from carewright.contracts import offers as o
from carewright.contracts import scheduling as c
from carewright.contracts import waitlist as w
from carewright.contracts.coverage import NotAuthorised, NotCovered
from carewright.contracts.directory import ActorKind
from carewright.contracts.in_use import Gaps, GivenBack, ListGaps, TakeTime, TimeInUse
from carewright.contracts.outages import REPORT, ListOutages, Outage, OutagesPage, ReportOutage, UnknownOutage
from carewright.contracts.planner import (
    AcceptPlan,
    GetPlanningRules,
    GiveUpPlan,
    KeptPlan,
    ListPlans,
    NoSuchMove,
    OnlySupposed,
    PlanDay,
    PlanningRules,
    PlanNotOpen,
    PlanRuns,
    PlansPage,
    SetPlanningRules,
    SomeMoves,
    UnknownPlan,
)
from carewright.contracts.schedules import Calendar, GetCalendar, ListSchedules, SchedulesPage
from carewright.contracts.series import BookSeries, Series
from carewright.contracts.starts import FindTimes
from carewright.kernel.errors import PreconditionFailed
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority
from carewright.kernel.values import Code, Instant, Limit, Reason
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change, find, gaps, in_use, links, offers, outages, plans, search, waitlist

Ctx = SchedulingContext
NO_TIME = (c.BookedElsewhere, c.UnknownVisitType, c.UnknownSite, c.OutsideRules)
NamedIds = Annotated[tuple[UUID, ...], msgspec.Meta(max_length=50)]
"""As many ids as an address takes."""
LOST = (c.TimeNotFree, c.PatientBusy, c.CalendarMoved)
STOPPED = (NotCovered, NotAuthorised)


class CancelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`reason` is a code of FHIR's appointment-cancellation-reason, such as `pat` or `prov`."""

    reason: Code = "pat"


class RescheduleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    time: c.PickedTime
    override: h.Override | None = None


class StatusBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    status: c.AdvanceStatus


class BlockBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    start: Instant
    end: Instant
    reason: Reason


class HoursBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    weekly: h.Weekly
    exceptions: h.Exceptions = ()
    leave: h.Leaves = ()


class SchedulesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calendars in order of their ids, closed ones too; as many conditions as an address takes. `after` is where a page ended."""

    ids: NamedIds = ()
    kinds: Annotated[tuple[ActorKind, ...], msgspec.Meta(max_length=7)] = ()
    site_ids: NamedIds = ()
    after: UUID | None = None
    limit: Limit = 50


class PeriodQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    from_at: Instant
    until_at: Instant


class AnswerBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    answer: o.OfferAnswer


class AcceptPlanBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which moves of the plan; all of them, where none are named."""

    appointment_ids: SomeMoves | None = None


async def find_times(ctx: Ctx, call: Call[FindTimes, Nothing]) -> c.TimesPage:
    return await find.find_times(ctx, call.query)


async def hold_time(ctx: Ctx, call: Call[Nothing, c.HoldTime]) -> c.Appointment:
    return await book.hold_time(ctx, call.body)


async def release_hold(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Appointment:
    return await change.release_hold(ctx, call.path["hold_id"])


async def book_appointment(ctx: Ctx, call: Call[Nothing, c.BookAppointment]) -> c.Appointment:
    return await book.book_appointment(ctx, call.body)


async def book_series(ctx: Ctx, call: Call[Nothing, BookSeries]) -> Series:
    return await book.book_series(ctx, call.body)


async def list_appointments(ctx: Ctx, call: Call[c.ListAppointments, Nothing]) -> c.AppointmentsPage:
    return await change.list_appointments(ctx, call.query)


async def search_appointments(ctx: Ctx, call: Call[Nothing, c.SearchAppointments]) -> c.AppointmentsFound:
    return await search.search_appointments(ctx, call.body)


async def get_appointment(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Appointment:
    return await change.get_appointment(ctx, call.path["appointment_id"])


async def confirm_appointment(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.Appointment:
    command = c.ConfirmAppointment(appointment_id=call.path["appointment_id"], expected_version=call.version)
    return await change.confirm_appointment(ctx, command)


async def cancel_appointment(ctx: Ctx, call: Call[Nothing, CancelBody]) -> c.Appointment:
    command = c.CancelAppointment(appointment_id=call.path["appointment_id"], reason=call.body.reason, expected_version=call.version)
    return await change.cancel_appointment(ctx, command)


async def reschedule_appointment(ctx: Ctx, call: Call[Nothing, RescheduleBody]) -> c.Appointment:
    command = c.RescheduleAppointment(
        appointment_id=call.path["appointment_id"], time=call.body.time, override=call.body.override, expected_version=call.version
    )
    return await change.reschedule_appointment(ctx, command)


async def advance_appointment(ctx: Ctx, call: Call[Nothing, StatusBody]) -> c.Appointment:
    command = c.AdvanceAppointment(appointment_id=call.path["appointment_id"], status=call.body.status, expected_version=call.version)
    return await change.advance_appointment(ctx, command)


async def list_schedules(ctx: Ctx, call: Call[SchedulesQuery, Nothing]) -> SchedulesPage:
    query = call.query
    asked = ListSchedules(ids=query.ids, kinds=query.kinds, site_ids=query.site_ids, after=query.after, limit=query.limit)
    return await calendars.list_schedules(ctx, asked)


async def get_calendar(ctx: Ctx, call: Call[PeriodQuery, Nothing]) -> Calendar:
    query = GetCalendar(schedule_id=call.path["schedule_id"], from_at=call.query.from_at, until_at=call.query.until_at)
    return await calendars.get_calendar(ctx, query)


async def set_working_hours(ctx: Ctx, call: Call[Nothing, HoursBody]) -> c.CalendarChanged:
    body = call.body
    command = h.SetWorkingHours(schedule_id=call.path["schedule_id"], weekly=body.weekly, exceptions=body.exceptions, leave=body.leave)
    return await calendars.set_working_hours(ctx, command)


async def block_time(ctx: Ctx, call: Call[Nothing, BlockBody]) -> c.CalendarChanged:
    body = call.body
    command = h.BlockTime(schedule_id=call.path["schedule_id"], start=body.start, end=body.end, reason=body.reason)
    return await calendars.block_time(ctx, command)


async def unblock_time(ctx: Ctx, call: Call[Nothing, Nothing]) -> c.CalendarChanged:
    return await calendars.unblock_time(ctx, call.path["block_id"])


async def list_gaps(ctx: Ctx, call: Call[ListGaps, Nothing]) -> Gaps:
    return await gaps.list_gaps(ctx, call.query)


async def take_time(ctx: Ctx, call: Call[Nothing, TakeTime]) -> TimeInUse:
    return await in_use.take_time(ctx, call.body)


async def give_time_back(ctx: Ctx, call: Call[Nothing, Nothing]) -> GivenBack:
    return await in_use.give_time_back(ctx, call.path["entry_id"])


async def start_plan(ctx: Ctx, call: Call[Nothing, PlanDay]) -> KeptPlan:
    return await plans.start_plan(ctx, call.body)


async def list_plans(ctx: Ctx, call: Call[ListPlans, Nothing]) -> PlansPage:
    return await plans.list_plans(ctx, call.query)


async def get_plan(ctx: Ctx, call: Call[Nothing, Nothing]) -> KeptPlan:
    return await plans.get_plan(ctx, call.path["plan_id"])


async def give_up_plan(ctx: Ctx, call: Call[Nothing, Nothing]) -> KeptPlan:
    return await plans.give_up_plan(ctx, GiveUpPlan(plan_id=call.path["plan_id"], expected_version=call.version))


async def accept_plan(ctx: Ctx, call: Call[Nothing, AcceptPlanBody]) -> KeptPlan:
    command = AcceptPlan(plan_id=call.path["plan_id"], appointment_ids=call.body.appointment_ids, expected_version=call.version)
    return await plans.accept_plan(ctx, command)


async def get_planning_rules(ctx: Ctx, call: Call[GetPlanningRules, Nothing]) -> PlanningRules:
    return await plans.get_planning_rules(ctx, call.query)


async def set_planning_rules(ctx: Ctx, call: Call[Nothing, SetPlanningRules]) -> PlanningRules:
    return await plans.set_planning_rules(ctx, call.body)


async def report_outage(ctx: Ctx, call: Call[Nothing, ReportOutage]) -> Outage:
    return await outages.report_outage(ctx, call.body)


async def end_outage(ctx: Ctx, call: Call[Nothing, Nothing]) -> Outage:
    return await outages.end_outage(ctx, call.path["outage_id"])


async def get_outage(ctx: Ctx, call: Call[Nothing, Nothing]) -> Outage:
    return await outages.get_outage(ctx, call.path["outage_id"])


async def list_outages(ctx: Ctx, call: Call[ListOutages, Nothing]) -> OutagesPage:
    return await outages.list_outages(ctx, call.query)


async def make_offer(ctx: Ctx, call: Call[Nothing, o.MakeOffer]) -> o.Offer:
    return await offers.make_offer(ctx, call.body)


async def list_offers(ctx: Ctx, call: Call[o.ListOffers, Nothing]) -> o.OffersPage:
    return await offers.list_offers(ctx, call.query)


async def get_offer(ctx: Ctx, call: Call[Nothing, Nothing]) -> o.Offer:
    return await offers.get_offer(ctx, call.path["offer_id"])


async def answer_offer(ctx: Ctx, call: Call[Nothing, AnswerBody]) -> o.Offer:
    command = o.AnswerOffer(offer_id=call.path["offer_id"], answer=call.body.answer, expected_version=call.version)
    return await offers.answer_offer(ctx, command)


async def withdraw_offer(ctx: Ctx, call: Call[Nothing, Nothing]) -> o.Offer:
    command = o.WithdrawOffer(offer_id=call.path["offer_id"], expected_version=call.version)
    return await offers.withdraw_offer(ctx, command)


async def link_appointments(ctx: Ctx, call: Call[Nothing, k.LinkAppointments]) -> k.AppointmentLink:
    return await links.link_appointments(ctx, call.body)


async def list_links(ctx: Ctx, call: Call[k.ListLinks, Nothing]) -> k.LinksPage:
    return await links.list_links(ctx, call.query)


async def get_link(ctx: Ctx, call: Call[Nothing, Nothing]) -> k.AppointmentLink:
    return await links.get_link(ctx, call.path["link_id"])


async def note_link_seen(ctx: Ctx, call: Call[Nothing, Nothing]) -> k.AppointmentLink:
    return await links.note_link_seen(ctx, k.NoteLinkSeen(link_id=call.path["link_id"], expected_version=call.version))


async def unlink_appointments(ctx: Ctx, call: Call[Nothing, Nothing]) -> k.AppointmentLink:
    return await links.unlink_appointments(ctx, k.UnlinkAppointments(link_id=call.path["link_id"], expected_version=call.version))


async def join_waitlist(ctx: Ctx, call: Call[Nothing, w.JoinWaitlist]) -> w.WaitlistEntry:
    return await waitlist.join_waitlist(ctx, call.body)


async def list_waiting(ctx: Ctx, call: Call[w.ListWaiting, Nothing]) -> w.WaitlistPage:
    return await waitlist.list_waiting(ctx, call.query)


async def get_waiting(ctx: Ctx, call: Call[Nothing, Nothing]) -> w.WaitlistEntry:
    return await waitlist.get_waiting(ctx, call.path["entry_id"])


async def change_waiting(ctx: Ctx, call: Call[Nothing, w.Wishes]) -> w.WaitlistEntry:
    command = w.ChangeWaiting(entry_id=call.path["entry_id"], wishes=call.body, expected_version=call.version)
    return await waitlist.change_waiting(ctx, command)


async def leave_waitlist(ctx: Ctx, call: Call[Nothing, Nothing]) -> w.WaitlistEntry:
    command = w.LeaveWaitlist(entry_id=call.path["entry_id"], expected_version=call.version)
    return await waitlist.leave_waitlist(ctx, command)


async def get_waitlist_policy(ctx: Ctx, call: Call[Nothing, Nothing]) -> w.WaitlistPolicy:
    return await waitlist.get_waitlist_policy(ctx, call.path["site_id"])


async def set_waitlist_policy(ctx: Ctx, call: Call[Nothing, w.PolicyTerms]) -> w.WaitlistPolicy:
    command = w.SetWaitlistPolicy(site_id=call.path["site_id"], terms=call.body, expected_version=call.version)
    return await waitlist.set_waitlist_policy(ctx, command)


ONE = "/api/v1/appointments/{appointment_id}"
CALENDAR = "/api/v1/schedules/{schedule_id}"
OFFER = "/api/v1/offers/{offer_id}"
PLAN = "/api/v1/day-plans/{plan_id}"
RULES = "/api/v1/planning-rules"
LINK = "/api/v1/appointment-links/{link_id}"
ENDED = (o.UnknownOffer, o.OfferNotOpen)
WAITING = "/api/v1/waitlist/{entry_id}"
NO_WAIT = (c.UnknownVisitType, c.UnknownSite, c.OutsideRules)

ROUTES = (
    Route(
        "GET", "/api/v1/gaps", list_gaps, "Whose time is free now or soon, and whose patient has not come.",
        permission="scheduling.calendar.read", query=ListGaps, answer=Gaps, priority=Priority.PRESENCE, refusals=(c.UnknownSite,),
    ),
    Route(
        "POST", "/api/v1/time-in-use", take_time, "Take a practitioner's time for a turn that is called next.",
        permission=in_use.TAKE, body=TakeTime, answer=TimeInUse, keyed=True, priority=Priority.PRESENCE,
        refusals=(c.NoTimeForTurn, c.UnknownSchedule),
    ),
    Route(
        "DELETE", "/api/v1/time-in-use/{entry_id}", give_time_back, "Give back what was taken for a turn that was not called.",
        permission=in_use.TAKE, answer=GivenBack, priority=Priority.PRESENCE,
    ),
    Route(
        "GET", "/api/v1/availability", find_times, "Find free times for a visit, earliest first.",
        permission="scheduling.find", query=FindTimes, answer=c.TimesPage, refusals=NO_TIME,
    ),
    Route(
        "POST", "/api/v1/holds", hold_time, "Keep a time for a few minutes while the person decides.",
        permission="scheduling.appointment.hold", body=c.HoldTime, answer=c.Appointment, keyed=True, versioned=True,
        created="/api/v1/appointments/{id}", refusals=(*NO_TIME, *LOST, *STOPPED, c.HoldLimitReached, c.UnknownPatient),
    ),
    Route(
        "DELETE", "/api/v1/holds/{hold_id}", release_hold, "Give a held time back.",
        permission="scheduling.appointment.hold", answer=c.Appointment, keyed=True, refusals=(c.UnknownAppointment, c.IllegalStep),
    ),
    Route(
        "POST", "/api/v1/appointments", book_appointment, "Book a held time or a free one, with everybody it needs, or nothing.",
        permission="scheduling.appointment.book", body=c.BookAppointment, answer=c.Appointment, keyed=True, versioned=True,
        created="/api/v1/appointments/{id}",
        refusals=(
            *NO_TIME, *LOST, *STOPPED, c.HoldExpired, c.PrerequisiteMissing, c.UnknownPatient, c.UnknownAppointment, c.IllegalStep,
            c.OverrideExhausted,
        ),
    ),
    Route(
        "GET", "/api/v1/appointments", list_appointments, "A patient's appointments; without `patient_id`, your own.",
        permission="scheduling.appointment.read", query=c.ListAppointments, answer=c.AppointmentsPage,
    ),
    Route(
        "POST", "/api/v1/appointments/find", search_appointments, "Appointments of anybody, by patient, time, site or who takes part.",
        permission="scheduling.appointment.read", body=c.SearchAppointments, answer=c.AppointmentsFound, priority=Priority.LOOK,
    ),
    Route(
        "GET", ONE, get_appointment, "One appointment.", permission="scheduling.appointment.read", answer=c.Appointment, versioned=True,
        refusals=(c.UnknownAppointment,),
    ),
    Route(
        "POST", f"{ONE}/confirm", confirm_appointment, "Accept a request (staff), or say that you will come (patient).",
        permission="scheduling.appointment.confirm", answer=c.Appointment, keyed=True, versioned=True,
        refusals=(c.UnknownAppointment, c.IllegalStep, c.BookedElsewhere, *STOPPED),
    ),
    Route(
        "POST", f"{ONE}/cancel", cancel_appointment, "Cancel, and give the time back.",
        permission="scheduling.appointment.cancel", body=CancelBody, answer=c.Appointment, keyed=True, versioned=True,
        refusals=(c.UnknownAppointment, c.IllegalStep, c.BookedElsewhere),
    ),
    Route(
        "POST", f"{ONE}/reschedule", reschedule_appointment, "Move to another time in one step; the id stays.",
        permission="scheduling.appointment.reschedule", body=RescheduleBody, answer=c.Appointment, keyed=True, versioned=True,
        refusals=(*NO_TIME, *LOST, *STOPPED, c.UnknownAppointment, c.IllegalStep, c.OverrideExhausted),
    ),
    Route(
        "POST", f"{ONE}/status", advance_appointment, "Record what happened: arrived, checked in, fulfilled, not shown, entered in error.",
        permission="scheduling.appointment.advance", body=StatusBody, answer=c.Appointment, keyed=True, versioned=True,
        priority=Priority.PRESENCE, refusals=(c.UnknownAppointment, c.IllegalStep, c.BookedElsewhere),
    ),
    Route(
        "POST", "/api/v1/appointment-series", book_series, "Book every visit of a series, or none.",
        permission="scheduling.appointment.book", body=BookSeries, answer=Series, keyed=True,
        refusals=(*NO_TIME, *LOST, *STOPPED, c.SeriesNotFree, c.PrerequisiteMissing, c.UnknownPatient),
    ),
    Route(
        "POST", "/api/v1/offers", make_offer, "Ask a patient whether another time suits them, and keep it until they answer.",
        permission=offers.MAKE, body=o.MakeOffer, answer=o.Offer, keyed=True, versioned=True, created="/api/v1/offers/{id}",
        refusals=(*NO_TIME, *LOST, c.UnknownAppointment, c.IllegalStep, o.OfferStillOpen, o.TooLateToAsk, PreconditionFailed),
    ),
    Route(
        "GET", "/api/v1/offers", list_offers, "What was offered for appointments, to a patient or at a site, and what came of it.",
        permission=offers.READ, query=o.ListOffers, answer=o.OffersPage,
    ),
    Route(
        "GET", OFFER, get_offer, "One offer.", permission=offers.READ, answer=o.Offer, versioned=True, refusals=(o.UnknownOffer,),
    ),
    Route(
        "POST", f"{OFFER}/answer", answer_offer, "Accept, which books or moves to the time that is kept, or decline.",
        permission=offers.ANSWER, body=AnswerBody, answer=o.Offer, keyed=True, versioned=True,
        refusals=(*NO_TIME, *LOST, *STOPPED, *ENDED, c.UnknownAppointment, c.IllegalStep, c.PrerequisiteMissing),
    ),
    Route(
        "POST", f"{OFFER}/withdraw", withdraw_offer, "Take an offer back, and give its time back.",
        permission=offers.MAKE, answer=o.Offer, keyed=True, versioned=True, refusals=ENDED,
    ),
    Route(
        "POST", "/api/v1/appointment-links", link_appointments, "Have an appointment depend on another of the same patient.",
        permission=links.MAKE, body=k.LinkAppointments, answer=k.AppointmentLink, keyed=True, versioned=True,
        created="/api/v1/appointment-links/{id}",
        refusals=(
            c.UnknownAppointment, c.IllegalStep, k.AlreadyLinked, k.LinkContradicts, k.LinkDoesNotFit, k.TooManyLinks,
        ),
    ),
    Route(
        "GET", "/api/v1/appointment-links", list_links, "What depends on what: of an appointment, a patient, or broken at a site.",
        permission=links.READ, query=k.ListLinks, answer=k.LinksPage,
    ),
    Route(
        "GET", LINK, get_link, "One link.", permission=links.READ, answer=k.AppointmentLink, versioned=True, refusals=(k.UnknownLink,),
    ),
    Route(
        "POST", f"{LINK}/seen", note_link_seen, "Somebody saw to a link that is broken.",
        permission=links.MAKE, answer=k.AppointmentLink, keyed=True, versioned=True, refusals=(k.UnknownLink, k.LinkNotBroken),
    ),
    Route(
        "DELETE", LINK, unlink_appointments, "Have the appointment depend on the other no more. Both stay as they are.",
        permission=links.MAKE, answer=k.AppointmentLink, keyed=True, versioned=True, refusals=(k.UnknownLink,),
    ),
    Route(
        "GET", "/api/v1/schedules", list_schedules, "Whose calendars there are.", permission="scheduling.calendar.read",
        query=SchedulesQuery, answer=SchedulesPage,
    ),
    Route(
        "GET", f"{CALENDAR}/calendar", get_calendar, "One actor's openings and what is taken, over at most 31 days.",
        permission="scheduling.calendar.read", query=PeriodQuery, answer=Calendar, refusals=(c.UnknownSchedule,),
    ),
    Route(
        "PUT", f"{CALENDAR}/hours", set_working_hours, "Replace an actor's working hours; returns the appointments that no longer fit.",
        permission="scheduling.calendar.change", body=HoursBody, answer=c.CalendarChanged, keyed=True,
        refusals=(c.UnknownSchedule, c.UnknownSite),
    ),
    Route(
        "POST", f"{CALENDAR}/blocks", block_time, "Close a calendar for a period; returns the appointments inside, none of them dropped.",
        permission="scheduling.calendar.change", body=BlockBody, answer=c.CalendarChanged, keyed=True, refusals=(c.UnknownSchedule,),
    ),
    Route(
        "DELETE", "/api/v1/blocks/{block_id}", unblock_time, "Open a blocked period again.",
        permission="scheduling.calendar.change", answer=c.CalendarChanged, keyed=True, refusals=(c.UnknownBlock,),
    ),
    Route(
        "POST", "/api/v1/outages", report_outage, "Say what is out of service; returns the appointments inside, none of them dropped.",
        permission=REPORT, body=ReportOutage, answer=Outage, keyed=True, created="/api/v1/outages/{id}",
        priority=Priority.PRESENCE, refusals=(c.UnknownSchedule,),
    ),
    Route(
        "GET", "/api/v1/outages", list_outages, "What is out of service at a site, with what it hits.", permission=outages.READ,
        query=ListOutages, answer=OutagesPage, priority=Priority.PRESENCE, refusals=(c.UnknownSite,),
    ),
    Route(
        "GET", "/api/v1/outages/{outage_id}", get_outage, "One thing that is out of service, with what it hits.", permission=outages.READ,
        answer=Outage, priority=Priority.PRESENCE, refusals=(UnknownOutage,),
    ),
    Route(
        "POST", "/api/v1/outages/{outage_id}/end", end_outage, "In service again, earlier than was said.",
        permission=REPORT, answer=Outage, keyed=True, priority=Priority.PRESENCE, refusals=(UnknownOutage,),
    ),
    Route(
        "POST", "/api/v1/day-plans", start_plan, "Search for a better plan for a site's day, in the background: nothing is changed by it.",
        permission=plans.MAKE, body=PlanDay, answer=KeptPlan, keyed=True, versioned=True, created="/api/v1/day-plans/{id}",
        priority=Priority.REPORT, refusals=(c.UnknownSite, c.UnknownSchedule, c.UnknownVisitType, PlanRuns),
    ),
    Route(
        "GET", "/api/v1/day-plans", list_plans, "Plans of a site, the newest first, without their moves.", permission=plans.MAKE,
        query=ListPlans, answer=PlansPage, priority=Priority.LOOK, refusals=(c.UnknownSite,),
    ),
    Route(
        "GET", PLAN, get_plan, "A plan: how far the search is, what it found, and what became of that.", permission=plans.MAKE,
        answer=KeptPlan, versioned=True, priority=Priority.LOOK, refusals=(UnknownPlan,),
    ),
    Route(
        "POST", f"{PLAN}/give-up", give_up_plan, "Search no further, or put aside what was found.", permission=plans.MAKE,
        answer=KeptPlan, keyed=True, versioned=True, refusals=(UnknownPlan, PlanNotOpen),
    ),
    Route(
        "POST", f"{PLAN}/accept", accept_plan, "Make moves of a plan, all or some, as many as still can be made.", permission=plans.MAKE,
        body=AcceptPlanBody, answer=KeptPlan, keyed=True, versioned=True, refusals=(UnknownPlan, PlanNotOpen, OnlySupposed, NoSuchMove),
    ),
    Route(
        "GET", RULES, get_planning_rules, "What is planned and accepted at a site by itself.", permission=plans.READ_RULES,
        query=GetPlanningRules, answer=PlanningRules, refusals=(c.UnknownSite,),
    ),
    Route(
        "PUT", RULES, set_planning_rules, "Set that.", permission=plans.CHANGE_RULES, body=SetPlanningRules, answer=PlanningRules,
        keyed=True, refusals=(c.UnknownSite,),
    ),
    Route(
        "POST", "/api/v1/waitlist", join_waitlist, "Wait for a time, with what suits and how urgent it is.",
        permission=waitlist.CHANGE, body=w.JoinWaitlist, answer=w.WaitlistEntry, keyed=True, versioned=True,
        created="/api/v1/waitlist/{id}",
        refusals=(*NO_WAIT, w.AlreadyWaiting, w.WaitsEnough, w.NothingToGiveUp, c.PrerequisiteMissing, c.UnknownPatient),
    ),
    Route(
        "GET", "/api/v1/waitlist", list_waiting, "Who waits at a site, or for what a patient does.",
        permission=waitlist.READ, query=w.ListWaiting, answer=w.WaitlistPage,
    ),
    Route(
        "GET", WAITING, get_waiting, "One entry of the waitlist.", permission=waitlist.READ, answer=w.WaitlistEntry, versioned=True,
        refusals=(w.UnknownWaiting,),
    ),
    Route(
        "PUT", WAITING, change_waiting, "Wait for something else of the same kind, in the same place of the list.",
        permission=waitlist.CHANGE, body=w.Wishes, answer=w.WaitlistEntry, keyed=True, versioned=True,
        refusals=(*NO_WAIT, w.UnknownWaiting, w.NotWaiting),
    ),
    Route(
        "POST", f"{WAITING}/leave", leave_waitlist, "Wait no more; what is offered just now is taken back.",
        permission=waitlist.CHANGE, answer=w.WaitlistEntry, keyed=True, versioned=True, refusals=(w.UnknownWaiting, w.NotWaiting),
    ),
    Route(
        "GET", "/api/v1/waitlist-policies/{site_id}", get_waitlist_policy, "How a site offers time that falls free.",
        permission=waitlist.READ, answer=w.WaitlistPolicy, refusals=(c.UnknownSite,),
    ),
    Route(
        "PUT", "/api/v1/waitlist-policies/{site_id}", set_waitlist_policy, "Say how a site offers time that falls free.",
        permission=waitlist.SET_POLICY, body=w.PolicyTerms, answer=w.WaitlistPolicy, keyed=True, versioned=True, refusals=(c.UnknownSite,),
    ),
)  # fmt: skip
