"""What the pages do: each function asks the modules that know, in the patient's name, and decides nothing itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from carewright.contracts.access import (
    AcceptConsent,
    ActFor,
    ConsentsPage,
    GiveConsent,
    GivenConsent,
    RedeemCode,
    RequestCode,
    Session,
    StartedSession,
    UnknownConsent,
    UnknownSession,
)
from carewright.contracts.apps import AppAsked, AskApp, LetAppIn
from carewright.contracts.consents import Consent
from carewright.contracts.delays import ExpectedStart, ListExpected
from carewright.contracts.directory import FindServices, FindStaff, Location, ServiceSummary, Staff, VisitType
from carewright.contracts.notifications import MessagesPage, ReadInbox
from carewright.contracts.passkeys import CREDENTIAL_LENGTH_MAX, AddPasskey, Passkey, PasskeyAsked, RedeemPasskey, StartPasskey
from carewright.contracts.patients import ContactPoint, Patient, UnknownPatient
from carewright.contracts.scheduling import (
    Appointment,
    BookAppointment,
    CancelAppointment,
    HoldLimitReached,
    HoldTime,
    ListAppointments,
    PatientBusy,
    PickedTime,
    RescheduleAppointment,
    Slot,
    UnknownAppointment,
)
from carewright.contracts.starts import FindTimes
from carewright.kernel import telemetry
from carewright.kernel.errors import IdempotencyInFlight, NotFound, Refusal, Unauthenticated
from carewright.portal.context import PortalContext
from carewright.portal.model import sign_in, times
from carewright.portal.model.appointments import is_hold, is_live_hold, was_only_held
from carewright.portal.model.choices import able, bookable, lead_codes, offered_sites
from carewright.portal.model.sign_in import SignInTry
from carewright.portal.model.times import TimesQuery, Walls, walls_of
from carewright.portal.service.telling import tell

T = TypeVar("T")
LIST_MAX = 200
PAGES_MAX = 5
PAST_DAYS_SHOWN = 365
IN_FLIGHT_TRIES = 30
IN_FLIGHT_WAIT_SECONDS = 0.1
WRONG_CODE_SECONDS = 0.5
"""More than finding out takes."""
INBOX_MAX = 50
log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class VisitKnown:
    """A kind of visit with its service, the sites that offer it, and every site's wall clock."""

    kind: VisitType
    summary: ServiceSummary
    sites: tuple[Location, ...]
    walls: Walls


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a times query: the slots of `day`, and the first slot of each day around it.

    Where nothing fits, `day` is None and `elsewhere` the first time without the patient's wishes, if there is one.
    `today` and `last` bound the days that may be booked.
    """

    query: TimesQuery
    visit: VisitKnown
    staff: tuple[Staff, ...]
    today: date
    last: date
    day: date | None
    slots: tuple[Slot, ...]
    firsts: Mapping[date, Slot | None]
    elsewhere: Slot | None


@dataclass(frozen=True, slots=True)
class Picked:
    """The time that was clicked, and the wishes it was chosen by."""

    query: TimesQuery
    site_id: UUID
    start: datetime

    def as_time(self) -> PickedTime:
        return PickedTime(
            visit_type_id=self.query.visit_type_id,
            site_id=self.site_id,
            start=self.start,
            practitioner_id=self.query.practitioner,
            language=self.query.language,
        )


async def get_myself(ctx: PortalContext) -> Patient:
    return await ctx.patients.get_patient(ctx.actor, ctx.patient_id)


async def list_services(ctx: PortalContext) -> list[ServiceSummary]:
    """All services: a hospital has some dozens, and a person's words are looked for in all of what a page says about them."""
    found = list[ServiceSummary]()
    for number in range(PAGES_MAX):
        page = await ctx.directory.find_services(ctx.actor, FindServices(limit=LIST_MAX, offset=number * LIST_MAX))
        found += page.items
        if len(found) >= page.total or not page.items:
            break
    return found


async def get_visit(ctx: PortalContext, visit_type_id: UUID) -> VisitKnown:
    """A kind of visit that a patient may book. Raises `NotFound` for one that only staff arrange."""
    kind, sites = await asyncio.gather(ctx.directory.get_visit_type(ctx.actor, visit_type_id), get_sites(ctx))
    summary = await ctx.directory.get_service(ctx.actor, kind.healthcare_service_id)
    if kind not in bookable(summary):
        raise NotFound
    offered = offered_sites(sites, summary.service.site_ids, kind)
    return VisitKnown(kind, summary, offered, walls_of(sites, ctx.settings.locale))


async def get_sites(ctx: PortalContext) -> tuple[Location, ...]:
    return (await ctx.directory.find_sites(ctx.actor)).items


async def find_free_times(ctx: PortalContext, asked: TimesQuery) -> Found:
    """The times of the first day that has one to the patient's wishes, and what the days around it offer."""
    visit = await get_visit(ctx, asked.visit_type_id)
    query = asked if asked.site in {site.id for site in visit.sites} else asked.but(site=None)
    wall = visit.walls.of(query.site)
    today = wall.day(ctx.clock.now())
    last = today + timedelta(days=visit.kind.rules.horizon_days)
    staff, first = await asyncio.gather(
        _leads(ctx, visit, query.site), _first(ctx, visit, query, max(today, query.day or today), days=None)
    )
    if first is None:
        return Found(query, visit, staff, today, last, None, (), {}, await _elsewhere(ctx, query))
    day = wall.day(first.start)
    slots, firsts = await asyncio.gather(_slots(ctx, visit, query, day), _firsts(ctx, visit, query, first, last))
    return Found(query, visit, staff, today, last, day, slots, firsts, None)


async def _first(ctx: PortalContext, visit: VisitKnown, query: TimesQuery, day: date, *, days: int | None) -> Slot | None:
    wall, now = visit.walls.of(query.site), ctx.clock.now()
    question = times.question(query, wall, now, visit.kind.duration_minutes, day, days, limit=1)
    found = next(iter((await ctx.scheduling.find_times(ctx.actor, question)).items), None)
    return found if found and (days is None or wall.day(found.start) == day) else None


async def _firsts(ctx: PortalContext, visit: VisitKnown, query: TimesQuery, first: Slot, last: date) -> Mapping[date, Slot | None]:
    """The first slot of each day in the strip around `first`; days past the horizon are not asked for."""
    wall = visit.walls.of(query.site)
    shown = wall.day(first.start)
    strip = times.strip_days(shown, wall.day(ctx.clock.now()))
    asked = [day for day in strip if day != shown and day <= last]
    found = await asyncio.gather(*(_first(ctx, visit, query, day, days=1) for day in asked))
    known = dict(zip(asked, found, strict=True)) | {shown: first}
    return {day: known.get(day) for day in strip}


async def _elsewhere(ctx: PortalContext, query: TimesQuery) -> Slot | None:
    """The first time without any wish, where the patient had one."""
    if not query.narrowed and query.day is None:
        return None
    anywhere = await ctx.scheduling.find_times(ctx.actor, FindTimes(visit_type_id=query.visit_type_id, limit=1))
    return next(iter(anywhere.items), None)


async def _leads(ctx: PortalContext, visit: VisitKnown, site_id: UUID | None) -> tuple[Staff, ...]:
    """Those a patient may wish to see. The directory searches by one specialty; `able` narrows it to the visit's other codes."""
    codes, own = lead_codes(visit.kind), visit.summary.service.specialty
    if not codes:
        return ()
    specialty = f"{own.system}|{own.code}"
    question = FindStaff(kind="practitioner", specialty=specialty if specialty in codes else None, site_id=site_id, limit=LIST_MAX)
    return able((await ctx.directory.find_staff(ctx.actor, question)).items, visit.kind)


async def _slots(ctx: PortalContext, visit: VisitKnown, query: TimesQuery, day: date) -> tuple[Slot, ...]:
    """All slots of one day."""
    wall, now = visit.walls.of(query.site), ctx.clock.now()
    question = times.question(query, wall, now, visit.kind.duration_minutes, day, 1, LIST_MAX)
    found = list[Slot]()
    for _ in range(PAGES_MAX):
        page = await ctx.scheduling.find_times(ctx.actor, question)
        found += page.items
        if page.next is None:
            break
        question = msgspec.structs.replace(question, after=page.next)
    return tuple(slot for slot in found if wall.day(slot.start) == day)


async def keep_time(ctx: PortalContext, picked: Picked, key: str) -> Appointment:
    """Hold the picked time. A patient decides about one time of a kind of visit: an earlier hold of it is let go.

    The earlier one goes first only where it stands in the way, so that a failed try does not lose it.
    """
    earlier = [one for one in await own_holds(ctx) if one.visit_type_id == picked.query.visit_type_id]
    try:
        held = await _hold(ctx, picked, key)
    except (PatientBusy, HoldLimitReached):
        if not earlier:
            raise
        await _let_go(ctx, earlier)
        return await _hold(ctx, picked, key)
    await _let_go(ctx, [one for one in earlier if one.id != held.id])
    return held


async def _hold(ctx: PortalContext, picked: Picked, key: str) -> Appointment:
    """Hold under `key`; under a new one where that key's hold has ended, as after a step back in the browser."""
    command = HoldTime(time=picked.as_time(), patient_id=ctx.patient_id)
    first = await patiently(lambda: ctx.scheduling.hold_time(ctx.actor, command, key))
    try:
        if is_live_hold(await ctx.scheduling.get_appointment(ctx.actor, first.id), ctx.clock.now()):
            return first
    except UnknownAppointment:
        pass
    return await ctx.scheduling.hold_time(ctx.actor, command, str(ctx.ids.new()))


async def _let_go(ctx: PortalContext, holds: list[Appointment]) -> None:
    """Release what is still held. One that ended by itself meanwhile is what we wanted."""
    for one in holds:
        try:
            await ctx.scheduling.release_hold(ctx.actor, one.id, f"release:{one.id}")
        except Refusal as refusal:
            if refusal.status >= 500:
                raise


async def own_holds(ctx: PortalContext) -> list[Appointment]:
    """The times kept for this patient now."""
    now = ctx.clock.now()
    query = ListAppointments(patient_id=ctx.patient_id, from_at=now, statuses=("pending",), limit=LIST_MAX)
    page = await ctx.scheduling.list_appointments(ctx.actor, query)
    return [one for one in page.items if is_live_hold(one, now)]


async def release_time(ctx: PortalContext, appointment_id: UUID, key: str) -> Appointment:
    return await patiently(lambda: ctx.scheduling.release_hold(ctx.actor, appointment_id, key))


async def book_held_time(ctx: PortalContext, hold_id: UUID, referral: str, note: str, key: str) -> Appointment:
    command = BookAppointment(patient_id=ctx.patient_id, hold_id=hold_id, based_on=referral or None, note=note or None)
    return await patiently(lambda: ctx.scheduling.book_appointment(ctx.actor, command, key))


async def cancel(ctx: PortalContext, appointment_id: UUID, version: int | None, key: str) -> Appointment:
    command = CancelAppointment(appointment_id=appointment_id, reason="pat", expected_version=version)
    return await patiently(lambda: ctx.scheduling.cancel_appointment(ctx.actor, command, key))


async def move(ctx: PortalContext, appointment_id: UUID, picked: Picked, version: int | None, key: str) -> Appointment:
    command = RescheduleAppointment(appointment_id=appointment_id, time=picked.as_time(), expected_version=version)
    return await patiently(lambda: ctx.scheduling.reschedule_appointment(ctx.actor, command, key))


async def get_appointment(ctx: PortalContext, appointment_id: UUID) -> Appointment:
    """One of this patient's own appointments. Somebody else's is as unknown as one that never was."""
    found = await ctx.scheduling.get_appointment(ctx.actor, appointment_id)
    if found.patient_id != ctx.patient_id:
        raise UnknownAppointment
    return found


async def check_in_code(ctx: PortalContext, one: Appointment) -> str:
    """By which code the patient checks in for an appointment that was just read; nothing for one that is not booked, or over."""
    if one.status != "booked" or one.end <= ctx.clock.now():
        return ""
    return (await ctx.kiosks.check_in_code(ctx.hosting(ctx.actor.organization_id), one.id)).code


async def language_of(ctx: PortalContext, patient_id: UUID) -> str | None:
    """In which language a patient is written to, as far as that is known."""
    with suppress(UnknownPatient):
        return (await ctx.patients.get_patient(ctx.hosting(), patient_id)).language
    return None


async def late_starts(ctx: PortalContext) -> Mapping[UUID, ExpectedStart]:
    """Which of the patient's appointments of today are expected to begin later than booked."""
    return {each.appointment_id: each for each in (await ctx.delays.list_expected(ctx.actor, ListExpected())).items}


async def list_appointments(ctx: PortalContext) -> list[Appointment]:
    """The patient's appointments of the past year and all to come, without holds that have ended."""
    now, found, cursor = ctx.clock.now(), list[Appointment](), None
    for _ in range(PAGES_MAX):
        query = ListAppointments(patient_id=ctx.patient_id, from_at=now - timedelta(days=PAST_DAYS_SHOWN), limit=LIST_MAX, after=cursor)
        page = await ctx.scheduling.list_appointments(ctx.actor, query)
        found += page.items
        if (cursor := page.next) is None:
            break
    return [one for one in found if not _never_was(one, now)]


def _never_was(one: Appointment, now: datetime) -> bool:
    """A time that was only kept, and let go or run out, is nothing to look back on."""
    ended_hold = is_hold(one) and not is_live_hold(one, now)
    return ended_hold or was_only_held(one) or one.status == "entered-in-error"


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask; while the same request is already under way (two clicks at once), wait for its answer instead of refusing."""
    for _ in range(IN_FLIGHT_TRIES):
        try:
            return await ask()
        except IdempotencyInFlight:
            await asyncio.sleep(IN_FLIGHT_WAIT_SECONDS)
    return await ask()


async def send_code(ctx: PortalContext, trying: SignInTry) -> None:
    """Send a code to whoever this is, if we know them. It runs when the browser has its answer already: nothing of it is told there."""
    try:
        await _send_code(ctx, trying)
    except Refusal as refusal:
        log.info("sign_in.no_code", code=refusal.code)


async def _send_code(ctx: PortalContext, trying: SignInTry) -> None:
    host = ctx.hosting()
    found = await ctx.patients.find_patients_by_contact(host, trying.contact, trying.birth_on)
    if not found:
        return
    patient = await ctx.patients.get_patient(host, found[0])
    contact = sign_in.own_contact(patient, trying.contact)
    if contact is None:
        return
    if len(found) > 1:
        once_an_hour = f"portal.call_us:{patient.id}:{ctx.clock.now():%Y-%m-%dT%H}"
        await tell(ctx, host, patient, "sign_in_call_us", ContactPoint(system=trying.contact.system, value=contact), key=once_an_hour)
        return
    wanted = RequestCode(patient_id=patient.id, contact_system=trying.contact.system, binding=trying.binding, code_id=trying.code_id)
    code = await ctx.access.start_code(host, wanted)
    minutes = str(round(sign_in.CODE_LIFETIME.total_seconds() / 60))
    await tell(
        ctx, host, patient, "sign_in_code", ContactPoint(system=trying.contact.system, value=contact), until_at=code.expires_at,
        code=code.code, minutes=minutes,
    )  # fmt: skip


async def redeem_code(ctx: PortalContext, trying: SignInTry, code: str) -> StartedSession:
    """A session for the right code. Every other answer comes after the same time, whoever is known, and guessing is slow."""
    started_at = ctx.clock.monotonic_seconds()
    host = ctx.hosting()
    command = RedeemCode(organization_id=host.organization_id, code_id=trying.code_id, code=code, binding=trying.binding)
    try:
        return await ctx.access.redeem_code(host, command)
    except Refusal:
        await asyncio.sleep(max(0.0, started_at + WRONG_CODE_SECONDS - ctx.clock.monotonic_seconds()))
        raise


async def find_passkey_origin(ctx: PortalContext) -> str | None:
    """Where browsers make and use passkeys; None where nowhere."""
    return await ctx.access.find_passkey_origin(ctx.hosting())


async def start_passkey_sign_in(ctx: PortalContext, binding: str) -> PasskeyAsked:
    return await ctx.access.start_passkey_sign_in(ctx.hosting(), StartPasskey(binding=binding))


async def redeem_passkey(ctx: PortalContext, binding: str, credential: str) -> StartedSession:
    """A session for whoever holds the passkey. What cannot be a credential is handed on as one that is empty."""
    return await ctx.access.redeem_passkey(ctx.hosting(), RedeemPasskey(binding=binding, credential=_fitting(credential)))


async def start_passkey(ctx: PortalContext, binding: str) -> PasskeyAsked:
    return await ctx.access.start_passkey(ctx.actor, StartPasskey(binding=binding))


async def add_passkey(ctx: PortalContext, binding: str, credential: str, name: str) -> None:
    await ctx.access.add_passkey(ctx.actor, AddPasskey(binding=binding, credential=_fitting(credential), name=name))


def _fitting(credential: str) -> str:
    return credential if 1 < len(credential) <= CREDENTIAL_LENGTH_MAX else "{}"


async def my_passkeys(ctx: PortalContext) -> tuple[Passkey, ...]:
    return await ctx.access.my_passkeys(ctx.actor)


async def remove_passkey(ctx: PortalContext, passkey_id: UUID) -> None:
    await ctx.access.remove_passkey(ctx.actor, passkey_id)


async def look_at_app(ctx: PortalContext, asked: AskApp) -> AppAsked:
    return await ctx.access.look_at_app(ctx.hosting(), asked)


async def let_app_in(ctx: PortalContext, app: AppAsked, scopes: tuple[str, ...], consent_id: UUID | None) -> str:
    """The code that the browser brings the app."""
    asked = LetAppIn(
        client_id=app.client_id, redirect_uri=app.redirect_uri, scopes=scopes, challenge=app.challenge, consent_id=consent_id,
        nonce=app.nonce,
    )  # fmt: skip
    return (await ctx.access.let_app_in(ctx.actor, asked)).code


async def end_replaced(ctx: PortalContext, token: str) -> None:
    """End the session that a new one took the place of, where there is one."""
    if token:
        await end_session(ctx, token)


async def end_session(ctx: PortalContext, token: str) -> None:
    """End the session of a token on our side. One that has ended already is what we wanted."""
    with suppress(Unauthenticated, UnknownSession):
        actor = await ctx.bearers.actor_of(token)
        if actor.session_id is not None:
            await ctx.access.end_session(actor, actor.session_id)


async def list_consents(ctx: PortalContext) -> ConsentsPage:
    """Who may act for this person, and for whom they may act."""
    return await ctx.access.list_consents(ctx.actor)


async def names_for_proxy(ctx: PortalContext, received: Iterable[Consent]) -> Mapping[UUID, str]:
    """What the patients are called for whom somebody may act now. The portal looks it up itself: a consent opens no record by itself."""
    now, names = ctx.clock.now(), dict[UUID, str]()
    for patient_id in {one.patient_id for one in received if one.holds(now)}:
        with suppress(UnknownPatient):
            patient = await ctx.patients.get_patient(ctx.hosting(), patient_id)
            names[patient_id] = " ".join((*patient.given, patient.family))
    return names


async def give_consent(ctx: PortalContext, relationship: str, scope: str, until_at: datetime) -> GivenConsent:
    """Let somebody act for this patient. Words that are on no list of ours are refused before."""
    asked = {"relationship": relationship, "scope": scope, "until_at": until_at}
    return await ctx.access.give_consent(ctx.actor, msgspec.convert(asked, GiveConsent))


async def accept_consent(ctx: PortalContext, code: str) -> Consent:
    return await ctx.access.accept_consent(ctx.actor, AcceptConsent(code=code))


async def withdraw_consent(ctx: PortalContext, consent_id: UUID) -> None:
    """End a consent; one that is over already stays so."""
    with suppress(UnknownConsent):
        await ctx.access.withdraw_consent(ctx.actor, consent_id)


async def act_for(ctx: PortalContext, consent_id: UUID | None) -> StartedSession:
    """Go on for somebody else by their consent, or for oneself again."""
    return await ctx.access.act_for(ctx.actor, ActFor(consent_id=consent_id))


async def my_sessions(ctx: PortalContext) -> list[Session]:
    """Where this patient is signed in, the latest first."""
    return sorted(await ctx.access.my_sessions(ctx.actor), key=lambda one: one.started_at, reverse=True)


async def end_my_session(ctx: PortalContext, session_id: UUID) -> None:
    """End one of this patient's sessions, on whatever device it is."""
    with suppress(UnknownSession):
        await ctx.access.end_session(ctx.actor, session_id)


async def example_patient(ctx: PortalContext) -> Patient | None:
    """The patient whom everybody may try signing in as, where the hospital is made up."""
    if ctx.settings.demonstration_patient_id is None:
        return None
    return await ctx.patients.get_patient(ctx.hosting(), ctx.settings.demonstration_patient_id)


async def read_local_inbox(ctx: PortalContext, of_id: UUID | None = None) -> MessagesPage:
    """The messages of a made-up hospital, newest first. Raises `LocalInboxClosed` elsewhere."""
    return await ctx.notifications.read_local_inbox(ctx.hosting(), ReadInbox(limit=INBOX_MAX, of_id=of_id))
