"""The flow module's wiring."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from carewright.contracts.delays import AtSite, Delay, DelaysPage, ExpectedStarts, ListExpected, SetDelay, SetTelling
from carewright.contracts.directory import DeviceChanged, LocationChanged, VisitTypeChanged
from carewright.contracts.elsewhere import ByLink, LinkedTurn, LinkToTurn, NoteUnreached, SayByLink, SayWhere, TurnLink
from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncountersPage,
    PutEncounters,
    PutEncountersResult,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.flow import Delays, Flow, Kiosks, Lobby, PlaceChanged, QueueEntryMoved, Queues, Rooms, Sensors
from carewright.contracts.kiosk import (
    AnswerHelp,
    CallForHelp,
    CallWalkIn,
    CheckedIn,
    CheckIn,
    CheckInCode,
    EndWalkIn,
    FindByCode,
    FoundByCode,
    HelpCall,
    HelpCalls,
    KioskQueues,
    KioskTicket,
    ListKioskQueues,
    RegisterWalkIn,
    TakeTicket,
    WalkIn,
    WalkInsPage,
)
from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.contracts.lobby import CallsShown, ShowCalls
from carewright.contracts.notifications import CommunicationNotDone
from carewright.contracts.patients import PatientErased, PatientMerged
from carewright.contracts.queue import (
    Arrive,
    Arrived,
    Called,
    CallEntry,
    CallNext,
    EntriesInOrder,
    FindTickets,
    FoundTickets,
    ListEntries,
    ListQueues,
    ListTurns,
    OwnTurns,
    PolicyPreview,
    PreviewPolicy,
    ProposedTurns,
    ProposeTurns,
    PutQueue,
    Queue,
    QueueEntry,
    QueuesPage,
    StepEntry,
    TransferEntry,
    TriageEntry,
    TurnsInOrder,
    TurnsOfVisits,
    UndoStep,
    VisitTurns,
    WaitEstimate,
    WaitEstimates,
)
from carewright.contracts.relief import OtherSites, QueueRelief, SetRelief
from carewright.contracts.rooms import (
    AskForBed,
    AssignPlace,
    BedRequest,
    BedRequests,
    CancelBedRequest,
    CountPlaces,
    ListBedRequests,
    ListPlaces,
    PatientPrecautions,
    Place,
    PlaceCounts,
    PlacesPage,
    ProposedPlaces,
    ProposePlaces,
    RecordPrecautions,
    SetPrecautions,
    StepPlace,
)
from carewright.contracts.scheduling import (
    AppointmentAdvanced,
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentRescheduled,
    AppointmentTransferred,
)
from carewright.contracts.sensors import ChangeSensor, EnrolledSensor, EnrolSensor, ListSensors, Sensor, SensorsPage
from carewright.contracts.tuning import AskDemand, ListTunings, SeenDemand, StartTuning, StepTuning, Tuning, TuningsPage
from carewright.flow import handlers, mqtt
from carewright.flow.context import FlowContext
from carewright.flow.http import bed_requests as http_bed_requests
from carewright.flow.http import delays as http_delays
from carewright.flow.http import limits as http_limits
from carewright.flow.http import precautions as http_precautions
from carewright.flow.http import queues as http_queues
from carewright.flow.http import relief as http_relief
from carewright.flow.http import rooms as http_rooms
from carewright.flow.http import sensors as http_sensors
from carewright.flow.http import tuning as http_tuning
from carewright.flow.jobs import JOBS, TIMERS
from carewright.flow.model.calls import CALLS
from carewright.flow.model.shown import BED_REQUESTS, HELP, PLACES, RELIEF, SENSED, TURNS, WALK_INS
from carewright.flow.model.shown_delays import DELAYS, EXPECTED
from carewright.flow.service import (
    bed_requests,
    by_link,
    check_in,
    delays,
    elsewhere,
    help_calls,
    limits,
    lobby,
    precautions,
    queue,
    relief,
    rooms,
    sensors,
    tuning,
    waits,
    walk_ins,
)
from carewright.flow.service import encounters as service
from carewright.flow.settings import FlowSettings
from carewright.flow.store import bed_requests as kept_requests
from carewright.flow.store import encounters as store
from carewright.flow.store import precautions as kept_precautions
from carewright.kernel.authz import Actor
from carewright.kernel.context import Context, Once
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.modules import Module, Running


class LocalFlow:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_encounter(self, actor: Actor, encounter_id: UUID) -> Encounter:
        return await service.get_encounter(self._context.acting(actor), encounter_id)

    async def search_encounters(self, actor: Actor, query: SearchEncounters) -> EncountersPage:
        return await service.search_encounters(self._context.acting(actor), query)

    async def record_encounter(self, actor: Actor, command: RecordEncounter, idempotency_key: str | None = None) -> Encounter:
        return await service.record_encounter(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def change_encounter(self, actor: Actor, command: ChangeEncounter, idempotency_key: str | None = None) -> Encounter:
        return await service.change_encounter(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def put_encounters(self, actor: Actor, command: PutEncounters) -> PutEncountersResult:
        return await service.put_encounters(self._context.acting(actor), command)


class LocalQueues:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def get_entry(self, actor: Actor, entry_id: UUID) -> QueueEntry:
        return await queue.get_entry(self._context.acting(actor), entry_id)

    async def propose_turns(self, actor: Actor, query: ProposeTurns) -> ProposedTurns:
        return await queue.propose_turns(self._context.acting(actor), query)

    async def own_turns(self, actor: Actor) -> OwnTurns:
        return await queue.own_turns(self._context.acting(actor))

    async def turns_of_visits(self, actor: Actor, query: TurnsOfVisits) -> VisitTurns:
        return await queue.turns_of_visits(self._context.acting(actor), query)

    async def estimate_waits(self, actor: Actor, queue_id: UUID) -> WaitEstimates:
        return await waits.estimate_waits(self._context.acting(actor), queue_id)

    async def estimate_wait(self, actor: Actor, entry_id: UUID) -> WaitEstimate:
        return await waits.estimate_wait(self._context.acting(actor), entry_id)

    async def put_queue(self, actor: Actor, command: PutQueue, idempotency_key: str | None = None) -> Queue:
        return await queue.put_queue(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def preview_policy(self, actor: Actor, query: PreviewPolicy) -> PolicyPreview:
        return await queue.preview_policy(self._context.acting(actor), query)

    async def get_limits(self, actor: Actor, query: AtSite) -> SiteLimits:
        return await limits.get_limits(self._context.acting(actor), query)

    async def set_limits(self, actor: Actor, command: SetLimits, idempotency_key: str | None = None) -> SiteLimits:
        return await limits.set_limits(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_queues(self, actor: Actor, query: ListQueues) -> QueuesPage:
        return await queue.list_queues(self._context.acting(actor), query)

    async def list_entries(self, actor: Actor, query: ListEntries) -> EntriesInOrder:
        return await queue.list_entries(self._context.acting(actor), query)

    async def list_turns(self, actor: Actor, query: ListTurns) -> TurnsInOrder:
        return await queue.list_turns(self._context.acting(actor), query)

    async def find_tickets(self, actor: Actor, query: FindTickets) -> FoundTickets:
        return await queue.find_tickets(self._context.acting(actor), query)

    async def arrive(self, actor: Actor, command: Arrive, idempotency_key: str | None = None) -> Arrived:
        return await queue.arrive(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def call_next(self, actor: Actor, command: CallNext, idempotency_key: str | None = None) -> Called:
        return await queue.call_next(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def call_entry(self, actor: Actor, command: CallEntry, idempotency_key: str | None = None) -> QueueEntry:
        return await queue.call_entry(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def step_entry(self, actor: Actor, command: StepEntry, idempotency_key: str | None = None) -> QueueEntry:
        return await queue.step_entry(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def triage_entry(self, actor: Actor, command: TriageEntry, idempotency_key: str | None = None) -> QueueEntry:
        return await queue.triage_entry(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def transfer_entry(self, actor: Actor, command: TransferEntry, idempotency_key: str | None = None) -> QueueEntry:
        return await queue.transfer_entry(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def undo_step(self, actor: Actor, command: UndoStep, idempotency_key: str | None = None) -> QueueEntry:
        return await queue.undo_step(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def say_where(self, actor: Actor, command: SayWhere, idempotency_key: str | None = None) -> QueueEntry:
        return await elsewhere.say_where(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def link_to_turn(self, actor: Actor, command: LinkToTurn) -> TurnLink:
        return await by_link.link_to_turn(self._context.acting(actor), command)

    async def turn_by_link(self, actor: Actor, query: ByLink) -> LinkedTurn:
        return await by_link.turn_by_link(self._context.acting(actor), query)

    async def say_by_link(self, actor: Actor, command: SayByLink, idempotency_key: str | None = None) -> QueueEntry:
        return await by_link.say_by_link(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def note_unreached(self, actor: Actor, command: NoteUnreached) -> None:
        await elsewhere.note_unreached(self._context.acting(actor), command)

    async def get_relief(self, actor: Actor, queue_id: UUID) -> QueueRelief:
        return await relief.get_relief(self._context.acting(actor), queue_id)

    async def set_relief(self, actor: Actor, command: SetRelief, idempotency_key: str | None = None) -> QueueRelief:
        return await relief.set_relief(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_other_sites(self, actor: Actor, queue_id: UUID) -> OtherSites:
        return await relief.list_other_sites(self._context.acting(actor), queue_id)

    async def see_demand(self, actor: Actor, query: AskDemand) -> SeenDemand:
        return await tuning.see_demand(self._context.acting(actor), query)

    async def start_tuning(self, actor: Actor, command: StartTuning, idempotency_key: str | None = None) -> Tuning:
        return await tuning.start_tuning(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_tunings(self, actor: Actor, query: ListTunings) -> TuningsPage:
        return await tuning.list_tunings(self._context.acting(actor), query)

    async def get_tuning(self, actor: Actor, tuning_id: UUID) -> Tuning:
        return await tuning.get_tuning(self._context.acting(actor), tuning_id)

    async def step_tuning(self, actor: Actor, command: StepTuning, idempotency_key: str | None = None) -> Tuning:
        return await tuning.step_tuning(self._context.acting(actor, Once.of(idempotency_key, command)), command)


class LocalRooms:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list_places(self, actor: Actor, query: ListPlaces) -> PlacesPage:
        return await rooms.list_places(self._context.acting(actor), query)

    async def get_place(self, actor: Actor, place_id: UUID) -> Place:
        return await rooms.get_place(self._context.acting(actor), place_id)

    async def count_places(self, actor: Actor, query: CountPlaces) -> PlaceCounts:
        return await rooms.count_places(self._context.acting(actor), query)

    async def propose_places(self, actor: Actor, query: ProposePlaces) -> ProposedPlaces:
        return await rooms.propose_places(self._context.acting(actor), query)

    async def assign_place(self, actor: Actor, command: AssignPlace, idempotency_key: str | None = None) -> Place:
        return await rooms.assign_place(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def step_place(self, actor: Actor, command: StepPlace, idempotency_key: str | None = None) -> Place:
        return await rooms.step_place(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def set_precautions(self, actor: Actor, command: SetPrecautions, idempotency_key: str | None = None) -> Place:
        return await rooms.set_precautions(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_bed_requests(self, actor: Actor, query: ListBedRequests) -> BedRequests:
        return await bed_requests.list_bed_requests(self._context.acting(actor), query)

    async def ask_for_bed(self, actor: Actor, command: AskForBed, idempotency_key: str | None = None) -> BedRequest:
        return await bed_requests.ask_for_bed(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def cancel_bed_request(self, actor: Actor, command: CancelBedRequest, idempotency_key: str | None = None) -> BedRequest:
        return await bed_requests.cancel_bed_request(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def get_precautions(self, actor: Actor, patient_id: UUID) -> PatientPrecautions:
        return await precautions.get_precautions(self._context.acting(actor), patient_id)

    async def record_precautions(self, actor: Actor, command: RecordPrecautions, idempotency_key: str | None = None) -> PatientPrecautions:
        return await precautions.record_precautions(self._context.acting(actor, Once.of(idempotency_key, command)), command)


class LocalDelays:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def list_delays(self, actor: Actor, query: AtSite) -> DelaysPage:
        return await delays.list_delays(self._context.acting(actor), query)

    async def set_delay(self, actor: Actor, command: SetDelay, idempotency_key: str | None = None) -> Delay:
        return await delays.set_delay(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def set_telling(self, actor: Actor, command: SetTelling, idempotency_key: str | None = None) -> SetTelling:
        return await delays.set_telling(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def list_expected(self, actor: Actor, query: ListExpected) -> ExpectedStarts:
        return await delays.list_expected(self._context.acting(actor), query)


class LocalSensors:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: FlowContext) -> None:
        self._context = context

    async def actor_of(self, actor: Actor, secret: str) -> Actor | None:
        """Whose tenant a secret is of is what is asked here: so it is looked up as the system, which sees every tenant's."""
        return await sensors.actor_of(replace(self._context, actor=actor), secret)

    async def enrol_sensor(self, actor: Actor, command: EnrolSensor, idempotency_key: str | None = None) -> EnrolledSensor:
        return await sensors.enrol_sensor(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def change_sensor(self, actor: Actor, command: ChangeSensor, idempotency_key: str | None = None) -> Sensor:
        return await sensors.change_sensor(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def renew_sensor_secret(self, actor: Actor, sensor_id: UUID) -> EnrolledSensor:
        return await sensors.renew_sensor_secret(self._context.acting(actor), sensor_id)

    async def stop_sensor(self, actor: Actor, sensor_id: UUID) -> Sensor:
        return await sensors.stop_sensor(self._context.acting(actor), sensor_id)

    async def list_sensors(self, actor: Actor, query: ListSensors) -> SensorsPage:
        return await sensors.list_sensors(self._context.acting(actor), query)


class LocalLobby:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def show_calls(self, actor: Actor, query: ShowCalls) -> CallsShown:
        return await lobby.show_calls(self._context.acting(actor), query)


class LocalKiosks:
    """The contract's Protocol, answered in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def check_in_code(self, actor: Actor, appointment_id: UUID) -> CheckInCode:
        return await check_in.check_in_code(self._context.acting(actor), appointment_id)

    async def check_in(self, actor: Actor, command: CheckIn) -> CheckedIn:
        return await check_in.check_in(self._context.acting(actor), command)

    async def list_kiosk_queues(self, actor: Actor, query: ListKioskQueues) -> KioskQueues:
        return await walk_ins.list_kiosk_queues(self._context.acting(actor), query)

    async def take_ticket(self, actor: Actor, command: TakeTicket, idempotency_key: str | None = None) -> KioskTicket:
        return await walk_ins.take_ticket(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def call_for_help(self, actor: Actor, command: CallForHelp) -> HelpCall:
        return await help_calls.call_for_help(self._context.acting(actor), command)

    async def list_walk_ins(self, actor: Actor, queue_id: UUID) -> WalkInsPage:
        return await walk_ins.list_walk_ins(self._context.acting(actor), queue_id)

    async def call_walk_in(self, actor: Actor, command: CallWalkIn, idempotency_key: str | None = None) -> WalkIn:
        return await walk_ins.call_walk_in(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def register_walk_in(self, actor: Actor, command: RegisterWalkIn, idempotency_key: str | None = None) -> QueueEntry:
        return await walk_ins.register_walk_in(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def end_walk_in(self, actor: Actor, command: EndWalkIn, idempotency_key: str | None = None) -> WalkIn:
        return await walk_ins.end_walk_in(self._context.acting(actor, Once.of(idempotency_key, command)), command)

    async def find_by_code(self, actor: Actor, query: FindByCode) -> FoundByCode:
        return await check_in.find_by_code(self._context.acting(actor), query)

    async def list_help(self, actor: Actor, site_id: UUID) -> HelpCalls:
        return await help_calls.list_help(self._context.acting(actor), site_id)

    async def answer_help(self, actor: Actor, command: AnswerHelp, idempotency_key: str | None = None) -> HelpCall:
        return await help_calls.answer_help(self._context.acting(actor, Once.of(idempotency_key, command)), command)


async def start(base: Context, settings: FlowSettings, resolve: Callable[[type], Any]) -> Running:
    """Flow needs nothing but its tables, and a broker where sensors publish at one. Raises `StartFailed`."""
    context, broker = FlowContext.of(base), mqtt.broker_of(settings)
    follow = partial(mqtt.follow, context, broker, resolve(Outgoing)) if broker else None
    offers: dict[type, object] = {
        Flow: LocalFlow(context), Queues: LocalQueues(context), Rooms: LocalRooms(context), Delays: LocalDelays(context),
        Lobby: LocalLobby(context), Sensors: LocalSensors(context), Kiosks: LocalKiosks(context),
    }  # fmt: skip
    return Running(context, offers, follow=follow)


MODULE = Module(
    name="flow",
    start=start,
    settings=FlowSettings,
    offers=(Flow, Queues, Rooms, Delays, Lobby, Sensors, Kiosks),
    routes=http_queues.ROUTES
    + http_relief.ROUTES
    + http_rooms.ROUTES
    + http_bed_requests.ROUTES
    + http_precautions.ROUTES
    + http_delays.ROUTES
    + http_limits.ROUTES
    + http_tuning.ROUTES
    + http_sensors.ROUTES,
    prefixes=(
        "/api/v1/queues",
        "/api/v1/queue-entries",
        "/api/v1/places",
        http_bed_requests.BED_REQUESTS,
        http_precautions.PRECAUTIONS,
        "/api/v1/delays",
        "/api/v1/expected-starts",
        http_limits.LIMITS,
        "/api/v1/tunings",
        http_sensors.SENSORS,
        http_sensors.READINGS,
    ),
    subscriptions={
        PatientErased: handlers.erase_patient,
        PatientMerged: handlers.take_over,
        LocationChanged: handlers.copy_place,
        DeviceChanged: handlers.copy_device,
        VisitTypeChanged: handlers.copy_visit_type,
        AppointmentBooked: handlers.copy_appointment,
        AppointmentConfirmed: handlers.copy_appointment,
        AppointmentRescheduled: handlers.copy_appointment,
        AppointmentAdvanced: handlers.queue_who_checks_in,
        AppointmentCancelled: handlers.cancel,
        AppointmentTransferred: handlers.copy_appointment,
        QueueEntryMoved: handlers.follow_turn,
        PlaceChanged: handlers.follow_room,
        CommunicationNotDone: handlers.note_unreached,
    },
    jobs=JOBS,
    timers=TIMERS,
    shown=(TURNS, RELIEF, PLACES, BED_REQUESTS, WALK_INS, HELP, CALLS, DELAYS, EXPECTED, SENSED),
    sealed={
        store.TABLE: service.reseal_encounters,
        kept_precautions.TABLE: precautions.reseal_precautions,
        kept_requests.TABLE: bed_requests.reseal_bed_requests,
    },
)
