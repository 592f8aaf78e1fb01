"""Scheduling's language of links: an appointment that depends on another of the same patient, and what becomes of it when that one changes.

FHIR R4's Appointment knows another one by `supportingInformation` alone. How the two lie to each other is said in codes of R4's
action-relationship-type (http://hl7.org/fhir/R4/valueset-action-relationship-type.html), with an offset, as in RequestGroup.
"""

from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Limit, Version

LinkKind = Literal["before", "after", "concurrent"]
"""`before` ends before the other begins, `after` begins after the other ends, `concurrent` begins with the other or before it, and lasts
into it. `least_minutes` and `most_minutes` count the time between: for `concurrent` from its own start to the other's."""
LinkWhy = Literal["lab", "imaging", "interpreter", "transport", "bed", "other"]
LinkOtherwise = Literal["ask", "move", "flag"]
"""What is done where the other was moved too near or too far: the patient is asked about another time, it is moved at once, or somebody at
the desk sees to it. Somebody does so too where no time is free, and where the patient says no."""
LinkStatus = Literal["holds", "broken", "seen", "ended"]
"""`broken` waits for somebody, `seen` was left as it is by somebody. `ended` binds nothing any more: one of the two does not take place."""
LinkCause = Literal["cancelled", "missed", "moved", "back"]
"""What became of an appointment: `back` takes place after all, and what depended on it was cancelled meanwhile."""
LinkAttempt = Literal["due", "asked", "none-free"]
"""How far another time was looked for: it will be at once, the patient was asked, there was none or it could not be had."""
LINK_MINUTES_MAX = 60 * 24 * 120
LinkMinutes = Annotated[int, Meta(ge=0, le=LINK_MINUTES_MAX)]
LINKS_MAX = 20
"""Of one appointment."""
WITHOUT_OTHER = "without-other"
"""A `cancelation_reason` that nobody chose: what the appointment was for does not take place."""


class LinkAppointments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have `appointment_id` depend on `depends_on_id`, both booked and still to come. What `needs` the other is worth nothing without it.

    Without `most_minutes` it may be as far away as anybody likes. Where nothing is said, what is `concurrent` is moved with the other, and
    of the rest the patient is asked: nobody is asked about a time at which they are here.
    """

    appointment_id: UUID
    depends_on_id: UUID
    kind: LinkKind
    why: LinkWhy = "other"
    needs: bool = True
    least_minutes: LinkMinutes = 0
    most_minutes: LinkMinutes | None = None
    otherwise: LinkOtherwise | None = None


class AppointmentLink(msgspec.Struct, frozen=True, kw_only=True):
    """A link, and whether it holds; `cause` says what broke or ended it. `site_id` is where the dependent appointment is.

    `version` counts changes from 1 and is the ETag.
    """

    id: UUID
    patient_id: UUID
    site_id: UUID
    appointment_id: UUID
    depends_on_id: UUID
    kind: LinkKind
    why: LinkWhy
    needs: bool
    least_minutes: int
    most_minutes: int | None = None
    otherwise: LinkOtherwise
    status: LinkStatus = "holds"
    cause: LinkCause | None = None
    attempt: LinkAttempt | None = None
    made_at: Instant
    changed_at: Instant
    version: int = 1


class ListLinks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Links that meet every condition that has a value, oldest first; of one's own, or at one's sites.

    `appointment_id` is either of the two. `status` `broken` at a `site_id` is what somebody there has to see to.
    """

    appointment_id: UUID | None = None
    patient_id: UUID | None = None
    site_id: UUID | None = None
    status: LinkStatus | None = None
    after: UUID | None = None
    limit: Limit = 50


class LinksPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[AppointmentLink, ...]
    next: UUID | None = None


class UnlinkAppointments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Have an appointment depend on the other no more. Both stay as they are."""

    link_id: UUID
    expected_version: Version | None = None


class NoteLinkSeen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody saw to what is broken; where both stay as they are, it is right so. Until one of them is moved again, nobody has to look."""

    link_id: UUID
    expected_version: Version | None = None


# --- refusals -----------------------------------------------------------------------------------------------------------------


class UnknownLink(Refusal):
    code = "links.unknown_link"
    status = 404
    issue = "not-found"
    title = "We know no link under this id."


class AlreadyLinked(Refusal):
    """`link_id` is the one that there is."""

    code = "links.already_linked"
    status = 409
    issue = "conflict"
    title = "One of these appointments depends on the other already. Take that link away first."


class LinkContradicts(Refusal):
    """`rule` says what: `itself`, `other-patient`, `circle`, `minutes` (the least are more than the most) or `ask` (what is concurrent)."""

    code = "links.contradicts"
    status = 422
    issue = "business-rule"
    title = "An appointment cannot depend on another like this."


class LinkDoesNotFit(Refusal):
    code = "links.does_not_fit"
    status = 409
    issue = "business-rule"
    title = "These appointments are too near to each other, or too far apart, for that. Move one of them first."


class TooManyLinks(Refusal):
    code = "links.too_many"
    status = 409
    issue = "too-costly"
    title = "This appointment is linked to as many others as it may be."


class LinkNotBroken(Refusal):
    """`link_status` says how it stands."""

    code = "links.not_broken"
    status = 409
    issue = "business-rule"
    title = "There is nothing to see to here any more."


class WouldBreakLink(Refusal):
    """`link_id` is the one."""

    code = "links.would_break"
    status = 409
    issue = "business-rule"
    title = "This would come too near to an appointment that goes with it, or too far away."


# --- events -------------------------------------------------------------------------------------------------------------------


class LinkFact(Event, frozen=True, kw_only=True):
    """What every event of a link carries: ids and codes."""

    link_id: UUID
    patient_id: UUID
    site_id: UUID
    appointment_id: UUID
    depends_on_id: UUID
    kind: LinkKind
    why: LinkWhy
    needs: bool
    status: LinkStatus
    cause: LinkCause | None = None
    attempt: LinkAttempt | None = None
    version: int

    @property
    def subject(self) -> UUID:
        return self.link_id


class LinkMade(LinkFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "links.link.made.v1"


class LinkChanged(LinkFact, frozen=True, kw_only=True):
    """It broke, holds again, was seen to or binds no more: `status` says how it stands."""

    topic: ClassVar[str] = "links.link.changed.v1"


class LinkRemoved(LinkFact, frozen=True, kw_only=True):
    topic: ClassVar[str] = "links.link.removed.v1"


class LinksAppointments(Protocol):
    """The part of `Scheduling` that links appointments."""

    async def link_appointments(self, actor: Actor, command: LinkAppointments, idempotency_key: str | None = None) -> AppointmentLink: ...

    async def unlink_appointments(
        self, actor: Actor, command: UnlinkAppointments, idempotency_key: str | None = None
    ) -> AppointmentLink: ...

    async def note_link_seen(self, actor: Actor, command: NoteLinkSeen, idempotency_key: str | None = None) -> AppointmentLink: ...

    async def get_link(self, actor: Actor, link_id: UUID) -> AppointmentLink: ...

    async def list_links(self, actor: Actor, query: ListLinks) -> LinksPage: ...
