"""The hospital's ground: sites, buildings, rooms, beds, benches and devices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID
from zoneinfo import ZoneInfo

from carewright.contracts.directory import ActorKind, Coding, Device, Identifier, Location, LocationKind, PostalAddress
from carewright.simulation.hospital.actors import Actor, Site, Sites
from carewright.simulation.hospital.arrays import apportion
from carewright.simulation.hospital.codes import BED, BEDS, KINDS, SITE_KEYS, Kind, SiteKey, coding, token
from carewright.simulation.hospital.draw import Draw
from carewright.simulation.hospital.size import HospitalSize

IDENTIFIERS = "urn:carewright:demo"


def _post(street: str, city: str, state: str) -> PostalAddress:
    """An address in the United States, with a postal code that none has."""
    return PostalAddress(lines=(street,), city=city, state=state, postal_code="00000", country="US")


_SITES: dict[SiteKey, tuple[str, str, PostalAddress, str]] = {
    "main": ("Harborview Falls Hospital", "America/New_York", _post("1 Hospital Drive", "Harborview Falls", "NY"), "+1-202-555-0100"),
    "north": ("Northfield Clinic", "America/New_York", _post("220 Orchard Road", "Northfield", "NY"), "+1-202-555-0120"),
    "west": ("Westbrook Clinic", "America/Chicago", _post("48 Prairie Avenue", "Westbrook", "IL"), "+1-202-555-0140"),
}
_WARD_BEDS = 30


@dataclass(slots=True)
class Places:
    """Sites, every location and device, and those of them that have calendars."""

    hospital_id: UUID
    sites: Sites
    locations: list[Location]
    devices: list[Device] = field(default_factory=list)
    actors: list[Actor] = field(default_factory=list)


def build_places(draw: Draw, size: HospitalSize, hospital_id: UUID, needed: frozenset[str]) -> Places:
    """The places of a hospital of `size`; of rooms, benches and devices only the kinds that visits need."""
    places = _ground(draw, hospital_id)
    buildings = _buildings(draw, places)
    _put_locations(draw, places, buildings, "room", size.rooms, needed)
    _put_locations(draw, places, buildings, "lab-bench", size.lab_benches, needed)
    _put_devices(draw, places, size.devices, needed)
    _put_beds(draw, places, buildings, size.beds)
    return places


def counted(kinds: Iterable[Kind], total: int) -> list[tuple[Kind, SiteKey, int]]:
    """Share `total` among the kinds and sites in proportion to the table."""
    cells = [(kind, key, weight) for kind in kinds for key, weight in zip(SITE_KEYS, kind.spread, strict=True) if weight]
    shares = apportion(total, [weight for _, _, weight in cells])
    return [(kind, key, share) for (kind, key, _), share in zip(cells, shares, strict=True)]


def kinds_of(kind: ActorKind, needed: frozenset[str]) -> tuple[str, list[Kind]]:
    """The code system of an actor kind and those of its kinds that visits need."""
    system, kinds = KINDS[kind]
    return system, [each for each in kinds if token(system, each.code) in needed]


def identifier(kind: str, number: int) -> tuple[Identifier, ...]:
    """The hospital's own number of a thing."""
    return (Identifier(system=f"{IDENTIFIERS}:{kind}", value=f"{kind}-{number:05d}"),)


def _ground(draw: Draw, hospital_id: UUID) -> Places:
    sites: Sites = {}
    locations: list[Location] = []
    for number, (key, (name, zone, postal, phone)) in enumerate(_SITES.items(), 1):
        sites[key] = site = Site(key, draw.uuid(), name, ZoneInfo(zone))
        locations.append(
            Location(
                id=site.id,
                kind="site",
                name=name,
                site_id=site.id,
                time_zone=zone,
                address=f"{postal.lines[0]}, {postal.city}",
                postal=postal,
                phone=phone,
                managing_organization_id=hospital_id,
                identifiers=identifier("site", number),
            )
        )
    return Places(hospital_id, sites, locations)


def _buildings(draw: Draw, places: Places) -> dict[tuple[SiteKey, str], Location]:
    names = sorted({kind.building for _, kinds in KINDS.values() for kind in kinds if kind.building})
    wanted: list[tuple[SiteKey, str, str]] = [("main", name, name) for name in names]
    wanted += [(key, "", f"{places.sites[key].name} building") for key in SITE_KEYS if key != "main"]
    made = {
        (key, name): Location(
            id=draw.uuid(),
            kind="building",
            name=title,
            part_of_id=places.sites[key].id,
            site_id=places.sites[key].id,
            managing_organization_id=places.hospital_id,
            identifiers=identifier("building", number),
        )
        for number, (key, name, title) in enumerate(wanted, 1)
    }
    places.locations.extend(made.values())
    return made


def _put_locations(
    draw: Draw,
    places: Places,
    buildings: dict[tuple[SiteKey, str], Location],
    kind: LocationKind,
    total: int,
    needed: frozenset[str],
) -> None:
    actor_kind: ActorKind = "room" if kind == "room" else "lab-bench"
    system, kinds = kinds_of(actor_kind, needed)
    number = 0
    for each, key, count in counted(kinds, total):
        building = buildings[(key, each.building if key == "main" else "")]
        for nth in range(1, count + 1):
            number += 1
            place = _location(draw.uuid(), kind, f"{each.display} {_NAMES_AT[key]}{nth}", building, coding(system, each), number)
            places.locations.append(place)
            places.actors.append(_place_actor(place.id, actor_kind, place.name, system, each, key))


_NAMES_AT: dict[SiteKey, str] = {"main": "", "north": "N", "west": "W"}


def _location(place_id: UUID, kind: LocationKind, name: str, building: Location, of: Coding, number: int) -> Location:
    return Location(
        id=place_id,
        kind=kind,
        name=name,
        part_of_id=building.id,
        site_id=building.site_id,
        room_type=of,
        managing_organization_id=building.managing_organization_id,
        identifiers=identifier(kind, number),
    )


def _place_actor(place_id: UUID, kind: ActorKind, display: str, system: str, of: Kind, key: SiteKey) -> Actor:
    codes = frozenset({token(system, of.code)})
    return Actor(
        id=place_id, kind=kind, display=display, codes=codes, home=key, hours=of.hours, weekend=of.hours != "clinic" or _weekends(of)
    )


def _weekends(kind: Kind) -> bool:
    return kind.code in {"exam-primary", "exam-children"}


def _put_devices(draw: Draw, places: Places, total: int, needed: frozenset[str]) -> None:
    system, kinds = kinds_of("device", needed)
    number = 0
    for kind, key, count in counted(kinds, total):
        for nth in range(1, count + 1):
            number += 1
            name = f"{kind.display} {_NAMES_AT[key]}{nth}"
            device = Device(
                id=draw.uuid(),
                name=name,
                device_type=coding(system, kind),
                site_id=places.sites[key].id,
                identifiers=identifier("device", number),
            )
            places.devices.append(device)
            places.actors.append(_place_actor(device.id, "device", name, system, kind, key))


def _put_beds(draw: Draw, places: Places, buildings: dict[tuple[SiteKey, str], Location], total: int) -> None:
    tower = next(building for (key, name), building in buildings.items() if key == "main" and name == "Main Tower")
    kinds: Sequence[tuple[Kind, SiteKey, int]] = counted(BEDS, total)
    number = 0
    for kind, _, count in kinds:
        for nth in range(count):
            number += 1
            name = f"{kind.display} {nth // _WARD_BEDS + 1:02d}-{nth % _WARD_BEDS + 1:02d}"
            places.locations.append(_location(draw.uuid(), "bed", name, tower, coding(BED, kind), number))
