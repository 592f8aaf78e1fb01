"""The audit module's language: what was done to whose record, and the proof that nobody changed it since."""

from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Code, Cursor, Instant

AuditAction = Literal["C", "R", "U", "D", "E"]
AuditOutcome = Literal["success", "refused", "failed"]
AuditSort = Literal["newest", "oldest", "event", "action", "agent", "role", "purpose", "outcome", "code", "patient", "address"]
PageLimit = Annotated[int, Meta(ge=1, le=200)]


class AuditEntity(msgspec.Struct, frozen=True, kw_only=True):
    """What was touched: a resource type and an id."""

    type: str
    id: UUID


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One deed. `number` is its place in the sealed log, from 0; `address` is the IP address asked from.

    `code` is that of a refusal, or of the reason that was given for a deed that needs one.
    """

    number: int = 0
    id: UUID
    recorded_at: Instant
    organization_id: UUID
    event: str
    action: AuditAction
    agent: str
    role: str
    purpose: str
    outcome: AuditOutcome = "success"
    code: str | None = None
    patient_id: UUID | None = None
    entities: tuple[AuditEntity, ...] = ()
    trace: str | None = None
    address: str | None = None


class FindAuditEvents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every element narrows the search; `after` is the `next` of an earlier page under the same search."""

    patient_id: UUID | None = None
    agent: Code | None = None
    role: Code | None = None
    event: Code | None = None
    action: AuditAction | None = None
    outcome: AuditOutcome | None = None
    purpose: Code | None = None
    code: Code | None = None
    entity_id: UUID | None = None
    address: Code | None = None
    from_at: Instant | None = None
    until_at: Instant | None = None
    sort: AuditSort = "newest"
    after: Cursor | None = None
    limit: PageLimit = 50


class FindDisclosures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record was shown or changed for other purposes than treatment, payment and operations (45 CFR 164.528)."""

    patient_id: UUID
    from_at: Instant | None = None
    until_at: Instant | None = None
    after: Cursor | None = None
    limit: PageLimit = 50


class AuditEventsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[AuditEvent, ...]
    next: str | None = None


class InclusionProof(msgspec.Struct, frozen=True, kw_only=True):
    """All that somebody needs to check one entry without us.

    SHA-256(0x00 || body) is the leaf; `path` leads from it to the root in `checkpoint` (RFC 6962, 2.1.1). Hashes are in hexadecimal.
    """

    number: int
    size: int
    body: str
    path: tuple[str, ...]
    checkpoint: str


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The newest signed checkpoint, as C2SP tlog-checkpoint has it, and the key that verifies it."""

    note: str
    verifier_key: str


class FindBusy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who did something at least so often since then.

    `patients` is opening the records of so many, `bad_tokens` coming with tokens or assertions that do not hold, `wrong_codes` typing codes
    that are not right, `guesses` typing wrong codes or passwords from one address, for whichever accounts.
    """

    what: Literal["patients", "bad_tokens", "wrong_codes", "guesses"]
    since: Instant
    at_least: Annotated[int, Meta(ge=1)]


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """One actor of one organization, in one role and for one purpose; or one address. `count` is of patients, or of requests."""

    organization_id: UUID
    agent: str = ""
    role: str = ""
    purpose: str = ""
    address: str = ""
    count: int


class FindReads(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose record was opened, behind an earlier page's `place`, among what was sealed before an instant."""

    place: int = -1
    before: Instant
    limit: PageLimit = 200


class ReadsPage(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the log, of every organization. `place` is how far the log was looked through."""

    items: tuple[AuditEvent, ...]
    place: int


class UnknownAuditEvent(Refusal):
    code = "audit.unknown_event"
    status = 404
    issue = "not-found"
    title = "The audit log does not know this id, or has not sealed it yet."


class NoCheckpoint(Refusal):
    code = "audit.no_checkpoint"
    status = 404
    issue = "not-found"
    title = "Nothing has been sealed yet. Try again in a moment."


class AuditTrail(Protocol):
    """What the rims may ask about the audit log."""

    async def find_events(self, actor: Actor, query: FindAuditEvents) -> AuditEventsPage: ...

    async def get_event(self, actor: Actor, event_id: UUID) -> AuditEvent: ...

    async def find_disclosures(self, actor: Actor, query: FindDisclosures) -> AuditEventsPage: ...

    async def prove_event(self, actor: Actor, event_id: UUID) -> InclusionProof: ...

    async def find_busy(self, actor: Actor, query: FindBusy) -> tuple[Busy, ...]: ...

    async def find_reads(self, actor: Actor, query: FindReads) -> ReadsPage: ...
