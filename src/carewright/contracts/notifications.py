"""The notifications module's language: what is said to whom, by which channel, and what became of it.

A notice names a template and the few facts that go into it. It carries no diagnosis, no kind of visit and no name of a patient: a message
lies open on a locked telephone.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.events import Event
from carewright.kernel.values import Instant, Language, Limit, ShortText

Status = Literal["preparation", "in-progress", "completed", "not-done"]
"""Of FHIR R4 Communication.status those that a message passes through."""
Channel = Literal["sms", "email", "inbox"]
"""`inbox` is the product's own: what staff and patients read after signing in."""
ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=500)]
TemplateName = Literal[
    "sign_in_code", "sign_in_call_us", "appointment_booked", "appointment_requested", "appointment_rescheduled", "appointment_cancelled",
    "appointment_later", "appointment_later_emergency", "appointment_as_booked", "appointment_offer", "appointment_offer_link",
    "waitlist_offer", "waitlist_offer_link", "earlier_offer", "earlier_offer_link",
    "passkey_added", "passkey_removed", "turn_soon", "turn_called", "turn_elsewhere", "turn_come", "turn_elsewhere_link", "turn_come_link",
    "break_glass_started", "incident_opened",
]  # fmt: skip
TEMPLATES: Mapping[TemplateName, frozenset[str]] = {
    "sign_in_code": frozenset({"hospital", "code", "minutes"}),
    "sign_in_call_us": frozenset({"hospital"}),
    "appointment_booked": frozenset({"hospital", "when", "site", "code"}),
    "appointment_requested": frozenset({"hospital", "when", "site"}),
    "appointment_rescheduled": frozenset({"hospital", "when", "site", "code"}),
    "appointment_cancelled": frozenset({"hospital", "when", "site"}),
    "appointment_later": frozenset({"hospital", "when", "site", "minutes"}),
    "appointment_later_emergency": frozenset({"hospital", "when", "site", "minutes"}),
    "appointment_as_booked": frozenset({"hospital", "when", "site"}),
    "passkey_added": frozenset({"hospital"}),
    "passkey_removed": frozenset({"hospital"}),
    "turn_soon": frozenset({"hospital", "ticket"}),
    "turn_called": frozenset({"hospital", "ticket"}),
    "turn_elsewhere": frozenset({"hospital", "ticket"}),
    "turn_come": frozenset({"hospital", "ticket"}),
    "turn_elsewhere_link": frozenset({"hospital", "ticket", "link"}),
    "turn_come_link": frozenset({"hospital", "ticket", "link"}),
    "appointment_offer": frozenset({"hospital", "when", "site", "instead", "until"}),
    "appointment_offer_link": frozenset({"hospital", "when", "site", "instead", "until", "link"}),
    "waitlist_offer": frozenset({"hospital", "site", "instead", "until"}),
    "waitlist_offer_link": frozenset({"hospital", "site", "instead", "until", "link"}),
    "earlier_offer": frozenset({"hospital", "when", "site", "instead", "until"}),
    "earlier_offer_link": frozenset({"hospital", "when", "site", "instead", "until", "link"}),
    "break_glass_started": frozenset({"until"}),
    "incident_opened": frozenset({"when"}),
}
"""Every template with the names of the values it needs: no more and no fewer are taken."""
SECRET: frozenset[TemplateName] = frozenset({
    "sign_in_code", "turn_elsewhere_link", "turn_come_link", "appointment_offer_link", "waitlist_offer_link", "earlier_offer_link",
})  # fmt: skip
"""What these say opens something: it goes to its reader by its channel, and is shown nowhere else."""


class Moment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An instant to be written as the clock on a wall of `zone` shows it, in the message's language."""

    at: Instant
    zone: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]


class Recipient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A patient by id, everybody of a role by its name, or one account by its subject."""

    kind: Literal["patient", "role", "account"]
    id: Annotated[str, Meta(min_length=1, max_length=200)]


class Notice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be said. `contact` is the telephone number or address, for every channel but `inbox`.

    After `until_at` the message is worth nothing any more: it is not sent, and its text is forgotten. `about_id` is what it is about, for
    whoever has to hear where it does not arrive.
    """

    template: TemplateName
    recipient: Recipient
    channel: Channel
    contact: ShortText | None = None
    language: Language | None = None
    values: Annotated[dict[str, ShortText | Moment], Meta(max_length=10)] = {}
    until_at: Instant | None = None
    about_id: UUID | None = None


class Communication(msgspec.Struct, frozen=True, kw_only=True):
    """A message as FHIR R4 Communication has it: who, by which channel, and how far it came. Its text is read with `read_inbox`."""

    id: UUID
    status: Status
    status_reason: str | None
    template: TemplateName
    language: str
    channel: Channel
    recipient: Recipient
    created_at: Instant
    sent_at: Instant | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its text. `contact` is shown by the local inbox alone."""

    communication: Communication
    contact: str | None
    title: str
    text: str


class ReadInbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Newest first. `of_id` narrows the local inbox to those who got that message."""

    limit: Limit = 50
    of_id: UUID | None = None


class MessagesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Message, ...]


class ListMessages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that was said to a patient, oldest first. `after` is the id of the last one of an earlier page."""

    patient_id: UUID
    after: UUID | None = None
    limit: Limit = 50


class SearchCommunications(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was said to patients that meets every condition that has a value, oldest first. Patients search among what was said to them."""

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A message to a patient. What it said is None once that was forgotten, and where it is `withheld` because it opens something."""

    communication: Communication
    contact: str | None = None
    title: str | None = None
    text: str | None = None
    withheld: bool = False


class SaidPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Said, ...]
    next: UUID | None = None


class LocalInboxClosed(Refusal):
    code = "notifications.local_inbox_closed"
    status = 404
    issue = "not-found"
    title = "There is no local inbox here: messages leave this system."


class CommunicationNotDone(Event, frozen=True, kw_only=True):
    """A message did not reach whom it was for, and is not tried any more: it came too late, was refused, or was given up."""

    topic: ClassVar[str] = "notifications.communication.not_done.v1"
    communication_id: UUID
    about_id: UUID | None = None

    @property
    def subject(self) -> UUID:
        return self.communication_id


class Notifications(Protocol):
    """What the rims may ask of notifications."""

    async def notify(self, actor: Actor, notice: Notice, idempotency_key: str | None = None) -> UUID: ...

    async def read_inbox(self, actor: Actor, query: ReadInbox) -> MessagesPage: ...

    async def read_local_inbox(self, actor: Actor, query: ReadInbox) -> MessagesPage: ...

    async def list_messages(self, actor: Actor, query: ListMessages) -> SaidPage: ...

    async def search_communications(self, actor: Actor, query: SearchCommunications) -> SaidPage: ...
