"""Oversight's language: incidents, what was done about them, and what is held back until somebody releases it."""

from typing import Annotated, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal
from carewright.kernel.values import Code, Instant, Limit, Reason

StepKind = Literal["end_sessions", "quarantine_client", "quarantine_peer", "rotate_token_key", "renew_field_key", "notify"]
IncidentKind = Literal["reported", "codes_guessed", "reading_rate", "bad_tokens"]
RestraintKind = Literal["client", "peer"]
Subjects = Annotated[tuple[Code, ...], Meta(max_length=20)]
Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:-]+$")]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done, or tried. `said` tells in a sentence what came of it, and what to do next where it failed."""

    kind: StepKind
    name: str = ""
    done: bool
    said: str


class Respond(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done, all of it in one go. Subjects are those of the audit log (`agent`); a peer is a host name.

    `reason` is kept sealed; leave names and other details of patients out of it.
    """

    reason: Reason
    end_sessions_of: Subjects = ()
    quarantine_clients: Subjects = ()
    quarantine_peers: Annotated[tuple[Host, ...], Meta(max_length=20)] = ()
    rotate_token_key: bool = False
    renew_field_key: bool = False
    notify: bool = True


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Something that should not have happened, and what was done about it. `finding` is what a person wrote when it was closed.

    `kind` says what noticed it, or that a person reported it; `about` is the subject that it is about, where there is one.
    """

    id: UUID
    kind: IncidentKind = "reported"
    about: str = ""
    opened_at: Instant
    opened_by: str
    reason: str
    steps: tuple[Step, ...] = ()
    closed_at: Instant | None = None
    closed_by: str | None = None
    finding: str | None = None


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """A client that nothing comes in from, or a host that nothing goes out to."""

    id: UUID
    kind: RestraintKind
    name: str
    since: Instant


class ListIncidents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Newest first; those that are closed too if asked for."""

    closed: bool = False
    limit: Limit = 50


class IncidentsPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Incident, ...]
    held_back: tuple[HeldBack, ...]


class CloseIncident(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    incident_id: UUID
    finding: Reason


UnusualKind = Literal["own_record", "same_surname", "no_appointment", "bulk_reading"]


class Unusual(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody opened a record that they may have had no reason to open, or very many.

    `count` is how often since `first_at`; of bulk reading, how many patients within an hour, and no patient is named.
    """

    id: UUID
    kind: UnusualKind
    agent: str
    role: str
    patient_id: UUID | None
    first_at: Instant
    last_at: Instant
    count: int
    closed_at: Instant | None = None
    closed_by: str | None = None
    outcome: Literal["justified", "not-justified"] | None = None
    finding: str | None = None


class ListUnusual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Newest first; those that are closed too if asked for. `patient_id` and `agent` narrow it."""

    closed: bool = False
    patient_id: UUID | None = None
    agent: Code | None = None
    limit: Limit = 50


class UnusualPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Unusual, ...]


class CloseUnusual(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a privacy officer found. Nobody closes what is about themselves."""

    unusual_id: UUID
    outcome: Literal["justified", "not-justified"]
    finding: Reason


class UnknownUnusual(Refusal):
    code = "oversight.unknown_unusual"
    status = 404
    issue = "not-found"
    title = "There is no such access that waits to be looked at."


class UnusualNotYours(Refusal):
    code = "oversight.unusual_not_yours"
    status = 409
    issue = "business-rule"
    title = "What is about you is looked at by somebody else."


class UnknownIncident(Refusal):
    code = "oversight.unknown_incident"
    status = 404
    issue = "not-found"
    title = "There is no such incident that is open."


class NotHeldBack(Refusal):
    code = "oversight.not_held_back"
    status = 404
    issue = "not-found"
    title = "Nothing is held back under this id."


class Oversight(Protocol):
    """What the console, and the command line beside the database, may ask of oversight."""

    async def respond(self, actor: Actor, command: Respond) -> Incident: ...

    async def list_incidents(self, actor: Actor, query: ListIncidents) -> IncidentsPage: ...

    async def release(self, actor: Actor, restraint_id: UUID) -> HeldBack: ...

    async def close_incident(self, actor: Actor, command: CloseIncident) -> Incident: ...

    async def list_unusual(self, actor: Actor, query: ListUnusual) -> UnusualPage: ...

    async def close_unusual(self, actor: Actor, command: CloseUnusual) -> Unusual: ...
