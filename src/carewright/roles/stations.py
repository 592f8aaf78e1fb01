"""Screens and kiosks from the command line: `carewright station`."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from carewright.contracts.stations import EnrolledStation, EnrolStation, Station
from carewright.roles.clients import asking


async def enrolled(sections: Mapping[str, Any], organization_id: UUID, command: EnrolStation) -> EnrolledStation:
    async with asking(sections, organization_id) as (access, actor):
        return await access.enrol_station(actor, command)


async def renewed(sections: Mapping[str, Any], organization_id: UUID, station_id: UUID) -> EnrolledStation:
    async with asking(sections, organization_id) as (access, actor):
        return await access.renew_station_code(actor, station_id)


async def listed(sections: Mapping[str, Any], organization_id: UUID) -> Sequence[Station]:
    async with asking(sections, organization_id) as (access, actor):
        return (await access.list_stations(actor)).items


async def retired(sections: Mapping[str, Any], organization_id: UUID, station_id: UUID) -> Station:
    async with asking(sections, organization_id) as (access, actor):
        return await access.retire_station(actor, station_id)


def line_of(station: Station) -> str:
    """One line for the terminal."""
    if station.retired:
        state = "retired"
    elif station.last_seen_at:
        state = f"signed in, seen {station.last_seen_at:%Y-%m-%d %H:%M} UTC"
    else:
        state = "waits for its code" if station.code_until else "signed out"
    return f"{station.id} {station.kind:<6} {station.name}: {state}"


def code_of(enrolled: EnrolledStation) -> str:
    """What to do at the station, in one line."""
    until = enrolled.station.code_until
    return f"Type {enrolled.code} at the address /station of this {enrolled.station.kind}, until {until:%H:%M} UTC."
