"""Whom patients let act for them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.kernel.values import Instant

Relationship = Literal["parent", "guardian", "spouse", "child", "carer", "other"]
ConsentScope = Literal["see", "book"]
ListedIds = Annotated[tuple[UUID, ...], Meta(max_length=500)]


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody may act for a patient (FHIR RelatedPerson with a Consent), from `starts_at` until `ends_at`, unless it was withdrawn."""

    id: UUID
    patient_id: UUID
    proxy_patient_id: UUID | None = None
    relationship: Relationship
    scope: ConsentScope
    proof: str
    starts_at: Instant
    ends_at: Instant
    given_at: Instant
    given_by: str
    accepted_at: Instant | None = None
    withdrawn_at: Instant | None = None

    def holds(self, now: datetime) -> bool:
        """Whether the proxy may act by it now."""
        return self.accepted_at is not None and self.withdrawn_at is None and self.starts_at <= now < self.ends_at


class FindProxies(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Consents that somebody accepted, holding or over, that meet every condition that has a value; in order of their ids.

    Patients search among those that they gave themselves. `after` is the id of the last one of an earlier page.
    """

    ids: ListedIds = ()
    patient_ids: ListedIds = ()
    proxy_patient_ids: ListedIds = ()
    after: UUID | None = None
    limit: Annotated[int, Meta(ge=1, le=1000)] = 50


class ProxiesPage(msgspec.Struct, frozen=True, kw_only=True):
    items: tuple[Consent, ...]
    next: UUID | None = None
