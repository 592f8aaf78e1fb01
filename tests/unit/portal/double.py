"""A hospital in memory that speaks the Protocols the portal asks: for tests of pages, never of scheduling.

It keeps what the pages can see: a free time is taken by one patient, a hold ends, a patient cannot be in two places, a repeated key
gives the first answer. Who does what in which room is made up by rule, so that every run sees the same hospital.
"""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from carewright.contracts import access
from carewright.contracts.consents import Consent
from carewright.contracts.directory import (
    BookingRules,
    Coding,
    FindServices,
    FindStaff,
    HealthcareService,
    Location,
    Practitioner,
    PractitionerRole,
    Prerequisite,
    Requirement,
    ServicesPage,
    ServiceSummary,
    SitesPage,
    Staff,
    StaffPage,
    UnknownResource,
    VisitType,
)
from carewright.contracts.notifications import Communication, LocalInboxClosed, Message, MessagesPage, Notice, ReadInbox
from carewright.contracts.patients import ContactPoint, Patient
from carewright.contracts.permissions import ROLES
from carewright.contracts.scheduling import (
    Appointment,
    AppointmentsPage,
    BookAppointment,
    CancelAppointment,
    HoldExpired,
    HoldTime,
    IllegalStep,
    ListAppointments,
    Participant,
    PatientBusy,
    PickedTime,
    RescheduleAppointment,
    Slot,
    TimeNotFree,
    TimesPage,
    UnknownAppointment,
    UnknownVisitType,
)
from carewright.contracts.starts import FindTimes
from carewright.kernel.authz import SESSION_PREFIX, Actor, Bearers, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import IdempotencyInFlight, IdempotencyKeyReused, PreconditionFailed, Refusal
from carewright.kernel.ids import Ids
from carewright.kernel.sealed import Sealer
from carewright.kernel.token_keys import TokenKeys
from carewright.portal.context import HOST, PortalContext
from carewright.portal.settings import PortalSettings
from tests.no_database import Journal
from tests.unit.portal.double_calendars import DoubleCalendarFeeds
from tests.unit.portal.double_consents import DoubleConsents
from tests.unit.portal.double_offers import DoubleOffers
from tests.unit.portal.double_passkeys import DoublePasskeys, KeptPasskeys
from tests.unit.portal.double_patients import DoublePatients
from tests.unit.portal.double_queues import DoubleDelays, DoubleKiosks, DoubleQueues
from tests.unit.portal.double_records import DoubleRecords, numbered

SNOMED = "http://snomed.info/sct"
MORNING = datetime(2026, 11, 23, 8, 7, tzinfo=UTC)
HOLD_MINUTES = 10
ORGANIZATION_ID = UUID(int=7)
SITES = (
    ("Main Hospital", "America/Chicago", "1200 Lakeside Drive", "+1 312 555 0100"),
    ("North Clinic", "America/Chicago", "88 Birch Avenue", "+1 312 555 0140"),
    ("West Clinic", "America/Chicago", "5 Prairie Road", ""),
)
CLINICS = (
    ("Family Medicine", "Care for the whole family, from check-ups to chronic conditions.", False),
    ("Cardiology", "Diagnosis and treatment of heart and vessel conditions.", True),
    ("Dermatology", "Skin, hair and nails, and surgery of small growths.", False),
    ("Ophthalmology", "Eye examinations, cataract and glaucoma care.", False),
    ("Orthopedic Surgery", "Bones, joints and muscles, from a sprain to a new hip.", True),
    ("Pediatrics", "Care for children from birth to eighteen.", False),
    ("Neurology", "Headache, epilepsy, memory and movement.", True),
    ("Gynecology", "Women's health at every age.", False),
    ("Urology", "Kidneys, bladder and men's health.", True),
    ("Ear, Nose and Throat", "Hearing, balance, voice and sinuses.", False),
)
NAMES = ("Okafor", "Lindqvist", "Marchetti", "Nguyen", "Abramov", "Castillo", "Haddad", "Kowalski", "Sato", "Brennan", "Ochoa", "Weiss")
FIRST = ("Amara", "Johan", "Giulia", "Linh", "Viktor", "Rosa", "Samir", "Ewa", "Kenji", "Maeve", "Luis", "Hannah")
TONGUES = (("en",), ("en", "es"), ("en", "it"), ("en", "vi"), ("en", "ru"), ("en", "es"), ("en", "ar"), ("en", "pl"))
BRING = (
    "Please arrive 15 minutes early. Bring your insurance card, a photo identification, and a list of the medicines you take.\n"
    "Wear something you can change out of easily."
)


MARGARET = Patient(
    id=numbered(9, 1), family="Whitfield", given=("Margaret",), language="en", birth_on=date(1944, 5, 17),
    telecom=(ContactPoint(system="phone", value="+1 312 555 0147"), ContactPoint(system="email", value="margaret@example.org")),
)  # fmt: skip


@dataclass
class Hospital:
    """What exists, and what has happened."""

    clock: ManualClock = field(default_factory=lambda: ManualClock(MORNING))
    sites: list[Location] = field(default_factory=list)
    services: list[ServiceSummary] = field(default_factory=list)
    staff: list[Staff] = field(default_factory=list)
    appointments: dict[UUID, Appointment] = field(default_factory=dict)
    answers: dict[str, tuple[bytes, Appointment]] = field(default_factory=dict)
    in_flight: set[str] = field(default_factory=set)
    refusals: dict[str, list[Refusal]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    slowness_seconds: float = 0.0
    ids: Ids = field(init=False)
    empty: bool = False
    patient: Patient = field(default_factory=lambda: MARGARET)
    twin: Patient | None = None
    """Somebody with the same telephone and birth date, where there is one."""
    codes: dict[UUID, tuple[str, str, datetime]] = field(default_factory=dict)
    """Codes by id: the digits, the browser's secret, the end."""
    sessions: dict[str, access.Session] = field(default_factory=dict)
    said: list[Notice] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    passkeys: KeptPasskeys = field(default_factory=KeptPasskeys)
    queues: DoubleQueues = field(default_factory=DoubleQueues)
    offers: DoubleOffers = field(default_factory=DoubleOffers)
    delays: DoubleDelays = field(default_factory=DoubleDelays)
    inbox_open: bool = True

    def __post_init__(self) -> None:
        self.ids = Ids(self.clock, random.Random(3))

    def visit_type(self, visit_type_id: UUID) -> VisitType:
        for summary in self.services:
            for kind in summary.visit_types:
                if kind.id == visit_type_id:
                    return kind
        raise UnknownVisitType

    def service_of(self, visit_type_id: UUID) -> HealthcareService:
        return next(one.service for one in self.services if any(kind.id == visit_type_id for kind in one.visit_types))

    def visit_named(self, service: str, visit: str) -> VisitType:
        summary = next(one for one in self.services if one.service.name == service)
        return next(kind for kind in summary.visit_types if kind.name == visit)

    def live(self, one: Appointment) -> bool:
        now = self.clock.now()
        return one.status == "booked" or (one.status == "pending" and (one.expires_at is None or one.expires_at > now))

    def taken(self, visit_type_id: UUID, site_id: UUID, start: datetime) -> bool:
        return any(
            self.live(one) and (one.visit_type_id, one.site_id, one.start) == (visit_type_id, site_id, start)
            for one in self.appointments.values()
        )

    def refuse_next(self, method: str, refusal: Refusal) -> None:
        self.refusals.setdefault(method, []).append(refusal)

    def take(self, visit_type_id: UUID, site_id: UUID, start: datetime) -> Appointment:
        """Somebody else books this time."""
        command = PickedTime(visit_type_id=visit_type_id, site_id=site_id, start=start)
        one = DoubleScheduling(self).made(command, numbered(9, 999), "booked")
        self.appointments[one.id] = one
        return one


def build() -> Hospital:
    hospital = Hospital()
    hospital.sites = [
        Location(id=numbered(1, n), kind="site", name=name, site_id=numbered(1, n), time_zone=zone, address=address, phone=phone or None)
        for n, (name, zone, address, phone) in enumerate(SITES, 1)
    ]
    for n, (name, description, referral) in enumerate(CLINICS, 1):
        specialty = Coding(system=SNOMED, code=str(394_000_000 + n), display=name)
        service = HealthcareService(id=numbered(2, n), name=name, specialty=specialty, description=description)
        hospital.services.append(ServiceSummary(service=service, visit_types=tuple(_visits(n, service, referral=referral))))
        hospital.staff += [_practitioner(n * 10 + m, specialty) for m in range(3)]
    laboratory = HealthcareService(
        id=numbered(2, 50), name="Laboratory", specialty=Coding(system=SNOMED, code="1", display="Diagnostics"),
        description="Blood draws and other samples.",
    )  # fmt: skip
    imaging = HealthcareService(
        id=numbered(2, 51), name="Imaging", specialty=Coding(system=SNOMED, code="1", display="Diagnostics"), description="X-ray and MRI."
    )
    hospital.services += [
        ServiceSummary(service=laboratory, visit_types=(_bench_visit(501, laboratory, "Blood test", 10),)),
        ServiceSummary(service=imaging, visit_types=(_bench_visit(511, imaging, "X-ray", 15),)),
    ]
    return hospital


def _visits(n: int, service: HealthcareService, *, referral: bool) -> Iterator[VisitType]:
    code = f"{SNOMED}|{service.specialty.code}"
    before = (Prerequisite(kind="referral", text="A referral from your family physician."),) if referral else ()

    def kind(number: int, name: str, minutes: int, rules: BookingRules, text: str = BRING) -> VisitType:
        needs = (
            Requirement(kind="practitioner", codes=(code,), duration_minutes=minutes, label=service.name),
            Requirement(kind="room", duration_minutes=minutes, label="Exam room"),
        )
        return VisitType(
            id=numbered(3, n * 10 + number), healthcare_service_id=service.id, name=name, duration_minutes=minutes, requirements=needs,
            rules=rules, instructions={"en": text},
        )  # fmt: skip

    yield kind(1, "New patient visit", 40, BookingRules(lead_minutes=1440, prerequisites=before))
    yield kind(2, "Follow-up visit", 20, BookingRules(lead_minutes=120))
    yield kind(3, "Second opinion", 60, BookingRules(needs_confirmation=True, lead_minutes=2880))
    yield kind(4, "Planned procedure", 90, BookingRules(patient_bookable=False))


def _bench_visit(number: int, service: HealthcareService, name: str, minutes: int) -> VisitType:
    return VisitType(
        id=numbered(3, number), healthcare_service_id=service.id, name=name, duration_minutes=minutes,
        requirements=(Requirement(kind="lab-bench", duration_minutes=minutes, label="Blood collection"),),
        rules=BookingRules(grid_minutes=10), instructions={"en": "Drink water as usual."},
    )  # fmt: skip


def _practitioner(number: int, specialty: Coding) -> Staff:
    person = Practitioner(
        id=numbered(4, number), kind="practitioner", family=NAMES[number % len(NAMES)], given=(FIRST[(number // 3) % len(FIRST)],),
        prefix="Dr.", languages=TONGUES[number % len(TONGUES)],
    )  # fmt: skip
    role = PractitionerRole(id=numbered(5, number), practitioner_id=person.id, specialties=(specialty,))
    return Staff(practitioner=person, roles=(role,))


class DoubleDirectory:
    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital

    async def find_services(self, actor: Actor, query: FindServices) -> ServicesPage:
        actor.require("directory.read")
        items = self.hospital.services[query.offset : query.offset + query.limit]
        return ServicesPage(items=tuple(items), total=len(self.hospital.services))

    async def get_visit_type(self, actor: Actor, visit_type_id: UUID) -> VisitType:
        actor.require("directory.read")
        return self.hospital.visit_type(visit_type_id)

    async def get_service(self, actor: Actor, service_id: UUID) -> ServiceSummary:
        actor.require("directory.read")
        found = next((one for one in self.hospital.services if one.service.id == service_id), None)
        if found is None:
            raise UnknownResource
        return found

    async def find_sites(self, actor: Actor) -> SitesPage:
        actor.require("directory.read")
        return SitesPage(items=tuple(self.hospital.sites), total=len(self.hospital.sites))

    async def find_staff(self, actor: Actor, query: FindStaff) -> StaffPage:
        actor.require("directory.read")
        found = [
            one
            for one in self.hospital.staff
            if query.specialty is None or any(f"{c.system}|{c.code}" == query.specialty for r in one.roles for c in r.specialties)
        ]
        return StaffPage(items=tuple(found[: query.limit]), total=len(found))


class DoubleAccess(DoubleConsents, DoublePasskeys):
    """Codes and sessions as access keeps them, without their rules about people."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital

    async def start_code(self, actor: Actor, command: access.RequestCode) -> access.IssuedCode:
        actor.require("access.sign_in")
        assert command.code_id
        self._refuse("start_code")
        code, until = f"{len(self.hospital.codes) + 11112222}", self.hospital.clock.now() + timedelta(minutes=10)
        self.hospital.codes[command.code_id] = (code, command.binding, until)
        return access.IssuedCode(id=command.code_id, code=code, expires_at=until)

    async def redeem_code(self, actor: Actor, command: access.RedeemCode) -> access.StartedSession:
        actor.require("access.sign_in")
        self.hospital.calls.append(("redeem_code", actor.address))
        self._refuse("redeem_code")
        code, binding, until = self.hospital.codes.get(command.code_id, ("", "", self.hospital.clock.now()))
        if (code, binding) != (command.code, command.binding) or until <= self.hospital.clock.now():
            raise access.CodeNotRight
        del self.hospital.codes[command.code_id]
        return self.start("patient")

    def start(self, role: str) -> access.StartedSession:
        now, patient_id = self.hospital.clock.now(), self.hospital.patient.id
        session = access.Session(
            id=self.hospital.ids.new(), organization_id=ORGANIZATION_ID, subject=f"patient/{patient_id}", role=role,
            patient_id=patient_id if role in ("patient", "proxy") else None, method="otp", started_at=now, last_used_at=now,
            idle_until=now + timedelta(minutes=30), absolute_until=now + timedelta(hours=12), authenticated_at=now,
        )  # fmt: skip
        token = f"{SESSION_PREFIX}{session.id.hex}"
        self.hospital.sessions[token] = session
        return access.StartedSession(token=token, session=session)

    async def owner_of(self, token: str) -> Actor | None:
        found = self.hospital.sessions.get(token)
        if found is None or found.absolute_until <= self.hospital.clock.now():
            return None
        return Actor(
            subject=found.subject, organization_id=ORGANIZATION_ID, role=found.role, permissions=ROLES[found.role],
            patient_id=found.patient_id, session_id=found.id,
        )  # fmt: skip

    async def my_sessions(self, actor: Actor) -> tuple[access.Session, ...]:
        return tuple(one for one in self.hospital.sessions.values() if one.subject == actor.subject)

    async def end_session(self, actor: Actor, session_id: UUID) -> access.Session:
        for token, one in self.hospital.sessions.items():
            if one.id == session_id and one.subject == actor.subject:
                return self.hospital.sessions.pop(token)
        raise access.UnknownSession


class DoubleNotifications:
    """Every message is there at once."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital

    async def notify(self, actor: Actor, notice: Notice, idempotency_key: str | None = None) -> UUID:
        actor.require("notifications.notify")
        self.hospital.calls.append(("notify", idempotency_key))
        self.hospital.said.append(notice)
        return numbered(8, len(self.hospital.said))

    async def read_local_inbox(self, actor: Actor, query: ReadInbox) -> MessagesPage:
        actor.require("notifications.read_local")
        if not self.hospital.inbox_open:
            raise LocalInboxClosed
        found = [self._message(number, notice) for number, notice in enumerate(self.hospital.said, 1)][::-1]
        of = next((one for one in found if one.communication.id == query.of_id), None)
        if query.of_id is not None:
            found = [one for one in found if of and one.contact == of.contact]
        return MessagesPage(items=tuple(found[: query.limit]))

    def _message(self, number: int, notice: Notice) -> Message:
        now = self.hospital.clock.now()
        sent = Communication(
            id=numbered(8, number), status="completed", status_reason=None, template=notice.template, language="en", channel=notice.channel,
            recipient=notice.recipient, created_at=now, sent_at=now,
        )  # fmt: skip
        return Message(communication=sent, contact=notice.contact, title=notice.template, text=f"{number} {notice.values.get('code', '')}")


class DoubleScheduling:
    """Times every half hour from 8 to 18 at every site, thinned out by a fixed rule."""

    def __init__(self, hospital: Hospital) -> None:
        self.hospital = hospital
        self.ids = hospital.ids

    async def find_times(self, actor: Actor, query: FindTimes) -> TimesPage:
        actor.require("scheduling.find")
        self._refuse("find_times")
        self.hospital.calls.append(("find_times", query))
        skip = int(query.after or 0)
        found = []
        for slot in self._slots(query):
            found.append(slot)
            if len(found) > skip + query.limit:
                break
        page = found[skip : skip + query.limit]
        return TimesPage(items=tuple(page), next=str(skip + query.limit) if len(found) > skip + query.limit else None)

    def _slots(self, query: FindTimes) -> Iterator[Slot]:
        kind, now = self.hospital.visit_type(query.visit_type_id), self.hospital.clock.now()
        first = max(query.from_at or now, now + timedelta(minutes=kind.rules.lead_minutes))
        zone = ZoneInfo("America/Chicago")
        day = first.astimezone(zone).date()
        last = now.astimezone(zone).date() + timedelta(days=kind.rules.horizon_days)
        if query.until_at:
            last = min(last, query.until_at.astimezone(zone).date())
        while day <= last and not self.hospital.empty:
            found = [slot for site in self.hospital.sites if query.site_id in (None, site.id) for slot in self._day(kind, site, day, query)]
            yield from sorted(
                (slot for slot in found if slot.start >= first and (query.until_at is None or slot.start < query.until_at)),
                key=lambda slot: slot.start,
            )
            day += timedelta(days=1)

    def _day(self, kind: VisitType, site: Location, day: date, query: FindTimes) -> Iterator[Slot]:
        if day.weekday() > 4:
            return
        for number in range(22):
            minute = 8 * 60 + number * 30
            start = datetime.combine(day, time(), ZoneInfo(site.time_zone or "UTC")).astimezone(UTC) + timedelta(minutes=minute)
            end_minute = minute + kind.duration_minutes
            free = (day.toordinal() * 7 + number * 5 + site.id.int * 3) % 11 < 4 and not self.hospital.taken(kind.id, site.id, start)
            lead = self._lead(kind, start, query.practitioner_id, query.language)
            fits = (query.earliest_minute or 0) <= minute and end_minute <= (query.latest_minute or 1440)
            if free and fits and (lead is not None or not self._leads(kind)):
                end = start + timedelta(minutes=kind.duration_minutes)
                yield Slot(visit_type_id=kind.id, site_id=site.id, start=start, end=end, participants=self._participants(lead, start, end))

    def _leads(self, kind: VisitType) -> list[Practitioner]:
        code = next((need.codes[0] for need in kind.requirements if need.kind == "practitioner"), None)
        return [
            one.practitioner for one in self.hospital.staff if any(f"{c.system}|{c.code}" == code for r in one.roles for c in r.specialties)
        ]

    def _lead(self, kind: VisitType, start: datetime, wanted: UUID | None, language: str | None) -> Practitioner | None:
        people = [one for one in self._leads(kind) if wanted in (None, one.id) and (language is None or language in one.languages)]
        if wanted is not None and int(start.timestamp()) // 1800 % 3:
            return None
        return people[int(start.timestamp()) // 1800 % len(people)] if people else None

    def _participants(self, lead: Practitioner | None, start: datetime, end: datetime) -> tuple[Participant, ...]:
        room = Participant(kind="room", actor_id=numbered(6, 1), display="Exam room 4, second floor", claimed_from=start, claimed_to=end)
        if lead is None:
            return (room,)
        return Participant(kind="practitioner", actor_id=lead.id, display=lead.display, claimed_from=start, claimed_to=end), room

    def made(self, picked: PickedTime, patient_id: UUID, status: str) -> Appointment:
        kind = self.hospital.visit_type(picked.visit_type_id)
        site = next(one for one in self.hospital.sites if one.id == picked.site_id)
        now, end = self.hospital.clock.now(), picked.start + timedelta(minutes=kind.duration_minutes)
        lead = self._lead(kind, picked.start, picked.practitioner_id, picked.language)
        return Appointment(
            id=self.ids.new(), status=status, visit_type_id=kind.id, visit_type_name=kind.name,  # type: ignore[arg-type]  # a literal by use
            service_name=self.hospital.service_of(kind.id).name, site_id=site.id, site_name=site.name, time_zone=site.time_zone or "UTC",
            patient_id=patient_id, start=picked.start, end=end, participants=self._participants(lead, picked.start, end), created_at=now,
        )  # fmt: skip

    async def hold_time(self, actor: Actor, command: HoldTime, idempotency_key: str | None = None) -> Appointment:
        actor.require("scheduling.appointment.hold")
        return await self._once("hold_time", idempotency_key, command, lambda: self._hold(command))

    def _hold(self, command: HoldTime) -> Appointment:
        picked = command.time
        if self.hospital.taken(picked.visit_type_id, picked.site_id, picked.start):
            raise TimeNotFree
        one = self.made(picked, command.patient_id, "pending")
        self._ensure_patient_free(one)
        return msgspec.structs.replace(one, expires_at=self.hospital.clock.now() + timedelta(minutes=HOLD_MINUTES))

    def _ensure_patient_free(self, new: Appointment) -> None:
        for one in self.hospital.appointments.values():
            same = one.patient_id == new.patient_id and one.id != new.id and self.hospital.live(one)
            if same and one.start < new.end and new.start < one.end:
                raise PatientBusy

    async def release_hold(self, actor: Actor, appointment_id: UUID, idempotency_key: str | None = None) -> Appointment:
        def release() -> Appointment:
            one = self._own(actor, appointment_id)
            if one.status != "pending":
                raise IllegalStep
            return self._changed(one, status="cancelled", expires_at=None, cancelation_reason="hold-released")

        return await self._once("release_hold", idempotency_key, appointment_id, release)

    async def book_appointment(self, actor: Actor, command: BookAppointment, idempotency_key: str | None = None) -> Appointment:
        actor.require("scheduling.appointment.book")

        def book() -> Appointment:
            assert command.hold_id
            one = self._own(actor, command.hold_id)
            if not self.hospital.live(one) or one.expires_at is None:
                raise HoldExpired
            confirmed_later = self.hospital.visit_type(one.visit_type_id).rules.needs_confirmation
            status = "pending" if confirmed_later else "booked"
            return self._changed(one, status=status, expires_at=None, based_on=command.based_on)

        return await self._once("book_appointment", idempotency_key, command, book)

    async def cancel_appointment(self, actor: Actor, command: CancelAppointment, idempotency_key: str | None = None) -> Appointment:
        def cancel() -> Appointment:
            one = self._own(actor, command.appointment_id)
            if one.status not in ("booked", "pending"):
                raise IllegalStep
            if command.expected_version not in (None, one.version):
                raise PreconditionFailed
            return self._changed(one, status="cancelled", cancelation_reason=command.reason)

        return await self._once("cancel_appointment", idempotency_key, command, cancel)

    async def reschedule_appointment(self, actor: Actor, command: RescheduleAppointment, idempotency_key: str | None = None) -> Appointment:
        def reschedule() -> Appointment:
            one = self._own(actor, command.appointment_id)
            new = self.made(command.time, one.patient_id, one.status)
            if self.hospital.taken(new.visit_type_id, new.site_id, new.start):
                raise TimeNotFree
            self._ensure_patient_free(msgspec.structs.replace(new, id=one.id))
            return self._changed(one, start=new.start, end=new.end, site_id=new.site_id, site_name=new.site_name)

        return await self._once("reschedule_appointment", idempotency_key, command, reschedule)

    async def get_appointment(self, actor: Actor, appointment_id: UUID) -> Appointment:
        actor.require("scheduling.appointment.read")
        return self._own(actor, appointment_id)

    async def list_appointments(self, actor: Actor, query: ListAppointments) -> AppointmentsPage:
        found = [
            one
            for one in self.hospital.appointments.values()
            if one.patient_id == actor.patient_id
            and (not query.statuses or one.status in query.statuses)
            and (query.from_at is None or one.start >= query.from_at)
        ]
        return AppointmentsPage(items=tuple(sorted(found, key=lambda one: one.start)))

    def _own(self, actor: Actor, appointment_id: UUID) -> Appointment:
        one = self.hospital.appointments.get(appointment_id)
        if one is None or not (one.patient_id == actor.patient_id or actor.may("scheduling.appointment.any_patient")):
            raise UnknownAppointment
        return one

    def _changed(self, one: Appointment, **changes: Any) -> Appointment:
        return msgspec.structs.replace(one, version=one.version + 1, **changes)

    def _refuse(self, method: str) -> None:
        if waiting := self.hospital.refusals.get(method):
            raise waiting.pop(0)

    async def _once(self, method: str, key: str | None, command: object, work: Any) -> Appointment:
        """The first answer again for a repeated key; a key in use is refused, as the real one does."""
        self.hospital.calls.append((method, command))
        self._refuse(method)
        print_ = msgspec.json.encode([method, command])
        if key is not None and key in self.hospital.answers:
            fingerprint, answer = self.hospital.answers[key]
            if fingerprint != print_:
                raise IdempotencyKeyReused
            return answer
        if key in self.hospital.in_flight:
            raise IdempotencyInFlight
        self.hospital.in_flight.add(key or "")
        try:
            await asyncio.sleep(self.hospital.slowness_seconds)
            one: Appointment = work()
        finally:
            self.hospital.in_flight.discard(key or "")
        self.hospital.appointments[one.id] = one
        self.hospital.answers[key or str(one.id)] = (print_, one)
        return one


def context(hospital: Hospital, **settings: Any) -> PortalContext:
    """The portal's context over the double, of a made-up hospital."""
    demonstration: dict[str, Any] = {
        "hospital_name": "Lakeside Hospital", "organization_id": ORGANIZATION_ID, "demonstration_patient_id": hospital.patient.id,
    }  # fmt: skip
    directory, patients, scheduling = DoubleDirectory(hospital), DoublePatients(hospital), DoubleScheduling(hospital)
    keeper, world = cast("Any", DoubleAccess(hospital)), cast("Any", None)
    tokens = Tokens(b"k" * 32, hospital.clock, ROLES)
    return PortalContext(
        actor=Actor(subject="nobody", organization_id=ORGANIZATION_ID, role=""), clock=hospital.clock, ids=Ids(hospital.clock),
        rng=random.Random(1), db=cast("Any", Journal()), wake=world, vault=world, origin=UUID(int=1),
        settings=PortalSettings(**demonstration | settings),
        bearers=Bearers(tokens, hospital.clock, keeper.owner_of),
        sealer=Sealer(TokenKeys.of(b"s" * 32), hospital.clock),
        host=Actor(subject="system", organization_id=UUID(int=0), role="system", permissions=HOST),
        directory=cast("Any", directory),
        patients=cast("Any", patients),
        scheduling=cast("Any", scheduling),
        access=keeper,
        notifications=cast("Any", DoubleNotifications(hospital)),
        calendar_feeds=cast("Any", DoubleCalendarFeeds(hospital.clock)),
        queues=cast("Any", hospital.queues),
        offers=cast("Any", hospital.offers),
        delays=cast("Any", hospital.delays),
        kiosks=cast("Any", DoubleKiosks()),
        records=DoubleRecords(hospital.patient.family, hospital.calls, hospital.refusals),
    )  # fmt: skip
