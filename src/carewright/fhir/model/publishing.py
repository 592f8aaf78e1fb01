"""What a hospital shows to everybody: sites, what is offered at them, and when.

Source: SMART Scheduling Links (https://github.com/smart-on-fhir/smart-scheduling-links/blob/master/specification.md). A Schedule is a kind
of visit at a site, a Slot one of its starts. The id of a Slot is that of the proposal which a free one is: whoever may book through
`Appointment/$book` books it by that.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from carewright.contracts.directory import HealthcareService, Location, VisitType
from carewright.contracts.fhir import directory
from carewright.contracts.fhir.basics import Resource, concept, reference, resource, said
from carewright.contracts.starts import Start
from carewright.fhir.model.ids import ProposalId, digest_of, write_offer, write_proposal
from carewright.fhir.model.ndjson import ndjson

EXTENSIONS = "http://fhir-registry.smarthealthit.org/StructureDefinition"
CAPACITY, DEEP_LINK, PHONE = f"{EXTENSIONS}/slot-capacity", f"{EXTENSIONS}/booking-deep-link", f"{EXTENSIONS}/booking-phone"
URIS = "urn:ietf:rfc:3986"


@dataclass(frozen=True)
class Offer:
    """A kind of visit at a site. `booking_url` is where patients book: the address of the portal, or nothing."""

    visit_type: VisitType
    service: HealthcareService
    site: Location
    booking_url: str = ""

    @cached_property
    def id(self) -> str:
        return write_offer(self.visit_type.id, self.site.id)


@dataclass(frozen=True, slots=True)
class File:
    """One output: resources of a type, one a line. `changed_at` is when this process first saw its content."""

    type: str
    lines: bytes
    etag: str
    changed_at: datetime


def manifest(url: str, files_url: str, files: Mapping[str, File], states: Sequence[str], changed_at: datetime) -> Resource:
    """Where each of `files` is. `transactionTime` is when what is shown last changed: asked since then, nothing is left to fetch."""
    tags = {"extension": {"state": list(states)}} if states else {}
    return {
        "transactionTime": changed_at.isoformat(timespec="milliseconds"),
        "request": url,
        "requiresAccessToken": False,
        "output": [{"type": file.type, "url": f"{files_url}/{name}"} | tags for name, file in files.items()],
        "error": [],
    }


def location(site: Location, booking_url: str) -> Resource:
    """A site with its contacts, known by its own id where it has no other number."""
    shown = directory.location(site)
    links = [{"system": "url", "value": booking_url}] if booking_url else []
    return said(shown | {
        "telecom": [*shown.get("telecom", []), *links],
        "identifier": shown.get("identifier") or [{"system": URIS, "value": f"urn:uuid:{site.id}"}],
    })  # fmt: skip


def schedule(offer: Offer) -> Resource:
    return resource("Schedule", offer.id, {
        "active": True,
        "serviceType": [directory.visit_type(offer.visit_type)],
        "specialty": [concept(offer.service.specialty)],
        "actor": [reference("Location", offer.site.id, offer.site.name)],
    })  # fmt: skip


def slots(offer: Offer, starts: Iterable[Start]) -> Iterator[Resource]:
    """One Slot for each start, at the site's own time; of a taken one nothing is said about booking."""
    length, site = timedelta(minutes=offer.visit_type.duration_minutes), digest_of(offer.site.id)
    schedule_reference, zone = {"reference": f"Schedule/{offer.id}"}, ZoneInfo(offer.site.time_zone or "UTC")
    times = f"{offer.booking_url}/visits/{offer.visit_type.id}/times?site={offer.site.id}&day=" if offer.booking_url else ""
    phone = [{"url": PHONE, "valueString": offer.site.phone}] if offer.site.phone else []
    for start in starts:
        at = start.at.astimezone(zone)
        made: Resource = {
            "resourceType": "Slot",
            "id": write_proposal(ProposalId(offer.visit_type.id, site, None, start.at)),
            "schedule": schedule_reference,
            "status": "free" if start.free else "busy",
            "start": at.isoformat(),
            "end": (start.at + length).astimezone(zone).isoformat(),
        }
        if start.free:
            link = [{"url": DEEP_LINK, "valueUrl": f"{times}{at.date()}"}] if times else []
            made["extension"] = [{"url": CAPACITY, "valueInteger": start.free}, *link, *phone]
        yield made


def by_week(offer: Offer, starts: Sequence[Start]) -> list[tuple[str, bytes]]:
    """The Slots of each ISO week by UTC, as it stands in the name of a file (`2026-W48`), one a line."""
    return [(week, ndjson(slots(offer, some))) for week, some in groupby(starts, lambda start: "{}-W{:02}".format(*start.at.isocalendar()))]
