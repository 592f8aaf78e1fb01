"""The flow module's language of kiosks: checking in by a code, and tickets for who has no appointment.

Nothing here names anybody: who stands at a kiosk stands among others. Who may be asked stands in `flow`.
"""

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.queue import QueueEntryStatus
from carewright.contracts.relief import OtherSite
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, ShortText, Version

WalkInStatus = Literal["waiting", "called", "registered", "ended"]
"""Until the desk knows who it is: has a ticket, is called to the desk, has a turn by now, is gone."""
WalkInAction = Literal["take", "call", "register", "end"]
WalkInEnd = Literal["left", "has-turn", "mistake"]
"""Nobody came; they have another ticket; nobody wanted it."""
CODE_LETTERS = "CDFHJKMNPRTWX34679"
"""What check-in codes are written with: nothing that looks like something else as people write it (0 O Q, 1 I L, 2 Z, 5 S, 8 B, 6 G, U V),
and no vowel, so that no code is a word."""
HelpReason = Literal["ill", "codes"]
"""Somebody feels very ill, or asked for help; somebody typed many codes that are none."""


class CheckInCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient types at a kiosk when they come, in two groups of three: "KMT 4RW"."""

    appointment_id: UUID
    code: str


class CheckIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is here for the appointment of this code. How it is typed does not matter. `station_name` is where the kiosk stands."""

    site_id: UUID
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    station_name: ShortText


class FindByCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The appointment of today that a patient at the desk has this code for."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]


class FoundByCode(msgspec.Struct, frozen=True, kw_only=True):
    """At the actor's sites: mostly one or none."""

    appointment_ids: tuple[UUID, ...]


class KioskTicket(msgspec.Struct, frozen=True, kw_only=True):
    """What a kiosk tells of a turn: the ticket, where it is for and where to wait; not whose it is, nor how urgent.

    `place` is where to go, of who was called, or has a room since they came. `low_minutes` to `high_minutes`: four of five wait
    as long; None where the queue does not tell, or nobody can. `elsewhere` is where a walk-in would wait less.
    """

    ticket: str
    queue: str
    waits_at: str
    status: QueueEntryStatus
    place: str = ""
    ahead: int | None = None
    low_minutes: int | None = None
    high_minutes: int | None = None
    elsewhere: tuple[OtherSite, ...] = ()


class CheckedIn(KioskTicket, frozen=True, kw_only=True):
    """`start` is when the appointment begins, on the clocks of `time_zone`. `is_late`: later than the queue waits for.

    `again`: they were checked in before, and this is the ticket that they have.
    """

    start: Instant
    time_zone: str
    is_late: bool
    again: bool


class ListKioskQueues(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Queues at a site for who has no appointment: all that kiosks may give tickets of, or those of these."""

    site_id: UUID
    queue_ids: Annotated[tuple[UUID, ...], Meta(max_length=50)] = ()


class KioskQueue(msgspec.Struct, frozen=True, kw_only=True):
    """A queue to choose. `is_paused`: no walk-ins are taken now; `elsewhere` is then where they are."""

    id: UUID
    name: str
    waiting: int
    is_paused: bool
    low_minutes: int | None = None
    high_minutes: int | None = None
    elsewhere: tuple[OtherSite, ...] = ()


class KioskQueues(msgspec.Struct, frozen=True, kw_only=True):
    """By name. `time_zone` is the site's."""

    items: tuple[KioskQueue, ...]
    time_zone: str


class TakeTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody is here without an appointment. Our own clock says when they came, not that of a kiosk."""

    queue_id: UUID


class CallForHelp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody at a kiosk feels very ill. `station_name` is where it stands."""

    site_id: UUID
    station_name: ShortText


class WalkIn(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that a kiosk gave to somebody of whom nobody knows yet who they are. `entry_id` is the turn that became of it.

    Their turn counts since `taken_at`, however long it takes until the desk asks them.
    """

    id: UUID
    queue_id: UUID
    site_id: UUID
    ticket: str
    status: WalkInStatus
    taken_at: Instant
    called_at: Instant | None = None
    ended_at: Instant | None = None
    entry_id: UUID | None = None
    version: int = 1


class WalkInsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Those of a queue whom the desk does not know yet, who came first before."""

    items: tuple[WalkIn, ...]


class CallWalkIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To the desk, to say who they are."""

    walk_in_id: UUID
    expected_version: Version | None = None


class RegisterWalkIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who it is, and how urgent it seems: they have a turn from now on, by the ticket in their hand."""

    walk_in_id: UUID
    patient_id: UUID
    tier: UrgencyTier = "P2"
    expected_version: Version | None = None


class EndWalkIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nobody waits for this ticket any more."""

    walk_in_id: UUID
    reason: WalkInEnd
    expected_version: Version | None = None


class HelpCall(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody at a kiosk needs somebody of the staff, now."""

    id: UUID
    site_id: UUID
    reason: HelpReason
    station_name: str
    raised_at: Instant
    answered_at: Instant | None = None
    version: int = 1


class HelpCalls(msgspec.Struct, frozen=True, kw_only=True):
    """Those that nobody has answered, the oldest first."""

    items: tuple[HelpCall, ...]


class AnswerHelp(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody of the staff has gone there. Who is faster has answered; the other changes nothing."""

    help_id: UUID


class CheckInCodeNotRight(Refusal):
    """Not of an appointment of today, or of another hospital: which is not said."""

    code = "kiosk.code_not_right"
    status = 422
    issue = "not-found"
    title = "We do not find an appointment of today for this code."


class TooManyCodes(Refusal):
    """So many codes that were none were typed at this kiosk that it takes no other for `retry_after_seconds`."""

    code = "kiosk.too_many_codes"
    status = 429
    issue = "throttled"
    title = "Several codes were not right. The desk can help."


class CheckInElsewhere(Refusal):
    """`site_name` is where the appointment is."""

    code = "kiosk.check_in_elsewhere"
    status = 409
    issue = "business-rule"
    title = "This appointment is at another site."


class CheckInTooEarly(Refusal):
    """`from_at` is when the code begins to be good, on the clocks of `time_zone`."""

    code = "kiosk.check_in_too_early"
    status = 409
    issue = "business-rule"
    title = "It is too early to check in for this appointment."


class CheckInAtDesk(Refusal):
    """`why`: cancelled, over, unconfirmed, missed, unclear (the code is that of two) or unknown (where to wait)."""

    code = "kiosk.check_in_at_desk"
    status = 409
    issue = "business-rule"
    title = "For this appointment nobody can check in by themselves. The desk can help."


class UnknownWalkIn(Refusal):
    code = "kiosk.unknown_walk_in"
    status = 404
    issue = "not-found"
    title = "We do not know this ticket of a kiosk."


class WalkInStepNotAllowed(Refusal):
    """`walk_in_status` is how it stands now: somebody else may have been faster."""

    code = "kiosk.walk_in_step_not_allowed"
    status = 409
    issue = "conflict"
    title = "Somebody else has seen to this ticket already."


class UnknownHelpCall(Refusal):
    code = "kiosk.unknown_help_call"
    status = 404
    issue = "not-found"
    title = "We do not know this call for help."


class WalkInMoved(Event, frozen=True, kw_only=True):
    """What was done with a ticket of a kiosk. Ids, codes and times alone; `entry_id` is the turn that became of it."""

    topic: ClassVar[str] = "kiosk.walk_in.moved.v1"
    walk_in_id: UUID
    queue_id: UUID
    site_id: UUID
    action: WalkInAction
    status: WalkInStatus
    ticket: str
    version: int
    entry_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.walk_in_id


class HelpChanged(Event, frozen=True, kw_only=True):
    """Somebody at a kiosk needs somebody of the staff, or somebody has gone there."""

    topic: ClassVar[str] = "kiosk.help.changed.v1"
    help_id: UUID
    site_id: UUID
    reason: HelpReason
    is_open: bool
    version: int

    @property
    def subject(self) -> UUID:
        return self.help_id
