"""The flow module's language of waiting: queues, who waits in them, what is done with them. What is refused and told stands in `flow`."""

from typing import Annotated, Literal, get_args
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.in_use import Gap
from carewright.contracts.relief import OtherSite, Relief, ReliefKind, ReliefRule
from carewright.contracts.rooms import RoomRule
from carewright.contracts.sensors import SeenArea
from carewright.kernel.values import Instant, ShortText, Version

QueueEntryStatus = Literal[
    "expected", "waiting", "called", "in-service", "on-hold", "skipped", "completed", "left", "transferred", "cancelled"
]
"""What FHIR lacks: Encounter.status says that somebody is here, and not whether they were called."""
QueueAction = Literal[
    "announce", "arrive", "triage", "call", "skip", "return", "start", "hold", "complete", "leave", "transfer", "cancel", "undo"
]
WhereAction = Literal["offer", "away", "come", "more-time", "back", "unreached"]
"""About who waits elsewhere; the status stays what it is. They may; they do; they are told to come; they need longer; they are here again;
a message did not reach them."""
EntryAction = Literal[QueueAction, WhereAction]
PlainAction = Literal["skip", "return", "start", "hold", "complete", "leave", "cancel"]
"""What needs to be told nothing but whose turn it is about."""
AcuityScale = Literal["esi", "ctas", "tier"]
"""Emergency Severity Index and Canadian Triage and Acuity Scale, 1 to 5 each; or our own three tiers."""
QueueOrder = Literal["head-start", "accumulating"]
Level = Annotated[int, Meta(ge=1, le=5)]
"""Acuity as a queue orders by it: 1 is always first, 5 can wait."""
Minutes = Annotated[int, Meta(ge=0, le=1440)]
Rate = Annotated[float, Meta(gt=0, le=1_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Letter = Annotated[str, Meta(pattern="^[A-Z]{1,2}$")]
ListedQueues = Annotated[tuple[UUID, ...], Meta(max_length=50)]
LEVEL_OF_TIER: dict[UrgencyTier, int] = {"P0": 1, "P1": 3, "P2": 4}
"""Where nobody triaged. Level 2 is what a nurse finds, and no way of booking."""


class QueuePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a queue orders, and what it keeps free. Level 1 comes before all others, whatever is said here.

    `head_start`: whoever waits counts as having come so many minutes earlier, by level 2 to 5. `accumulating`: a minute of waiting counts
    so much, by level 2 to 5. `booked_head_start_minutes` are those of whoever has an appointment and is on time, which is until
    `grace_minutes` after its start. Of `staff` who serve, `kept_for_emergencies` call nobody of a level above 1. `no_show_share` is how
    many of those who are booked do not come: 23 % on the average of 105 studies (Dantas et al., Health Policy 122, 2018).

    A practitioner calls no walk-in whose service would usually end later than `booked_may_wait_minutes` after the start of their next
    booked patient, unless they have waited for `walk_in_may_wait_minutes`; None for the former leaves it to the order.

    Whoever waits is told that their turn is soon when at most `soon_ahead` are before them, or when half of those like them are called
    within `soon_minutes`; None is never.
    `shows_wait`: screens and kiosks tell everybody how long it takes. `at_kiosks`: kiosks give tickets to who has no appointment.
    `waits_at` is where those who wait sit, as a kiosk tells them: "waiting area 2, first floor".

    `room` has a room chosen by itself for whoever comes, or is called: of the type, equipped, fit for the precautions that are kept of the
    patient, near, and fairly; None leaves it to whoever calls.

    `relief` is what is done by itself when more wait than the queue bears, each step once.
    """

    order: QueueOrder = "head-start"
    scale: AcuityScale = "tier"
    head_start_minutes: Annotated[tuple[Minutes, ...], Meta(min_length=4, max_length=4)] = (120, 45, 15, 0)
    rates: Annotated[tuple[Rate, ...], Meta(min_length=4, max_length=4)] = (81.0, 29.0, 3.3, 1.0)
    booked_head_start_minutes: Minutes = 15
    grace_minutes: Minutes = 15
    no_show_share: Share = 0.23
    booked_may_wait_minutes: Minutes | None = 10
    walk_in_may_wait_minutes: Minutes = 120
    staff: Annotated[int, Meta(ge=1, le=500)] | None = None
    kept_for_emergencies: Annotated[int, Meta(ge=0, le=100)] = 0
    soon_ahead: Annotated[int, Meta(ge=0, le=50)] | None = 2
    soon_minutes: Annotated[int, Meta(ge=1, le=240)] | None = None
    shows_wait: bool = True
    at_kiosks: bool = True
    waits_at: Annotated[str, Meta(max_length=100)] = ""
    room: RoomRule | None = None
    relief: Annotated[tuple[ReliefRule, ...], Meta(max_length=len(get_args(ReliefKind)))] = ()

    def __post_init__(self) -> None:
        """Raises `ValueError` where two rules are about one step."""
        if len({rule.what for rule in self.relief}) < len(self.relief):
            raise ValueError("a step of relief has one rule")


class PreviewPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy that a queue might have."""

    queue_id: UUID
    policy: QueuePolicy


class PlacedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn that waits: at which place it is called now, and at which it would be. Who is elsewhere is passed over until they are back."""

    entry_id: UUID
    ticket: str
    level: int
    was: int
    place: int
    is_elsewhere: bool = False


class PolicyPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy would make of the first of those who wait now. `remarks` say in plain English what may not have been meant."""

    items: tuple[PlacedTurn, ...]
    remarks: tuple[str, ...]
    as_of: Instant


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """Who waits for a service at a site. `letter` begins its tickets."""

    id: UUID
    site_id: UUID
    service_id: UUID
    name: str
    letter: str = "A"
    policy: QueuePolicy = QueuePolicy()
    version: int = 1


class PutQueue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A queue as it is to be: a site and a service have one."""

    site_id: UUID
    service_id: UUID
    name: ShortText
    letter: Letter = "A"
    policy: QueuePolicy = QueuePolicy()
    expected_version: Version | None = None


class ListQueues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Queues at a site, or everywhere the actor works; one alone, where it is named."""

    site_id: UUID | None = None
    queue_id: UUID | None = None


class QueueSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A queue and how full it is: how many wait by level 1 to 5, how many were called or are being served, since when the first waits.

    `relief` are the steps that are on. `areas` is what sensors see where people wait for it, for those who may read sensors. `walk_ins`
    have a ticket of a kiosk, and are asked by the desk who they are: they are not counted in `waiting`.
    """

    queue: Queue
    waiting: tuple[int, ...]
    in_service: int
    waiting_since: Instant | None = None
    relief: tuple[Relief, ...] = ()
    walk_ins: int = 0
    areas: tuple[SeenArea, ...] = ()


class QueuesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[QueueSummary, ...]


class QueueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One patient's turn in one queue. `ticket` is what is called out: it says nothing about who or how urgent.

    `ranked_from` is since when the turn counts. `practitioner_id` is who alone may call the patient; `location_id` is where to;
    with `in_room` they wait there already.

    Who waits elsewhere has `travel_minutes`: so far they are. They are not called in turn until `due_at`, when they are back by what they
    said, counted from `come_at`, when they were told to come. `offered_at` is when they were told that they may wait elsewhere,
    `unreached_at` when a message last failed to reach them.
    """

    id: UUID
    queue_id: UUID
    site_id: UUID
    service_id: UUID
    encounter_id: UUID
    patient_id: UUID
    ticket: str
    status: QueueEntryStatus
    level: int
    ranked_from: Instant
    appointment_id: UUID | None = None
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    in_room: bool = False
    expected_at: Instant | None = None
    arrived_at: Instant | None = None
    triaged_at: Instant | None = None
    called_at: Instant | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None
    skipped: int = 0
    offered_at: Instant | None = None
    travel_minutes: int | None = None
    come_at: Instant | None = None
    due_at: Instant | None = None
    more_times: int = 0
    unreached_at: Instant | None = None
    version: int = 1
    updated_at: Instant


class Arrived(QueueEntry, frozen=True, kw_only=True):
    """The turn of who has come. `elsewhere` is where a routine walk-in would wait less, while the queue tells that."""

    elsewhere: tuple[OtherSite, ...] = ()


class Arrive(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is here without an appointment, or is announced for `expected_at`. Our own clock says when they came, not that of a kiosk.

    `tier` is what is known before a nurse has looked; `encounter_id` is that of a visit which is going on.
    """

    queue_id: UUID
    patient_id: UUID
    tier: UrgencyTier = "P2"
    encounter_id: UUID | None = None
    practitioner_id: UUID | None = None
    expected_at: Instant | None = None


class TurnsOfVisits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The turns of some visits (encounters), over or not, in the order in which they began."""

    encounter_ids: Annotated[tuple[UUID, ...], Meta(max_length=1000)]


class VisitTurns(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[QueueEntry, ...]


class RoomName(msgspec.Struct, frozen=True, kw_only=True):
    """What a room is called."""

    id: UUID
    name: str


class OwnTurns(msgspec.Struct, frozen=True, kw_only=True):
    """Where a patient waits, is called or is being seen now: mostly nowhere, or in one queue. `rooms` are those that the turns name."""

    items: tuple[QueueEntry, ...]
    rooms: tuple[RoomName, ...] = ()


class ListEntries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is in a queue now: first who is announced, called or being served, then who waits, in the order in which they are called."""

    queue_id: UUID
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class EntriesInOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`as_of` is when the order was so: with accumulating priority it changes by itself."""

    active: tuple[QueueEntry, ...]
    waiting: tuple[QueueEntry, ...]
    as_of: Instant


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn as whoever watches a queue is told of it: its ticket and how it stands, and nothing of whose it is."""

    id: UUID
    ticket: str
    status: QueueEntryStatus
    level: int
    expected_at: Instant | None = None
    arrived_at: Instant | None = None
    called_at: Instant | None = None
    location_id: UUID | None = None
    in_room: bool = False
    skipped: int = 0
    offered_at: Instant | None = None
    travel_minutes: int | None = None
    come_at: Instant | None = None
    due_at: Instant | None = None
    unreached_at: Instant | None = None
    version: int = 1


class ListTurns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The turns of a queue, as `ListEntries` has them."""

    queue_id: UUID
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class TurnsInOrder(msgspec.Struct, frozen=True, kw_only=True):
    """`as_of` is when the order was so."""

    active: tuple[Turn, ...]
    waiting: tuple[Turn, ...]
    as_of: Instant


class FindTickets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has this ticket now, at the actor's sites. Capitals do not matter."""

    ticket: Annotated[str, Meta(min_length=2, max_length=10)]


class FoundTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that is in use, and in which queue: of a turn, or of a kiosk for somebody whom nobody knows yet."""

    ticket: str
    status: QueueEntryStatus
    queue_id: UUID
    queue_name: str
    site_id: UUID


class FoundTickets(msgspec.Struct, frozen=True, kw_only=True):
    """By the names of the queues. Letters are a queue's own, so that several may have the same ticket."""

    items: tuple[FoundTicket, ...]


class CallNext(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is next for `practitioner_id`: of those who want nobody in particular, or them. Without one, of the former alone."""

    queue_id: UUID
    practitioner_id: UUID | None = None
    location_id: UUID | None = None


class KeptFor(msgspec.Struct, frozen=True, kw_only=True):
    """The next booked patient of whoever calls, because of whom walk-ins were passed over. `text` says why, in plain English.

    `is_here`: they have checked in. `booked_at` is the start of their appointment, `usual_minutes` how long a service here usually takes.
    """

    booked_at: Instant
    is_here: bool
    usual_minutes: int
    text: str


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """Who was called; None where nobody waits here, or whoever waits is to be kept behind emergencies or a booked patient (`kept_for`)."""

    entry: QueueEntry | None
    kept_for: KeptFor | None = None


class ProposeTurns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who of a queue could be called into which of these gaps of practitioners' time."""

    queue_id: UUID
    gaps: Annotated[tuple[Gap, ...], Meta(max_length=500)] = ()


class ProposedTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A gap, and whose turn fits into it: who is first of those whom the practitioner may call. `is_now`: it has begun."""

    gap: Gap
    is_now: bool
    turn: Turn | None = None


class ProposedTurns(msgspec.Struct, frozen=True, kw_only=True):
    """By the start of their gaps, without those of practitioners who are seeing somebody now.

    `usual_minutes` is how long a service here usually takes, `least_minutes` what there must be of it before somebody who is booked.
    """

    items: tuple[ProposedTurn, ...]
    usual_minutes: int
    least_minutes: int
    as_of: Instant


class CallEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    entry_id: UUID
    practitioner_id: UUID | None = None
    location_id: UUID | None = None
    expected_version: Version | None = None


class StepEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    entry_id: UUID
    action: PlainAction
    expected_version: Version | None = None


class Acuity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How urgent it is, as a nurse found on `scale`: that of the queue, or any where it has tiers. By tiers it is the level of one."""

    scale: AcuityScale
    level: Level

    def __post_init__(self) -> None:
        """Raises `ValueError` for a level that is no tier's."""
        if self.scale == "tier" and self.level not in LEVEL_OF_TIER.values():
            raise ValueError("P0, P1 and P2 are the levels 1, 3 and 4")


class TriageEntry(Acuity, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose urgency a nurse found."""

    entry_id: UUID
    expected_version: Version | None = None


class TransferEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On to another queue, where the turn counts since it did here. The new entry is the answer."""

    entry_id: UUID
    to_queue_id: UUID
    practitioner_id: UUID | None = None
    expected_version: Version | None = None


class UndoStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take the last step back. `expected_version` is that which the step made, so that nobody takes back what somebody else did since."""

    entry_id: UUID
    expected_version: Version


class WaitEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """How long somebody still waits until they are called, as far as that can be told: four of five wait between `low` and `high` minutes.

    `ahead` are called before them, as things stand. Where minutes are None it is longer than a day, or nobody serves.
    """

    entry_id: UUID
    ahead: int
    as_of: Instant
    low_minutes: int | None = None
    median_minutes: int | None = None
    high_minutes: int | None = None


class WaitEstimates(msgspec.Struct, frozen=True, kw_only=True):
    """Of everybody who waits in a queue, in the order in which they are called."""

    items: tuple[WaitEstimate, ...]
