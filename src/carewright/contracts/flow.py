"""The flow module's language: what happens while a patient is in the hospital; what is refused, what is told, and what may be asked.

Encounters have their values in `contracts.encounters`, queues in `contracts.queue`, rooms and beds in `contracts.rooms`, late running in
`contracts.delays`, kiosks in `kiosk`.
"""

from typing import ClassVar, Protocol
from uuid import UUID

from carewright.contracts import kiosk as k
from carewright.contracts import queue
from carewright.contracts.delays import AtSite, Delay, DelaySource, DelaysPage, ExpectedStarts, ListExpected, SetDelay, SetTelling, Telling
from carewright.contracts.elsewhere import ByLink, LinkedTurn, LinkToTurn, NoteUnreached, SayByLink, SayWhere, TurnLink
from carewright.contracts.encounters import (
    ChangeEncounter,
    Encounter,
    EncountersPage,
    EncounterStatus,
    PutEncounters,
    PutEncountersResult,
    RecordEncounter,
    SearchEncounters,
)
from carewright.contracts.limits import SetLimits, SiteLimits
from carewright.contracts.lobby import CallsShown, ShowCalls
from carewright.contracts.relief import OtherSites, QueueRelief, ReliefBy, ReliefKind, ReliefReason, SetRelief
from carewright.contracts.rooms import (
    AskForBed,
    AssignPlace,
    BedRequest,
    BedRequestEnd,
    BedRequests,
    BedUrgency,
    CancelBedRequest,
    CountPlaces,
    ListBedRequests,
    ListPlaces,
    PatientPrecautions,
    Place,
    PlaceCounts,
    PlacesPage,
    PlaceStatus,
    ProposedPlaces,
    ProposePlaces,
    RecordPrecautions,
    SetPrecautions,
    StepPlace,
)
from carewright.contracts.sensors import ChangeSensor, EnrolledSensor, EnrolSensor, ListSensors, Sensor, SensorsPage
from carewright.contracts.tuning import AskDemand, ListTunings, SeenDemand, StartTuning, StepTuning, Tuning, TuningsPage
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Day, Instant


class UnknownEncounter(Refusal):
    code = "flow.unknown_encounter"
    status = 404
    issue = "not-found"
    title = "We do not know this encounter."


class InvalidEncounter(Refusal):
    code = "flow.invalid_encounter"
    status = 422
    issue = "business-rule"
    title = "Something in the encounter's details is not right."


class StatusNotAllowed(Refusal):
    """`status` is what the encounter is now."""

    code = "flow.status_not_allowed"
    status = 409
    issue = "business-rule"
    title = "An encounter does not go from its status to this one."


class UnknownQueue(Refusal):
    code = "flow.unknown_queue"
    status = 404
    issue = "not-found"
    title = "We do not know this queue."


class UnknownEntry(Refusal):
    code = "flow.unknown_queue_entry"
    status = 404
    issue = "not-found"
    title = "We do not know this place in a queue."


class AlreadyQueued(Refusal):
    """`entry_id` is the place that the patient has."""

    code = "flow.already_queued"
    status = 409
    issue = "duplicate"
    title = "The patient is in this queue already."


class StepNotAllowed(Refusal):
    """`entry_status` is how it stands now: somebody else may have been faster."""

    code = "flow.step_not_allowed"
    status = 409
    issue = "conflict"
    title = "This cannot be done as things stand now."


class NotWaiting(Refusal):
    """`entry_status` is how it stands now."""

    code = "flow.not_waiting"
    status = 409
    issue = "conflict"
    title = "This patient is not waiting now, so there is nothing to tell."


class OtherScale(Refusal):
    """`scale` is the one by which this queue triages."""

    code = "flow.other_scale"
    status = 409
    issue = "business-rule"
    title = "This queue triages by another scale."


class WalkInsPaused(Refusal):
    """`since` when; `other_sites` are queues of the same service where walk-ins are taken, with how many wait and for how many minutes."""

    code = "flow.walk_ins_paused"
    status = 409
    issue = "business-rule"
    title = "So many wait here that no routine walk-ins are taken at the moment. Emergencies, follow-ups and appointments are, as always."


class NothingToUndo(Refusal):
    code = "flow.nothing_to_undo"
    status = 409
    issue = "conflict"
    title = "The last step can no longer be taken back."


class UnknownTuning(Refusal):
    code = "flow.unknown_tuning"
    status = 404
    issue = "not-found"
    title = "We do not know this search for an order."


class TooLittleHistory(Refusal):
    """`day_count`, `people` and `served` are what is known, and `day_least`, `people_least` and `served_least` what is needed."""

    code = "flow.too_little_history"
    status = 422
    issue = "business-rule"
    title = "Too little is known of who comes to this queue. Enter how many come, or wait until more have."


class TuningNotSound(Refusal):
    code = "flow.tuning_not_sound"
    status = 422
    issue = "business-rule"
    title = "A day like this cannot be simulated."


class TuningRuns(Refusal):
    """`tuning_id` is the search that runs."""

    code = "flow.tuning_runs"
    status = 409
    issue = "conflict"
    title = "A search runs at this site already. Wait until it is done, or give it up."


class TuningStepNotAllowed(Refusal):
    """`tuning_status` is how it stands now."""

    code = "flow.tuning_step_not_allowed"
    status = 409
    issue = "conflict"
    title = "This cannot be done with the search as it stands now."


class UnknownPlace(Refusal):
    code = "flow.unknown_place"
    status = 404
    issue = "not-found"
    title = "We do not know this room or bed."


class PlaceNotFree(Refusal):
    """`place_status` is how it stands now: somebody else may have been faster."""

    code = "flow.place_not_free"
    status = 409
    issue = "conflict"
    title = "This room or bed is not free."


class PlaceNotSuited(Refusal):
    code = "flow.place_not_suited"
    status = 409
    issue = "business-rule"
    title = "This room or bed is not of the type, lacks equipment or is not fit for the precautions."


class NoPlaceFree(Refusal):
    code = "flow.no_place_free"
    status = 409
    issue = "conflict"
    title = "No room or bed that suits is free now."


class UnknownBedRequest(Refusal):
    code = "flow.unknown_bed_request"
    status = 404
    issue = "not-found"
    title = "We do not know this request for a bed."


class BedRequestEnded(Refusal):
    """`ended` is what came of it."""

    code = "flow.bed_request_ended"
    status = 409
    issue = "conflict"
    title = "Nobody waits for this bed any more."


class PlaceStepNotAllowed(Refusal):
    """`place_status` is how it stands now."""

    code = "flow.place_step_not_allowed"
    status = 409
    issue = "conflict"
    title = "This cannot be done with the room or bed as it stands now."


class UnknownSite(Refusal):
    code = "flow.unknown_site"
    status = 404
    issue = "not-found"
    title = "We do not know this site."


class UnknownCalendar(Refusal):
    code = "flow.unknown_calendar"
    status = 404
    issue = "not-found"
    title = "Nobody is booked with this calendar at this site today."


class EncounterFact(Event, frozen=True, kw_only=True):
    """Ids and the status of an encounter alone: whoever needs more asks, and is authorised when asking."""

    encounter_id: UUID
    patient_id: UUID
    status: EncounterStatus
    version: int
    appointment_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.encounter_id


class EncounterRecorded(EncounterFact, frozen=True, kw_only=True):
    """An encounter began, or is planned."""

    topic: ClassVar[str] = "flow.encounter.recorded.v1"


class EncounterChanged(EncounterFact, frozen=True, kw_only=True):
    """Something about an encounter is other than it was: its status perhaps, or who takes part."""

    topic: ClassVar[str] = "flow.encounter.changed.v1"


class QueueEntryMoved(Event, frozen=True, kw_only=True):
    """What was done with somebody's turn, which `was` as it says until then. Ids, codes and times alone."""

    topic: ClassVar[str] = "flow.queue_entry.moved.v1"
    entry_id: UUID
    queue_id: UUID
    site_id: UUID
    service_id: UUID
    patient_id: UUID
    encounter_id: UUID
    action: queue.QueueAction
    status: queue.QueueEntryStatus
    was: queue.QueueEntryStatus | None = None
    level: int
    ticket: str
    ranked_from: Instant
    version: int
    appointment_id: UUID | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.entry_id


class TurnSoon(Event, frozen=True, kw_only=True):
    """Somebody who waits is nearly next, as the queue's policy has it. Said once of a turn."""

    topic: ClassVar[str] = "flow.queue_entry.soon.v1"
    entry_id: UUID
    queue_id: UUID
    site_id: UUID
    patient_id: UUID
    ticket: str

    @property
    def subject(self) -> UUID:
        return self.entry_id


class QueueChanged(Event, frozen=True, kw_only=True):
    """A queue is new, or ordered otherwise from now on."""

    topic: ClassVar[str] = "flow.queue.changed.v1"
    queue_id: UUID
    site_id: UUID
    service_id: UUID
    version: int

    @property
    def subject(self) -> UUID:
        return self.queue_id


class ReliefChanged(Event, frozen=True, kw_only=True):
    """A queue that bears no more began a step, or ended one."""

    topic: ClassVar[str] = "flow.relief.changed.v1"
    relief_id: UUID
    queue_id: UUID
    site_id: UUID
    service_id: UUID
    what: ReliefKind
    is_on: bool
    by: ReliefBy
    reason: ReliefReason
    version: int

    @property
    def subject(self) -> UUID:
        return self.relief_id


class PlaceChanged(Event, frozen=True, kw_only=True):
    """A room or a bed stands otherwise than it did. Ids and the status alone."""

    topic: ClassVar[str] = "flow.place.changed.v1"
    place_id: UUID
    site_id: UUID
    status: PlaceStatus
    version: int
    encounter_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.place_id


class BedRequestChanged(Event, frozen=True, kw_only=True):
    """Somebody waits for a bed, for another one than before, or not any more. Ids and codes alone."""

    topic: ClassVar[str] = "flow.bed_request.changed.v1"
    request_id: UUID
    site_id: UUID
    urgency: BedUrgency
    version: int
    encounter_id: UUID | None = None
    ended: BedRequestEnd | None = None

    @property
    def subject(self) -> UUID:
        return self.request_id


class DelayChanged(Event, frozen=True, kw_only=True):
    """A calendar runs otherwise than it did: `minutes` late, 0 is on time."""

    topic: ClassVar[str] = "flow.delay.changed.v1"
    calendar_id: UUID
    site_id: UUID
    day: Day
    minutes: int
    source: DelaySource
    version: int

    @property
    def subject(self) -> UUID:
        return self.calendar_id


class AppointmentExpected(Event, frozen=True, kw_only=True):
    """An appointment is expected to begin otherwise than it was. `tell` is there where the patient is to hear of it now.

    `by_emergency` says why it is late, where an emergency came first.
    """

    topic: ClassVar[str] = "flow.appointment.expected.v1"
    appointment_id: UUID
    site_id: UUID
    patient_id: UUID
    start: Instant
    late_minutes: int
    version: int
    tell: Telling | None = None
    by_emergency: bool = False

    @property
    def subject(self) -> UUID:
        return self.appointment_id


class Flow(Protocol):
    """What the rims may ask of flow."""

    async def get_encounter(self, actor: Actor, encounter_id: UUID) -> Encounter: ...

    async def search_encounters(self, actor: Actor, query: SearchEncounters) -> EncountersPage: ...

    async def record_encounter(self, actor: Actor, command: RecordEncounter, idempotency_key: str | None = None) -> Encounter: ...

    async def change_encounter(self, actor: Actor, command: ChangeEncounter, idempotency_key: str | None = None) -> Encounter: ...

    async def put_encounters(self, actor: Actor, command: PutEncounters) -> PutEncountersResult: ...


class Queues(Protocol):
    """What the rims may ask of queues."""

    async def put_queue(self, actor: Actor, command: queue.PutQueue, idempotency_key: str | None = None) -> queue.Queue: ...

    async def preview_policy(self, actor: Actor, query: queue.PreviewPolicy) -> queue.PolicyPreview: ...

    async def get_limits(self, actor: Actor, query: AtSite) -> SiteLimits: ...

    async def set_limits(self, actor: Actor, command: SetLimits, idempotency_key: str | None = None) -> SiteLimits: ...

    async def list_queues(self, actor: Actor, query: queue.ListQueues) -> queue.QueuesPage: ...

    async def list_entries(self, actor: Actor, query: queue.ListEntries) -> queue.EntriesInOrder: ...

    async def list_turns(self, actor: Actor, query: queue.ListTurns) -> queue.TurnsInOrder: ...

    async def find_tickets(self, actor: Actor, query: queue.FindTickets) -> queue.FoundTickets: ...

    async def get_entry(self, actor: Actor, entry_id: UUID) -> queue.QueueEntry: ...

    async def propose_turns(self, actor: Actor, query: queue.ProposeTurns) -> queue.ProposedTurns: ...

    async def own_turns(self, actor: Actor) -> queue.OwnTurns: ...

    async def turns_of_visits(self, actor: Actor, query: queue.TurnsOfVisits) -> queue.VisitTurns: ...

    async def estimate_waits(self, actor: Actor, queue_id: UUID) -> queue.WaitEstimates: ...

    async def estimate_wait(self, actor: Actor, entry_id: UUID) -> queue.WaitEstimate: ...

    async def arrive(self, actor: Actor, command: queue.Arrive, idempotency_key: str | None = None) -> queue.Arrived: ...

    async def call_next(self, actor: Actor, command: queue.CallNext, idempotency_key: str | None = None) -> queue.Called: ...

    async def call_entry(self, actor: Actor, command: queue.CallEntry, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def step_entry(self, actor: Actor, command: queue.StepEntry, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def triage_entry(self, actor: Actor, command: queue.TriageEntry, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def transfer_entry(self, actor: Actor, command: queue.TransferEntry, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def undo_step(self, actor: Actor, command: queue.UndoStep, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def say_where(self, actor: Actor, command: SayWhere, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def link_to_turn(self, actor: Actor, command: LinkToTurn) -> TurnLink: ...

    async def turn_by_link(self, actor: Actor, query: ByLink) -> LinkedTurn: ...

    async def say_by_link(self, actor: Actor, command: SayByLink, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def note_unreached(self, actor: Actor, command: NoteUnreached) -> None: ...

    async def get_relief(self, actor: Actor, queue_id: UUID) -> QueueRelief: ...

    async def set_relief(self, actor: Actor, command: SetRelief, idempotency_key: str | None = None) -> QueueRelief: ...

    async def list_other_sites(self, actor: Actor, queue_id: UUID) -> OtherSites: ...

    async def see_demand(self, actor: Actor, query: AskDemand) -> SeenDemand: ...

    async def start_tuning(self, actor: Actor, command: StartTuning, idempotency_key: str | None = None) -> Tuning: ...

    async def list_tunings(self, actor: Actor, query: ListTunings) -> TuningsPage: ...

    async def get_tuning(self, actor: Actor, tuning_id: UUID) -> Tuning: ...

    async def step_tuning(self, actor: Actor, command: StepTuning, idempotency_key: str | None = None) -> Tuning: ...


class Rooms(Protocol):
    """What the rims may ask of rooms and beds."""

    async def list_places(self, actor: Actor, query: ListPlaces) -> PlacesPage: ...

    async def get_place(self, actor: Actor, place_id: UUID) -> Place: ...

    async def count_places(self, actor: Actor, query: CountPlaces) -> PlaceCounts: ...

    async def propose_places(self, actor: Actor, query: ProposePlaces) -> ProposedPlaces: ...

    async def assign_place(self, actor: Actor, command: AssignPlace, idempotency_key: str | None = None) -> Place: ...

    async def step_place(self, actor: Actor, command: StepPlace, idempotency_key: str | None = None) -> Place: ...

    async def set_precautions(self, actor: Actor, command: SetPrecautions, idempotency_key: str | None = None) -> Place: ...

    async def list_bed_requests(self, actor: Actor, query: ListBedRequests) -> BedRequests: ...

    async def ask_for_bed(self, actor: Actor, command: AskForBed, idempotency_key: str | None = None) -> BedRequest: ...

    async def cancel_bed_request(self, actor: Actor, command: CancelBedRequest, idempotency_key: str | None = None) -> BedRequest: ...

    async def get_precautions(self, actor: Actor, patient_id: UUID) -> PatientPrecautions: ...

    async def record_precautions(
        self, actor: Actor, command: RecordPrecautions, idempotency_key: str | None = None
    ) -> PatientPrecautions: ...


class Delays(Protocol):
    """What the rims may ask of late running."""

    async def list_delays(self, actor: Actor, query: AtSite) -> DelaysPage: ...

    async def set_delay(self, actor: Actor, command: SetDelay, idempotency_key: str | None = None) -> Delay: ...

    async def set_telling(self, actor: Actor, command: SetTelling, idempotency_key: str | None = None) -> SetTelling: ...

    async def list_expected(self, actor: Actor, query: ListExpected) -> ExpectedStarts: ...


class Sensors(Protocol):
    """What the rims may ask of sensors, and the processes of whose secret they were shown."""

    async def actor_of(self, actor: Actor, secret: str) -> Actor | None: ...

    async def enrol_sensor(self, actor: Actor, command: EnrolSensor, idempotency_key: str | None = None) -> EnrolledSensor: ...

    async def change_sensor(self, actor: Actor, command: ChangeSensor, idempotency_key: str | None = None) -> Sensor: ...

    async def renew_sensor_secret(self, actor: Actor, sensor_id: UUID) -> EnrolledSensor: ...

    async def stop_sensor(self, actor: Actor, sensor_id: UUID) -> Sensor: ...

    async def list_sensors(self, actor: Actor, query: ListSensors) -> SensorsPage: ...


class Lobby(Protocol):
    """What the rims may ask of flow for everybody in a waiting room to see."""

    async def show_calls(self, actor: Actor, query: ShowCalls) -> CallsShown: ...


class Kiosks(Protocol):
    """What the rims may ask of flow for whoever stands at a kiosk, and for the desk that sees to them."""

    async def check_in_code(self, actor: Actor, appointment_id: UUID) -> k.CheckInCode: ...

    async def check_in(self, actor: Actor, command: k.CheckIn) -> k.CheckedIn: ...

    async def list_kiosk_queues(self, actor: Actor, query: k.ListKioskQueues) -> k.KioskQueues: ...

    async def take_ticket(self, actor: Actor, command: k.TakeTicket, idempotency_key: str | None = None) -> k.KioskTicket: ...

    async def call_for_help(self, actor: Actor, command: k.CallForHelp) -> k.HelpCall: ...

    async def list_walk_ins(self, actor: Actor, queue_id: UUID) -> k.WalkInsPage: ...

    async def call_walk_in(self, actor: Actor, command: k.CallWalkIn, idempotency_key: str | None = None) -> k.WalkIn: ...

    async def register_walk_in(self, actor: Actor, command: k.RegisterWalkIn, idempotency_key: str | None = None) -> queue.QueueEntry: ...

    async def end_walk_in(self, actor: Actor, command: k.EndWalkIn, idempotency_key: str | None = None) -> k.WalkIn: ...

    async def find_by_code(self, actor: Actor, query: k.FindByCode) -> k.FoundByCode: ...

    async def list_help(self, actor: Actor, site_id: UUID) -> k.HelpCalls: ...

    async def answer_help(self, actor: Actor, command: k.AnswerHelp, idempotency_key: str | None = None) -> k.HelpCall: ...
