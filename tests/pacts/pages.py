"""What the patients' pages (portal) and the staff's pages (console) ask the other modules, and what they need of the answers.

Every method of a Protocol that a page uses is here once, or in `WITHOUT` with the reason why it is not.
"""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from carewright.contracts.access import AcceptConsent, Access, ActFor, GiveConsent, RedeemCode, RequestCode, StartSignIn
from carewright.contracts.apps import AskApp, LetAppIn
from carewright.contracts.audit import AuditTrail, FindAuditEvents
from carewright.contracts.board import ReadBoard, ReadUse
from carewright.contracts.break_glass import CloseReview, ListReviews, StartBreakGlass
from carewright.contracts.calendars import CalendarFeeds, MakeFeed
from carewright.contracts.coverage import (
    CheckEligibility,
    CoverageDetails,
    Coverages,
    Insured,
    ListCoverages,
    ListEligibilities,
    ListVisits,
    Payer,
    RecordAuthorisation,
    RecordCoverage,
    UpdateCoverage,
)
from carewright.contracts.directory import Directory, FindServices, FindStaff
from carewright.contracts.elsewhere import LinkToTurn, NoteUnreached, SayWhere
from carewright.contracts.encounters import SearchEncounters
from carewright.contracts.flow import Flow, Kiosks, Queues
from carewright.contracts.hl7 import Desk, SetMapping, SettleMessage
from carewright.contracts.kiosk import FindByCode
from carewright.contracts.notifications import Notice, Notifications, ReadInbox, Recipient
from carewright.contracts.offers import AnswerOffer, LinkToOffer, ListOffers, MakeOffer, NoteOfferUnreached, WithdrawOffer
from carewright.contracts.oversight import CloseIncident, ListIncidents, ListUnusual, Oversight, Respond
from carewright.contracts.passkeys import AddPasskey, RedeemPasskey, StartPasskey
from carewright.contracts.patients import ContactPoint, FindAlike, FindPatients, Patients, RegisterPatient
from carewright.contracts.queue import (
    Arrive,
    CallEntry,
    CallNext,
    FindTickets,
    ListEntries,
    ListQueues,
    ListTurns,
    StepEntry,
    TriageEntry,
    UndoStep,
)
from carewright.contracts.records import ExportRecord, Records
from carewright.contracts.relief import SetRelief
from carewright.contracts.schedules import ListSchedules
from carewright.contracts.scheduling import (
    AdvanceAppointment,
    BookAppointment,
    CancelAppointment,
    HoldTime,
    ListAppointments,
    Offers,
    PickedTime,
    RescheduleAppointment,
    Scheduling,
    SearchAppointments,
)
from carewright.contracts.starts import FindTimes
from tests.app import challenge_of
from tests.pacts.calls import Call, contracts_of
from tests.pacts.shapes import Shape

# --- who asks, and what there is: the states ----------------------------------------------------------------------------------
PORTAL = "the portal itself"
PROCESS = "any process of ours"
PATIENT_ASKS = "a patient who has signed in"
DESK = "the front desk"
ADMINISTRATOR = "an administrator"
SCHEDULER = "a scheduler"
OFFICER = "a privacy officer"
NURSE = "a nurse"
CONSOLE = "the console itself"
PATIENT, CODE_SENT = "a patient", "a code was sent"
TWO_SESSIONS = "another session"
CLINIC, FREE_TIME, HOLD, APPOINTMENT = "a kind of visit", "a free time", "a held time", "an appointment"
OFFER = "another time that an appointment's patient is offered"
CONSENT_OFFERED, CONSENT_GIVEN = "somebody lets the patient act for them", "the patient lets somebody act for them"
FEED, MESSAGE_SAID = "a calendar feed", "a message was said"
PASSKEY_MADE, PASSKEY, PASSKEY_USED = "a browser made a passkey", "a passkey", "a browser used a passkey"
APP, APP_LET_IN = "an app", "an app that the patient let in"
COVERAGE, VISIT, ELIGIBILITY = "a coverage", "a visit whose payer is looked at", "a question to a payer"
QUEUE_OPEN, TURN, TURN_CALLED = "a queue", "somebody who waits in it", "who was called a moment ago"
WAITING, ENCOUNTER = "a message that did not fit", "somebody who has come"
REVIEW, INCIDENT, QUARANTINE = "the glass was broken", "an incident", "a host that nothing goes out to"
SEALED = "an entry in the sealed log"


def _id(number: int) -> UUID:
    return UUID(f"019a0000-0000-7000-8000-{number:012x}")


NAMES = (
    "patient_id", "site_id", "service_id", "visit_type_id", "appointment_id", "code_id", "session_id", "consent_id", "feed_id",
    "coverage_id", "review_id", "incident_id", "event_id", "practitioner_id", "organization_id",
    "passkey_id", "client_id", "grant_id", "message_id", "restraint_id", "queue_id", "entry_id", "offer_id",
)  # fmt: skip
IDS = {name: _id(number) for number, name in enumerate(NAMES, 0x10)}
MIDNIGHT = datetime(2026, 12, 1, tzinfo=UTC)
START, LATER = datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 2, 9, tzinfo=UTC)
KEY, CODE, CONSENT_CODE, PHONE, FAMILY = "key-of-this-request", "12345678", "ABCD-EFGH", "+1 555 0100", "Contractus"
SUBJECT = "somebody-known"
BORN, TODAY, DAY, SOON = date(1980, 2, 29), date(2026, 12, 3), date(2026, 12, 5), datetime(2026, 12, 4, 9, tzinfo=UTC)
SESSION_TOKEN, CREDENTIAL, FHIR = "a-token-of-a-session", '{"of": "a browser"}', "https://hospital.example/fhir/R4"
BACK, SCOPE, HOST_NAME = "https://app.example.org/back", "patient/Appointment.rs", "elsewhere.example.org"
VERIFIER = "a-verifier-that-an-app-keeps-to-itself-for-now"
CHALLENGE = challenge_of(VERIFIER)
BINDING = "a-browser-that-keeps-a-secret"
KNOWN = {str(value): name for name, value in IDS.items()} | {
    "2026-12-01T09:00:00Z": "start", "2026-12-02T09:00:00Z": "later", KEY: "key", CODE: "code", CONSENT_CODE: "consent_code",
    PHONE: "phone", SUBJECT: "subject", "2026-12-03": "today", "2026-12-05": "day", "2026-12-04T09:00:00Z": "soon", FAMILY: "family",
    SESSION_TOKEN: "session_token", CREDENTIAL: "credential", FHIR: "fhir", "code-of-theirs": "code_of_theirs",
}  # fmt: skip
WHOSE, TIME = IDS["patient_id"], IDS["appointment_id"]
QUEUE, ENTRY = IDS["queue_id"], IDS["entry_id"]
PICKED = PickedTime(visit_type_id=IDS["visit_type_id"], site_id=IDS["site_id"], start=START)
MOVED = PickedTime(visit_type_id=IDS["visit_type_id"], site_id=IDS["site_id"], start=LATER)
DETAILS = CoverageDetails(
    payer=Payer(name="NUMBAT MUTUAL", id="60054"), member_id="W123456789", beneficiary=Insured(family=FAMILY, birth_on=BORN)
)


def there(*names: str, any_: tuple[str, ...] = ()) -> Shape:
    return Shape(frozenset(names), frozenset(any_))


WHO = ("Patient.birth_on", "Patient.gender", "Patient.language")
PLACE = ("address", "managing_organization_id", "phone", "postal")
CARD = ("Payer.id", "Insured.birth_on")
LOOKED_AT = (*CARD, "VisitCoverage.coverage", "eligibility", "answered_at")
MINUTES = ("low_minutes", "median_minutes", "high_minutes")
MOMENTS = there(
    any_=(
        "appointment_id",
        "practitioner_id",
        "location_id",
        "expected_at",
        "arrived_at",
        "triaged_at",
        "called_at",
        "started_at",
        "ended_at",
        "offered_at",
        "travel_minutes",
        "come_at",
        "due_at",
        "unreached_at",
    )
)
"""What a turn may have or not, by what was done with it."""
END = ("closed_at", "closed_by", "finding")
PORTAL_CALLS = (
    # signing in
    Call(Patients, "find_patients_by_contact", PORTAL, (ContactPoint(system="phone", value=PHONE), BORN), (PATIENT,)),
    Call(Access, "start_code", PORTAL, (RequestCode(patient_id=WHOSE, contact_system="phone", binding=BINDING),), (PATIENT,)),
    Call(
        Access, "redeem_code", PORTAL,
        (RedeemCode(organization_id=IDS["organization_id"], code_id=IDS["code_id"], code=CODE, binding=BINDING),), (PATIENT, CODE_SENT),
        there("patient_id"),
    ),
    Call(Access, "actor_of", PROCESS, (SESSION_TOKEN,), (PATIENT, TWO_SESSIONS), there("patient_id", "session_id", "authenticated_at")),
    Call(Notifications, "notify", PORTAL, (
        Notice(template="sign_in_call_us", recipient=Recipient(kind="patient", id=str(WHOSE)), channel="sms", contact=PHONE,
               language="en", values={"hospital": "Lakeside"}), KEY,
    ), (PATIENT,)),
    Call(Notifications, "read_local_inbox", PORTAL, (ReadInbox(limit=1),), (PATIENT, MESSAGE_SAID), there("contact", "sent_at")),
    Call(Access, "find_passkey_origin", PORTAL),
    Call(Access, "my_sessions", PATIENT_ASKS, shape=there("patient_id")),
    Call(Access, "end_session", PATIENT_ASKS, (IDS["session_id"],), (TWO_SESSIONS,), there("patient_id")),
    # passkeys, and apps
    Call(Access, "start_passkey_sign_in", PORTAL, (StartPasskey(binding=BINDING),)),
    Call(
        Access, "redeem_passkey", PORTAL, (RedeemPasskey(binding=BINDING, credential=CREDENTIAL),), (PATIENT, PASSKEY, PASSKEY_USED),
        there("patient_id"),
    ),
    Call(Access, "start_passkey", PATIENT_ASKS, (StartPasskey(binding=BINDING),)),
    Call(Access, "add_passkey", PATIENT_ASKS, (AddPasskey(binding=BINDING, credential=CREDENTIAL, name="My phone"),), (PASSKEY_MADE,)),
    Call(Access, "my_passkeys", PATIENT_ASKS, (), (PASSKEY,)),
    Call(Access, "remove_passkey", PATIENT_ASKS, (IDS["passkey_id"],), (PASSKEY,)),
    Call(
        Access, "look_at_app", PORTAL,
        (AskApp(
            client_id=str(IDS["client_id"]), redirect_uri=BACK, response_type="code", scope=SCOPE, state="s", aud=FHIR,
            code_challenge=CHALLENGE, code_challenge_method="S256",
        ),), (APP,),
    ),
    Call(
        Access, "let_app_in", PATIENT_ASKS,
        (LetAppIn(client_id=IDS["client_id"], redirect_uri=BACK, scopes=(SCOPE,), challenge=CHALLENGE),), (APP,),
    ),
    Call(Access, "my_apps", PATIENT_ASKS, (), (APP, APP_LET_IN), there("last_used_at")),
    Call(Access, "turn_app_off", PATIENT_ASKS, (IDS["grant_id"],), (APP, APP_LET_IN)),
    # for somebody else
    Call(
        Access, "give_consent", PATIENT_ASKS, (GiveConsent(relationship="spouse", scope="book", until_at=SOON),),
    ),
    Call(
        Access, "accept_consent", PATIENT_ASKS, (AcceptConsent(code=CONSENT_CODE),), (CONSENT_OFFERED,),
        there("accepted_at", "proxy_patient_id"),
    ),
    Call(Access, "list_consents", PATIENT_ASKS, (), (CONSENT_GIVEN,)),
    Call(Access, "withdraw_consent", PATIENT_ASKS, (IDS["consent_id"],), (CONSENT_GIVEN,), there("withdrawn_at")),
    Call(Access, "act_for", PATIENT_ASKS, (ActFor(),), (), there("patient_id")),
    # choosing a visit
    Call(Directory, "find_services", PATIENT_ASKS, (FindServices(limit=200),), (CLINIC,), there(any_=("actor_id",))),
    Call(Directory, "get_service", PATIENT_ASKS, (IDS["service_id"],), (CLINIC,), there("actor_id")),
    Call(Directory, "get_visit_type", PATIENT_ASKS, (IDS["visit_type_id"],), (CLINIC,), there("actor_id")),
    Call(Directory, "find_sites", PATIENT_ASKS, (), (CLINIC,), there("time_zone", any_=PLACE)),
    Call(Directory, "find_staff", PATIENT_ASKS, (FindStaff(kind="practitioner", site_id=IDS["site_id"]),), (CLINIC,)),
    # booking
    Call(Patients, "get_patient", PATIENT_ASKS, (WHOSE,), (), there(*WHO)),
    Call(
        Scheduling, "find_times", PATIENT_ASKS, (FindTimes(visit_type_id=IDS["visit_type_id"], from_at=START, limit=1),), (FREE_TIME,),
        there("TimesPage.next"),
    ),
    Call(Scheduling, "hold_time", PATIENT_ASKS, (HoldTime(time=PICKED, patient_id=WHOSE), KEY), (FREE_TIME,), there("expires_at")),
    Call(Scheduling, "get_appointment", PATIENT_ASKS, (TIME,), (HOLD,), there("expires_at")),
    Call(Scheduling, "release_hold", PATIENT_ASKS, (TIME, KEY), (HOLD,), there("cancelation_reason")),
    Call(Scheduling, "book_appointment", PATIENT_ASKS, (BookAppointment(patient_id=WHOSE, hold_id=TIME), KEY), (HOLD,)),
    Call(Scheduling, "list_appointments", PATIENT_ASKS, (ListAppointments(patient_id=WHOSE),), (APPOINTMENT,)),
    Call(
        Scheduling, "reschedule_appointment", PATIENT_ASKS,
        (RescheduleAppointment(appointment_id=TIME, time=MOVED, expected_version=1), KEY), (APPOINTMENT,),
    ),
    Call(
        Scheduling, "cancel_appointment", PATIENT_ASKS,
        (CancelAppointment(appointment_id=TIME, reason="pat", expected_version=1), KEY), (APPOINTMENT,), there("cancelation_reason"),
    ),
    # one's own record and calendar
    Call(Records, "export_record", PATIENT_ASKS, (ExportRecord(),), (), there("ExportPage.next")),
    Call(CalendarFeeds, "make_feed", PATIENT_ASKS, (MakeFeed(), KEY)),
    Call(CalendarFeeds, "list_feeds", PATIENT_ASKS, (), (FEED,)),
    Call(Queues, "own_turns", PATIENT_ASKS, (), (CLINIC, TURN), MOMENTS),
    Call(Queues, "say_where", PATIENT_ASKS, (SayWhere(entry_id=ENTRY, say="leave"), KEY), (CLINIC, TURN), MOMENTS),
    Call(Queues, "link_to_turn", PORTAL, (LinkToTurn(entry_id=ENTRY),), (CLINIC, PATIENT, TURN)),
    Call(Queues, "note_unreached", PORTAL, (NoteUnreached(entry_id=ENTRY),), (CLINIC, PATIENT, TURN)),
    Call(Queues, "estimate_wait", PATIENT_ASKS, (ENTRY,), (CLINIC, TURN), there(any_=MINUTES)),
    Call(Kiosks, "check_in_code", PORTAL, (TIME,), (APPOINTMENT,)),
    Call(Offers, "get_offer", PORTAL, (IDS["offer_id"],), (PATIENT, OFFER)),
    Call(Offers, "link_to_offer", PORTAL, (LinkToOffer(offer_id=IDS["offer_id"]),), (PATIENT, OFFER)),
    Call(Offers, "note_offer_unreached", PORTAL, (NoteOfferUnreached(offer_id=IDS["offer_id"]),), (PATIENT, OFFER)),
    Call(CalendarFeeds, "end_feed", PATIENT_ASKS, (IDS["feed_id"],), (FEED,)),
)  # fmt: skip
CONSOLE_CALLS = (
    Call(Access, "start_sign_in", CONSOLE, (StartSignIn(binding=BINDING),)),
    Call(Access, "who_am_i", DESK, shape=there("session")),
    Call(Access, "my_sessions", DESK),
    Call(Access, "end_session", DESK, (IDS["session_id"],), (TWO_SESSIONS,)),
    Call(Access, "names_of", OFFICER, ((SUBJECT,),)),
    Call(Access, "my_apps", NURSE, shape=there(any_=("value",))),
    Call(Access, "startable_apps", NURSE, (), (APP,)),
    Call(Access, "start_break_glass", NURSE, (StartBreakGlass(purpose="ETREAT", reason="An emergency."), KEY)),
    Call(Access, "end_break_glass", NURSE),
    Call(Access, "list_reviews", OFFICER, (ListReviews(),), (REVIEW,)),
    Call(
        Access, "close_review", OFFICER,
        (CloseReview(break_glass_id=IDS["review_id"], outcome="justified", finding="It was an emergency."),), (REVIEW,),
        there(*END),
    ),
    # a desk's day
    Call(Directory, "find_sites", DESK, (), (CLINIC,), there("time_zone", any_=PLACE)),
    Call(Directory, "find_services", DESK, (FindServices(limit=200),), (CLINIC,), there(any_=("actor_id",))),
    Call(Patients, "find_patients", DESK, (FindPatients(family=FAMILY),), (PATIENT,), there(*WHO)),
    Call(Patients, "find_alike", DESK, (FindAlike(family=FAMILY),), (PATIENT,), there(*WHO)),
    Call(Patients, "register_patient", DESK, (RegisterPatient(family=FAMILY), KEY)),
    Call(Patients, "get_patient", DESK, (WHOSE,), (PATIENT,), there(*WHO)),
    Call(Patients, "get_patients", DESK, ((WHOSE,),), (PATIENT,), there(*WHO)),
    Call(
        Scheduling, "find_times", DESK, (FindTimes(visit_type_id=IDS["visit_type_id"], site_id=IDS["site_id"], from_at=START, limit=60),),
        (FREE_TIME,), there("TimesPage.next"),
    ),
    Call(Scheduling, "book_appointment", DESK, (BookAppointment(patient_id=WHOSE, time=PICKED), KEY), (PATIENT, FREE_TIME)),
    Call(Scheduling, "search_appointments", DESK, (SearchAppointments(ids=(TIME,)),), (PATIENT, APPOINTMENT)),
    Call(
        Scheduling, "read_board", DESK, (ReadBoard(site_id=IDS["site_id"], from_at=MIDNIGHT, until_at=MIDNIGHT + timedelta(days=1)),),
        (CLINIC, PATIENT, APPOINTMENT), there(any_=("visits", "rows")),
    ),
    Call(
        Scheduling, "read_use", DESK, (ReadUse(site_id=IDS["site_id"], from_at=START),), (CLINIC,), there(any_=("services",)),
    ),
    Call(Scheduling, "list_appointments", DESK, (ListAppointments(patient_id=WHOSE, from_at=START, limit=20),), (PATIENT, APPOINTMENT)),
    Call(Scheduling, "get_appointment", DESK, (TIME,), (PATIENT, APPOINTMENT)),
    Call(
        Scheduling, "preview_move", DESK, (RescheduleAppointment(appointment_id=TIME, time=MOVED, expected_version=1),),
        (PATIENT, APPOINTMENT), there(any_=("actors", "conflicts")),
    ),
    Call(
        Scheduling, "reschedule_appointment", DESK, (RescheduleAppointment(appointment_id=TIME, time=MOVED, expected_version=1), KEY),
        (PATIENT, APPOINTMENT),
    ),
    Call(
        Scheduling, "advance_appointment", DESK, (AdvanceAppointment(appointment_id=TIME, status="arrived", expected_version=1), KEY),
        (PATIENT, APPOINTMENT),
    ),
    Call(
        Offers, "make_offer", SCHEDULER, (MakeOffer(appointment_id=TIME, start=LATER, expected_version=1), KEY), (PATIENT, APPOINTMENT),
    ),
    Call(Offers, "list_offers", SCHEDULER, (ListOffers(appointment_id=TIME),), (PATIENT, OFFER)),
    Call(
        Offers, "withdraw_offer", SCHEDULER, (WithdrawOffer(offer_id=IDS["offer_id"], expected_version=1), KEY), (PATIENT, OFFER),
        there("ended_at"),
    ),
    Call(
        Offers, "answer_offer", SCHEDULER, (AnswerOffer(offer_id=IDS["offer_id"], answer="accepted", expected_version=1), KEY),
        (PATIENT, OFFER), there("ended_at"),
    ),
    Call(Coverages, "record_coverage", DESK, (RecordCoverage(patient_id=WHOSE, details=DETAILS), KEY), (PATIENT,), there(*CARD)),
    Call(Coverages, "get_coverage", DESK, (IDS["coverage_id"],), (PATIENT, COVERAGE), there(*CARD)),
    Call(
        Coverages, "update_coverage", DESK, (UpdateCoverage(coverage_id=IDS["coverage_id"], details=DETAILS, expected_version=1), KEY),
        (PATIENT, COVERAGE), there(*CARD),
    ),
    Call(Coverages, "list_coverages", DESK, (ListCoverages(patient_id=WHOSE),), (PATIENT, COVERAGE), there(*CARD)),
    Call(
        Coverages, "check_eligibility", DESK, (CheckEligibility(coverage_id=IDS["coverage_id"], service_type="98", serviced_on=TODAY), KEY),
        (PATIENT, COVERAGE), there("Payer.id", "answered_at"),
    ),
    Call(
        Coverages, "list_eligibilities", DESK, (ListEligibilities(patient_id=WHOSE),), (PATIENT, COVERAGE, ELIGIBILITY),
        there("Payer.id", "answered_at"),
    ),
    Call(Coverages, "get_visit", DESK, (TIME,), (PATIENT, COVERAGE, VISIT), there(*LOOKED_AT)),
    Call(Coverages, "check_visit", DESK, (TIME,), (PATIENT, COVERAGE, VISIT), there(*LOOKED_AT)),
    Call(Coverages, "list_visits", DESK, (ListVisits(site_id=IDS["site_id"], day=DAY),), (PATIENT, COVERAGE, VISIT), there(any_=LOOKED_AT)),
    Call(
        Coverages, "record_authorisation", DESK, (RecordAuthorisation(appointment_id=TIME, state="certified", number="A-1"), KEY),
        (PATIENT, COVERAGE, VISIT), there("Payer.id", "answered_at", "visit_type_id"),
    ),
    Call(
        Flow, "search_encounters", NURSE, (SearchEncounters(patient_ids=(WHOSE,)),), (PATIENT, ENCOUNTER),
        there("updated_at", "site_id", "start"),
    ),
    # queues
    Call(Queues, "list_queues", NURSE, (ListQueues(),), (CLINIC, PATIENT, TURN), there(any_=("waiting_since", "Queue.policy"))),
    Call(Queues, "list_entries", NURSE, (ListEntries(queue_id=QUEUE),), (CLINIC, PATIENT, TURN), there(any_=("active", "waiting"))),
    Call(Queues, "list_turns", NURSE, (ListTurns(queue_id=QUEUE),), (CLINIC, PATIENT, TURN), there(any_=("active", "waiting"))),
    Call(Queues, "find_tickets", NURSE, (FindTickets(ticket="A001"),), (CLINIC, PATIENT, TURN), there(any_=("items",))),
    Call(Queues, "estimate_waits", NURSE, (QUEUE,), (CLINIC, PATIENT, TURN), there(any_=MINUTES)),
    Call(Queues, "get_entry", NURSE, (ENTRY,), (CLINIC, PATIENT, TURN), MOMENTS),
    Call(Queues, "arrive", NURSE, (Arrive(queue_id=QUEUE, patient_id=WHOSE), KEY), (CLINIC, PATIENT, QUEUE_OPEN), MOMENTS),
    Call(Queues, "say_where", NURSE, (SayWhere(entry_id=ENTRY, say="away", travel_minutes=20), KEY), (CLINIC, PATIENT, TURN), MOMENTS),
    Call(Queues, "call_entry", NURSE, (CallEntry(entry_id=ENTRY, expected_version=1), KEY), (CLINIC, PATIENT, TURN), MOMENTS),
    Call(Queues, "step_entry", NURSE, (StepEntry(entry_id=ENTRY, action="start"), KEY), (CLINIC, PATIENT, TURN), MOMENTS),
    Call(Queues, "triage_entry", NURSE, (TriageEntry(entry_id=ENTRY, scale="esi", level=2), KEY), (CLINIC, PATIENT, TURN), MOMENTS),
    Call(Queues, "undo_step", NURSE, (UndoStep(entry_id=ENTRY, expected_version=2), KEY), (CLINIC, PATIENT, TURN, TURN_CALLED), MOMENTS),
    Call(
        Queues, "call_next", NURSE, (CallNext(queue_id=QUEUE), KEY), (CLINIC, PATIENT, TURN),
        there("Called.entry", any_=tuple(MOMENTS.any)),
    ),
    Call(Queues, "list_other_sites", NURSE, (QUEUE,), (CLINIC, PATIENT, QUEUE_OPEN), there(any_=("items",))),
    Call(
        Queues, "set_relief", NURSE, (SetRelief(queue_id=QUEUE, what="extra-staff", is_on=True, reason="crowded"), KEY),
        (CLINIC, PATIENT, QUEUE_OPEN), there("QueueRelief.on", any_=("past", "minutes", "ended_at", "ended_by", "end_reason")),
    ),
    # kiosks
    Call(Kiosks, "list_walk_ins", NURSE, (QUEUE,), (CLINIC, PATIENT, QUEUE_OPEN), there(any_=("items",))),
    Call(Kiosks, "list_help", NURSE, (IDS["site_id"],), (CLINIC,), there(any_=("items",))),
    Call(Kiosks, "find_by_code", NURSE, (FindByCode(code="KMT 4RW"),), (CLINIC,), there(any_=("appointment_ids",))),
    # messages of others that did not fit
    Call(Desk, "list_messages", SCHEDULER, (), (WAITING,)),
    Call(Desk, "get_message", SCHEDULER, (IDS["message_id"],), (WAITING,)),
    Call(Desk, "read_message", SCHEDULER, (IDS["message_id"],), (WAITING,)),
    Call(Desk, "replay_message", SCHEDULER, (IDS["message_id"],), (WAITING,)),
    Call(
        Desk, "set_mapping", SCHEDULER, (SetMapping(table="visit-type", code="code-of-theirs", target=str(IDS["visit_type_id"])),),
        (WAITING,),
    ),
    Call(Scheduling, "list_schedules", SCHEDULER, (ListSchedules(kinds=("practitioner",), limit=201),), (CLINIC,)),
    Call(Desk, "settle_message", SCHEDULER, (SettleMessage(message_id=IDS["message_id"], reason="Seen to by hand."),), (WAITING,)),
    # privacy and incidents
    Call(
        AuditTrail, "find_events", OFFICER, (FindAuditEvents(limit=1),), (SEALED,),
        there("AuditEventsPage.next", any_=("patient_id", "code", "address", "entities", "trace")),
    ),
    Call(AuditTrail, "prove_event", OFFICER, (IDS["event_id"],), (SEALED,)),
    Call(Records, "export_record", OFFICER, (ExportRecord(patient_id=WHOSE, reason="law"),), (PATIENT,), there("ExportPage.next")),
    Call(
        Oversight, "respond", ADMINISTRATOR,
        (Respond(reason="A tablet was left in a taxi.", end_sessions_of=("nobody-here",), notify=False),),
    ),
    Call(Oversight, "list_incidents", ADMINISTRATOR, (ListIncidents(),), (INCIDENT,)),
    Call(
        Oversight, "close_incident", ADMINISTRATOR, (CloseIncident(incident_id=IDS["incident_id"], finding="It came back."),), (INCIDENT,),
        there(*END),
    ),
    Call(Oversight, "release", ADMINISTRATOR, (IDS["restraint_id"],), (QUARANTINE,)),
    Call(Oversight, "list_unusual", OFFICER, (ListUnusual(),), (), there(any_=("items",))),
)  # fmt: skip
WITHOUT: dict[tuple[str, str], str] = {
    ("portal", "list_expected"): "needs appointments of today with somebody who is late; tests/http/test_delays.py makes both",
    ("portal", "turn_by_link"): "needs a token that is told once; tests/browser/test_elsewhere.py gets one by message",
    ("portal", "say_by_link"): "as turn_by_link",
    ("portal", "offer_by_link"): "as turn_by_link; tests/browser/test_offers.py gets one",
    ("portal", "answer_by_link"): "as offer_by_link",
    ("console", "list_delays"): "as list_expected",
    ("console", "set_delay"): "as list_expected",
    ("console", "set_telling"): "as list_expected",
    ("console", "list_expected"): "as list_expected of the portal",
    ("console", "list_gaps"): "who has a gap depends on the hour; tests/browser/test_queues.py has somebody work around the clock",
    ("console", "propose_turns"): "as list_gaps",
    ("console", "take_time"): "as list_gaps",
    ("console", "give_time_back"): "as list_gaps",
    ("console", "list_places"): "needs rooms of a site of its own; tests/browser/test_beds.py has them, and somebody in one",
    ("console", "get_place"): "as list_places",
    ("console", "count_places"): "as list_places",
    ("console", "propose_places"): "as list_places",
    ("console", "assign_place"): "as list_places",
    ("console", "step_place"): "as list_places",
    ("console", "set_precautions"): "as list_places",
    ("console", "list_bed_requests"): "as list_places",
    ("console", "ask_for_bed"): "as list_places",
    ("console", "cancel_bed_request"): "as list_places",
    ("console", "get_precautions"): "as list_places",
    ("console", "record_precautions"): "as list_places",
    ("console", "find_entries"): "as list_places",
    ("console", "get_encounter"): "as list_places",
    ("console", "record_encounter"): "as list_places",
    ("console", "get_limits"): "as put_queue; tests/http/test_overview.py sets them",
    ("console", "set_limits"): "as get_limits",
    ("console", "put_queue"): "of operations alone; tests/http/test_policy_page.py sets one, and refuses absurd ones",
    ("console", "preview_policy"): "as put_queue",
    ("console", "see_demand"): "as put_queue",
    ("console", "start_tuning"): "takes seconds in the background; tests/http/test_policy_page.py waits for what it finds",
    ("console", "list_tunings"): "as start_tuning",
    ("console", "step_tuning"): "as start_tuning",
    ("console", "call_walk_in"): "needs a kiosk that gave a ticket; tests/browser/test_kiosk.py has one",
    ("console", "register_walk_in"): "as call_walk_in",
    ("console", "end_walk_in"): "as call_walk_in",
    ("console", "answer_help"): "as call_walk_in",
    ("console", "report_outage"): "needs a calendar with what it hits; tests/http/test_outage.py takes one out of service and back",
    ("console", "end_outage"): "as report_outage",
    ("console", "get_outage"): "as report_outage",
    ("console", "list_outages"): "as report_outage",
    ("console", "unblock_time"): "as report_outage",
    ("console", "get_calendar"): "as report_outage",
    ("console", "propose_instead"): "as report_outage",
    ("console", "start_plan"): "takes seconds in the background; tests/http/test_plan_pages.py waits for what it finds",
    ("console", "list_plans"): "as start_plan",
    ("console", "get_plan"): "as start_plan",
    ("console", "give_up_plan"): "as start_plan",
    ("console", "accept_plan"): "as start_plan",
    ("console", "get_planning_rules"): "as put_queue; tests/http/test_plan_pages.py sets them",
    ("console", "set_planning_rules"): "as get_planning_rules",
    ("console", "complete_sign_in"): "its arguments come from the identity provider, with whom tests/browser sign in",
    ("console", "start_app"): "needs an app of the staff's in a session that is theirs; tests/http/test_smart_launch.py starts one",
    ("console", "answer_launch"): "as start_app",
    ("console", "turn_app_off"): "as start_app; the portal's contract has the method",
    ("console", "enrol_station"): "asks for a sign-in of the last minutes; tests/browser/test_stations.py enrols a screen",
    ("console", "list_stations"): "as enrol_station",
    ("console", "renew_station_code"): "as enrol_station",
    ("console", "retire_station"): "as enrol_station",
    ("console", "read_unsent"): "needs a partner that refused a message; tests/browser/test_messages.py has one",
    ("console", "resend_message"): "as read_unsent",
    ("console", "drop_message"): "as read_unsent",
    ("console", "list_connections"): "needs an EHR that is connected; tests/browser/test_ehr.py has one",
    ("console", "list_untold"): "as list_connections",
    ("console", "retry_untold"): "as list_connections",
    ("console", "reconcile"): "as list_connections",
    ("console", "close_unusual"): "an unusual access is noticed by a job, minutes later; tests/store/test_unusual_access.py closes one",
}
"""What a page uses and no contract has, by page and method, and why."""
CALLS: dict[str, tuple[Call, ...]] = {"portal": PORTAL_CALLS, "console": CONSOLE_CALLS}
CONTRACTS = tuple(contract for page, calls in CALLS.items() for contract in contracts_of(page, calls, KNOWN))
