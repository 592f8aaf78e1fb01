"""The flow module's language of encounters: a patient's stay or visit. What is refused and told stands in `flow`."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.directory import Coding, Identifier
from carewright.kernel.values import Cursor, Instant, Version

EncounterStatus = Literal["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"]
"""FHIR R4 Encounter.status (http://hl7.org/fhir/R4/valueset-encounter-status.html)."""
Codings = Annotated[tuple[Coding, ...], Meta(max_length=50)]
Identifiers = Annotated[tuple[Identifier, ...], Meta(max_length=50)]
Places = Annotated[tuple[UUID, ...], Meta(max_length=50)]
ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=500)]


class EncounterParticipant(msgspec.Struct, frozen=True, kw_only=True):
    """Who of the staff takes part, and as what (http://hl7.org/fhir/R4/valueset-encounter-participant-type.html)."""

    practitioner_id: UUID
    role: Coding | None = None


Participants = Annotated[tuple[EncounterParticipant, ...], Meta(max_length=50)]


class EncounterContent(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an encounter. `encounter_class` is R4's class: ambulatory, emergency, inpatient (v3-ActCode).

    `site_id` is where it is, as far as that is known; `start` and `end` are those of the encounter, not of the appointment it follows.
    """

    patient_id: UUID
    status: EncounterStatus
    encounter_class: Coding
    types: Codings = ()
    service_type: Coding | None = None
    start: Instant | None = None
    end: Instant | None = None
    site_id: UUID | None = None
    location_ids: Places = ()
    participants: Participants = ()
    appointment_id: UUID | None = None
    identifiers: Identifiers = ()


class Encounter(EncounterContent, frozen=True, kw_only=True):
    """A patient's stay or visit."""

    id: UUID
    version: int = 1
    updated_at: Instant | None = None


class RecordEncounter(EncounterContent, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody has come, or will come. Whoever records it has just looked the patient up."""


class ChangeEncounter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is not said stays. `is_open_again` takes back the end, where a discharge was a mistake."""

    encounter_id: UUID
    status: EncounterStatus | None = None
    encounter_class: Coding | None = None
    service_type: Coding | None = None
    start: Instant | None = None
    end: Instant | None = None
    is_open_again: bool = False
    site_id: UUID | None = None
    location_ids: Places | None = None
    participants: Participants | None = None
    expected_version: Version | None = None


class PutEncounters(msgspec.Struct, frozen=True, kw_only=True):
    """Create or change many at once, matched by id; for imports."""

    encounters: tuple[Encounter, ...]


class PutEncountersResult(msgspec.Struct, frozen=True, kw_only=True):
    created: int
    changed: int
    unchanged: int


class SearchEncounters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Encounters that meet every condition that has a value. Patients, and who speaks for one, search among their own.

    `actor_ids` are practitioners and places, of which any takes part. An encounter lies in the time from `from_at` until before `until_at`
    if any of it does; one without a start lies in no time. `after` is the cursor of an earlier page.
    """

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    appointment_ids: ListedIds = ()
    actor_ids: ListedIds = ()
    statuses: Annotated[tuple[EncounterStatus, ...], Meta(max_length=9)] = ()
    identifiers: Annotated[tuple[Identifier, ...], Meta(max_length=500)] = ()
    from_at: Instant | None = None
    until_at: Instant | None = None
    after: Cursor | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class EncountersPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Encounter, ...]
    next: str | None = None
