"""The language of EHR connections: what is connected, who is master of what, where the two differ, and the refusals."""

from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Code, Instant, ShortText

ProfileName = Literal["epic", "oracle", "r4"]
"""Whose habits an EHR has: Epic's, Oracle Health's, or none of its own: a plain FHIR R4 server, as HAPI is."""
Mode = Literal["polling", "subscription"]
"""Whether we ask again and again, or the EHR wakes us when an appointment changes there, and we ask more rarely besides."""
Kind = Literal["Practitioner", "Location", "Patient", "Appointment", "Coverage"]
Master = Literal["theirs", "ours", "newest"]
"""Whose word counts where both have changed: theirs, ours, or that of whoever spoke last."""
MASTERS: dict[Kind, Master] = {
    "Practitioner": "ours", "Location": "ours", "Patient": "theirs", "Appointment": "newest", "Coverage": "theirs",
}  # fmt: skip
"""Who is master where nobody said otherwise."""
TAKEN = "ehr.taken"
"""The reason of a difference that is none any more, since ours was changed to what they say."""


class AddConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An EHR. `base` is where its FHIR R4 is, `client_id` what it calls us, `patient_system` the system of its patients' numbers."""

    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
    profile: ProfileName
    base: Annotated[str, Meta(min_length=8, max_length=500)]
    client_id: Code
    patient_system: ShortText = ""
    masters: dict[Kind, Master] = {}
    mode: Mode = "polling"


class EhrSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """How our subscription at the EHR stands, as we last saw it: `status` is FHIR's, None while there is none.

    It is `active_since` then, until `ends_at`, before which it is renewed. `woken_at` is when it last woke us, `fault` the code of what
    last was in its way.
    """

    status: Literal["requested", "active", "error", "off"] | None = None
    active_since: Instant | None = None
    ends_at: Instant | None = None
    woken_at: Instant | None = None
    fault: str | None = None
    fault_at: Instant | None = None


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """`public_key` is the JWK that the EHR needs to know us by; `codes` are their kinds of visits, and what each is with us.

    A connection that was stopped asks and tells nothing. `subscription` is there while there is, or may be, one at the EHR.
    """

    id: UUID
    name: str
    profile: ProfileName
    base: str
    client_id: str
    patient_system: str
    masters: dict[Kind, Master]
    codes: dict[str, UUID]
    public_key: dict[str, Any]
    pulled_at: Instant | None = None
    mode: Mode = "polling"
    stopped_at: Instant | None = None
    subscription: EhrSubscription | None = None


class SetMode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How we hear of changes at an EHR from now on."""

    mode: Mode


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Where the two do not say the same. `reason` is a code, `ours` our id where there is one, `elements` what differs, by name."""

    id: UUID
    kind: Kind
    reason: str
    ours: UUID | None
    elements: tuple[str, ...]
    found_at: Instant


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a pull: how many of each kind, by outcome. `ended_by` is the code of what ended it early."""

    counts: dict[str, int]
    ended_by: str | None = None


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """`linked` counts what both have, by kind; `only_ours` are appointments from now on that the EHR does not have."""

    linked: dict[str, int]
    differences: tuple[Difference, ...]
    only_ours: tuple[UUID, ...]
    more: bool = False


class Connections(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Connection, ...]


class UntoldAppointment(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment of which the EHR is to hear, since when, and how often that was tried. `failed` is not tried again by itself."""

    appointment_id: UUID
    since: Instant
    attempts: int
    failed: bool


class Untold(msgspec.Struct, frozen=True, kw_only=True):
    """`more` says that not all of them are here."""

    items: tuple[UntoldAppointment, ...]
    more: bool = False


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes are told again that had failed."""

    count: int


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """How many changes were still to be told, and are told when the connection is resumed, as they are then."""

    dropped: int


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """How many appointments are told: those that changed here since the day before it was stopped."""

    count: int


class UnknownConnection(Refusal):
    code = "ehr.unknown_connection"
    status = 404
    issue = "not-found"
    title = "There is no such EHR connection."


class ConnectionExists(Refusal):
    code = "ehr.connection_exists"
    status = 409
    issue = "duplicate"
    title = "There is an EHR connection of this name already."


class ConnectionStopped(Refusal):
    code = "ehr.connection_stopped"
    status = 409
    issue = "conflict"
    title = "This EHR connection was stopped. Resume it first."


class ModeNotOffered(Refusal):
    code = "ehr.mode_not_offered"
    status = 422
    issue = "not-supported"
    title = "EHRs of this profile cannot be subscribed to. Leave the connection polling."


class NoPublicAddress(Refusal):
    code = "ehr.no_public_address"
    status = 422
    issue = "business-rule"
    title = "Say first under which address the EHR reaches us: CAREWRIGHT_EHR_PUBLIC_URL."


class PullRunning(Refusal):
    code = "ehr.pull_running"
    status = 409
    issue = "conflict"
    title = "This EHR is being asked already. Wait until that has ended."


class NotUnderstood(Refusal):
    """`status_code` is that of the answer, `about` a word of ours for what was asked."""

    code = "ehr.not_understood"
    status = 502
    issue = "processing"
    title = "The EHR answered what we cannot use."


class PagesWithoutEnd(Refusal):
    code = "ehr.pages_without_end"
    status = 502
    issue = "too-costly"
    title = "The EHR's pages do not end. What was read of them stays."


class Ehrs(Protocol):
    """What the staff's pages may ask of EHR connections."""

    async def list_connections(self, actor: Actor) -> Connections: ...

    async def list_untold(self, actor: Actor, connection_id: UUID) -> Untold: ...

    async def retry_untold(self, actor: Actor, connection_id: UUID) -> Retried: ...

    async def reconcile(self, actor: Actor, connection_id: UUID) -> Reconciled: ...
