"""What scheduling keeps of a person, a room or a device: kind, abilities as codes, languages, sites."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from carewright.contracts.directory import ActorKind, Coding, Device, Location, Practitioner, PractitionerRole


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """One bookable actor, ready to be stored as a schedule. Codes are `system|code`; languages are lower-case BCP 47 tags."""

    id: UUID
    kind: ActorKind
    display: str
    codes: tuple[str, ...]
    languages: tuple[str, ...]
    site_ids: tuple[UUID, ...]
    active: bool
    source_version: int


def actor_of_practitioner(practitioner: Practitioner, roles: Iterable[PractitionerRole]) -> Actor:
    """A person with the specialties and skills of all active roles. The version is the newest among person and roles, added up."""
    active = [role for role in roles if role.active]
    codings = [coding for role in active for coding in (*role.codes, *role.specialties, *role.skills)]
    return Actor(
        id=practitioner.id, kind=practitioner.kind, display=practitioner.display, codes=_codes(codings),
        languages=tuple(sorted({tag.lower() for tag in practitioner.languages})),
        site_ids=tuple(sorted({site for role in active for site in role.site_ids})), active=practitioner.active and bool(active),
        source_version=practitioner.version + sum(role.version for role in roles),
    )  # fmt: skip


def actor_of_location(location: Location) -> Actor | None:
    """A room, bed or lab bench; None for a place that cannot be booked."""
    if location.kind not in ("room", "bed", "lab-bench"):
        return None
    return Actor(
        id=location.id, kind=location.kind, display=location.name, codes=_codes([location.room_type] if location.room_type else []),
        languages=(), site_ids=(location.site_id,), active=location.active, source_version=location.version,
    )  # fmt: skip


def actor_of_device(device: Device) -> Actor | None:
    """A device that stands at a site; None for one that cannot be booked."""
    if not device.bookable or device.site_id is None:
        return None
    return Actor(
        id=device.id, kind="device", display=device.name, codes=_codes([device.device_type]), languages=(),
        site_ids=(device.site_id,), active=device.active, source_version=device.version,
    )  # fmt: skip


def _codes(codings: Iterable[Coding]) -> tuple[str, ...]:
    return tuple(sorted({f"{coding.system}|{coding.code}" for coding in codings}))
