"""Settings of the FHIR rim."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirSettings:
    """`base_url` is the address under which others reach us, `/fhir/R4` included. Without it, links say what the request said.

    `published_organization_id` is the hospital that shows its published times to everybody, `booking_url` the portal where they are booked.
    They are put together anew every `publish_seconds` at most, for `publish_days` ahead (62 at most).
    """

    base_url: str = ""
    published_organization_id: UUID | None = None
    booking_url: str = ""
    publish_seconds: int = 60
    publish_days: int = 28
